/* The gate before every handler: who asks (service key or bearer token), may that role do this, not too often, and a
 * POST only once. Payments pass it without a database access. */
#pragma once

#include "app/idempotency.h"
#include "identity/identity_api.h"
#include "platform/http_server.h"

struct gate;

struct gate_options {
	const struct identity_api *identity; /* NULL: only public and internal routes are open */
	struct idempotency *idempotency;     /* outlives the gate */
	struct slice service_key;            /* copied */
	int64_t rate_limit;                  /* requests a second of one principal or address; 0 = none */
};

struct gate *gate_new(const struct gate_options *options);
/* Accepts NULL. */
void gate_free(struct gate *gate);

/* The http_gate of a server whose gate_arg is a struct gate. */
http_gate gate_pass;
