#include "app/wiring.h"

#include "app/database.h"
#include "app/key_file.h"
#include "app/listen_address.h"
#include "app/meta_http.h"
#include "base/encoding.h"
#include "identity/identity_service.h"

enum { READERS = 8 };

static enum status choose_targets(struct wiring *wiring, struct problem *problem)
{
	const struct config *config = wiring->config;
	TRY(targets_parse(config_text(config, SETTING_TARGET), &wiring->here, problem));
	if (wiring_has(wiring, TARGET_router) && !config_is_set(config, SETTING_RAILS_URL))
		wiring->here |= TARGET_BIT(sandbox);
	return targets_check(wiring->here, config, problem);
}

static enum status choose_addresses(struct wiring *wiring, struct problem *problem)
{
	const struct config *config = wiring->config;
	(void)problem;
	wiring->listen = listen_address_choose(config_text(config, SETTING_LISTEN), &wiring->arena);
	wiring->public_url = config_is_set(config, SETTING_PUBLIC_URL)
	                             ? config_text(config, SETTING_PUBLIC_URL)
	                             : listen_address_url(wiring->listen, &wiring->arena);
	wiring->rails_url = config_text(config, SETTING_RAILS_URL);
	return STATUS_OK;
}

/* Adds which setting leads elsewhere. */
static enum status blame(enum setting setting, enum status status, struct problem *problem)
{
	struct problem found = *problem;
	if (status == STATUS_OK)
		return status;
	return problem_set(problem, status, setting_name(setting), "%s (setting AGENTPAY_%s)",
	        found.detail[0] ? found.detail : status_sentence(status), setting_name(setting));
}

static enum status read_key(
        struct wiring *wiring, const char *file, unsigned char ret_key[CRYPTO_KEY_SIZE], struct problem *problem)
{
	struct slice folder = config_text(wiring->config, SETTING_KEY_FOLDER);
	return blame(SETTING_KEY_FOLDER, key_file_read(folder, file, ret_key, problem), problem);
}

/* The setting's text, or the key of this installation in the form that `write` gives it. */
static enum status choose_secret(struct wiring *wiring, enum setting setting, const char *file, const char *prefix,
        void (*write)(struct writer *, const void *, size_t), struct slice *ret_secret, struct problem *problem)
{
	unsigned char key[CRYPTO_KEY_SIZE];
	struct writer out = writer_growing(&wiring->arena);
	if (config_is_set(wiring->config, setting)) {
		*ret_secret = config_text(wiring->config, setting);
		return STATUS_OK;
	}
	TRY(read_key(wiring, file, key, problem));
	write_text(&out, prefix);
	write(&out, key, sizeof key);
	crypto_wipe(key, sizeof key);
	*ret_secret = writer_slice(&out);
	return STATUS_OK;
}

static enum status read_keys(struct wiring *wiring, struct problem *problem)
{
	TRY(choose_secret(wiring, SETTING_SERVICE_KEY, "service.key", "", write_hex, &wiring->service_key, problem));
	return choose_secret(
	        wiring, SETTING_RAILS_SECRET, "rails.key", "whsec_", write_base64, &wiring->rails_secret, problem);
}

static enum status prepare(
        struct wiring *wiring, enum setting url, const struct migration_list *migrations, struct problem *problem)
{
	return blame(url, database_prepare(config_text(wiring->config, url), migrations, problem), problem);
}

static enum status prepare_databases(struct wiring *wiring, struct problem *problem)
{
	TRY(prepare(wiring, SETTING_DATABASE_URL, &business_migrations, problem));
	if (wiring_has(wiring, TARGET_audit))
		TRY(prepare(wiring, SETTING_AUDIT_DATABASE_URL, &audit_trail_migrations, problem));
	return STATUS_OK;
}

static enum status start_engines(struct wiring *wiring, struct problem *problem)
{
	struct engines *engines = &wiring->engines;
	engines->database_url = config_text(wiring->config, SETTING_DATABASE_URL);
	TRY(sql_pool_open(engines->database_url, READERS, &engines->readers, problem));
	TRY(committer_start(engines->database_url, "business", &engines->committer, problem));
	return outbox_start(engines->database_url, engines->committer, &engines->outbox, problem);
}

static void connect_neighbours(struct wiring *wiring)
{
	for (unsigned i = 0; i < TARGET_COUNT; i++) {
		if (wiring_has(wiring, i) || !service_rows[i].routes || !config_is_set(wiring->config, targets[i].url))
			continue;
		wiring->neighbours[i] = neighbour_new(
		        targets[i].name, config_text(wiring->config, targets[i].url), wiring->service_key);
		if (service_rows[i].connect)
			service_rows[i].connect(wiring, wiring->neighbours[i]);
	}
}

static enum status start_services(struct wiring *wiring, struct problem *problem)
{
	connect_neighbours(wiring);
	for (unsigned i = 0; i < TARGET_COUNT; i++)
		if (wiring_has(wiring, i) && service_rows[i].start)
			TRY(service_rows[i].start(wiring, problem));
	return STATUS_OK;
}

static enum status start_gate(struct wiring *wiring, struct problem *problem)
{
	unsigned char key[CRYPTO_KEY_SIZE];
	TRY(read_key(wiring, "answers.key", key, problem));
	enum status status = idempotency_start(&wiring->engines, key, &wiring->idempotency, problem);
	crypto_wipe(key, sizeof key);
	TRY(status);
	wiring->gate = gate_new(&(struct gate_options) {
	        .identity = wiring->services.identity_api.self ? &wiring->services.identity_api : NULL,
	        .idempotency = wiring->idempotency,
	        .service_key = wiring->service_key,
	        .rate_limit = config_integer(wiring->config, SETTING_RATE_LIMIT),
	});
	return STATUS_OK;
}

static enum status forward(void *neighbour, struct http_request *request, struct http_response *response)
{
	return neighbour_forward(neighbour, request, response);
}

/* The public routes of a service elsewhere. Its own gate decides; ours lets all pass. */
static struct http_routes forwarded(
        struct wiring *wiring, const struct http_routes *routes, struct neighbour *neighbour)
{
	struct http_route *rows = ARENA_ARRAY(&wiring->arena, struct http_route, routes->count);
	size_t count = 0;
	for (size_t i = 0; i < routes->count; i++) {
		const struct http_route *row = &routes->rows[i];
		if (row->flags & HTTP_ROUTE_INTERNAL)
			continue;
		rows[count++] = (struct http_route) { .method = row->method,
			.path = row->path,
			.handle = forward,
			.permission = PERMISSION_PUBLIC,
			.flags = HTTP_ROUTE_NO_KEY | HTTP_ROUTE_NO_RATE_LIMIT | HTTP_ROUTE_ANY_BODY };
	}
	return (struct http_routes) { routes->service, rows, count, neighbour };
}

static void collect_routes(struct wiring *wiring)
{
	wiring->routes[wiring->routes_count++] = meta_http_routes(&wiring->engines);
	for (unsigned i = 0; i < TARGET_COUNT; i++) {
		if (!service_rows[i].routes)
			continue;
		struct http_routes routes = service_rows[i].routes(&wiring->services);
		if (wiring_has(wiring, i))
			wiring->routes[wiring->routes_count++] = routes;
		else if (wiring->neighbours[i])
			wiring->routes[wiring->routes_count++] = forwarded(wiring, &routes, wiring->neighbours[i]);
	}
}

static enum status start_server(struct wiring *wiring, struct problem *problem)
{
	collect_routes(wiring);
	const struct http_server_options options = {
		.listen = wiring->listen,
		.services = wiring->routes,
		.service_count = wiring->routes_count,
		.gate = gate_pass,
		.gate_arg = wiring->gate,
		.request_timeout_ms = config_integer(wiring->config, SETTING_REQUEST_TIMEOUT_MS),
		.connections_max = (size_t)config_integer(wiring->config, SETTING_CONNECTIONS_MAX),
	};
	return blame(SETTING_LISTEN, http_server_start(&options, &wiring->server, problem), problem);
}

/* The last step: nothing can fail any more between making the password and showing it. */
static enum status make_first_administrator(struct wiring *wiring, struct problem *problem)
{
	bool created;
	(void)problem;
	if (!wiring_has(wiring, TARGET_identity))
		return STATUS_OK;
	return identity_bootstrap(wiring->services.identity, wiring->first_email, wiring->first_password, &created);
}

enum status wiring_start(const struct config *config, struct wiring **ret_wiring, struct problem *problem)
{
	static enum status (*const steps[])(struct wiring *, struct problem *) = { choose_targets, choose_addresses,
		read_keys, prepare_databases, start_engines, start_services, start_gate, start_server,
		make_first_administrator };
	struct wiring *wiring = NEW(struct wiring);
	wiring->config = config;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		enum status status = steps[i](wiring, problem);
		if (status != STATUS_OK) {
			wiring_stop(wiring);
			return status;
		}
	}
	*ret_wiring = wiring;
	return STATUS_OK;
}

void wiring_stop(struct wiring *wiring)
{
	if (!wiring)
		return;
	http_server_stop(wiring->server);
	outbox_stop(wiring->engines.outbox);
	gate_free(wiring->gate);
	idempotency_stop(wiring->idempotency);
	for (unsigned i = TARGET_COUNT; i-- > 0;)
		if (service_rows[i].stop)
			service_rows[i].stop(&wiring->services);
	for (unsigned i = 0; i < TARGET_COUNT; i++)
		neighbour_free(wiring->neighbours[i]);
	committer_stop(wiring->engines.committer);
	sql_pool_close(wiring->engines.readers);
	arena_clean_up(&wiring->arena);
	memory_free(wiring);
}
