/* A POST is done once for each Idempotency-Key of a principal: a repeat gets the stored answer. Answers are kept at
 * least 24 hours, sealed. A crash between a handler's work and the stored answer is covered by operation_id: the
 * handler then finds what its first try stored. */
#pragma once

#include "platform/crypto.h"
#include "platform/engines.h"
#include "platform/http_server.h"

enum { IDEMPOTENCY_KEY_SIZE_MAX = 255, IDEMPOTENCY_IN_FLIGHT_MAX = 4096 };

struct idempotency;

/* `key` seals the answers. Starts a thread that forgets old answers. */
enum status idempotency_start(const struct engines *engines, const unsigned char key[CRYPTO_KEY_SIZE],
        struct idempotency **ret_idempotency, struct problem *problem);
/* Accepts NULL. */
void idempotency_stop(struct idempotency *idempotency);

/* Sets the request's operation_id: derived from `principal` (its identifier's bytes), method, path and key.
 * ERR_IDEMPOTENCY_KEY_MISSING, ERR_IDEMPOTENCY_KEY_INVALID. Reads no database. */
enum status idempotency_identify(struct http_request *request, struct slice principal);

/* Runs the route unless its answer is stored. ERR_IDEMPOTENCY_IN_FLIGHT while another request with this operation_id
 * runs, ERR_IDEMPOTENCY_CONFLICT when the stored one had another body. Answers 2xx are stored before they leave. */
enum status idempotency_run(struct idempotency *idempotency, const struct http_routes *routes,
        struct http_request *request, struct http_response *response);
