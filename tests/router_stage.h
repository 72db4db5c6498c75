/* A router in this process for tests: a real ledger, an identity and a risk that say what the test wants, and a rail
 * processor that behaves as told and remembers what it took. */
#pragma once

#include <pthread.h>

#include "base/clock.h"
#include "ledger_house.h"
#include "platform/http_server.h"
#include "router/payment_decisions.h"
#include "router/router_internal.h"

enum rail_manner {
	RAIL_SETTLES,
	RAIL_ACCEPTS,
	RAIL_DECLINES,
	RAIL_FAILS_BEFORE, /* the first answer is lost, and nothing was taken */
	RAIL_FAILS_AFTER,  /* the first answer is lost, but it was taken */
	RAIL_WAITS,        /* until the manner changes */
};

/* The trace that every payment is asked for in. */
#define STAGE_TRACE "0af7651916cd43dd8448eb211c80319c"

struct taken {
	char attempt[64], rail[16], trace[40];
	const char *status; /* NULL: not taken */
	int sends;
};

struct fake_rails {
	struct http_server *server;
	pthread_mutex_t lock;
	enum rail_manner manners[RAIL_COUNT];
	struct taken taken[64];
	size_t count;
	int refunds;
	char url[64];
};

static struct fake_rails fake_rails;

static struct taken *fake_find(struct slice attempt)
{
	for (size_t i = 0; i < fake_rails.count; i++)
		if (slice_is(attempt, fake_rails.taken[i].attempt))
			return &fake_rails.taken[i];
	return NULL;
}

static enum status fake_answer(struct http_request *request, struct http_response *response, const char *status)
{
	struct writer out = writer_growing(request->arena);
	writef(&out, "{\"status\":\"%s\",\"network_reference\":\"net-1\",\"code\":%s,\"settles_at\":null}", status,
	        strcmp(status, "declined") ? "null" : "\"R03\"");
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

static enum rail_manner fake_manner(enum rail rail)
{
	pthread_mutex_lock(&fake_rails.lock);
	enum rail_manner manner = fake_rails.manners[rail];
	pthread_mutex_unlock(&fake_rails.lock);
	return manner;
}

static void fake_behave(enum rail rail, enum rail_manner manner)
{
	pthread_mutex_lock(&fake_rails.lock);
	fake_rails.manners[rail] = manner;
	pthread_mutex_unlock(&fake_rails.lock);
}

static enum status fake_pay(void *arg, struct http_request *request, struct http_response *response)
{
	static const char *const statuses[] = { [RAIL_SETTLES] = "settled",
		[RAIL_ACCEPTS] = "accepted",
		[RAIL_DECLINES] = "declined",
		[RAIL_FAILS_BEFORE] = "settled",
		[RAIL_FAILS_AFTER] = "settled",
		[RAIL_WAITS] = "settled" };
	struct slice attempt = http_request_header(request, "Idempotency-Key");
	enum rail rail = RAIL_BOOK;
	(void)arg;
	assert_true(rail_parse(request->parameters[0], &rail));
	while (fake_manner(rail) == RAIL_WAITS)
		usleep(10000);
	enum rail_manner manner = fake_manner(rail);
	pthread_mutex_lock(&fake_rails.lock);
	struct taken *taken = fake_find(attempt);
	if (!taken) {
		taken = &fake_rails.taken[fake_rails.count++];
		*taken = (struct taken) { .sends = 0 };
		snprintf(taken->attempt, sizeof taken->attempt, "%.*s", SLICE_ARGS(attempt));
		snprintf(taken->rail, sizeof taken->rail, "%s", rail_name(rail));
		snprintf(taken->trace, sizeof taken->trace, "%.*s", SLICE_ARGS(request->trace_id));
	}
	bool is_lost = taken->sends++ == 0 && (manner == RAIL_FAILS_BEFORE || manner == RAIL_FAILS_AFTER);
	if (!taken->status && !(is_lost && manner == RAIL_FAILS_BEFORE))
		taken->status = statuses[manner];
	const char *status = taken->status;
	pthread_mutex_unlock(&fake_rails.lock);
	return is_lost ? ERR_OVERLOADED : fake_answer(request, response, status);
}

static enum status fake_ask(void *arg, struct http_request *request, struct http_response *response)
{
	(void)arg;
	pthread_mutex_lock(&fake_rails.lock);
	const struct taken *taken = fake_find(request->parameters[1]);
	const char *status = taken ? taken->status : NULL;
	pthread_mutex_unlock(&fake_rails.lock);
	return status ? fake_answer(request, response, status) : ERR_NOT_FOUND;
}

static enum status fake_refund(void *arg, struct http_request *request, struct http_response *response)
{
	(void)arg;
	pthread_mutex_lock(&fake_rails.lock);
	fake_rails.refunds++;
	pthread_mutex_unlock(&fake_rails.lock);
	return fake_answer(request, response, "settled");
}

static void fake_rails_start(void)
{
	static const struct http_route rows[] = {
		{ HTTP_POST, "/v1/{rail}/payments", fake_pay, 0, 0 },
		{ HTTP_GET, "/v1/{rail}/payments/{id}", fake_ask, 0, 0 },
		{ HTTP_POST, "/v1/{rail}/payments/{id}/refund", fake_refund, 0, 0 },
	};
	static const struct http_routes routes = { "rails", rows, 3, NULL };
	const struct http_server_options options = {
		.listen = SLICE("127.0.0.1:0"), .services = &routes, .service_count = 1
	};
	struct problem problem;
	fake_rails = (struct fake_rails) { .count = 0 };
	pthread_mutex_init(&fake_rails.lock, NULL);
	assert_status(http_server_start(&options, &fake_rails.server, &problem), STATUS_OK);
	snprintf(fake_rails.url, sizeof fake_rails.url, "http://127.0.0.1:%d", http_server_port(fake_rails.server));
}

/* --- What identity and risk say --------------------------------------------------------------------------------- */

struct stage {
	struct ledger_house house;
	struct consent_verdict consent;
	struct risk_verdict risk;
	struct identity_api identity;
	struct risk_api assessor;
	struct ledger_api ledger;
	enum { CRASH_NEVER, CRASH_BEFORE_POST, CRASH_AFTER_POST } crash; /* of a ledger in another process */
	struct router_service *router;
	struct arena arena;
	struct agent_id agent;
	struct account_id wallet, payee, cash;
};

static struct stage stage;

static enum status stage_consent(
        void *self, const struct consent_question *question, struct consent_verdict *ret_verdict)
{
	(void)self;
	(void)question;
	*ret_verdict = stage.consent;
	return STATUS_OK;
}

static enum status stage_assess(
        void *self, const struct actor *actor, const struct risk_question *question, struct risk_verdict *ret_verdict)
{
	(void)self;
	(void)actor;
	(void)question;
	*ret_verdict = stage.risk;
	return STATUS_OK;
}

static enum status stage_run_rider(struct sql *sql, void *arg)
{
	const struct commit_rider *rider = arg;
	return rider->write(sql, rider->arg);
}

/* The ledger as if it were in another process: its commit first, then ours; either may be cut off. */
static enum status stage_post_far(void *self, const struct actor *actor, const struct ledger_group *group,
        const struct commit_rider *rider, struct ledger_refusal *refusal)
{
	struct commit_rider own = *rider;
	if (stage.crash == CRASH_BEFORE_POST)
		return ERR_NEIGHBOUR_UNAVAILABLE;
	TRY(stage.house.api.post(self, actor, group, NULL, refusal));
	if (stage.crash == CRASH_AFTER_POST)
		return ERR_TIMEOUT;
	return committer_run(stage.house.committer, stage_run_rider, &own);
}

static void stage_start_router(void)
{
	const struct router_options options = {
		.engines = &stage.house.engines,
		.identity = &stage.identity,
		.ledger = &stage.ledger,
		.risk = &stage.assessor,
		.rails_url = slice_from(fake_rails.url),
		.rails_secret = SLICE("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
		.public_url = SLICE("http://127.0.0.1:1"),
	};
	struct problem problem = { 0 };
	assert_status(router_service_start(&options, &stage.router, &problem), STATUS_OK);
}

static struct account_id stage_account(enum account_type type, struct agent_id agent, enum currency currency)
{
	const struct ledger_account account = { .id = account_id_new(),
		.agent = agent,
		.type = type,
		.currency = currency,
		.overdraft_minor = type == ACCOUNT_ASSET ? INT64_MAX : 0,
		.name = SLICE("Test") };
	const struct ledger_group group = { .open = &account, .open_count = 1 };
	assert_status(stage.house.api.post(stage.house.api.self, &actor_system, &group, NULL, NULL), STATUS_OK);
	return account.id;
}

static void stage_fund(int64_t minor)
{
	const struct ledger_transfer transfer = { .id = transfer_id_new(),
		.kind = TRANSFER_SINGLE,
		.debit = stage.cash,
		.credit = stage.wallet,
		.amount = { minor, CURRENCY_USD },
		.description = SLICE_EMPTY };
	const struct ledger_group group = { .transfers = &transfer, .count = 1 };
	assert_status(stage.house.api.post(stage.house.api.self, &actor_system, &group, NULL, NULL), STATUS_OK);
}

static void stage_open(void **state)
{
	struct database *database = database_of(state);
	struct problem problem = { 0 };
	struct sql *sql = database_connect(database);
	stage = (struct stage) { .crash = CRASH_NEVER };
	assert_status(sql_migrate(sql, &outbox_migrations, &problem), STATUS_OK);
	assert_status(sql_migrate(sql, &ledger_migrations, &problem), STATUS_OK);
	assert_status(sql_migrate(sql, &router_migrations, &problem), STATUS_OK);
	sql_close(sql);
	ledger_house_open(&stage.house, database);
	fake_rails_start();
	stage.identity.consent_check = stage_consent;
	stage.assessor.assess = stage_assess;
	stage.ledger = stage.house.api;
	stage.agent = agent_id_new();
	stage.consent = (struct consent_verdict) { .consent = consent_id_new(), .rails = RAILS_ALL };
	stage.wallet = stage_account(ACCOUNT_LIABILITY, stage.agent, CURRENCY_USD);
	stage.payee = stage_account(ACCOUNT_LIABILITY, agent_id_new(), CURRENCY_USD);
	stage.cash = stage_account(ACCOUNT_ASSET, (struct agent_id) { { { 0 } } }, CURRENCY_USD);
	stage_start_router();
}

static void stage_close(void)
{
	for (unsigned rail = 0; rail < RAIL_COUNT; rail++)
		fake_behave((enum rail)rail, RAIL_SETTLES);
	router_service_stop(stage.router);
	http_server_stop(fake_rails.server);
	pthread_mutex_destroy(&fake_rails.lock);
	ledger_house_close(&stage.house);
	arena_clean_up(&stage.arena);
}

static void stage_go_far(void)
{
	router_service_stop(stage.router);
	stage.ledger.shares_commit = false;
	stage.ledger.post = stage_post_far;
	stage_start_router();
}

/* --- What tests ask and look at ---------------------------------------------------------------------------------- */

static struct payment_order stage_order(int64_t minor, const char *payee_json)
{
	const struct json *payee;
	struct problem problem;
	struct payment_order order = { .id = payment_id_new(),
		.agent = stage.agent,
		.amount = { minor, CURRENCY_USD },
		.rails_requested = RAILS_ALL,
		.description = SLICE_EMPTY,
		.reference = SLICE("test") };
	char text[128];
	struct writer out = writer_fixed(text, sizeof text);
	if (!payee_json) {
		write_text(&out, "{\"account_id\":\"");
		write_account_id(&out, stage.payee);
		write_text(&out, "\"}");
	} else {
		write_text(&out, payee_json);
	}
	struct slice kept = arena_copy(&stage.arena, writer_slice(&out));
	assert_status(json_parse(kept, &stage.arena, &payee, &problem), STATUS_OK);
	assert_status(payee_parse(payee, &stage.arena, &order.payee, &problem), STATUS_OK);
	return order;
}

#define US_PAYEE "{\"name\":\"Shop\",\"routing_number\":\"021000021\",\"account_number\":\"123456789\"}"

static enum status stage_pay(const struct payment_order *order, struct payment *ret_payment, bool *ret_is_replay)
{
	struct problem problem = { 0 };
	static const struct actor actor = { .name = SLICE("agent-test"),
		.ip_address = SLICE_EMPTY,
		.user_agent = SLICE_EMPTY,
		.trace_id = SLICE(STAGE_TRACE) };
	return payment_create(stage.router, &actor, order, &stage.arena, &problem, ret_payment, ret_is_replay);
}

static struct payment stage_paid(const struct payment_order *order)
{
	struct payment payment;
	bool is_replay;
	assert_status(stage_pay(order, &payment, &is_replay), STATUS_OK);
	assert_false(is_replay);
	return payment;
}

static struct payment stage_payment(struct payment_id id)
{
	struct payment payment;
	assert_status(router_read_payment(stage.router, id, &stage.arena, &payment), STATUS_OK);
	return payment;
}

static struct payment stage_await(struct payment_id id, enum payment_status status)
{
	for (int i = 0; i < 1500; i++) {
		struct payment payment = stage_payment(id);
		if (payment.status == status)
			return payment;
		usleep(10000);
	}
	fail_msg("%s, not %s", payment_status_name(stage_payment(id).status), payment_status_name(status));
	abort();
}

static struct ledger_account stage_ledger_account(struct account_id id)
{
	struct ledger_account account;
	assert_status(stage.house.api.account_get(stage.house.api.self, id, &stage.arena, &account), STATUS_OK);
	return account;
}

/* Posted balance on the account's normal side. */
static int64_t stage_balance(struct account_id id)
{
	struct ledger_account account = stage_ledger_account(id);
	int64_t debits = account.debits_posted - account.credits_posted;
	return account_is_debit_normal(account.type) ? debits : -debits;
}

static int64_t stage_held(struct account_id id)
{
	return stage_ledger_account(id).debits_pending;
}

static int64_t stage_number(const char *text)
{
	struct sql *sql = NULL;
	assert_status(sql_pool_take(stage.house.readers, &sql), STATUS_OK);
	int64_t number = database_number(sql, text);
	sql_pool_give(stage.house.readers, sql);
	return number;
}

static struct attempt_id stage_attempt(struct payment_id id, int ordinal)
{
	return attempt_id_of(id, ordinal);
}

static void stage_report(struct attempt_id attempt, enum rail_answer answer)
{
	const struct rail_report report = { answer, SLICE("net-1"), SLICE_EMPTY };
	assert_status(attempt_report(stage.router, attempt, &report), STATUS_OK);
}
