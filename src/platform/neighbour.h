/* A service in another process, asked over HTTP with JSON: the transport of every X_client.c. */
#pragma once

#include "platform/http_client.h"

struct neighbour;

/* `url` such as "http://127.0.0.1:8083"; `service_key` proves to the neighbour who asks (header Agentpay-Service-Key).
 * `name` is for logs. Keeps its own connections. */
struct neighbour *neighbour_new(const char *name, struct slice url, struct slice service_key);
/* Accepts NULL. */
void neighbour_free(struct neighbour *neighbour);

/* POSTs `body` to `path` and parses the answer. A problem+json answer becomes the status of its code, its param and
 * detail go to `problem` (may be NULL). Only idempotent calls go through here: after ERR_NEIGHBOUR_UNAVAILABLE the
 * call is repeated once. Traceparent and the actor's headers of the current thread are passed on. */
enum status neighbour_post(struct neighbour *neighbour, const char *path, struct slice body, struct arena *arena,
	const struct json **ret_answer, struct problem *problem);

/* Passes a whole public request on and answers with what came back; for routes of services in other processes. */
enum status neighbour_forward(struct neighbour *neighbour, const struct http_request *request, struct http_response *response);
