#include "testing.h"

#include "base/clock.h"
#include "base/random.h"
#include "router/route_rules.h"

#define BIT(rail) (1u << RAIL_##rail)
#define WHY(reason) (1u << ROUTE_##reason)

/* A Monday, 10:00 in New York. */
static int64_t monday(void)
{
	int64_t at = 0;
	assert_true(instant_parse(SLICE("2026-11-23T15:00:00Z"), &at));
	return at;
}

static struct route_question question(enum currency currency, int64_t minor, enum payee_kind payee)
{
	return (struct route_question) { .amount = { minor, currency },
		.payee = payee,
		.at = monday(),
		.available = RAILS_ALL,
		.consented = RAILS_ALL,
		.requested = RAILS_ALL };
}

static void chooses_the_cheapest_that_can(void **state)
{
	(void)state;
	static const struct {
		enum currency currency;
		int64_t minor;
		enum payee_kind payee;
		int64_t deadline_seconds; /* from now; 0: none */
		const char *chosen;       /* "" none */
	} rows[] = {
		{ CURRENCY_USD, 1000, PAYEE_ACCOUNT, 0, "book" },
		{ CURRENCY_KWD, 1000, PAYEE_ACCOUNT, 0, "book" },
		{ CURRENCY_USD, 1000, PAYEE_US_ACCOUNT, 0, "ach" },
		{ CURRENCY_USD, 1000, PAYEE_US_ACCOUNT, 60, "instant" },
		{ CURRENCY_USD, 9999999999, PAYEE_US_ACCOUNT, 0, "ach" },
		{ CURRENCY_USD, 10000000000, PAYEE_US_ACCOUNT, 0, "wire" },
		{ CURRENCY_USD, 1000000001, PAYEE_US_ACCOUNT, 60, "wire" },
		{ CURRENCY_USD, 1000000001, PAYEE_US_ACCOUNT, 59, "" },
		{ CURRENCY_EUR, 1000, PAYEE_IBAN, 0, "instant" },
		{ CURRENCY_USD, 1000, PAYEE_IBAN, 0, "wire" },
		{ CURRENCY_GBP, 1000, PAYEE_IBAN, 0, "" },
		{ CURRENCY_EUR, 1000, PAYEE_CARD, 0, "card" },
		{ CURRENCY_EUR, 49, PAYEE_CARD, 0, "" },
		{ CURRENCY_JPY, 1000, PAYEE_CARD, 0, "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct route_question q = question(rows[i].currency, rows[i].minor, rows[i].payee);
		if (rows[i].deadline_seconds)
			q.deadline_at = q.at + rows[i].deadline_seconds * MICROSECONDS_PER_SECOND;
		struct route_choice choice = route_choose(&q);
		const char *chosen = choice.is_possible ? rail_name(choice.rail) : "";
		if (strcmp(chosen, rows[i].chosen))
			fail_msg("row %zu: %s", i, chosen);
	}
}

static void says_why_a_rail_cannot(void **state)
{
	(void)state;
	struct route_question q = question(CURRENCY_USD, 1000, PAYEE_US_ACCOUNT);
	q.available &= ~BIT(WIRE);
	q.consented &= ~BIT(ACH);
	q.tried = BIT(INSTANT);
	struct route_choice choice = route_choose(&q);
	assert_false(choice.is_possible);
	assert_int_equal(choice.options[RAIL_BOOK].reasons, WHY(PAYEE));
	assert_int_equal(choice.options[RAIL_INSTANT].reasons, WHY(TRIED));
	assert_int_equal(choice.options[RAIL_ACH].reasons, WHY(CONSENT));
	assert_int_equal(choice.options[RAIL_WIRE].reasons, WHY(UNAVAILABLE));
	assert_int_equal(choice.options[RAIL_CARD].reasons, WHY(PAYEE));
	assert_status(route_refusal(&choice), ERR_CONSENT_RAIL);
	q.consented = RAILS_ALL;
	q.requested = BIT(WIRE);
	choice = route_choose(&q);
	assert_int_equal(choice.options[RAIL_ACH].reasons, WHY(NOT_REQUESTED));
	assert_status(route_refusal(&choice), ERR_NO_RAIL);
	q = question(CURRENCY_GBP, 1, PAYEE_CARD);
	choice = route_choose(&q);
	assert_int_equal(choice.options[RAIL_ACH].reasons, WHY(CURRENCY));
	assert_int_equal(choice.options[RAIL_CARD].reasons, WHY(BELOW_MINIMUM));
	q = question(CURRENCY_GBP, 100000000, PAYEE_CARD);
	choice = route_choose(&q);
	assert_int_equal(choice.options[RAIL_CARD].reasons, WHY(ABOVE_MAXIMUM));
	q = question(CURRENCY_USD, 1000, PAYEE_CARD);
	q.deadline_at = q.at + MICROSECONDS_PER_SECOND;
	choice = route_choose(&q);
	assert_int_equal(choice.options[RAIL_CARD].reasons, WHY(DEADLINE));
}

static void every_reason_has_a_code(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUTE_REASON_COUNT; i++)
		assert_true(strlen(route_reason_code((enum route_reason)i)) > 3);
	assert_string_equal(route_reason_code(ROUTE_REASON_COUNT), "");
}

/* Whatever is asked: ranks are 1..n without gaps among the eligible, the chosen one has rank 1, breaks no constraint,
 * and none that is eligible is cheaper. */
static void holds_for_any_question(void **state)
{
	(void)state;
	struct seeded seeded = { 42 };
	for (int i = 0; i < 20000; i++) {
		struct route_question q = question((enum currency)(1 + seeded_below(&seeded, CURRENCY_COUNT - 1)),
		        (int64_t)(1 + seeded_below(&seeded, 1ull << seeded_below(&seeded, 40))),
		        (enum payee_kind)seeded_below(&seeded, PAYEE_KIND_COUNT));
		if (i % 2)
			q.amount.currency = CURRENCY_USD;
		q.at += (int64_t)seeded_below(&seeded, 86400 * 30) * MICROSECONDS_PER_SECOND;
		q.consented = (unsigned)seeded_below(&seeded, RAILS_ALL + 1);
		q.tried = (unsigned)seeded_below(&seeded, 4) == 0 ? (unsigned)seeded_below(&seeded, RAILS_ALL + 1) : 0;
		struct route_choice choice = route_choose(&q), again = route_choose(&q);
		assert_memory_equal(&choice.rail, &again.rail, sizeof choice.rail);
		unsigned ranks = 0, eligible = 0;
		for (unsigned rail = 0; rail < RAIL_COUNT; rail++) {
			const struct route_option *option = &choice.options[rail];
			if (option->reasons) {
				assert_int_equal(option->rank, 0);
				continue;
			}
			eligible++;
			ranks |= 1u << option->rank;
			assert_true(q.consented & 1u << rail);
			assert_false(q.tried & 1u << rail);
			assert_true(rail_reaches((enum rail)rail, q.amount.currency, q.payee));
			assert_true(choice.options[choice.rail].fee.minor_units <= option->fee.minor_units);
		}
		assert_int_equal(choice.is_possible, eligible > 0);
		assert_int_equal(ranks, (2u << eligible) - 2);
		if (choice.is_possible)
			assert_int_equal(choice.options[choice.rail].rank, 1);
	}
}

TESTS(cmocka_unit_test(chooses_the_cheapest_that_can), cmocka_unit_test(says_why_a_rail_cannot),
        cmocka_unit_test(every_reason_has_a_code), cmocka_unit_test(holds_for_any_question))
