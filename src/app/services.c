#include "app/services.h"

#include "app/folder.h"
#include "app/key_file.h"
#include "app/listen_address.h"
#include "app/wiring.h"
#include "app_sql.h"
#include "audit/audit_http.h"
#include "audit/audit_service.h"
#include "identity/identity_client.h"
#include "identity/identity_http.h"
#include "identity/identity_service.h"
#include "ledger/ledger_client.h"
#include "ledger/ledger_http.h"
#include "ledger/ledger_service.h"
#include "notify/notify_http.h"
#include "platform/outbox.h"
#include "risk/risk_client.h"
#include "risk/risk_http.h"
#include "risk/risk_service.h"
#include "router/router_http.h"
#include "router/router_service.h"
#include "sandbox/sandbox_http.h"

/* --- Identity ------------------------------------------------------------------------------------------------------
 */

static enum status start_identity(struct wiring *wiring, struct problem *problem)
{
	const struct config *config = wiring->config;
	struct services *services = &wiring->services;
	const struct identity_options options = {
		.engines = &wiring->engines,
		.issuer = wiring->public_url,
		.key_folder = config_text(config, SETTING_KEY_FOLDER),
		.access_token_seconds = config_integer(config, SETTING_ACCESS_TOKEN_LIFETIME),
		.refresh_token_seconds = config_integer(config, SETTING_REFRESH_TOKEN_LIFETIME),
	};
	TRY(identity_service_start(&options, &services->identity, problem));
	services->identity_api = identity_service_api(services->identity);
	return STATUS_OK;
}

static void connect_identity(struct wiring *wiring, struct neighbour *neighbour)
{
	wiring->services.identity_client = identity_client_new(neighbour);
	wiring->services.identity_api = identity_client_api(wiring->services.identity_client);
}

static void stop_identity(struct services *services)
{
	identity_service_stop(services->identity);
	identity_client_free(services->identity_client);
}

static struct http_routes routes_identity(const struct services *services)
{
	return identity_http_routes(services->identity);
}

/* --- Ledger --------------------------------------------------------------------------------------------------------
 */

static enum status start_ledger(struct wiring *wiring, struct problem *problem)
{
	struct services *services = &wiring->services;
	const struct ledger_options options = { .engines = &wiring->engines };
	TRY(ledger_service_start(&options, &services->ledger, problem));
	services->ledger_api = ledger_service_api(services->ledger);
	return STATUS_OK;
}

static void connect_ledger(struct wiring *wiring, struct neighbour *neighbour)
{
	wiring->services.ledger_client = ledger_client_new(neighbour, wiring->engines.committer);
	wiring->services.ledger_api = ledger_client_api(wiring->services.ledger_client);
}

static void stop_ledger(struct services *services)
{
	ledger_service_stop(services->ledger);
	ledger_client_free(services->ledger_client);
}

static struct http_routes routes_ledger(const struct services *services)
{
	return ledger_http_routes(services->ledger);
}

/* --- Risk ----------------------------------------------------------------------------------------------------------
 */

static enum status start_risk(struct wiring *wiring, struct problem *problem)
{
	const struct config *config = wiring->config;
	struct services *services = &wiring->services;
	struct slice blocked = config_text(config, SETTING_RISK_BLOCKED_COUNTRIES);
	const struct risk_options options = {
		.engines = &wiring->engines,
		.review_threshold = (int)config_integer(config, SETTING_RISK_REVIEW_THRESHOLD),
		.block_threshold = (int)config_integer(config, SETTING_RISK_BLOCK_THRESHOLD),
		.country_database = config_text(config, SETTING_COUNTRY_DATABASE),
		.blocked_countries = slice_is(blocked, "standard") ? (struct slice) { NULL, 0 } : blocked,
		.count_limits = { config_integer(config, SETTING_RISK_COUNT_MINUTE),
		        config_integer(config, SETTING_RISK_COUNT_HOUR),
		        config_integer(config, SETTING_RISK_COUNT_DAY) },
		.sum_limits = { config_integer(config, SETTING_RISK_SUM_MINUTE),
		        config_integer(config, SETTING_RISK_SUM_HOUR), config_integer(config, SETTING_RISK_SUM_DAY) },
	};
	TRY(risk_service_start(&options, &services->risk, problem));
	services->risk_api = risk_service_api(services->risk);
	return STATUS_OK;
}

static void connect_risk(struct wiring *wiring, struct neighbour *neighbour)
{
	wiring->services.risk_api = risk_client_api(neighbour);
}

static void stop_risk(struct services *services)
{
	risk_service_stop(services->risk);
}

static struct http_routes routes_risk(const struct services *services)
{
	return risk_http_routes(services->risk);
}

/* --- Router --------------------------------------------------------------------------------------------------------
 */

static enum status start_router(struct wiring *wiring, struct problem *problem)
{
	struct services *services = &wiring->services;
	const struct router_options options = {
		.engines = &wiring->engines,
		.identity = &services->identity_api,
		.ledger = &services->ledger_api,
		.risk = &services->risk_api,
		.rails_url = wiring->rails_url,
		.rails_secret = wiring->rails_secret,
		.public_url = wiring->public_url,
	};
	return router_service_start(&options, &services->router, problem);
}

static void stop_router(struct services *services)
{
	router_service_stop(services->router);
}

static struct http_routes routes_router(const struct services *services)
{
	return router_http_routes(services->router);
}

/* --- Audit ---------------------------------------------------------------------------------------------------------
 */

static enum status start_audit(struct wiring *wiring, struct problem *problem)
{
	const struct audit_options options = {
		.engines = &wiring->engines,
		.audit_database_url = config_text(wiring->config, SETTING_AUDIT_DATABASE_URL),
	};
	return audit_service_start(&options, &wiring->services.audit, problem);
}

static void stop_audit(struct services *services)
{
	audit_service_stop(services->audit);
}

static struct http_routes routes_audit(const struct services *services)
{
	return audit_http_routes(services->audit);
}

/* --- Notify --------------------------------------------------------------------------------------------------------
 */

static enum status start_notify(struct wiring *wiring, struct problem *problem)
{
	const struct config *config = wiring->config;
	unsigned char key[CRYPTO_KEY_SIZE];
	TRY(key_file_read(config_text(config, SETTING_KEY_FOLDER), "webhooks.key", key, problem));
	const struct notify_options options = {
		.engines = &wiring->engines,
		.allow_private_addresses = config_integer(config, SETTING_WEBHOOK_PRIVATE_ADDRESSES) != 0,
		.sealing_key = key,
	};
	enum status status = notify_service_start(&options, &wiring->services.notify, problem);
	crypto_wipe(key, sizeof key);
	return status;
}

static void stop_notify(struct services *services)
{
	notify_service_stop(services->notify);
}

static struct http_routes routes_notify(const struct services *services)
{
	return notify_http_routes(services->notify);
}

/* --- The rail simulator, on a server of its own as a rail processor is ---------------------------------------------
 */

static enum status start_sandbox(struct wiring *wiring, struct problem *problem)
{
	const struct config *config = wiring->config;
	struct services *services = &wiring->services;
	const struct sandbox_options options = {
		.database_url = config_text(config, SETTING_SANDBOX_DATABASE_URL),
		.secret = wiring->rails_secret,
	};
	TRY(folder_make_for_database(options.database_url, problem));
	TRY(sandbox_service_start(&options, &services->sandbox, problem));
	const struct http_routes routes = sandbox_http_routes(services->sandbox);
	struct slice listen = listen_address_choose(config_text(config, SETTING_SANDBOX_LISTEN), &wiring->arena);
	const struct http_server_options server = { .listen = listen, .services = &routes, .service_count = 1 };
	TRY(http_server_start(&server, &services->sandbox_server, problem));
	if (!wiring->rails_url.size)
		wiring->rails_url = listen_address_url(listen, &wiring->arena);
	return STATUS_OK;
}

static void stop_sandbox(struct services *services)
{
	/* Hanging answers end first, or the server would wait for them. */
	if (services->sandbox)
		sandbox_service_interrupt(services->sandbox);
	http_server_stop(services->sandbox_server);
	sandbox_service_stop(services->sandbox);
}

/* -------------------------------------------------------------------------------------------------------------------
 */

const struct service_row service_rows[TARGET_COUNT] = {
	[TARGET_identity] = { start_identity, connect_identity, stop_identity, routes_identity },
	[TARGET_ledger] = { start_ledger, connect_ledger, stop_ledger, routes_ledger },
	[TARGET_risk] = { start_risk, connect_risk, stop_risk, routes_risk },
	[TARGET_router] = { start_router, NULL, stop_router, routes_router },
	[TARGET_audit] = { start_audit, NULL, stop_audit, routes_audit },
	[TARGET_notify] = { start_notify, NULL, stop_notify, routes_notify },
	[TARGET_sandbox] = { start_sandbox, NULL, stop_sandbox, NULL },
};

static const struct sql_migrations app_migrations = { app_migration_rows, APP_MIGRATION_COUNT };

const struct migration_list business_migrations = {
	.lists = { &outbox_migrations, &app_migrations, &identity_migrations, &ledger_migrations, &risk_migrations,
	        &router_migrations, &notify_migrations },
	.count = 7,
};

const struct migration_list audit_trail_migrations = {
	.lists = { &audit_migrations },
	.count = 1,
};
