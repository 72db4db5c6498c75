#include "testing.h"

#include "router/business_calendar.h"
#include "router/rail_table.h"

static int64_t at(const char *text)
{
	int64_t instant = 0;
	assert_true(instant_parse(slice_from(text), &instant));
	return instant;
}

/* Every Federal Reserve Bank holiday of 2026 and 2027, as published, and days beside them. */
static void knows_the_holidays(void **state)
{
	(void)state;
	static const struct {
		int year, month, day;
		bool is_open;
	} rows[] = {
		{ 2026, 1, 1, false }, { 2026, 1, 19, false }, { 2026, 2, 16, false }, { 2026, 5, 25, false },
		{ 2026, 6, 19, false }, { 2026, 7, 3, true }, /* July 4th is a Saturday: open the Friday before */
		{ 2026, 7, 6, true }, { 2026, 9, 7, false }, { 2026, 10, 12, false }, { 2026, 11, 11, false },
		{ 2026, 11, 26, false }, { 2026, 11, 27, true }, { 2026, 12, 25, false }, { 2027, 1, 1, false },
		{ 2027, 1, 18, false }, { 2027, 2, 15, false }, { 2027, 5, 31, false }, { 2027, 6, 18, true },
		{ 2027, 7, 5, false }, /* the 4th is a Sunday: kept on Monday */
		{ 2027, 9, 6, false }, { 2027, 10, 11, false }, { 2027, 11, 25, false }, { 2027, 12, 24, true },
		{ 2026, 11, 21, false }, { 2026, 11, 22, false }, { 2026, 11, 23, true }, { 2026, 5, 18, true },
		{ 2023, 1, 2, false }, /* New Year's Day was a Sunday */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (is_banking_day(day_from_date(rows[i].year, rows[i].month, rows[i].day)) != rows[i].is_open)
			fail_msg("%d-%02d-%02d", rows[i].year, rows[i].month, rows[i].day);
}

static void counts_banking_days(void **state)
{
	(void)state;
	/* Wednesday before Thanksgiving, plus two: Friday, Monday. */
	assert_int_equal(banking_day_after(day_from_date(2026, 11, 25), 2), day_from_date(2026, 11, 30));
	assert_int_equal(banking_day_after(day_from_date(2026, 11, 28), 0), day_from_date(2026, 11, 30));
	assert_int_equal(banking_day_after(day_from_date(2026, 11, 28), 1), day_from_date(2026, 12, 1));
	assert_int_equal(banking_day_after(day_from_date(2026, 11, 25), 0), day_from_date(2026, 11, 25));
}

static void new_york_changes_its_clocks(void **state)
{
	(void)state;
	static const struct {
		const char *utc;
		int month, day, minute;
	} rows[] = {
		{ "2026-01-15T12:00:00Z", 1, 15, 7 * 60 },
		{ "2026-07-15T12:00:00Z", 7, 15, 8 * 60 },
		{ "2026-03-08T06:59:59Z", 3, 8, 119 }, /* 01:59 EST, then 03:00 EDT */
		{ "2026-03-08T07:00:00Z", 3, 8, 180 },
		{ "2026-11-01T05:59:00Z", 11, 1, 119 }, /* 01:59 EDT, then 01:00 EST */
		{ "2026-11-01T06:00:00Z", 11, 1, 60 },
		{ "2026-11-23T02:00:00Z", 11, 22, 21 * 60 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct eastern eastern = eastern_from_instant(at(rows[i].utc));
		assert_int_equal(eastern.day, day_from_date(2026, rows[i].month, rows[i].day));
		assert_int_equal(eastern.minute, rows[i].minute);
	}
	assert_int_equal(
	        eastern_to_instant((struct eastern) { day_from_date(2026, 7, 15), 480 }), at("2026-07-15T12:00:00Z"));
	assert_int_equal(
	        eastern_to_instant((struct eastern) { day_from_date(2026, 1, 15), 420 }), at("2026-01-15T12:00:00Z"));
}

static void rails_settle_when_their_windows_say(void **state)
{
	(void)state;
	static const struct {
		enum rail rail;
		int64_t minor;
		const char *sent, *settled;
	} rows[] = {
		{ RAIL_BOOK, 100, "2026-11-22T04:00:00Z", "2026-11-22T04:00:00Z" },
		{ RAIL_INSTANT, 100, "2026-11-22T04:00:00Z", "2026-11-22T04:00:10Z" },
		/* Monday 10:29 EST makes the first window, 10:30 the second, 16:45 none */
		{ RAIL_ACH, 100, "2026-11-23T15:29:59Z", "2026-11-23T18:00:00Z" },
		{ RAIL_ACH, 100, "2026-11-23T15:30:00Z", "2026-11-23T22:00:00Z" },
		{ RAIL_ACH, 100, "2026-11-23T19:45:00Z", "2026-11-23T23:00:00Z" },
		{ RAIL_ACH, 100, "2026-11-23T21:45:00Z", "2026-11-24T13:30:00Z" },
		/* above a million there is no same day */
		{ RAIL_ACH, 100000000, "2026-11-23T15:00:00Z", "2026-11-23T18:00:00Z" },
		{ RAIL_ACH, 100000001, "2026-11-23T15:00:00Z", "2026-11-24T13:30:00Z" },
		/* after the last window before Thanksgiving: Friday */
		{ RAIL_ACH, 100, "2026-11-25T22:00:00Z", "2026-11-27T13:30:00Z" },
		/* on a Saturday: Monday's first window */
		{ RAIL_ACH, 100, "2026-11-21T15:00:00Z", "2026-11-23T18:00:00Z" },
		/* in summer time: 10:29 EDT */
		{ RAIL_ACH, 100, "2026-07-15T14:29:00Z", "2026-07-15T17:00:00Z" },
		/* wire: open; after the cut-off until 21:00; Saturday until Sunday 21:00 */
		{ RAIL_WIRE, 100, "2026-11-23T20:00:00Z", "2026-11-23T20:01:00Z" },
		{ RAIL_WIRE, 100, "2026-11-23T23:44:00Z", "2026-11-23T23:45:00Z" },
		{ RAIL_WIRE, 100, "2026-11-23T23:45:00Z", "2026-11-24T02:01:00Z" },
		{ RAIL_WIRE, 100, "2026-11-24T03:00:00Z", "2026-11-24T03:01:00Z" },
		{ RAIL_WIRE, 100, "2026-11-21T15:00:00Z", "2026-11-23T02:01:00Z" },
		/* card: two banking days later, 17:00 EST */
		{ RAIL_CARD, 100, "2026-11-25T15:00:00Z", "2026-11-30T22:00:00Z" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t settled = rail_expected_settlement(
		        rows[i].rail, (struct money) { rows[i].minor, CURRENCY_USD }, at(rows[i].sent));
		if (settled != at(rows[i].settled))
			fail_msg("%s %s: %lld seconds off", rail_name(rows[i].rail), rows[i].sent,
			        (long long)((settled - at(rows[i].settled)) / MICROSECONDS_PER_SECOND));
	}
}

TESTS(cmocka_unit_test(knows_the_holidays), cmocka_unit_test(counts_banking_days),
        cmocka_unit_test(new_york_changes_its_clocks), cmocka_unit_test(rails_settle_when_their_windows_say))
