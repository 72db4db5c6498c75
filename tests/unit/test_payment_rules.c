#include "testing.h"

#include "router/payment_rules.h"

/* The whole table, written down a second time in the words of the domain. */
static const struct {
	const char *from, *to;
} allowed[] = {
	{ "created", "authorized" },
	{ "created", "settled" },
	{ "created", "declined" },
	{ "awaiting_approval", "created" },
	{ "awaiting_approval", "authorized" },
	{ "awaiting_approval", "settled" },
	{ "awaiting_approval", "declined" },
	{ "awaiting_approval", "canceled" },
	{ "awaiting_approval", "expired" },
	{ "authorized", "submitted" },
	{ "authorized", "canceled" },
	{ "authorized", "failed" },
	{ "submitted", "accepted" },
	{ "submitted", "unknown" },
	{ "submitted", "settled" },
	{ "submitted", "authorized" },
	{ "submitted", "failed" },
	{ "unknown", "submitted" },
	{ "unknown", "accepted" },
	{ "unknown", "settled" },
	{ "unknown", "authorized" },
	{ "unknown", "failed" },
	{ "accepted", "settled" },
	{ "accepted", "authorized" },
	{ "accepted", "failed" },
	{ "settled", "returned" },
	{ "settled", "refunded" },
};

static void payments_move_as_written(void **state)
{
	(void)state;
	for (unsigned from = 0; from < PAYMENT_STATUS_COUNT; from++)
		for (unsigned to = 0; to < PAYMENT_STATUS_COUNT; to++) {
			const char *a = payment_status_name((enum payment_status)from);
			const char *b = payment_status_name((enum payment_status)to);
			bool expected = false;
			for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
				expected = expected || (!strcmp(allowed[i].from, a) && !strcmp(allowed[i].to, b));
			if (payment_may_move((enum payment_status)from, (enum payment_status)to) != expected)
				fail_msg("%s -> %s", a, b);
		}
	assert_false(payment_may_move(PAYMENT_STATUS_COUNT, PAYMENT_SETTLED));
	assert_false(payment_may_move(PAYMENT_SETTLED, PAYMENT_STATUS_COUNT));
}

static void names_are_read_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PAYMENT_STATUS_COUNT; i++) {
		enum payment_status status;
		assert_true(payment_status_parse(slice_from(payment_status_name((enum payment_status)i)), &status));
		assert_int_equal(status, i);
		assert_int_equal(strncmp(payment_status_event(status), "payment.", 8), 0);
	}
	for (unsigned i = 0; i < ATTEMPT_STATUS_COUNT; i++) {
		enum attempt_status status;
		assert_true(attempt_status_parse(slice_from(attempt_status_name((enum attempt_status)i)), &status));
		assert_int_equal(status, i);
	}
	enum payment_status ignored;
	enum attempt_status unknown;
	assert_false(payment_status_parse(SLICE("done"), &ignored));
	assert_false(attempt_status_parse(SLICE("done"), &unknown));
	assert_string_equal(payment_status_name(PAYMENT_STATUS_COUNT), "");
	assert_string_equal(payment_status_event(PAYMENT_STATUS_COUNT), "");
	assert_string_equal(attempt_status_name(ATTEMPT_STATUS_COUNT), "");
}

static void final_states_are_those_that_end(void **state)
{
	(void)state;
	static const char *const ends[] = { "settled", "returned", "refunded", "declined", "failed", "canceled",
		"expired" };
	for (unsigned i = 0; i < PAYMENT_STATUS_COUNT; i++) {
		bool expected = false;
		for (size_t k = 0; k < sizeof ends / sizeof *ends; k++)
			expected = expected || !strcmp(ends[k], payment_status_name((enum payment_status)i));
		assert_int_equal(payment_status_is_final((enum payment_status)i), expected);
	}
}

static void answers_mean_what_the_state_makes_of_them(void **state)
{
	(void)state;
	static const struct {
		enum attempt_status stored;
		enum rail_answer answer;
		enum attempt_action action;
	} rows[] = {
		{ ATTEMPT_PENDING, ANSWER_SETTLED, ACTION_NONE },
		{ ATTEMPT_PLANNED, ANSWER_DECLINED, ACTION_NONE },
		{ ATTEMPT_SUBMITTED, ANSWER_ACCEPTED, ACTION_ACCEPT },
		{ ATTEMPT_SUBMITTED, ANSWER_SETTLED, ACTION_SETTLE },
		{ ATTEMPT_SUBMITTED, ANSWER_DECLINED, ACTION_DECLINE },
		{ ATTEMPT_SUBMITTED, ANSWER_RETURNED, ACTION_SETTLE_RETURN },
		{ ATTEMPT_SUBMITTED, ANSWER_SILENCE, ACTION_UNKNOWN },
		{ ATTEMPT_SUBMITTED, ANSWER_NOT_SENT, ACTION_RETRY },
		{ ATTEMPT_SUBMITTED, ANSWER_NEVER_SEEN, ACTION_RETRY },
		/* no connection for a query proves nothing about the first send */
		{ ATTEMPT_UNKNOWN, ANSWER_NOT_SENT, ACTION_UNKNOWN },
		{ ATTEMPT_UNKNOWN, ANSWER_SILENCE, ACTION_UNKNOWN },
		{ ATTEMPT_UNKNOWN, ANSWER_NEVER_SEEN, ACTION_RETRY },
		{ ATTEMPT_UNKNOWN, ANSWER_SETTLED, ACTION_SETTLE },
		{ ATTEMPT_UNKNOWN, ANSWER_ACCEPTED, ACTION_ACCEPT },
		{ ATTEMPT_UNKNOWN, ANSWER_DECLINED, ACTION_DECLINE },
		{ ATTEMPT_UNKNOWN, ANSWER_RETURNED, ACTION_SETTLE_RETURN },
		{ ATTEMPT_ACCEPTED, ANSWER_ACCEPTED, ACTION_NONE },
		{ ATTEMPT_ACCEPTED, ANSWER_SILENCE, ACTION_NONE },
		{ ATTEMPT_ACCEPTED, ANSWER_NEVER_SEEN, ACTION_NONE },
		{ ATTEMPT_ACCEPTED, ANSWER_SETTLED, ACTION_SETTLE },
		{ ATTEMPT_ACCEPTED, ANSWER_DECLINED, ACTION_DECLINE },
		{ ATTEMPT_ACCEPTED, ANSWER_RETURNED, ACTION_SETTLE_RETURN },
		/* late, twice, out of order */
		{ ATTEMPT_SETTLED, ANSWER_ACCEPTED, ACTION_NONE },
		{ ATTEMPT_SETTLED, ANSWER_SETTLED, ACTION_NONE },
		{ ATTEMPT_SETTLED, ANSWER_DECLINED, ACTION_NONE },
		{ ATTEMPT_SETTLED, ANSWER_RETURNED, ACTION_RETURN },
		{ ATTEMPT_RETURNED, ANSWER_SETTLED, ACTION_NONE },
		{ ATTEMPT_RETURNED, ANSWER_RETURNED, ACTION_NONE },
		{ ATTEMPT_DECLINED, ANSWER_DECLINED, ACTION_NONE },
		{ ATTEMPT_DECLINED, ANSWER_SETTLED, ACTION_LATE },
		{ ATTEMPT_VOID, ANSWER_SETTLED, ACTION_LATE },
		{ ATTEMPT_CANCELED, ANSWER_SETTLED, ACTION_LATE },
		{ ATTEMPT_SETTLED_LATE, ANSWER_SETTLED, ACTION_NONE },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (attempt_react(rows[i].stored, rows[i].answer) != rows[i].action)
			fail_msg("%s, answer %d", attempt_status_name(rows[i].stored), (int)rows[i].answer);
	assert_int_equal(attempt_react(ATTEMPT_STATUS_COUNT, ANSWER_SETTLED), ACTION_NONE);
	assert_int_equal(attempt_react(ATTEMPT_SETTLED, ANSWER_COUNT), ACTION_NONE);
}

static void waits_double_up_to_a_bound(void **state)
{
	(void)state;
	static const int64_t expected[] = { 1, 1, 2, 4, 8, 10, 10 };
	for (int tries = 0; tries < 7; tries++)
		assert_int_equal(backoff_seconds(tries, 1, 10), expected[tries]);
	assert_int_equal(backoff_seconds(1000000, 1, 300), 300);
}

static void only_words_about_the_payment_decline_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATUS_COUNT; i++) {
		bool expected = i == ERR_TRANSFER_AMOUNT_ZERO || i == ERR_TRANSFER_SAME_ACCOUNT ||
		                i == ERR_ACCOUNT_NOT_FOUND || i == ERR_ACCOUNT_CLOSED || i == ERR_CURRENCY_MISMATCH ||
		                i == ERR_BOOK_MISMATCH || i == ERR_BUDGET_EXCEEDED || i == ERR_INSUFFICIENT_FUNDS ||
		                i == ERR_BALANCE_OVERFLOW;
		assert_int_equal(ledger_refusal_is_final((enum status)i), expected);
	}
}

TESTS(cmocka_unit_test(payments_move_as_written), cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(final_states_are_those_that_end), cmocka_unit_test(answers_mean_what_the_state_makes_of_them),
        cmocka_unit_test(waits_double_up_to_a_bound), cmocka_unit_test(only_words_about_the_payment_decline_it))
