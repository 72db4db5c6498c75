#include "testing.h"

#include "identity/identity_wire.h"

static void a_principal_arrives_as_it_left(void **state)
{
	(void)state;
	const struct principal rows[] = {
		{ .kind = PRINCIPAL_AGENT,
		        .id = uuid_new(),
		        .roles = ROLE_AGENT,
		        .owner = user_id_new(),
		        .expires_at = 7 },
		{ .kind = PRINCIPAL_USER,
		        .id = uuid_new(),
		        .roles = ROLE_ADMIN | ROLE_AUDITOR,
		        .session = session_id_new(),
		        .expires_at = INT64_C(1) << 50 },
	};
	for (size_t i = 0; i < 2; i++) {
		struct arena arena = { 0 };
		struct writer out = writer_growing(&arena);
		const struct json *json;
		struct principal read = { 0 };
		write_principal(&out, &rows[i]);
		assert_status(json_parse(writer_slice(&out), &arena, &json, NULL), STATUS_OK);
		assert_status(read_principal(json, &arena, &read, NULL), STATUS_OK);
		assert_int_equal(read.kind, rows[i].kind);
		assert_true(uuid_equal(read.id, rows[i].id));
		assert_int_equal(read.roles, rows[i].roles);
		assert_true(uuid_equal(read.owner.uuid, rows[i].owner.uuid));
		assert_true(uuid_equal(read.session.uuid, rows[i].session.uuid));
		assert_int_equal(read.expires_at, rows[i].expires_at);
		arena_clean_up(&arena);
	}
}

static void what_is_no_principal_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"{}",
		"[]",
		"{\"roles\":2,\"expires_at\":1}",
		"{\"user_id\":\"user-0197f000-0000-7000-8000-000000000001\",\"roles\":8,\"expires_at\":1}",
		"{\"user_id\":\"user-0197f000-0000-7000-8000-000000000001\",\"roles\":-1,\"expires_at\":1}",
		"{\"user_id\":\"agent-0197f000-0000-7000-8000-000000000001\",\"roles\":2,\"expires_at\":1}",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena arena = { 0 };
		const struct json *json;
		struct principal read;
		assert_status(json_parse(slice_from(rows[i]), &arena, &json, NULL), STATUS_OK);
		assert_true(read_principal(json, &arena, &read, NULL) != STATUS_OK);
		arena_clean_up(&arena);
	}
}

static void a_question_arrives_as_it_left(void **state)
{
	struct arena arena = { 0 };
	struct writer out = writer_growing(&arena);
	const struct consent_question question = {
		.agent = agent_id_new(),
		.consent = consent_id_new(),
		.amount = { AMOUNT_MINOR_MAX, CURRENCY_KWD },
		.payee = SLICE("us:1/2"),
		.at = INT64_C(1795394096000000),
	};
	struct consent_question read = { 0 };
	(void)state;
	write_consent_question(&out, &question);
	assert_status(read_consent_question(writer_slice(&out), &arena, &read, NULL), STATUS_OK);
	assert_true(uuid_equal(read.agent.uuid, question.agent.uuid));
	assert_true(uuid_equal(read.consent.uuid, question.consent.uuid));
	assert_int_equal(read.amount.minor_units, question.amount.minor_units);
	assert_int_equal(read.amount.currency, question.amount.currency);
	assert_slice(read.payee, "us:1/2");
	assert_int_equal(read.at, question.at);
	arena_clean_up(&arena);
}

static void a_verdict_arrives_as_it_left(void **state)
{
	struct arena arena = { 0 };
	struct writer out = writer_growing(&arena);
	const struct json *json;
	const struct consent_verdict verdict = {
		.refusal = ERR_CONSENT_PAYEE,
		.consent = consent_id_new(),
		.needs_approval = true,
		.rails = 1u << RAIL_WIRE,
		.account = account_id_new(),
		.budgets = { { BUDGET_DAILY, account_id_new(), 5 }, { BUDGET_MONTHLY, account_id_new(), 6 } },
		.budget_count = 2,
	};
	struct consent_verdict read = { 0 };
	(void)state;
	write_consent_verdict(&out, &verdict);
	assert_status(json_parse(writer_slice(&out), &arena, &json, NULL), STATUS_OK);
	assert_status(read_consent_verdict(json, &arena, &read, NULL), STATUS_OK);
	assert_int_equal(read.refusal, verdict.refusal);
	assert_true(uuid_equal(read.consent.uuid, verdict.consent.uuid));
	assert_true(read.needs_approval);
	assert_int_equal(read.rails, verdict.rails);
	assert_true(uuid_equal(read.account.uuid, verdict.account.uuid));
	assert_int_equal(read.budget_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(read.budgets[i].period, verdict.budgets[i].period);
		assert_true(uuid_equal(read.budgets[i].account.uuid, verdict.budgets[i].account.uuid));
		assert_int_equal(read.budgets[i].limit_minor, verdict.budgets[i].limit_minor);
	}
	arena_clean_up(&arena);
}

TESTS(cmocka_unit_test(a_principal_arrives_as_it_left), cmocka_unit_test(what_is_no_principal_is_refused),
        cmocka_unit_test(a_question_arrives_as_it_left), cmocka_unit_test(a_verdict_arrives_as_it_left))
