#include "router/business_calendar.h"

enum { SUNDAY = 0, MONDAY = 1, THURSDAY = 4, SATURDAY = 6 };
enum { MINUTES_PER_DAY = 1440, STANDARD_OFFSET_MINUTES = -300, SUMMER_OFFSET_MINUTES = -240 };
#define MICROSECONDS_PER_MINUTE (60 * MICROSECONDS_PER_SECOND)

calendar_day day_from_date(int year, int month, int day)
{
	return civil_to_instant((struct civil) { .year = year, .month = month, .day = day }) / MICROSECONDS_PER_DAY;
}

static struct civil date_from_day(calendar_day day)
{
	return civil_from_instant(day * MICROSECONDS_PER_DAY);
}

/* The nth given weekday of a month, counted from its first day; n = 0 means the last one of the month before. */
static calendar_day nth_weekday(int year, int month, int weekday, int n)
{
	calendar_day first = day_from_date(year, month, 1);
	int ahead = (weekday - date_from_day(first).weekday + 7) % 7;
	return first + ahead + 7 * (n - 1);
}

/* Federal Reserve Bank holidays: a fixed date, or the nth weekday of a month. */
static const struct {
	int month, day, weekday, nth;
} holidays[] = {
	{ .month = 1, .day = 1 },                       /* New Year's Day */
	{ .month = 1, .weekday = MONDAY, .nth = 3 },    /* Martin Luther King Jr. */
	{ .month = 2, .weekday = MONDAY, .nth = 3 },    /* Presidents' Day */
	{ .month = 6, .weekday = MONDAY, .nth = 0 },    /* Memorial Day: last Monday of May */
	{ .month = 6, .day = 19 },                      /* Juneteenth */
	{ .month = 7, .day = 4 },                       /* Independence Day */
	{ .month = 9, .weekday = MONDAY, .nth = 1 },    /* Labor Day */
	{ .month = 10, .weekday = MONDAY, .nth = 2 },   /* Columbus Day */
	{ .month = 11, .day = 11 },                     /* Veterans Day */
	{ .month = 11, .weekday = THURSDAY, .nth = 4 }, /* Thanksgiving */
	{ .month = 12, .day = 25 },                     /* Christmas */
};

static bool is_holiday(calendar_day day, int year, int weekday)
{
	for (size_t i = 0; i < sizeof holidays / sizeof *holidays; i++) {
		calendar_day kept =
		        holidays[i].day ? day_from_date(year, holidays[i].month, holidays[i].day)
		                        : nth_weekday(year, holidays[i].month, holidays[i].weekday, holidays[i].nth);
		if (day == kept || (weekday == MONDAY && holidays[i].day && day == kept + 1))
			return true;
	}
	return false;
}

bool is_banking_day(calendar_day day)
{
	struct civil date = date_from_day(day);
	return date.weekday != SUNDAY && date.weekday != SATURDAY && !is_holiday(day, date.year, date.weekday);
}

calendar_day banking_day_after(calendar_day day, int count)
{
	while (!is_banking_day(day))
		day++;
	for (int i = 0; i < count; i++)
		do
			day++;
		while (!is_banking_day(day));
	return day;
}

/* True between 2:00 standard time on the second Sunday of March and 2:00 summer time on the first of November. */
static bool is_summer_time(int64_t at)
{
	int year = civil_from_instant(at + STANDARD_OFFSET_MINUTES * MICROSECONDS_PER_MINUTE).year;
	int64_t two_o_clock = 120 * MICROSECONDS_PER_MINUTE;
	int64_t starts = nth_weekday(year, 3, SUNDAY, 2) * MICROSECONDS_PER_DAY + two_o_clock -
	                 STANDARD_OFFSET_MINUTES * MICROSECONDS_PER_MINUTE;
	int64_t ends = nth_weekday(year, 11, SUNDAY, 1) * MICROSECONDS_PER_DAY + two_o_clock -
	               SUMMER_OFFSET_MINUTES * MICROSECONDS_PER_MINUTE;
	return at >= starts && at < ends;
}

struct eastern eastern_from_instant(int64_t at)
{
	int64_t minutes = (at - (at % MICROSECONDS_PER_MINUTE)) / MICROSECONDS_PER_MINUTE +
	                  (is_summer_time(at) ? SUMMER_OFFSET_MINUTES : STANDARD_OFFSET_MINUTES);
	return (struct eastern) { .day = minutes / MINUTES_PER_DAY, .minute = (int)(minutes % MINUTES_PER_DAY) };
}

int64_t eastern_to_instant(struct eastern eastern)
{
	int64_t local = eastern.day * MICROSECONDS_PER_DAY + eastern.minute * MICROSECONDS_PER_MINUTE;
	int64_t summer = local - SUMMER_OFFSET_MINUTES * MICROSECONDS_PER_MINUTE;
	if (is_summer_time(summer))
		return summer;
	return local - STANDARD_OFFSET_MINUTES * MICROSECONDS_PER_MINUTE;
}
