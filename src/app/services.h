/* How each service is started, reached when it is elsewhere, and stopped. One row a target. */
#pragma once

#include "app/targets.h"
#include "identity/identity_api.h"
#include "ledger/ledger_api.h"
#include "platform/http_server.h"
#include "platform/neighbour.h"
#include "platform/sql.h"
#include "risk/risk_api.h"

struct wiring;
struct audit_service;
struct identity_client;
struct identity_service;
struct ledger_client;
struct ledger_service;
struct notify_service;
struct risk_service;
struct router_service;
struct sandbox_service;

/* What the rows keep: the service when it is here, its client when it is elsewhere, and either way its interface. */
struct services {
	struct identity_service *identity;
	struct identity_client *identity_client;
	struct identity_api identity_api;
	struct ledger_service *ledger;
	struct ledger_client *ledger_client;
	struct ledger_api ledger_api;
	struct risk_service *risk;
	struct risk_api risk_api;
	struct router_service *router;
	struct audit_service *audit;
	struct notify_service *notify;
	struct sandbox_service *sandbox;
	struct http_server *sandbox_server;
};

struct service_row {
	enum status (*start)(struct wiring *wiring, struct problem *problem);
	/* Makes the client of a service that others ask; NULL for the rest. */
	void (*connect)(struct wiring *wiring, struct neighbour *neighbour);
	/* Frees service or client; also when neither was made. */
	void (*stop)(struct services *services);
	/* With self == NULL when the service is not here. NULL: no routes of the platform's API. */
	struct http_routes (*routes)(const struct services *services);
};
extern const struct service_row service_rows[TARGET_COUNT];

/* Migrations of the business database, of all services whatever runs here, so that any process brings all of it to
 * date; and those of the audit database. */
enum { MIGRATIONS_MAX = 16 };
struct migration_list {
	const struct sql_migrations *lists[MIGRATIONS_MAX];
	size_t count;
};
extern const struct migration_list business_migrations;
extern const struct migration_list audit_trail_migrations;
