/* Identity's public addresses through a real server, asked for who-is-it in the same process and over HTTP. */
#include "database.h"

#include <dirent.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "identity/identity_client.h"
#include "identity/identity_http.h"
#include "platform/neighbour.h"

struct world {
	char key_folder[64], url[64];
	struct committer *committer;
	struct sql_pool *readers;
	struct engines engines;
	struct identity_service *service;
	struct http_routes routes; /* as long as the server */
	struct http_server *server;
	struct http_client *client;
	struct neighbour *neighbour;
	struct identity_client *far;
	struct identity_api api; /* what the gate asks */
	struct arena arena;
	struct slice admin; /* access token */
	char password[64];
	unsigned keys;
};

/* What the gate of the product does, as far as these addresses notice. */
static enum status gate(
        void *arg, const struct http_routes *routes, struct http_request *request, struct http_response *response)
{
	struct world *world = arg;
	struct principal principal;
	struct writer name = writer_growing(request->arena);
	struct actor actor = { .name = SLICE("anonymous"), .ip_address = request->remote_address };
	struct slice key = http_request_header(request, "Idempotency-Key");
	if (request->route->permission != PERMISSION_PUBLIC) {
		struct slice token = slice_skip(http_request_header(request, "Authorization"), 7);
		TRY(world->api.authenticate(world->api.self, token, clock_now(), &principal));
		if (!permission_allows((enum permission)request->route->permission, principal.roles))
			return ERR_FORBIDDEN;
		request->principal = &principal;
		write_id(&name, principal_is_agent(&principal) ? "agent" : "user", principal.id);
		actor.name = writer_slice(&name);
	}
	request->actor = &actor;
	request->operation_id = key.size ? uuid_derive(&key, 1) : uuid_new();
	return http_route_run(routes, request, response);
}

static void world_open(struct world *world, void **state)
{
	*world = (struct world) { 0 };
	const struct database *database = database_of(state);
	struct problem problem = { 0 };
	struct sql *sql = database_connect(database);
	assert_status(sql_migrate(sql, &outbox_migrations, &problem), STATUS_OK);
	assert_status(sql_migrate(sql, &identity_migrations, &problem), STATUS_OK);
	sql_close(sql);
	struct slice url = database_url(database);
	assert_status(committer_start(url, "test", &world->committer, &problem), STATUS_OK);
	assert_status(sql_pool_open(url, 4, &world->readers, &problem), STATUS_OK);
	world->engines = (struct engines) { url, world->committer, world->readers, NULL };
	snprintf(world->key_folder, sizeof world->key_folder, "/tmp/agentpay-keys-XXXXXX");
	assert_non_null(mkdtemp(world->key_folder));
	const struct identity_options options = {
		.engines = &world->engines,
		.issuer = SLICE("https://pay.example"),
		.key_folder = slice_from(world->key_folder),
	};
	assert_status(identity_service_start(&options, &world->service, &problem), STATUS_OK);
	world->api = identity_service_api(world->service);

	world->routes = identity_http_routes(world->service);
	const struct http_server_options server = {
		.listen = SLICE("127.0.0.1:0"),
		.services = &world->routes,
		.service_count = 1,
		.gate = gate,
		.gate_arg = world,
	};
	assert_status(http_server_start(&server, &world->server, &problem), STATUS_OK);
	snprintf(world->url, sizeof world->url, "http://127.0.0.1:%d", http_server_port(world->server));
	world->client = http_client_new(&(struct http_client_options) { 0 });
	world->neighbour = neighbour_new("identity", slice_from(world->url), SLICE("key"));
	world->far = identity_client_new(world->neighbour);
}

static void world_close(struct world *world)
{
	char path[512];
	http_server_stop(world->server);
	identity_client_free(world->far);
	neighbour_free(world->neighbour);
	http_client_free(world->client);
	identity_service_stop(world->service);
	committer_stop(world->committer);
	sql_pool_close(world->readers);
	arena_clean_up(&world->arena);
	DIR *directory = opendir(world->key_folder);
	for (const struct dirent *entry; directory && (entry = readdir(directory));) {
		snprintf(path, sizeof path, "%s/%s", world->key_folder, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
	}
	closedir(directory);
	rmdir(world->key_folder);
}

struct question {
	enum http_method method;
	const char *path;
	struct slice token;
	struct slice body;
	const char *content_type, *authorization, *key;
};

/* Sends it and expects the status; the parsed answer, NULL when it is empty. */
static const struct json *ask(struct world *world, const struct question *question, int expected)
{
	char url[256];
	const struct json *json = NULL;
	struct http_answer answer;
	snprintf(url, sizeof url, "%s%s", world->url, question->path);
	struct http_call call = { .method = question->method, .url = slice_from(url), .body = question->body };
	struct slice bearer = arena_format(&world->arena, "Bearer %.*s", SLICE_ARGS(question->token));
	struct slice key = arena_format(&world->arena, "key-%u", world->keys++);
	call.headers[call.header_count++] = (struct http_header) { "Content-Type",
		slice_from(question->content_type ? question->content_type : "application/json") };
	call.headers[call.header_count++] =
	        (struct http_header) { "Idempotency-Key", question->key ? slice_from(question->key) : key };
	if (question->token.size || question->authorization)
		call.headers[call.header_count++] = (struct http_header) { "Authorization",
			question->authorization ? slice_from(question->authorization) : bearer };
	assert_status(http_client_call(world->client, &call, &world->arena, &answer), STATUS_OK);
	if (answer.status != expected)
		fail_msg("%s: %d: %.*s", question->path, answer.status, SLICE_ARGS(answer.body));
	if (answer.body.size)
		assert_status(json_parse(answer.body, &world->arena, &json, NULL), STATUS_OK);
	return json;
}

static const struct json *post(
        struct world *world, const char *path, struct slice token, const char *body, int expected)
{
	return ask(world,
	        &(struct question) { .method = HTTP_POST, .path = path, .token = token, .body = slice_from(body) },
	        expected);
}

static const struct json *get(struct world *world, const char *path, struct slice token, int expected)
{
	return ask(world, &(struct question) { .method = HTTP_GET, .path = path, .token = token }, expected);
}

static struct slice text(const struct json *json, const char *name)
{
	const struct json *member = json_member(json, name);
	if (!member || member->type != JSON_STRING)
		fail_msg("%s is no text", name);
	return member->text;
}

static struct slice raw(const struct json *json, const char *name)
{
	const struct json *member = json_member(json, name);
	if (!member)
		fail_msg("%s is absent", name);
	return member->raw;
}

static const char *path(struct world *world, const char *before, struct slice id, const char *after)
{
	return arena_format(&world->arena, "%s%.*s%s", before, SLICE_ARGS(id), after).data;
}

static const char *body(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *body(struct world *world, const char *format, ...)
{
	char *buffer = arena_alloc(&world->arena, 4096);
	va_list args;
	va_start(args, format);
	vsnprintf(buffer, 4096, format, args);
	va_end(args);
	return buffer;
}

static const struct json *log_in(struct world *world, const char *email, const char *password)
{
	return post(world, "/v1/auth/login", SLICE_EMPTY,
	        body(world, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password), 200);
}

static void open_with_admin(struct world *world, void **state)
{
	char email[64];
	bool created;
	world_open(world, state);
	assert_status(identity_bootstrap(world->service, email, world->password, &created), STATUS_OK);
	world->admin = text(log_in(world, email, world->password), "access_token");
}

static const struct json *make_agent(struct world *world, const char *email)
{
	return post(world, "/v1/agents", world->admin, body(world, "{\"name\":\"bot\",\"email\":\"%s\"}", email), 201);
}

static struct slice agent_token(struct world *world, const struct json *agent)
{
	const struct json *answer = post(world, "/v1/oauth/token", SLICE_EMPTY,
	        body(world, "{\"grant_type\":\"client_credentials\",\"client_id\":\"%.*s\",\"client_secret\":\"%.*s\"}",
	                SLICE_ARGS(text(agent, "client_id")), SLICE_ARGS(text(agent, "client_secret"))),
	        200);
	assert_slice(text(answer, "token_type"), "Bearer");
	assert_slice(raw(answer, "expires_in"), "900");
	assert_slice(text(answer, "scope"), "payments");
	return text(answer, "access_token");
}

static void a_person_comes_and_goes(void **state)
{
	struct world world;
	open_with_admin(&world, state);
	const struct json *login = log_in(&world, "admin@localhost", world.password);
	assert_slice(raw(login, "password_change_required"), "true");
	assert_slice(raw(json_member(login, "user"), "roles"), "[\"admin\"]");
	assert_slice(text(json_member(login, "user"), "email"), "admin@localhost");
	const struct json *me = get(&world, "/v1/me", text(login, "access_token"), 200);
	assert_slice(text(me, "kind"), "user");

	const char *refresh = body(&world, "{\"refresh_token\":\"%.*s\"}", SLICE_ARGS(text(login, "refresh_token")));
	const struct json *renewed = post(&world, "/v1/auth/refresh", SLICE_EMPTY, refresh, 200);
	struct slice token = text(renewed, "access_token");
	assert_null(post(&world, "/v1/auth/password", token,
	        body(&world, "{\"current_password\":\"%s\",\"new_password\":\"a much better one\"}", world.password),
	        204));
	assert_slice(raw(log_in(&world, "admin@localhost", "a much better one"), "password_change_required"), "false");
	assert_null(post(&world, "/v1/auth/logout", token, "{}", 204));
	assert_slice(text(get(&world, "/v1/me", token, 401), "code"), "invalid_token");
	assert_slice(text(post(&world, "/v1/auth/refresh", SLICE_EMPTY, refresh, 401), "code"), "refresh_reused");
	assert_slice(text(post(&world, "/v1/auth/login", SLICE_EMPTY,
	                          "{\"email\":\"admin@localhost\",\"password\":\"not the one\"}", 401),
	                     "code"),
	        "invalid_credentials");
	world_close(&world);
}

static void users_are_made_and_listed(void **state)
{
	struct world world;
	open_with_admin(&world, state);
	const char *ada = "{\"email\":\"ada@example.com\",\"password\":\"correct horse battery\","
	                  "\"name\":\"Ada\",\"roles\":[\"auditor\"]}";
	const struct json *user = post(&world, "/v1/users", world.admin, ada, 201);
	assert_slice(text(user, "email"), "ada@example.com");
	assert_slice(text(user, "name"), "Ada");
	assert_slice(raw(user, "roles"), "[\"auditor\"]");
	assert_slice(text(user, "status"), "active");
	assert_null(json_member(user, "password_hash"));
	assert_slice(text(post(&world, "/v1/users", world.admin, ada, 409), "code"), "already_exists");
	const struct json *again = get(&world, path(&world, "/v1/users/", text(user, "id"), ""), world.admin, 200);
	assert_slice(again->raw, arena_text(&world.arena, user->raw));
	const struct json *list = get(&world, "/v1/users?limit=1", world.admin, 200);
	assert_int_equal(json_member(list, "data")->count, 1);
	assert_slice(raw(list, "has_more"), "true");
	list = get(&world, path(&world, "/v1/users?limit=1&cursor=", text(list, "next_cursor"), ""), world.admin, 200);
	assert_slice(text(json_member(list, "data")->first, "email"), "admin@localhost");
	assert_slice(raw(list, "has_more"), "false");

	struct slice auditor = text(log_in(&world, "ada@example.com", "correct horse battery"), "access_token");
	get(&world, "/v1/users", auditor, 403);
	post(&world, "/v1/users", auditor, "{}", 403);
	static const char *const bad[] = {
		"{\"email\":\"x@y\",\"password\":\"short\",\"roles\":[\"admin\"]}",
		"{\"email\":\"x@y\",\"password\":\"correct horse battery\",\"roles\":[\"agent\"]}",
		"{\"email\":\"x@y\",\"password\":\"correct horse battery\",\"roles\":[\"root\"]}",
		"{\"email\":\"x@y\",\"password\":\"correct horse battery\",\"roles\":[]}",
		"{\"email\":\"x@y\",\"password\":\"correct horse battery\"}",
		"{\"email\":\"x@y\",\"password\":\"correct horse battery\",\"roles\":[\"admin\"],\"id\":1}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		post(&world, "/v1/users", world.admin, bad[i], 400);
	get(&world, "/v1/users/agent-0197f000-0000-7000-8000-000000000001", world.admin, 400);
	get(&world, "/v1/users/user-0197f000-0000-7000-8000-000000000001", world.admin, 404);
	world_close(&world);
}

static void an_agent_asks_for_its_token_in_every_form(void **state)
{
	struct world world;
	open_with_admin(&world, state);
	const struct json *agent = make_agent(&world, "bot@example.com");
	struct slice id = text(agent, "client_id"), secret = text(agent, "client_secret");
	assert_slice(text(agent, "id"), arena_text(&world.arena, id));
	agent_token(&world, agent);

	struct writer basic = writer_growing(&world.arena), wrong = writer_growing(&world.arena);
	struct slice pair = arena_format(&world.arena, "%.*s:%.*s", SLICE_ARGS(id), SLICE_ARGS(secret));
	write_text(&basic, "Basic ");
	write_base64(&basic, pair.data, pair.size);
	write_text(&wrong, "Basic ");
	write_base64(&wrong, pair.data, pair.size - 1);
	const char *credentials = arena_text(&world.arena, writer_slice(&basic));
	const char *wrong_credentials = arena_text(&world.arena, writer_slice(&wrong));
	const char *form = body(&world, "grant_type=client_credentials&client_id=%.*s&client_secret=%.*s",
	        SLICE_ARGS(id), SLICE_ARGS(secret));
	const struct {
		const char *body, *authorization;
		int status;
		const char *error;
	} rows[] = {
		{ form, NULL, 200, NULL },
		{ body(&world, "%s&unknown=x", form), NULL, 200, NULL },
		{ "grant_type=client_credentials", credentials, 200, NULL },
		{ "grant_type=client_credentials&scope=payments", credentials, 200, NULL },
		{ "grant_type=client_credentials&scope=admin", credentials, 400, "invalid_scope" },
		{ "grant_type=client_credentials", wrong_credentials, 401, "invalid_client" },
		{ "grant_type=client_credentials", "Basic !", 401, "invalid_client" },
		{ "grant_type=client_credentials", NULL, 401, "invalid_client" },
		{ form, credentials, 401, "invalid_client" },
		{ body(&world, "%s&client_secret=x", form), NULL, 400, "invalid_request" },
		{ "grant_type=%zz", NULL, 400, "invalid_request" },
		{ "client_id=x", NULL, 400, "invalid_request" },
		{ "grant_type=password&username=a&password=b", NULL, 400, "unsupported_grant_type" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct json *answer = ask(&world,
		        &(struct question) { .method = HTTP_POST,
		                .path = "/v1/oauth/token",
		                .body = slice_from(rows[i].body),
		                .content_type = "application/x-www-form-urlencoded",
		                .authorization = rows[i].authorization },
		        rows[i].status);
		if (rows[i].error)
			assert_slice(text(answer, "error"), rows[i].error);
	}
	const struct json *answer = post(&world, "/v1/oauth/token", SLICE_EMPTY, "{\"grant_type\":1}", 400);
	assert_slice(text(answer, "error"), "invalid_request");
	world_close(&world);
}

static void the_server_says_what_it_is(void **state)
{
	struct world world;
	open_with_admin(&world, state);
	const struct json *set = get(&world, "/.well-known/jwks.json", SLICE_EMPTY, 200);
	assert_slice(text(json_member(set, "keys")->first, "alg"), "EdDSA");
	const struct json *about = get(&world, "/.well-known/oauth-authorization-server", SLICE_EMPTY, 200);
	assert_slice(text(about, "issuer"), "https://pay.example");
	assert_slice(text(about, "token_endpoint"), "https://pay.example/v1/oauth/token");
	assert_slice(text(about, "jwks_uri"), "https://pay.example/.well-known/jwks.json");
	assert_slice(raw(about, "grant_types_supported"), "[\"client_credentials\"]");
	assert_slice(raw(about, "response_types_supported"), "[]");
	world_close(&world);
}

static void an_agent_sees_itself_only(void **state)
{
	struct world world;
	open_with_admin(&world, state);
	const struct json *one = make_agent(&world, "one@example.com"), *two = make_agent(&world, "two@example.com");
	struct slice token = agent_token(&world, one);
	const char *own = path(&world, "/v1/agents/", text(one, "id"), "");
	const char *other = path(&world, "/v1/agents/", text(two, "id"), "");
	assert_slice(text(get(&world, own, token, 200), "email"), "one@example.com");
	get(&world, other, token, 404);
	const struct json *list = get(&world, "/v1/agents", token, 200);
	assert_int_equal(json_member(list, "data")->count, 1);
	assert_int_equal(json_member(get(&world, "/v1/agents", world.admin, 200), "data")->count, 2);
	assert_null(json_member(get(&world, own, world.admin, 200), "client_secret"));
	assert_slice(text(get(&world, "/v1/me", token, 200), "kind"), "agent");
	post(&world, path(&world, "/v1/agents/", text(one, "id"), "/suspend"), token, "{}", 403);
	post(&world, "/v1/agents", token, "{\"name\":\"x\",\"email\":\"x@y\"}", 403);

	const char *suspend = path(&world, "/v1/agents/", text(one, "id"), "/suspend");
	post(&world, suspend, world.admin, "{\"why\":1}", 400);
	assert_slice(text(post(&world, suspend, world.admin, "{}", 200), "status"), "suspended");
	assert_slice(text(get(&world, "/v1/me", token, 403), "code"), "agent_suspended");
	const char *activate = path(&world, "/v1/agents/", text(one, "id"), "/activate");
	assert_slice(text(post(&world, activate, world.admin, "", 200), "status"), "active");
	get(&world, "/v1/me", token, 200);
	world_close(&world);
}

static const char *consent_body(struct world *world, const struct json *agent, const char *more)
{
	return body(world,
	        "{\"agent_id\":\"%.*s\",\"currency\":\"USD\",\"per_payment_limit\":100.00,\"daily_limit\":\"200.00\","
	        "\"monthly_limit\":300.00%s}",
	        SLICE_ARGS(text(agent, "id")), more);
}

static void a_consent_is_given_shown_and_revoked(void **state)
{
	struct world world;
	open_with_admin(&world, state);
	const struct json *one = make_agent(&world, "one@example.com"), *two = make_agent(&world, "two@example.com");
	const char *account = "acct-0197f000-0000-7000-8000-000000000001";
	const struct json *consent = post(&world, "/v1/consents", world.admin,
	        consent_body(&world, one,
	                body(&world,
	                        ",\"payees\":[\"iban:DE89\",\"%s\"],\"rails\":[\"wire\",\"book\"],"
	                        "\"approval_threshold\":50.00,\"account_id\":\"%s\",\"valid_from\":\"2026-01-01T00:00:"
	                        "00Z\","
	                        "\"expires_at\":\"2999-01-01T00:00:00Z\",\"purpose\":\"paper\"",
	                        account, account)),
	        201);
	static const char *const members[][2] = {
		{ "currency", "\"USD\"" },
		{ "per_payment_limit", "100.00" },
		{ "daily_limit", "200.00" },
		{ "monthly_limit", "300.00" },
		{ "payees", "[\"iban:DE89\",\"acct-0197f000-0000-7000-8000-000000000001\"]" },
		{ "rails", "[\"book\",\"wire\"]" },
		{ "approval_threshold", "50.00" },
		{ "account_id", "\"acct-0197f000-0000-7000-8000-000000000001\"" },
		{ "valid_from", "\"2026-01-01T00:00:00Z\"" },
		{ "expires_at", "\"2999-01-01T00:00:00Z\"" },
		{ "purpose", "\"paper\"" },
		{ "status", "\"active\"" },
		{ "revoked_at", "null" },
	};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		assert_slice(raw(consent, members[i][0]), members[i][1]);
	const struct json *plain = post(&world, "/v1/consents", world.admin, consent_body(&world, two, ""), 201);
	assert_slice(raw(plain, "payees"), "[]");
	assert_slice(raw(plain, "rails"), "[\"book\",\"instant\",\"ach\",\"wire\",\"card\"]");
	assert_slice(raw(plain, "approval_threshold"), "null");
	assert_slice(raw(plain, "expires_at"), "null");

	struct slice token = agent_token(&world, one);
	const char *own = path(&world, "/v1/consents/", text(consent, "id"), "");
	assert_slice(get(&world, own, token, 200)->raw, arena_text(&world.arena, consent->raw));
	get(&world, path(&world, "/v1/consents/", text(plain, "id"), ""), token, 404);
	assert_int_equal(json_member(get(&world, "/v1/consents", token, 200), "data")->count, 1);
	const char *of_two = path(&world, "/v1/consents?agent_id=", text(two, "id"), "");
	assert_slice(text(json_member(get(&world, of_two, token, 200), "data")->first, "id"),
	        arena_text(&world.arena, text(consent, "id")));
	assert_slice(text(json_member(get(&world, of_two, world.admin, 200), "data")->first, "id"),
	        arena_text(&world.arena, text(plain, "id")));
	assert_int_equal(json_member(get(&world, "/v1/consents", world.admin, 200), "data")->count, 2);
	get(&world, "/v1/consents?agent_id=x", world.admin, 400);
	post(&world, "/v1/consents", token, consent_body(&world, one, ""), 403);

	const char *revoke = path(&world, "/v1/consents/", text(consent, "id"), "/revoke");
	post(&world, revoke, token, "{}", 403);
	assert_slice(text(post(&world, revoke, world.admin, "{\"reason\":\"done\"}", 200), "status"), "revoked");
	assert_int_equal(json_member(get(&world, own, token, 200), "revoked_at")->type, JSON_STRING);
	world_close(&world);
}

static void unsound_consents_are_refused(void **state)
{
	static const struct {
		const char *more, *code, *param;
	} rows[] = {
		{ ",\"payees\":[\"\"]", "invalid_field", "payees" },
		{ ",\"payees\":[\"DE89\"]", "invalid_field", "payees" },
		{ ",\"rails\":[\"pigeon\"]", "invalid_field", "rails" },
		{ ",\"approval_threshold\":1.5", "invalid_amount", "approval_threshold" },
		{ ",\"approval_threshold\":-1.00", "invalid_amount", "approval_threshold" },
		{ ",\"expires_at\":\"2020-01-01T00:00:00Z\"", "invalid_field", "expires_at" },
		{ ",\"expires_at\":\"soon\"", "invalid_field", "expires_at" },
		{ ",\"account_id\":\"agent-0197f000-0000-7000-8000-000000000001\"", "invalid_id", "account_id" },
		{ ",\"daily\":1", "unknown_field", "daily" },
		{ ",\"currency\":\"USD\"", "json_duplicate_key", NULL },
	};
	struct world world;
	open_with_admin(&world, state);
	const struct json *agent = make_agent(&world, "one@example.com");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct json *problem =
		        post(&world, "/v1/consents", world.admin, consent_body(&world, agent, rows[i].more), 400);
		assert_slice(text(problem, "code"), rows[i].code);
		if (rows[i].param)
			assert_slice(text(problem, "param"), rows[i].param);
	}
	static const char *const limits[][2] = {
		{ "\"currency\":\"USD\",\"per_payment_limit\":0.00,\"daily_limit\":1.00,\"monthly_limit\":1.00",
		        "per_payment_limit" },
		{ "\"currency\":\"USD\",\"per_payment_limit\":2.00,\"daily_limit\":1.00,\"monthly_limit\":3.00",
		        "daily_limit" },
		{ "\"currency\":\"USD\",\"per_payment_limit\":1.00,\"daily_limit\":3.00,\"monthly_limit\":2.00",
		        "monthly_limit" },
		{ "\"currency\":\"ABC\",\"per_payment_limit\":1.00,\"daily_limit\":3.00,\"monthly_limit\":4.00",
		        "currency" },
		{ "\"currency\":\"USD\",\"per_payment_limit\":1.00,\"daily_limit\":3.00", "monthly_limit" },
	};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		const char *sent =
		        body(&world, "{\"agent_id\":\"%.*s\",%s}", SLICE_ARGS(text(agent, "id")), limits[i][0]);
		assert_slice(text(post(&world, "/v1/consents", world.admin, sent, 400), "param"), limits[i][1]);
	}
	world_close(&world);
}

/* The same identifier of the operation, as after a crash between storing and answering. */
static void a_repeat_finds_what_was_made(void **state)
{
	struct world world;
	open_with_admin(&world, state);
	const struct question question = {
		.method = HTTP_POST,
		.path = "/v1/agents",
		.token = world.admin,
		.body = SLICE("{\"name\":\"bot\",\"email\":\"bot@example.com\"}"),
		.key = "once",
	};
	const struct json *first = ask(&world, &question, 201), *second = ask(&world, &question, 201);
	assert_slice(text(second, "id"), arena_text(&world.arena, text(first, "id")));
	agent_token(&world, second);
	assert_int_equal(json_member(get(&world, "/v1/agents", world.admin, 200), "data")->count, 1);
	world_close(&world);
}

static void a_neighbour_gets_the_same_answers(void **state)
{
	struct world world;
	open_with_admin(&world, state);
	const struct json *agent = make_agent(&world, "bot@example.com");
	struct slice token = agent_token(&world, agent);
	const struct json *consent = post(&world, "/v1/consents", world.admin,
	        consent_body(&world, agent, ",\"approval_threshold\":50.00,\"rails\":[\"ach\"]"), 201);
	const struct identity_api near = identity_service_api(world.service), far = identity_client_api(world.far);

	struct principal here, there;
	int64_t now = clock_now();
	const struct slice tokens[] = { token, world.admin, SLICE("x.y.z") };
	for (size_t i = 0; i < 3; i++) {
		memset(&here, 0, sizeof here), memset(&there, 0, sizeof there);
		assert_status(far.authenticate(far.self, tokens[i], now, &there),
		        near.authenticate(near.self, tokens[i], now, &here));
		assert_int_equal(here.kind, there.kind);
		assert_true(uuid_equal(here.id, there.id));
		assert_true(uuid_equal(here.owner.uuid, there.owner.uuid));
		assert_true(uuid_equal(here.session.uuid, there.session.uuid));
		assert_int_equal(here.roles, there.roles);
		assert_int_equal(here.expires_at, there.expires_at);
	}
	struct consent_question question = { .amount = { 5001, CURRENCY_USD }, .payee = SLICE("card:x"), .at = now };
	assert_true(agent_id_parse(text(agent, "id"), &question.agent));
	const int64_t amounts[] = { 5000, 5001, 10001 };
	for (size_t i = 0; i < 3; i++) {
		struct consent_verdict one, two;
		question.amount.minor_units = amounts[i];
		assert_status(near.consent_check(near.self, &question, &one), STATUS_OK);
		assert_status(far.consent_check(far.self, &question, &two), STATUS_OK);
		assert_status(one.refusal, two.refusal);
		assert_int_equal(one.needs_approval, two.needs_approval);
		assert_int_equal(two.rails, 1u << RAIL_ACH);
		assert_true(uuid_equal(one.consent.uuid, two.consent.uuid));
		assert_true(uuid_equal(one.budgets[1].account.uuid, two.budgets[1].account.uuid));
		assert_int_equal(one.budgets[0].limit_minor, two.budgets[0].limit_minor);
	}
	/* a suspended agent: known far away after a second at most */
	post(&world, path(&world, "/v1/agents/", text(agent, "id"), "/suspend"), world.admin, "{}", 200);
	usleep(1050 * 1000);
	assert_status(far.authenticate(far.self, token, clock_now(), &there), ERR_AGENT_SUSPENDED);
	struct consent_verdict verdict;
	assert_status(far.consent_check(far.self, &question, &verdict), STATUS_OK);
	assert_status(verdict.refusal, ERR_AGENT_SUSPENDED);
	/* a token that expires while it is believed */
	assert_status(far.authenticate(far.self, world.admin, now, &there), STATUS_OK);
	assert_status(far.authenticate(far.self, world.admin, there.expires_at, &there), ERR_TOKEN_EXPIRED);
	(void)consent;
	world_close(&world);
}

static void neighbours_questions_are_checked(void **state)
{
	static const char *const paths[] = { "/internal/v1/identity/authenticate",
		"/internal/v1/identity/consent_check" };
	struct world world;
	open_with_admin(&world, state);
	for (size_t i = 0; i < 2; i++) {
		post(&world, paths[i], SLICE_EMPTY, "{}", 400);
		post(&world, paths[i], SLICE_EMPTY, "[]", 400);
	}
	world_close(&world);
}

static void the_table_is_there_without_a_service(void **state)
{
	const struct http_routes routes = identity_http_routes(NULL);
	(void)state;
	assert_null(routes.self);
	assert_true(routes.count > 20);
}

TESTS(ON_BOTH(a_person_comes_and_goes), ON_BOTH(users_are_made_and_listed),
        ON_BOTH(an_agent_asks_for_its_token_in_every_form), ON_SQLITE(the_server_says_what_it_is),
        ON_BOTH(an_agent_sees_itself_only), ON_BOTH(a_consent_is_given_shown_and_revoked),
        ON_SQLITE(unsound_consents_are_refused), ON_BOTH(a_repeat_finds_what_was_made),
        ON_BOTH(a_neighbour_gets_the_same_answers), ON_SQLITE(neighbours_questions_are_checked),
        cmocka_unit_test(the_table_is_there_without_a_service))
