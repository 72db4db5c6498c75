/* The one place where everything meets: engines, services near and far, gate and server, started and stopped in order.
 */
#pragma once

#include "app/gate.h"
#include "app/services.h"
#include "app/targets.h"
#include "platform/neighbour.h"

enum { WIRING_ROUTES_MAX = TARGET_COUNT + 1 };

struct wiring {
	const struct config *config;
	struct arena arena;
	unsigned here; /* bit per target that runs in this process */
	struct slice service_key;
	struct slice listen; /* the port is never 0 */
	struct slice public_url;
	struct slice rails_url; /* of the rail processor, or of the simulator inside */
	struct slice rails_secret;

	/* The first administrator, when this start has made one; "" else. */
	char first_email[64], first_password[64];

	struct engines engines;
	struct idempotency *idempotency;
	struct gate *gate;
	struct neighbour *neighbours[TARGET_COUNT]; /* of targets elsewhere whose address is known */
	struct services services;

	struct http_routes routes[WIRING_ROUTES_MAX];
	size_t routes_count;
	struct http_server *server;
};

/* Starts all that the configuration asks for; the server is the last. ERR_INVALID_PARAMETER when a setting is wrong or
 * missing, else what hindered it; the problem's detail is one sentence for a person. */
enum status wiring_start(const struct config *config, struct wiring **ret_wiring, struct problem *problem);
/* The server first, then consumers, services, and the committer. Accepts NULL. */
void wiring_stop(struct wiring *wiring);

static inline bool wiring_has(const struct wiring *wiring, enum target target)
{
	return wiring->here & 1u << target;
}
