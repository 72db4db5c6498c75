/* The identity_api for a process without identity: asks the neighbour over HTTP. A token that was good is believed for
 * one second, so that a busy agent does not cost a round trip for each request. */
#pragma once

#include "identity/identity_api.h"
#include "platform/neighbour.h"

struct identity_client;

/* The neighbour must outlive it. */
struct identity_client *identity_client_new(struct neighbour *neighbour);
/* Accepts NULL. */
void identity_client_free(struct identity_client *client);
struct identity_api identity_client_api(struct identity_client *client);
