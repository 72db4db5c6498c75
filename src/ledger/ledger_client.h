/* The ledger in another process, behind the same interface. */
#pragma once

#include "ledger/ledger_api.h"
#include "platform/neighbour.h"

struct ledger_client;

/* `committer` is the caller's own: riders run there, after the group was posted. Both outlive the client. */
struct ledger_client *ledger_client_new(struct neighbour *neighbour, struct committer *committer);
/* Accepts NULL. */
void ledger_client_free(struct ledger_client *client);
struct ledger_api ledger_client_api(struct ledger_client *client);
