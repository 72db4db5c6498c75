#include "watch.h"

#include "base/json.h"
#include "risk/country.h"
#include "risk/risk_json.h"
#include "risk/risk_service.h"

static struct watch watch;
static struct risk_service *service;

static void start_with(struct risk_options options)
{
	struct problem problem = { 0 };
	options.engines = &watch.engines;
	if (risk_service_start(&options, &service, &problem) != STATUS_OK)
		fail_msg("%s", problem.detail);
}

static void start(void **state, struct risk_options options)
{
	watch_start(&watch, database_of(state), &risk_migrations);
	start_with(options);
}

static void stop(void)
{
	risk_service_stop(service);
	watch_stop(&watch);
}

static struct risk_verdict assess(
        struct payment_id payment, struct agent_id agent, int64_t cents, const char *payee, int64_t at)
{
	struct risk_api risk = risk_service_api(service);
	struct risk_question question = { .payment = payment,
		.agent = agent,
		.amount = { cents, CURRENCY_USD },
		.payee = slice_from(payee),
		.ip_address = SLICE("127.0.0.1"),
		.at = at };
	struct risk_verdict verdict;
	assert_status(risk.assess(risk.self, &actor_system, &question, &verdict), STATUS_OK);
	return verdict;
}

static void a_large_amount_to_a_new_payee_is_reviewed_with_one_event(void **state)
{
	start(state, (struct risk_options) { 0 });
	struct agent_id agent = agent_id_new();
	struct payment_id payment = payment_id_new();
	struct arena arena = { 0 };
	struct event *events;
	struct risk_verdict verdict = assess(payment, agent, 1500000, "acct-x", clock_now());
	assert_int_equal(verdict.decision, RISK_REVIEW);
	assert_int_equal(verdict.score, 65);
	assert_int_equal(watch_events(&watch, &arena, &events), 1);
	struct writer expected = writer_growing(&arena);
	write_text(&expected, "{\"event_type\":\"risk.alert\",\"payment_id\":\"");
	write_payment_id(&expected, payment);
	write_text(&expected, "\",\"risk_score\":65,\"alert_type\":\"new_payee\",\"threshold\":65,\"timestamp\":\"");
	write_instant(&expected, events[0].created_at);
	write_text(&expected, "\"}");
	assert_true(slice_equal(events[0].body, writer_slice(&expected)));

	/* again: the same answer, no second alert; also after a restart, when only the store remembers */
	struct risk_verdict again = assess(payment, agent, 1500000, "acct-x", clock_now());
	assert_memory_equal(&again, &verdict, sizeof verdict);
	risk_service_stop(service);
	start_with((struct risk_options) { 0 });
	again = assess(payment, agent, 1500000, "acct-x", clock_now());
	assert_int_equal(again.decision, RISK_REVIEW);
	assert_int_equal(watch_events(&watch, &arena, &events), 1);
	arena_clean_up(&arena);
	stop();
}

static void small_payments_pass_without_a_trace(void **state)
{
	start(state, (struct risk_options) { 0 });
	struct agent_id agent = agent_id_new();
	struct arena arena = { 0 };
	struct event *events;
	for (int i = 0; i < 5000; i++) {
		struct risk_verdict verdict = assess(payment_id_new(), agent, 100, "acct-x", clock_now());
		assert_int_equal(verdict.decision, RISK_ALLOW);
	}
	assert_int_equal(watch_events(&watch, &arena, &events), 0);
	arena_clean_up(&arena);
	stop();
}

static void a_burst_is_reviewed_then_blocked(void **state)
{
	start(state, (struct risk_options) { .count_limits[RISK_MINUTE] = 10 });
	struct agent_id agent = agent_id_new();
	int64_t now = clock_now();
	for (int i = 1; i <= 25; i++) {
		/* the new payee's 35 points, and those of the limit: 30 at 10 payments, 65 at 20 */
		enum risk_decision expected = i < 10 ? RISK_ALLOW : i < 20 ? RISK_REVIEW : RISK_BLOCK;
		assert_int_equal(assess(payment_id_new(), agent, 100, "acct-x", now).decision, expected);
	}
	assert_int_equal(assess(payment_id_new(), agent_id_new(), 100, "acct-x", now).decision, RISK_ALLOW);
	assert_int_equal(assess(payment_id_new(), agent, 100, "acct-x", now + 61 * MICROSECONDS_PER_SECOND).decision,
	        RISK_ALLOW);
	stop();
}

static void a_repeated_question_counts_once(void **state)
{
	start(state, (struct risk_options) { .count_limits[RISK_MINUTE] = 2 });
	struct agent_id agent = agent_id_new();
	struct payment_id payment = payment_id_new();
	int64_t now = clock_now();
	for (int i = 0; i < 20; i++)
		assert_int_equal(assess(payment, agent, 100, "acct-x", now).score, 35);
	assert_int_equal(assess(payment_id_new(), agent, 100, "acct-x", now).score, 65);
	stop();
}

static void handle(const struct event *event)
{
	assert_status(risk_service_handle(service, event, 1), STATUS_OK);
}

static void a_payee_is_known_after_a_settled_payment_only(void **state)
{
	static const struct {
		const char *ending;
		int score;
	} rows[] = {
		{ "payment.declined", 35 },
		{ "payment.canceled", 35 },
		{ "payment.failed", 35 },
		{ "payment.expired", 35 },
		{ "payment.authorized", 35 },
		{ "payment.settled", 0 },
		{ "payment.accepted", 0 },
	};
	start(state, (struct risk_options) { 0 });
	struct arena arena = { 0 };
	int64_t now = clock_now();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct agent_id agent = agent_id_new();
		struct payment_id payment = payment_id_new();
		struct event events[] = {
			watch_payment(&arena, "payment.initiated", payment, agent, "1.00", now),
			watch_payment(&arena, rows[i].ending, payment, agent, "1.00", now),
		};
		assert_int_equal(assess(payment, agent, 100, "acct-x", now).score, 35);
		handle(&events[0]);
		assert_int_equal(assess(payment_id_new(), agent, 100, "acct-x", now).score, 35);
		handle(&events[1]);
		assert_int_equal(assess(payment_id_new(), agent, 100, "acct-x", now).score, rows[i].score);
		assert_int_equal(assess(payment_id_new(), agent, 100, "acct-y", now).score, 35);
		/* the same events come again */
		handle(&events[0]);
		handle(&events[1]);
		assert_int_equal(assess(payment_id_new(), agent, 100, "acct-x", now).score, rows[i].score);
	}
	arena_clean_up(&arena);
	stop();
}

static void windows_are_rebuilt_from_the_events(void **state)
{
	start(state, (struct risk_options) { 0 });
	struct agent_id agent = agent_id_new();
	struct arena arena = { 0 };
	int64_t now = clock_now(), hour = 3600 * MICROSECONDS_PER_SECOND;
	struct payment_id last = payment_id_new();
	for (int i = 0; i < 9; i++) {
		struct event event = watch_payment(&arena, "payment.initiated", i == 8 ? last : payment_id_new(), agent,
		        "5.00", now - (i < 3 ? 25 * hour : hour / 2));
		watch_publish(&watch, &event);
	}
	risk_service_stop(service);
	/* 6 of the 9 lie within the day: with this one 7 */
	start_with((struct risk_options) { .count_limits[RISK_DAY] = 7 });
	/* the last one is asked again after a crash: it counts once */
	assert_int_equal(assess(last, agent, 500, "acct-x", now).score, 35);
	assert_int_equal(assess(payment_id_new(), agent, 500, "acct-x", now).score, 65);
	arena_clean_up(&arena);
	stop();
}

static void the_outbox_teaches_payees(void **state)
{
	struct problem problem = { 0 };
	watch_start(&watch, database_of(state), &risk_migrations);
	assert_status(
	        outbox_start(watch.engines.database_url, watch.engines.committer, &watch.engines.outbox, &problem),
	        STATUS_OK);
	start_with((struct risk_options) { 0 });
	struct arena arena = { 0 };
	struct agent_id agent = agent_id_new();
	struct payment_id payment = payment_id_new();
	struct event events[] = {
		watch_payment(&arena, "payment.initiated", payment, agent, "1.00", clock_now()),
		watch_payment(&arena, "payment.settled", payment, agent, "1.00", clock_now()),
	};
	assert_int_equal(assess(payment, agent, 100, "acct-x", clock_now()).score, 35);
	watch_publish(&watch, &events[0]);
	watch_publish(&watch, &events[1]);
	int score = 35;
	for (int i = 0; i < 500 && score; i++) {
		usleep(10000);
		score = assess(payment_id_new(), agent, 100, "acct-x", clock_now()).score;
	}
	assert_int_equal(score, 0);
	arena_clean_up(&arena);
	outbox_stop(watch.engines.outbox);
	watch.engines.outbox = NULL;
	stop();
}

static void wrong_options_are_refused(void **state)
{
	static const struct {
		struct risk_options options;
		enum status status;
	} rows[] = {
		{ { .review_threshold = 80 }, ERR_INVALID_PARAMETER },
		{ { .block_threshold = 60 }, ERR_INVALID_PARAMETER },
		{ { .blocked_countries = { "KP,Iran", 7 } }, ERR_INVALID_PARAMETER },
		{ { .count_limits[RISK_HOUR] = -5 }, ERR_INVALID_PARAMETER },
		{ { .country_database = { "/nonexistent.mmdb", 17 } }, ERR_IO },
	};
	watch_start(&watch, database_of(state), &risk_migrations);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct risk_options options = rows[i].options;
		struct problem problem = { 0 };
		options.engines = &watch.engines;
		assert_status(risk_service_start(&options, &service, &problem), rows[i].status);
		assert_true(strlen(problem.detail) > 0);
	}
	watch_stop(&watch);
}

static void verdicts_travel_as_json(void **state)
{
	(void)state;
	struct risk_settings settings = { 0 };
	struct risk_facts facts = { .amount_cents = 2000000, .payee_is_new = true, .country_changed = true };
	struct risk_verdict verdict, back;
	assert_status(risk_settings_complete(&settings, NULL), STATUS_OK);
	risk_rules_judge(&settings, &facts, &verdict);
	struct arena arena = { 0 };
	struct writer out = writer_growing(&arena);
	const struct json *json;
	risk_verdict_write(&(struct json_writer) { .out = &out }, &verdict);
	assert_status(json_parse(writer_slice(&out), &arena, &json, NULL), STATUS_OK);
	assert_true(risk_verdict_read(json, &back));
	assert_memory_equal(&back, &verdict, sizeof verdict);
	static const char *const wrong[] = { "{}", "[]", "{\"score\":101,\"decision\":\"allow\",\"reasons\":[]}",
		"{\"score\":1,\"decision\":\"maybe\",\"reasons\":[]}",
		"{\"score\":1,\"decision\":\"allow\",\"reasons\":{}}",
		"{\"score\":1,\"decision\":\"allow\",\"reasons\":[{\"code\":1,\"points\":1}]}",
		("{\"score\":1,\"decision\":\"allow\",\"reasons\":"
		 "[{\"code\":\"a code that is much longer than any code may be\",\"points\":1}]}"),
		"{\"score\":1,\"decision\":\"allow\",\"reasons\":[1,2,3,4,5,6,7,8,9]}" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_status(json_parse(slice_from(wrong[i]), &arena, &json, NULL), STATUS_OK);
		assert_false(risk_verdict_read(json, &back));
	}
	arena_clean_up(&arena);
}

TESTS(ON_BOTH(a_large_amount_to_a_new_payee_is_reviewed_with_one_event), ON_BOTH(small_payments_pass_without_a_trace),
        ON_BOTH(a_burst_is_reviewed_then_blocked), ON_BOTH(a_repeated_question_counts_once),
        ON_BOTH(a_payee_is_known_after_a_settled_payment_only), ON_BOTH(windows_are_rebuilt_from_the_events),
        ON_BOTH(the_outbox_teaches_payees), ON_BOTH(wrong_options_are_refused),
        cmocka_unit_test(verdicts_travel_as_json))
