/* The gate on a real server, with a fake identity and handlers that count. */
#include "database.h"
#include "testing.h"

#include <sched.h>
#include <stdatomic.h>

#include "app/database.h"
#include "app/gate.h"
#include "base/log.h"
#include "platform/http_client.h"
#include "platform/neighbour.h"
#include "platform/thread.h"

#define SERVICE_KEY "the-service-key"

static struct {
	struct engines engines;
	struct idempotency *idempotency;
	struct gate *gate;
	struct http_server *server;
	struct http_client *client;
	struct identity_api identity;
	struct arena arena;
	struct http_answer answer;
} stage;

static atomic_int handled;
static atomic_int hold; /* while 1 the slow handler waits */

/* --- A fake identity: the token is the role ----------------------------------------------------------------------- */

static enum status authenticate(void *self, struct slice token, int64_t now, struct principal *ret_principal)
{
	static const struct {
		const char *token;
		enum status status;
		struct principal principal;
	} rows[] = {
		{ "admin", STATUS_OK, { .kind = PRINCIPAL_USER, .id = { { 1 } }, .roles = ROLE_ADMIN } },
		{ "other", STATUS_OK, { .kind = PRINCIPAL_USER, .id = { { 3 } }, .roles = ROLE_ADMIN } },
		{ "agent", STATUS_OK, { .kind = PRINCIPAL_AGENT, .id = { { 2 } }, .roles = ROLE_AGENT } },
		{ "old", ERR_TOKEN_EXPIRED, { 0 } },
	};
	(void)self;
	assert_true(now > 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (slice_is(token, rows[i].token)) {
			*ret_principal = rows[i].principal;
			return rows[i].status;
		}
	return ERR_INVALID_TOKEN;
}

/* --- Handlers ------------------------------------------------------------------------------------------------------
 */

static enum status show(void *self, struct http_request *request, struct http_response *response)
{
	(void)self;
	handled++;
	struct writer out = writer_growing(request->arena);
	writef(&out, "%.*s %.*s %zu %d ", SLICE_ARGS(request->actor->name), SLICE_ARGS(request->actor->ip_address),
	        request->actor->user_agent.size, (int)handled);
	write_uuid(&out, request->operation_id);
	response->status = request->method == HTTP_POST ? 201 : 200;
	response->content_type = "text/plain";
	response->body = writer_slice(&out);
	return STATUS_OK;
}

static enum status who(void *self, struct http_request *request, struct http_response *response)
{
	(void)self;
	response->body = arena_format(request->arena, "{\"who\":\"%.*s %.*s\"}", SLICE_ARGS(request->actor->name),
	        SLICE_ARGS(request->actor->ip_address));
	return STATUS_OK;
}

static enum status refuse(void *self, struct http_request *request, struct http_response *response)
{
	(void)self;
	(void)response;
	return problem_set(request->problem, ERR_CONSENT_REVOKED, "consent_id", "Revoked yesterday.");
}

static enum status slow(void *self, struct http_request *request, struct http_response *response)
{
	enum status status = show(self, request, response);
	while (hold)
		sched_yield();
	return status;
}

/* Fails with a failure of ours, then with one of the client's, then with an answer of its own; then succeeds. */
static enum status moody(void *self, struct http_request *request, struct http_response *response)
{
	static const enum status moods[] = { ERR_DATABASE_BUSY, ERR_STATE_CONFLICT };
	int mood = handled;
	if (mood < 2) {
		handled++;
		return moods[mood];
	}
	enum status status = show(self, request, response);
	if (mood == 2)
		response->status = 409;
	return status;
}

static const struct http_route rows[] = {
	{ HTTP_GET, "/open", show, PERMISSION_PUBLIC, 0 },
	{ HTTP_GET, "/free", show, PERMISSION_PUBLIC, HTTP_ROUTE_NO_RATE_LIMIT },
	{ HTTP_GET, "/mine", show, PERMISSION_SESSION, 0 },
	{ HTTP_GET, "/users", show, PERMISSION_USER_MANAGE, 0 },
	{ HTTP_POST, "/login", show, PERMISSION_PUBLIC, HTTP_ROUTE_NO_KEY },
	{ HTTP_POST, "/things", show, PERMISSION_ACCOUNT_MANAGE, 0 },
	{ HTTP_POST, "/others", show, PERMISSION_ACCOUNT_MANAGE, 0 },
	{ HTTP_POST, "/slow", slow, PERMISSION_ACCOUNT_MANAGE, 0 },
	{ HTTP_POST, "/moody", moody, PERMISSION_ACCOUNT_MANAGE, 0 },
	{ HTTP_POST, "/payments", show, PERMISSION_PAYMENT_CREATE, HTTP_ROUTE_IDEMPOTENT },
	{ HTTP_POST, "/internal/v1/who", who, PERMISSION_PUBLIC, HTTP_ROUTE_INTERNAL | HTTP_ROUTE_NO_KEY },
	{ HTTP_POST, "/internal/v1/no", refuse, PERMISSION_PUBLIC, HTTP_ROUTE_INTERNAL | HTTP_ROUTE_NO_KEY },
	{ HTTP_POST, "/internal/v1/x", show, PERMISSION_PUBLIC, HTTP_ROUTE_INTERNAL | HTTP_ROUTE_NO_KEY },
};
static const struct http_routes routes = { "test", rows, sizeof rows / sizeof *rows, NULL };

/* --- The stage ------------------------------------------------------------------------------------------------------
 */

static void raise_stage(const struct database *database, int64_t rate_limit)
{
	static const unsigned char key[CRYPTO_KEY_SIZE] = { 7 };
	struct problem problem = { 0 };
	log_configure(LOG_ERROR, LOG_JSON);
	handled = 0;
	hold = 0;
	stage.engines.database_url = database_url(database);
	stage.identity.authenticate = authenticate;
	if (database_prepare(database_url(database), &business_migrations, &problem) != STATUS_OK)
		fail_msg("%s", problem.detail);
	assert_status(sql_pool_open(database_url(database), 2, &stage.engines.readers, &problem), STATUS_OK);
	assert_status(committer_start(database_url(database), "test", &stage.engines.committer, &problem), STATUS_OK);
	assert_status(idempotency_start(&stage.engines, key, &stage.idempotency, &problem), STATUS_OK);
	stage.gate = gate_new(&(struct gate_options) { .identity = &stage.identity,
	        .idempotency = stage.idempotency,
	        .service_key = SLICE(SERVICE_KEY),
	        .rate_limit = rate_limit });
	const struct http_server_options options = { .listen = SLICE("127.0.0.1:0"),
		.services = &routes,
		.service_count = 1,
		.gate = gate_pass,
		.gate_arg = stage.gate };
	assert_status(http_server_start(&options, &stage.server, &problem), STATUS_OK);
	stage.client = http_client_new(&(struct http_client_options) { 0 });
}

static void strike_stage(void)
{
	http_client_free(stage.client);
	http_server_stop(stage.server);
	gate_free(stage.gate);
	idempotency_stop(stage.idempotency);
	committer_stop(stage.engines.committer);
	sql_pool_close(stage.engines.readers);
	arena_clean_up(&stage.arena);
}

struct asking {
	enum http_method method;
	const char *path, *token, *key, *body;
	struct http_header more;
};

/* Asks, keeps the answer on the stage unless `arena` is another one, gives the HTTP status. */
static int ask_in(struct arena *arena, const struct asking *asking, struct http_answer *answer)
{
	struct http_call call = { .method = asking->method, .body = slice_from(asking->body) };
	call.url = arena_format(arena, "http://127.0.0.1:%d%s", http_server_port(stage.server), asking->path);
	const struct http_header headers[] = { { "Content-Type", SLICE("application/json") },
		{ "Authorization", asking->token ? arena_format(arena, "Bearer %s", asking->token) : SLICE_EMPTY },
		{ "Idempotency-Key", slice_from(asking->key) }, asking->more };
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (headers[i].value.size)
			call.headers[call.header_count++] = headers[i];
	assert_status(http_client_call(stage.client, &call, arena, answer), STATUS_OK);
	return answer->status;
}

static int ask(struct asking asking)
{
	return ask_in(&stage.arena, &asking, &stage.answer);
}

static void assert_code(const char *code)
{
	const struct json *document = NULL;
	assert_status(json_parse(stage.answer.body, &stage.arena, &document, NULL), STATUS_OK);
	assert_slice(json_member(document, "code")->text, code);
}

/* --- Cases ----------------------------------------------------------------------------------------------------------
 */

static void who_asks_decides(void **state)
{
	static const struct {
		enum http_method method;
		const char *path, *token;
		int status;
		const char *code;
	} cases[] = {
		{ HTTP_GET, "/open", NULL, 200, NULL },
		{ HTTP_GET, "/open", "nonsense", 200, NULL },
		{ HTTP_GET, "/mine", NULL, 401, "unauthenticated" },
		{ HTTP_GET, "/mine", "nonsense", 401, "invalid_token" },
		{ HTTP_GET, "/mine", "old", 401, "token_expired" },
		{ HTTP_GET, "/mine", "agent", 200, NULL },
		{ HTTP_GET, "/users", "agent", 403, "forbidden" },
		{ HTTP_GET, "/users", "admin", 200, NULL },
		{ HTTP_POST, "/payments", "admin", 403, "forbidden" },
		{ HTTP_POST, "/login", NULL, 201, NULL },
		{ HTTP_POST, "/internal/v1/x", "admin", 401, "unauthenticated" },
	};
	raise_stage(database_of(state), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		handled = 0;
		assert_int_equal(ask((struct asking) { cases[i].method, cases[i].path, cases[i].token, NULL, "{}" }),
		        cases[i].status);
		assert_int_equal(handled, cases[i].code ? 0 : 1);
		if (cases[i].code)
			assert_code(cases[i].code);
	}
	strike_stage();
}

static void events_name_who_and_from_where(void **state)
{
	char long_name[300];
	memset(long_name, 'x', sizeof long_name);
	const struct {
		struct asking asking;
		const char *begins;
	} cases[] = {
		{ { HTTP_GET, "/open" }, "anonymous 127.0.0.1 " },
		{ { HTTP_GET, "/mine", "agent" }, "agent-02000000-0000-0000-0000-000000000000 127.0.0.1 " },
		{ { HTTP_GET, "/mine", "admin" }, "user-01000000-0000-0000-0000-000000000000 127.0.0.1 " },
		{ { HTTP_GET, "/open", .more = { "User-Agent", SLICE("bot/1") } }, "anonymous 127.0.0.1 5 " },
		{ { HTTP_GET, "/open", .more = { "User-Agent", slice_make(long_name, sizeof long_name) } },
		        "anonymous 127.0.0.1 256 " },
		/* A stranger's word about addresses does not count. */
		{ { HTTP_GET, "/open", .more = { NEIGHBOUR_ADDRESS, SLICE("10.1.2.3") } }, "anonymous 127.0.0.1 " },
		{ { HTTP_GET, "/open", .more = { NEIGHBOUR_ACTOR, SLICE("user-1") } }, "anonymous 127.0.0.1 " },
	};
	raise_stage(database_of(state), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(ask(cases[i].asking), 200);
		if (!slice_starts_with(stage.answer.body, slice_from(cases[i].begins)))
			fail_msg("%.*s", SLICE_ARGS(stage.answer.body));
	}
	strike_stage();
}

static void a_neighbour_needs_the_service_key(void **state)
{
	static const struct {
		const char *key;
		enum status status;
	} cases[] = { { SERVICE_KEY, STATUS_OK }, { "another", ERR_UNAUTHENTICATED },
		{ "the-service-kez", ERR_UNAUTHENTICATED }, { "", ERR_UNAUTHENTICATED } };
	raise_stage(database_of(state), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct json *answer = NULL;
		struct slice url = arena_format(&stage.arena, "http://127.0.0.1:%d/", http_server_port(stage.server));
		struct neighbour *neighbour = neighbour_new("test", url, slice_from(cases[i].key));
		handled = 0;
		enum status status =
		        neighbour_post(neighbour, "/internal/v1/x", SLICE("{}"), &stage.arena, &answer, NULL);
		/* The handler answers plain text, which no neighbour does. */
		assert_status(status, cases[i].status == STATUS_OK ? ERR_NEIGHBOUR_UNAVAILABLE : cases[i].status);
		assert_int_equal(handled, cases[i].status == STATUS_OK ? 1 : 0);
		neighbour_free(neighbour);
	}
	strike_stage();
}

static void a_neighbour_passes_the_actor_on(void **state)
{
	static const struct actor actor = { .name = SLICE("agent-7"), .user_agent = SLICE("bot/1") };
	const struct http_request request = { .remote_address = SLICE("10.1.2.3"), .actor = &actor };
	const struct json *answer = NULL;
	raise_stage(database_of(state), 0);
	struct slice url = arena_format(&stage.arena, "http://127.0.0.1:%d/", http_server_port(stage.server));
	struct neighbour *neighbour = neighbour_new("test", url, SLICE(SERVICE_KEY));
	assert_status(
	        neighbour_post(neighbour, "/internal/v1/who", SLICE("{}"), &stage.arena, &answer, NULL), STATUS_OK);
	assert_slice(json_member(answer, "who")->text, "system 127.0.0.1");
	neighbour_context_set(&request);
	assert_status(
	        neighbour_post(neighbour, "/internal/v1/who", SLICE("{}"), &stage.arena, &answer, NULL), STATUS_OK);
	neighbour_context_set(NULL);
	assert_slice(json_member(answer, "who")->text, "agent-7 10.1.2.3");
	neighbour_free(neighbour);
	strike_stage();
}

/* The other side's problem becomes our status, with its parameter and sentence. */
static void a_neighbours_refusal_is_ours(void **state)
{
	struct problem problem = { 0 };
	const struct json *answer = NULL;
	raise_stage(database_of(state), 0);
	struct slice url = arena_format(&stage.arena, "http://127.0.0.1:%d", http_server_port(stage.server));
	struct neighbour *neighbour = neighbour_new("test", url, SLICE(SERVICE_KEY));
	assert_status(neighbour_post(neighbour, "/internal/v1/no", SLICE("{}"), &stage.arena, &answer, &problem),
	        ERR_CONSENT_REVOKED);
	assert_string_equal(problem.param, "consent_id");
	assert_string_equal(problem.detail, "Revoked yesterday.");
	neighbour_free(neighbour);
	neighbour = neighbour_new("test", SLICE("http://127.0.0.1:1"), SLICE(SERVICE_KEY));
	assert_status(neighbour_post(neighbour, "/internal/v1/no", SLICE("{}"), &stage.arena, &answer, &problem),
	        ERR_NEIGHBOUR_UNAVAILABLE);
	neighbour_free(neighbour);
	strike_stage();
}

static void too_many_requests_of_one_principal_wait(void **state)
{
	raise_stage(database_of(state), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask((struct asking) { HTTP_GET, "/mine", "agent" }), 200);
		assert_slice(http_answer_header(&stage.answer, "RateLimit-Limit"), "3");
		assert_true(http_answer_header(&stage.answer, "RateLimit-Reset").size > 0);
	}
	assert_int_equal(ask((struct asking) { HTTP_GET, "/mine", "agent" }), 429);
	assert_code("too_many_requests");
	assert_slice(http_answer_header(&stage.answer, "RateLimit-Remaining"), "0");
	assert_slice(http_answer_header(&stage.answer, "Retry-After"), "1");
	assert_int_equal(ask((struct asking) { HTTP_GET, "/mine", "admin" }), 200);
	/* Who does not say his name is counted by his address. */
	int refused = 0;
	for (int i = 0; i < 8; i++)
		refused += ask((struct asking) { HTTP_GET, "/open" }) == 429;
	assert_true(refused > 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(ask((struct asking) { HTTP_GET, "/free" }), 200);
	assert_slice(http_answer_header(&stage.answer, "RateLimit-Limit"), "");
	strike_stage();
}

static void a_post_needs_a_good_key(void **state)
{
	char longest[IDEMPOTENCY_KEY_SIZE_MAX + 2];
	memset(longest, 'k', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	raise_stage(database_of(state), 0);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", NULL, "{}" }), 400);
	assert_code("idempotency_key_missing");
	assert_int_equal(ask((struct asking) { HTTP_POST, "/payments", "agent", NULL, "{}" }), 400);
	assert_code("idempotency_key_missing");
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", longest, "{}" }), 400);
	assert_code("idempotency_key_invalid");
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "caf\xc3\xa9", "{}" }), 400);
	assert_code("idempotency_key_invalid");
	assert_int_equal(handled, 0);
	longest[IDEMPOTENCY_KEY_SIZE_MAX] = '\0';
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", longest, "{}" }), 201);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "a key!", "{}" }), 201);
	strike_stage();
}

static void a_repeat_gets_the_stored_answer(void **state)
{
	raise_stage(database_of(state), 0);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "k", "{\"a\":1}" }), 201);
	struct slice first = stage.answer.body;
	assert_slice(http_answer_header(&stage.answer, "Idempotent-Replayed"), "");
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "k", "{\"a\":1}" }), 201);
	assert_true(slice_equal(stage.answer.body, first));
	assert_slice(stage.answer.content_type, "text/plain");
	assert_slice(http_answer_header(&stage.answer, "Idempotent-Replayed"), "true");
	assert_int_equal(handled, 1);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "k", "{\"a\":2}" }), 422);
	assert_code("idempotency_conflict");
	assert_int_equal(handled, 1);
	/* Another key, address or principal is another request. */
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "K", "{\"a\":1}" }), 201);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/others", "admin", "k", "{\"a\":1}" }), 201);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "other", "k", "{\"a\":1}" }), 201);
	assert_int_equal(handled, 4);
	strike_stage();
}

static void stored_answers_are_sealed(void **state)
{
	raise_stage(database_of(state), 0);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "k", "{}" }), 201);
	struct sql *sql = database_connect(*state);
	static const struct sql_query read = { "sealed", "SELECT sealed_body FROM idempotency_answers",
		"SELECT sealed_body FROM idempotency_answers" };
	struct sql_rows *found;
	assert_status(sql_select(sql, &read, NULL, 0, &found), STATUS_OK);
	assert_true(sql_next(found));
	struct slice sealed = sql_column_bytes(found, 0);
	assert_int_equal(sealed.size, stage.answer.body.size + CRYPTO_SEAL_OVERHEAD);
	assert_null(memmem(sealed.data, sealed.size, "user-", 5));
	assert_status(sql_end(found), STATUS_OK);
	/* An altered or cut answer is not given out. */
	assert_status(database_execute(sql, "UPDATE idempotency_answers SET sealed_body = body_hash"), STATUS_OK);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "k", "{}" }), 500);
	assert_status(database_execute(sql, "UPDATE idempotency_answers SET sealed_body = substr(body_hash, 1, 4)"),
	        STATUS_OK);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/things", "admin", "k", "{}" }), 500);
	assert_int_equal(handled, 1);
	sql_close(sql);
	strike_stage();
}

static void refusals_and_failures_are_not_stored(void **state)
{
	raise_stage(database_of(state), 0);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/moody", "admin", "k", "{}" }), 503);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/moody", "admin", "k", "{}" }), 409);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/moody", "admin", "k", "{}" }), 409);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/moody", "admin", "k", "{}" }), 201);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/moody", "admin", "k", "{}" }), 201);
	assert_slice(http_answer_header(&stage.answer, "Idempotent-Replayed"), "true");
	assert_int_equal(handled, 4);
	strike_stage();
}

static void a_payment_passes_with_its_identifier_alone(void **state)
{
	raise_stage(database_of(state), 0);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/payments", "agent", "k", "{}" }), 201);
	struct slice first = slice_skip(stage.answer.body, stage.answer.body.size - UUID_TEXT_SIZE);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/payments", "agent", "k", "{}" }), 201);
	assert_true(slice_equal(slice_skip(stage.answer.body, stage.answer.body.size - UUID_TEXT_SIZE), first));
	assert_int_equal(handled, 2);
	struct sql *sql = database_connect(*state);
	assert_int_equal(database_number(sql, "SELECT count(*) FROM idempotency_answers"), 0);
	sql_close(sql);
	strike_stage();
}

static void ask_slowly(void *arg)
{
	struct arena arena = { 0 };
	struct http_answer answer = { 0 };
	(void)arg;
	assert_int_equal(ask_in(&arena, &(struct asking) { HTTP_POST, "/slow", "admin", "k", "{}" }, &answer), 201);
	arena_clean_up(&arena);
}

static void a_second_one_in_flight_is_refused(void **state)
{
	struct thread *thread;
	raise_stage(database_of(state), 0);
	hold = 1;
	assert_status(thread_start("asker", ask_slowly, NULL, &thread), STATUS_OK);
	while (!handled)
		sched_yield();
	assert_int_equal(ask((struct asking) { HTTP_POST, "/slow", "admin", "k", "{}" }), 409);
	assert_code("idempotency_in_flight");
	hold = 0;
	thread_join(thread);
	assert_int_equal(ask((struct asking) { HTTP_POST, "/slow", "admin", "k", "{}" }), 201);
	assert_slice(http_answer_header(&stage.answer, "Idempotent-Replayed"), "true");
	assert_int_equal(handled, 1);
	strike_stage();
}

TESTS(ON_BOTH(who_asks_decides), ON_SQLITE(events_name_who_and_from_where),
        ON_SQLITE(a_neighbour_needs_the_service_key), ON_SQLITE(a_neighbour_passes_the_actor_on),
        ON_SQLITE(a_neighbours_refusal_is_ours), ON_SQLITE(too_many_requests_of_one_principal_wait),
        ON_SQLITE(a_post_needs_a_good_key), ON_BOTH(a_repeat_gets_the_stored_answer),
        ON_BOTH(stored_answers_are_sealed), ON_BOTH(refusals_and_failures_are_not_stored),
        ON_BOTH(a_payment_passes_with_its_identifier_alone), ON_BOTH(a_second_one_in_flight_is_refused))
