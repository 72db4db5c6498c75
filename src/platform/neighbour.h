/* A service in another process, asked over HTTP with JSON: the transport of every X_client.c. */
#pragma once

#include "platform/http_client.h"

struct neighbour;

/* Header fields between our own processes; believed only beside a right service key. */
#define NEIGHBOUR_KEY "Agentpay-Service-Key"
#define NEIGHBOUR_ADDRESS "Agentpay-Client-Address"
#define NEIGHBOUR_ACTOR "Agentpay-Actor"

/* `url` such as "http://127.0.0.1:8083"; `service_key` proves to the neighbour who asks (header NEIGHBOUR_KEY).
 * `name` is for logs. Keeps its own connections. */
struct neighbour *neighbour_new(const char *name, struct slice url, struct slice service_key);
/* Accepts NULL. */
void neighbour_free(struct neighbour *neighbour);

/* Which request this thread works for, so that its trace, identifier and actor travel on; NULL: none. Set by the gate
 * around a handler; the request must live until it is taken back. */
void neighbour_context_set(const struct http_request *request);

/* POSTs `body` to `path` and parses the answer. A problem+json answer becomes the status of its code, its param and
 * detail go to `problem` (may be NULL). Only idempotent calls go through here: after ERR_NEIGHBOUR_UNAVAILABLE the
 * call is repeated once. Traceparent and the actor's headers of the current thread are passed on. */
enum status neighbour_post(struct neighbour *neighbour, const char *path, struct slice body, struct arena *arena,
        const struct json **ret_answer, struct problem *problem);

/* Passes a whole public request on and answers with what came back; for routes of services in other processes. The
 * client's address travels in NEIGHBOUR_ADDRESS, which the other side believes for the service key's sake. */
enum status neighbour_forward(
        struct neighbour *neighbour, const struct http_request *request, struct http_response *response);
