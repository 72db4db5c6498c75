#include "testing.h"

#include "risk/risk_rules.h"

static struct risk_settings standard(void)
{
	struct risk_settings settings = { 0 };
	assert_status(risk_settings_complete(&settings, NULL), STATUS_OK);
	return settings;
}

#define DOLLARS(n) ((n)*INT64_C(100))

static void each_rule_has_its_points(void **state)
{
	(void)state;
	static const struct {
		struct risk_facts facts;
		int score;
		enum risk_decision decision;
		const char *reasons; /* in order */
	} rows[] = {
		{ { .amount_cents = DOLLARS(25) }, 0, RISK_ALLOW, "" },
		{ { .amount_cents = DOLLARS(9999) }, 0, RISK_ALLOW, "" },
		{ { .amount_cents = DOLLARS(10000) }, 30, RISK_ALLOW, "large_amount" },
		{ { .amount_cents = DOLLARS(99999) }, 30, RISK_ALLOW, "large_amount" },
		{ { .amount_cents = DOLLARS(100000) }, 35, RISK_ALLOW, "large_amount" },
		{ { .amount_cents = DOLLARS(1000000) }, 65, RISK_REVIEW, "large_amount" },
		{ { .amount_cents = DOLLARS(25), .payee_is_new = true }, 35, RISK_ALLOW, "new_payee" },
		{ { .amount_cents = DOLLARS(9999), .payee_is_new = true }, 35, RISK_ALLOW, "new_payee" },
		{ { .amount_cents = DOLLARS(10000), .payee_is_new = true }, 65, RISK_REVIEW, "new_payee large_amount" },
		{ { .amount_cents = DOLLARS(100000), .payee_is_new = true }, 70, RISK_REVIEW,
		        "large_amount new_payee" },
		{ { .amount_cents = DOLLARS(1000000), .payee_is_new = true }, 100, RISK_BLOCK,
		        "large_amount new_payee" },
		{ { .amount_cents = DOLLARS(100), .usual_cents = DOLLARS(10) }, 15, RISK_ALLOW, "unusual_amount" },
		{ { .amount_cents = DOLLARS(99), .usual_cents = DOLLARS(1) }, 0, RISK_ALLOW, "" },
		{ { .amount_cents = DOLLARS(100), .usual_cents = DOLLARS(1) }, 25, RISK_ALLOW, "unusual_amount" },
		{ { .amount_cents = DOLLARS(100), .usual_cents = 0 }, 0, RISK_ALLOW, "" },
		{ { .country_changed = true }, 15, RISK_ALLOW, "country_changed" },
		{ { .country_is_blocked = true }, 75, RISK_BLOCK, "blocked_country" },
		{ { .amount_cents = DOLLARS(500),
		          .usual_cents = DOLLARS(20),
		          .payee_is_new = true,
		          .country_changed = true },
		        65, RISK_REVIEW, "new_payee unusual_amount country_changed" },
		/* every rule at once stays at 100 */
		{ { .amount_cents = DOLLARS(2000000),
		          .usual_cents = 1,
		          .payee_is_new = true,
		          .country_changed = true,
		          .country_is_blocked = true,
		          .windows[RISK_HOUR] = { 10000000, DOLLARS(INT64_C(1000000000)) } },
		        100, RISK_BLOCK,
		        "high_velocity high_volume blocked_country large_amount new_payee unusual_amount "
		        "country_changed" },
	};
	struct risk_settings settings = standard();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct risk_verdict verdict;
		char codes[256];
		struct writer out = writer_fixed(codes, sizeof codes);
		risk_rules_judge(&settings, &rows[i].facts, &verdict);
		assert_int_equal(verdict.score, rows[i].score);
		assert_int_equal(verdict.decision, rows[i].decision);
		for (size_t j = 0; j < verdict.reason_count; j++)
			writef(&out, "%s%s", j ? " " : "", verdict.reasons[j].code);
		assert_slice(writer_slice(&out), rows[i].reasons);
	}
}

static void velocity_grows_with_how_far_a_limit_is_exceeded(void **state)
{
	(void)state;
	static const struct {
		enum risk_window window;
		int64_t count, dollars;
		int score;
		enum risk_decision decision;
	} rows[] = {
		{ RISK_MINUTE, 9999, 0, 0, RISK_ALLOW },
		{ RISK_MINUTE, 10000, 0, 30, RISK_ALLOW },
		{ RISK_MINUTE, 19999, 0, 30, RISK_ALLOW },
		{ RISK_MINUTE, 20000, 0, 65, RISK_REVIEW },
		{ RISK_MINUTE, 40000, 0, 80, RISK_BLOCK },
		{ RISK_HOUR, 199999, 0, 0, RISK_ALLOW },
		{ RISK_HOUR, 400000, 0, 65, RISK_REVIEW },
		{ RISK_DAY, 1999999, 0, 0, RISK_ALLOW },
		{ RISK_DAY, 8000000, 0, 80, RISK_BLOCK },
		{ RISK_MINUTE, 1, 9999999, 0, RISK_ALLOW },
		{ RISK_MINUTE, 1, 10000000, 30, RISK_ALLOW },
		{ RISK_HOUR, 1, 100000000, 65, RISK_REVIEW },
		{ RISK_DAY, 1, 1000000000, 80, RISK_BLOCK },
		{ RISK_DAY, INT64_MAX, INT64_MAX / 100, 100, RISK_BLOCK },
	};
	struct risk_settings settings = standard();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct risk_facts facts = { 0 };
		struct risk_verdict verdict;
		facts.windows[rows[i].window] = (struct risk_figures) { rows[i].count, DOLLARS(rows[i].dollars) };
		risk_rules_judge(&settings, &facts, &verdict);
		assert_int_equal(verdict.score, rows[i].score);
		assert_int_equal(verdict.decision, rows[i].decision);
	}
}

static void limits_can_be_raised_and_lowered(void **state)
{
	(void)state;
	struct risk_settings settings = { .count_limits[RISK_MINUTE] = 10 };
	assert_status(risk_settings_complete(&settings, NULL), STATUS_OK);
	struct risk_facts facts = { .windows[RISK_MINUTE] = { 20, 0 } };
	struct risk_verdict verdict;
	risk_rules_judge(&settings, &facts, &verdict);
	assert_int_equal(verdict.decision, RISK_REVIEW);
	settings.count_limits[RISK_MINUTE] = INT64_MAX;
	facts.windows[RISK_MINUTE].count = 1000000000;
	risk_rules_judge(&settings, &facts, &verdict);
	assert_int_equal(verdict.score, 0);
}

static void thresholds_decide(void **state)
{
	(void)state;
	static const struct {
		int review, block;
		enum status status;
		enum risk_decision at_65; /* for a score of 65 */
	} rows[] = {
		{ 0, 0, STATUS_OK, RISK_REVIEW },
		{ 66, 75, STATUS_OK, RISK_ALLOW },
		{ 64, 75, STATUS_OK, RISK_REVIEW },
		{ 65, 65, STATUS_OK, RISK_BLOCK },
		{ 65, 66, STATUS_OK, RISK_REVIEW },
		{ 64, 64, STATUS_OK, RISK_BLOCK },
		{ 101, 101, STATUS_OK, RISK_ALLOW },
		{ 70, 69, ERR_INVALID_PARAMETER, RISK_ALLOW },
		{ 80, 0, ERR_INVALID_PARAMETER, RISK_ALLOW },
		{ -1, 75, ERR_INVALID_PARAMETER, RISK_ALLOW },
		{ 65, 102, ERR_INVALID_PARAMETER, RISK_ALLOW },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct risk_settings settings = { rows[i].review, rows[i].block };
		struct risk_verdict verdict;
		assert_status(risk_settings_complete(&settings, NULL), rows[i].status);
		if (rows[i].status != STATUS_OK) {
			assert_int_equal(settings.block_threshold, rows[i].block);
			continue;
		}
		struct risk_facts facts = { .amount_cents = DOLLARS(10000), .payee_is_new = true };
		risk_rules_judge(&settings, &facts, &verdict);
		assert_int_equal(verdict.score, 65);
		assert_int_equal(verdict.decision, rows[i].at_65);
	}
	struct risk_settings negative = { .sum_limits[RISK_DAY] = -1 };
	assert_status(risk_settings_complete(&negative, NULL), ERR_INVALID_PARAMETER);
}

static void currencies_compare_by_magnitude(void **state)
{
	(void)state;
	assert_int_equal(risk_cents((struct money) { 150000, CURRENCY_USD }), 150000);
	assert_int_equal(risk_cents((struct money) { 1500, CURRENCY_JPY }), 1000);
	assert_int_equal(risk_cents((struct money) { 25000000, CURRENCY_USDC }), 2500);
	for (unsigned currency = 1; currency < CURRENCY_COUNT; currency++) {
		/* no currency is missing in the table: a million of its minor units is worth something finite */
		int64_t cents = risk_cents((struct money) { AMOUNT_MINOR_MAX, (enum currency)currency });
		assert_true(cents > 0 && cents < INT64_MAX);
	}
}

static void the_usual_amount_needs_ten_earlier_payments(void **state)
{
	(void)state;
	assert_int_equal(risk_usual_cents((struct risk_figures) { 10, 10000 }, 1000), 0);
	assert_int_equal(risk_usual_cents((struct risk_figures) { 11, 11000 }, 1000), 1000);
	assert_int_equal(risk_usual_cents((struct risk_figures) { 11, 10000 }, 10000), 1);
	assert_int_equal(risk_usual_cents((struct risk_figures) { 11, INT64_MAX }, 1000), 0);
	assert_int_equal(risk_usual_cents((struct risk_figures) { 0, 0 }, 1000), 0);
}

static void codes_have_numbers(void **state)
{
	(void)state;
	for (unsigned code = 0; code < RISK_CODE_COUNT; code++) {
		assert_true(strlen(risk_code_name(code)) > 0);
		assert_int_equal(risk_code_find(slice_from(risk_code_name(code))), code);
	}
	assert_string_equal(risk_code_name(RISK_CODE_COUNT), "");
	assert_int_equal(risk_code_find(SLICE("something")), RISK_CODE_COUNT);
	enum risk_decision decision;
	assert_true(risk_decision_parse(SLICE("block"), &decision));
	assert_int_equal(decision, RISK_BLOCK);
	assert_false(risk_decision_parse(SLICE("blocked"), &decision));
}

TESTS(cmocka_unit_test(each_rule_has_its_points), cmocka_unit_test(velocity_grows_with_how_far_a_limit_is_exceeded),
        cmocka_unit_test(limits_can_be_raised_and_lowered), cmocka_unit_test(thresholds_decide),
        cmocka_unit_test(currencies_compare_by_magnitude),
        cmocka_unit_test(the_usual_amount_needs_ten_earlier_payments), cmocka_unit_test(codes_have_numbers))
