#include "testing.h"

#include "base/clock.h"
#include "identity/consent_rules.h"

static const struct consent_terms usual = {
	.currency = CURRENCY_USD,
	.per_payment_minor = 10000,
	.daily_minor = 50000,
	.monthly_minor = 200000,
	.approval_minor = 5000,
	.rails = 1u << RAIL_BOOK | 1u << RAIL_ACH,
	.valid_from = 1000,
	.expires_at = 2000,
	.payees = SLICE("acct-1\niban:DE89\nus:1/2"),
};

static struct consent_terms revoked(struct consent_terms terms)
{
	terms.revoked_at = 1;
	return terms;
}

static struct consent_terms without_rails(struct consent_terms terms)
{
	terms.rails = 1u << RAIL_COUNT;
	return terms;
}

static struct consent_terms for_anybody(struct consent_terms terms)
{
	terms.payees = SLICE_EMPTY;
	return terms;
}

static struct consent_terms without_end(struct consent_terms terms)
{
	terms.expires_at = 0;
	return terms;
}

static void refuses_for_the_first_reason(void **state)
{
	(void)state;
	const struct {
		struct consent_terms terms;
		int64_t minor;
		enum currency currency;
		const char *payee;
		int64_t at;
		enum status status;
	} rows[] = {
		{ usual, 10000, CURRENCY_USD, "acct-1", 1500, STATUS_OK },
		{ usual, 10000, CURRENCY_USD, "iban:DE89", 1000, STATUS_OK },
		{ usual, 1, CURRENCY_USD, "us:1/2", 1999, STATUS_OK },
		{ usual, 1, CURRENCY_USD, "acct-1", 999, ERR_CONSENT_NOT_YET_VALID },
		{ usual, 1, CURRENCY_USD, "acct-1", 2000, ERR_CONSENT_EXPIRED },
		{ without_end(usual), 1, CURRENCY_USD, "acct-1", INT64_MAX, STATUS_OK },
		{ usual, 1, CURRENCY_EUR, "acct-1", 1500, ERR_CONSENT_CURRENCY },
		{ usual, 1, CURRENCY_USD, "acct-2", 1500, ERR_CONSENT_PAYEE },
		{ usual, 1, CURRENCY_USD, "acct-", 1500, ERR_CONSENT_PAYEE },
		{ usual, 1, CURRENCY_USD, "acct-1\niban:DE89", 1500, ERR_CONSENT_PAYEE },
		{ usual, 1, CURRENCY_USD, "", 1500, ERR_CONSENT_PAYEE },
		{ for_anybody(usual), 1, CURRENCY_USD, "acct-2", 1500, STATUS_OK },
		{ usual, 10001, CURRENCY_USD, "acct-1", 1500, ERR_CONSENT_PAYMENT_LIMIT },
		{ without_rails(usual), 1, CURRENCY_USD, "acct-1", 1500, ERR_CONSENT_RAIL },
		/* of several reasons the first is named */
		{ revoked(without_rails(usual)), 10001, CURRENCY_EUR, "acct-2", 999, ERR_CONSENT_REVOKED },
		{ without_rails(usual), 10001, CURRENCY_EUR, "acct-2", 999, ERR_CONSENT_NOT_YET_VALID },
		{ without_rails(usual), 10001, CURRENCY_EUR, "acct-2", 2000, ERR_CONSENT_EXPIRED },
		{ without_rails(usual), 10001, CURRENCY_EUR, "acct-2", 1500, ERR_CONSENT_CURRENCY },
		{ without_rails(usual), 10001, CURRENCY_USD, "acct-2", 1500, ERR_CONSENT_PAYEE },
		{ without_rails(usual), 10001, CURRENCY_USD, "acct-1", 1500, ERR_CONSENT_PAYMENT_LIMIT },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_status(consent_rules_check(&rows[i].terms, (struct money) { rows[i].minor, rows[i].currency },
		                      slice_from(rows[i].payee), rows[i].at),
		        rows[i].status);
}

static void a_large_amount_needs_a_person(void **state)
{
	struct consent_terms never = usual;
	(void)state;
	never.approval_minor = 0;
	assert_false(consent_rules_needs_approval(&usual, (struct money) { 5000, CURRENCY_USD }));
	assert_true(consent_rules_needs_approval(&usual, (struct money) { 5001, CURRENCY_USD }));
	assert_false(consent_rules_needs_approval(&never, (struct money) { 5001, CURRENCY_USD }));
}

static void the_state_follows_time_and_revocation(void **state)
{
	const struct consent_terms ended = revoked(usual), endless = without_end(usual);
	(void)state;
	assert_int_equal(consent_rules_state(&usual, 1), CONSENT_ACTIVE);
	assert_int_equal(consent_rules_state(&usual, 1999), CONSENT_ACTIVE);
	assert_int_equal(consent_rules_state(&usual, 2000), CONSENT_EXPIRED);
	assert_int_equal(consent_rules_state(&endless, INT64_MAX), CONSENT_ACTIVE);
	assert_int_equal(consent_rules_state(&ended, 3000), CONSENT_REVOKED);
	assert_false(consent_rules_is_active(&usual, 999));
	assert_true(consent_rules_is_active(&usual, 1000));
	assert_false(consent_rules_is_active(&usual, 2000));
	assert_false(consent_rules_is_active(&ended, 1500));
}

static void grants_only_sound_terms(void **state)
{
	(void)state;
	static const struct {
		int64_t payment, day, month, approval, from, to;
		unsigned rails;
		const char *payees;
		const char *param; /* NULL: granted */
	} rows[] = {
		{ 1, 1, 1, 0, 0, 0, RAILS_ALL, "", NULL },
		{ 1, 2, 3, 9, 5, 6, 1, "acct-x\niban:DE89\nus:1/2\ncard:tok", NULL },
		{ 0, 2, 3, 0, 0, 0, 1, "", "per_payment_limit" },
		{ -1, 2, 3, 0, 0, 0, 1, "", "per_payment_limit" },
		{ 2, 1, 3, 0, 0, 0, 1, "", "daily_limit" },
		{ 1, 3, 2, 0, 0, 0, 1, "", "monthly_limit" },
		{ 1, 2, 3, -1, 0, 0, 1, "", "approval_threshold" },
		{ 1, 2, 3, 0, 6, 6, 1, "", "expires_at" },
		{ 1, 2, 3, 0, 6, 5, 1, "", "expires_at" },
		{ 1, 2, 3, 0, 0, 0, 0, "", "rails" },
		{ 1, 2, 3, 0, 0, 0, 1u << RAIL_COUNT, "", "rails" },
		{ 1, 2, 3, 0, 0, 0, 1, "DE89", "payees" },
		{ 1, 2, 3, 0, 0, 0, 1, "iban:", "payees" },
		{ 1, 2, 3, 0, 0, 0, 1, "iban:DE89 3704", "payees" },
		{ 1, 2, 3, 0, 0, 0, 1, "acct-x\n\nacct-y", "payees" },
		{ 1, 2, 3, 0, 0, 0, 1, "card:\x7f", "payees" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct consent_terms terms = {
			.currency = CURRENCY_USD,
			.per_payment_minor = rows[i].payment,
			.daily_minor = rows[i].day,
			.monthly_minor = rows[i].month,
			.approval_minor = rows[i].approval,
			.valid_from = rows[i].from,
			.expires_at = rows[i].to,
			.rails = rows[i].rails,
			.payees = slice_from(rows[i].payees),
		};
		struct problem problem = { .param = "" };
		assert_status(consent_rules_grant(&terms, &problem), rows[i].param ? ERR_INVALID_FIELD : STATUS_OK);
		assert_string_equal(problem.param, rows[i].param ? rows[i].param : "");
	}
}

static void a_payee_key_has_its_bound(void **state)
{
	char key[PAYEE_KEY_MAX + 1];
	struct consent_terms terms = usual;
	(void)state;
	memset(key, 'x', sizeof key);
	memcpy(key, "card:", 5);
	terms.payees = slice_make(key, PAYEE_KEY_MAX);
	assert_status(consent_rules_grant(&terms, NULL), STATUS_OK);
	terms.payees = slice_make(key, PAYEE_KEY_MAX + 1);
	assert_status(consent_rules_grant(&terms, NULL), ERR_INVALID_FIELD);
}

static void periods_are_calendar_days_and_months_in_utc(void **state)
{
	(void)state;
	static const struct {
		const char *at, *day, *month;
	} rows[] = {
		{ "2026-11-23T12:34:56.789Z", "2026-11-23", "2026-11-01" },
		{ "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-01" },
		{ "2026-11-23T23:59:59.999999Z", "2026-11-23", "2026-11-01" },
		{ "2026-11-24T01:00:00+02:00", "2026-11-23", "2026-11-01" },
		{ "2028-02-29T08:00:00Z", "2028-02-29", "2028-02-01" },
		{ "2026-12-31T23:59:59Z", "2026-12-31", "2026-12-01" },
		{ "2027-01-01T00:00:00Z", "2027-01-01", "2027-01-01" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t at, day, month;
		assert_true(instant_parse(slice_from(rows[i].at), &at));
		assert_true(date_parse(slice_from(rows[i].day), &day));
		assert_true(date_parse(slice_from(rows[i].month), &month));
		assert_int_equal(consent_rules_period_start(BUDGET_DAILY, at), day);
		assert_int_equal(consent_rules_period_start(BUDGET_MONTHLY, at), month);
	}
}

TESTS(cmocka_unit_test(refuses_for_the_first_reason), cmocka_unit_test(a_large_amount_needs_a_person),
        cmocka_unit_test(the_state_follows_time_and_revocation), cmocka_unit_test(grants_only_sound_terms),
        cmocka_unit_test(a_payee_key_has_its_bound), cmocka_unit_test(periods_are_calendar_days_and_months_in_utc))
