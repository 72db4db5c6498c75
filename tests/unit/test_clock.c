#include "testing.h"

#include "base/clock.h"
#include "base/random.h"

static struct slice written(int64_t at)
{
	static char buffer[40];
	struct writer out = writer_fixed(buffer, sizeof buffer);
	write_instant(&out, at);
	assert_false(out.overflowed);
	return writer_slice(&out);
}

/* Seconds as `date -u -d TEXT +%s` gives them. */
static void instants_are_read_and_written(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
		int microseconds, weekday;
		const char *written; /* NULL: as read */
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0, 0, 4, NULL },
		{ "2025-09-07T12:00:00Z", 1757246400, 0, 0, NULL },
		{ "2000-02-29T23:59:59Z", 951868799, 0, 2, NULL },
		{ "2024-02-29T00:00:00Z", 1709164800, 0, 4, NULL },
		{ "2100-03-01T00:00:00Z", 4107542400, 0, 1, NULL },
		{ "2400-02-29T00:00:00Z", 13574563200, 0, 2, NULL },
		{ "9999-12-31T23:59:59.999999Z", 253402300799, 999999, 5, NULL },
		{ "2025-09-07T12:00:00.5Z", 1757246400, 500000, 0, "2025-09-07T12:00:00.500000Z" },
		{ "2025-09-07T12:00:00.000001Z", 1757246400, 1, 0, NULL },
		{ "2025-09-07T12:00:00.123456789Z", 1757246400, 123456, 0, "2025-09-07T12:00:00.123456Z" },
		{ "2025-09-07T12:00:00.000Z", 1757246400, 0, 0, "2025-09-07T12:00:00Z" },
		{ "2025-09-07t12:00:00z", 1757246400, 0, 0, "2025-09-07T12:00:00Z" },
		{ "2025-09-07T12:00:00+02:00", 1757239200, 0, 0, "2025-09-07T10:00:00Z" },
		{ "2025-09-07T12:00:00-05:30", 1757266200, 0, 0, "2025-09-07T17:30:00Z" },
		{ "2025-01-01T00:00:00+14:00", 1735639200, 0, 2, "2024-12-31T10:00:00Z" },
		{ "2025-09-07T12:00:00-00:00", 1757246400, 0, 0, "2025-09-07T12:00:00Z" },
		{ "1970-01-01T01:00:00+01:00", 0, 0, 4, "1970-01-01T00:00:00Z" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t at = -1;
		if (!instant_parse(slice_from(rows[i].text), &at))
			fail_msg("%s is refused", rows[i].text);
		assert_int_equal(at, rows[i].seconds * MICROSECONDS_PER_SECOND + rows[i].microseconds);
		assert_int_equal(civil_from_instant(at).weekday, rows[i].weekday);
		assert_slice(written(at), rows[i].written ? rows[i].written : rows[i].text);
	}
}

static void what_is_no_instant_is_refused(void **state)
{
	(void)state;
	static const char *rows[] = { "", "2025", "2025-09-07", "2025-09-07T12:00:00", "2025-09-07 12:00:00Z",
		"2025-09-07T12:00Z", "2025-9-7T12:00:00Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z",
		"2025-01-00T00:00:00Z", "2025-04-31T00:00:00Z", "2025-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
		"2025-09-07T24:00:00Z", "2025-09-07T12:60:00Z", "2025-09-07T12:00:60Z", "2025-09-07T12:00:00.Z",
		"2025-09-07T12:00:00.1234567890Z", "2025-09-07T12:00:00,5Z", "2025-09-07T12:00:00+24:00",
		"2025-09-07T12:00:00+02:60", "2025-09-07T12:00:00+0200", "2025-09-07T12:00:00+02",
		"2025-09-07T12:00:00ZZ", "2025-09-07T12:00:00Z ", " 2025-09-07T12:00:00Z", "+025-09-07T12:00:00Z",
		"-025-09-07T12:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01", "20250907T120000Z", "2025-09-07T1 :00:00Z" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t at = 7;
		if (instant_parse(slice_from(rows[i]), &at))
			fail_msg("%s is read", rows[i]);
		assert_int_equal(at, 7);
	}
}

static void dates_are_midnights(void **state)
{
	(void)state;
	int64_t at = 7;
	static const char *bad[] = { "", "2025-09-07T00:00:00Z", "2025-09-7", "2025-02-29", "1969-12-31", "2025-09-07 ",
		"2025/09/07" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(date_parse(slice_from(bad[i]), &at));
	assert_int_equal(at, 7);
	assert_true(date_parse(SLICE("2024-02-29"), &at));
	assert_int_equal(at, INT64_C(1709164800) * MICROSECONDS_PER_SECOND);
}

/* Every day of four centuries: the next one follows, the weekday advances, and the way back is exact. */
static void every_day_follows_the_one_before(void **state)
{
	(void)state;
	struct civil before = civil_from_instant(-MICROSECONDS_PER_DAY);
	assert_int_equal(before.year, 1969);
	assert_int_equal(before.weekday, 3);
	for (int64_t day = 0; day < 146097; day++) {
		struct civil c = civil_from_instant(day * MICROSECONDS_PER_DAY);
		bool is_next_day = c.year == before.year && c.month == before.month && c.day == before.day + 1;
		bool is_next_month = c.year == before.year && c.month == before.month + 1 && c.day == 1;
		bool is_next_year = c.year == before.year + 1 && c.month == 1 && before.month == 12 && c.day == 1;
		assert_true(is_next_day || is_next_month || is_next_year);
		assert_int_equal(c.weekday, (before.weekday + 1) % 7);
		assert_int_equal(civil_to_instant(c), day * MICROSECONDS_PER_DAY);
		before = c;
	}
	assert_int_equal(before.year, 2369);
	assert_int_equal(before.day, 31);
}

static void random_instants_survive_text(void **state)
{
	(void)state;
	struct seeded seeded = { 20250907 };
	for (int i = 0; i < 20000; i++) {
		int64_t again, at = (int64_t)seeded_below(&seeded, (uint64_t)INSTANT_MAX + 1);
		assert_true(instant_parse(written(at), &again));
		assert_int_equal(again, at);
		assert_int_equal(civil_to_instant(civil_from_instant(at)), at);
	}
}

static void the_ends_of_time_do_not_overflow(void **state)
{
	(void)state;
	assert_int_equal(civil_from_instant(INT64_MIN).year, -290308);
	assert_int_equal(civil_from_instant(INT64_MAX).year, 294247);
	struct civil c = civil_from_instant(-1);
	assert_int_equal(c.year, 1969);
	assert_int_equal(c.second, 59);
	assert_int_equal(c.microsecond, 999999);
}

static void the_clocks_run(void **state)
{
	(void)state;
	int64_t wall = clock_now(), monotonic = clock_monotonic();
	assert_true(wall > INT64_C(1577836800) * MICROSECONDS_PER_SECOND);
	for (int i = 0; i < 1000; i++) {
		int64_t next = clock_monotonic();
		assert_true(next >= monotonic);
		monotonic = next;
	}
}

TESTS(cmocka_unit_test(instants_are_read_and_written), cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(dates_are_midnights), cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(random_instants_survive_text), cmocka_unit_test(the_ends_of_time_do_not_overflow),
        cmocka_unit_test(the_clocks_run))
