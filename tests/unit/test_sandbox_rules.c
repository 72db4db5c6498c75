#include "testing.h"

#include "sandbox/sandbox_rules.h"

static void directives_are_read_wherever_they_stand(void **state)
{
	(void)state;
	struct sandbox_behaviour behaviour = { 0 };
	assert_status(
	        sandbox_parse_directives(
	                SLICE("{\"name\":\"Acme [sandbox: decline=R03, late=5s]\"} [sandbox: slow=250ms duplicate]"),
	                &behaviour),
	        STATUS_OK);
	assert_string_equal(behaviour.decline, "R03");
	assert_int_equal(behaviour.late_us, 5000000);
	assert_int_equal(behaviour.slow_us, 250000);
	assert_true(behaviour.duplicate);
	assert_false(behaviour.timeout_before);
}

static void misspelt_directives_are_refused(void **state)
{
	(void)state;
	static const char *const rows[] = { "[sandbox: declin=R03]", "[sandbox: decline]", "[sandbox: decline=]",
		"[sandbox: timeout_after=1]", "[sandbox: late=soon]", "[sandbox: error=200]", "[sandbox: decline=R03",
		"[sandbox: decline=ABCDEFGHIJKLMNOPQ]", "[sandbox: late=99999s]" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sandbox_behaviour behaviour = { 0 };
		assert_status(sandbox_parse_directives(slice_from(rows[i]), &behaviour), ERR_INVALID_FIELD);
	}
}

static void a_rule_matches_rail_payee_amount_and_count(void **state)
{
	(void)state;
	struct sandbox_rule rule = { .rail = "ach",
		.payee_contains = "Acme",
		.amount_min_minor = 100,
		.amount_max_minor = 200,
		.times_left = 1 };
	struct money fits = { 150, CURRENCY_USD };
	assert_true(sandbox_rule_matches(&rule, SLICE("ach"), SLICE("to Acme Inc"), fits));
	assert_false(sandbox_rule_matches(&rule, SLICE("wire"), SLICE("to Acme Inc"), fits));
	assert_false(sandbox_rule_matches(&rule, SLICE("ach"), SLICE("to Bolt"), fits));
	assert_false(sandbox_rule_matches(&rule, SLICE("ach"), SLICE_EMPTY, fits));
	assert_false(sandbox_rule_matches(&rule, SLICE("ach"), SLICE("Acme"), (struct money) { 99, CURRENCY_USD }));
	assert_false(sandbox_rule_matches(&rule, SLICE("ach"), SLICE("Acme"), (struct money) { 201, CURRENCY_USD }));
	rule.times_left = 0;
	assert_false(sandbox_rule_matches(&rule, SLICE("ach"), SLICE("to Acme Inc"), fits));
}

static void chance_is_a_function_of_seed_and_attempt(void **state)
{
	(void)state;
	const struct sandbox_odds odds = { .decline = 2000 };
	int declined = 0;
	for (unsigned i = 0; i < 10000; i++) {
		struct uuid attempt = { { (unsigned char)i, (unsigned char)(i >> 8) } };
		struct sandbox_behaviour once = { 0 }, again = { 0 };
		sandbox_draw(42, attempt, &odds, SLICE("ach"), &once);
		sandbox_draw(42, attempt, &odds, SLICE("ach"), &again);
		assert_memory_equal(&once, &again, sizeof once);
		declined += once.decline[0] != 0;
	}
	assert_in_range(declined, 1800, 2200);
}

static void odds_are_shares_of_ten_thousand(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int odds; /* -1 = refused */
	} rows[] = { { "5%", 500 }, { "0.25%", 25 }, { "100%", 10000 }, { "0.05", 500 }, { "1", 10000 }, { "101%", -1 },
		{ "-1%", -1 }, { "", -1 }, { "0.12345", -1 }, { "x", -1 } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int odds = -1;
		sandbox_parse_odds(slice_from(rows[i].text), &odds);
		assert_int_equal(odds, rows[i].odds);
	}
}

TESTS(cmocka_unit_test(directives_are_read_wherever_they_stand), cmocka_unit_test(misspelt_directives_are_refused),
        cmocka_unit_test(a_rule_matches_rail_payee_amount_and_count),
        cmocka_unit_test(chance_is_a_function_of_seed_and_attempt), cmocka_unit_test(odds_are_shares_of_ten_thousand))
