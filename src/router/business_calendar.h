/* Banking days of the Federal Reserve and wall-clock time in New York (US Eastern), computed, without a time zone
 * database. Pure. */
#pragma once

#include "base/clock.h"

/* A date without a time, as days since 1970-01-01. */
typedef int64_t calendar_day;

calendar_day day_from_date(int year, int month, int day);

/* False on Saturdays, Sundays and the eleven Federal Reserve holidays. A holiday on a Sunday is kept on Monday; on a
 * Saturday the Reserve Banks are open the Friday before. */
bool is_banking_day(calendar_day day);
/* The first banking day after `day`, `count` times over; 0 gives `day` itself or the next banking day. */
calendar_day banking_day_after(calendar_day day, int count);

/* Which day and minute of the day it is in New York, summer time included (second Sunday of March to first Sunday of
 * November, at two o'clock local time). */
struct eastern {
	calendar_day day;
	int minute;
};
struct eastern eastern_from_instant(int64_t at);
int64_t eastern_to_instant(struct eastern eastern);
