/* Time. Instants are microseconds since 1970-01-01T00:00:00Z in an int64_t named `..._at`; rules receive them as
 * arguments and never ask. */
#pragma once

#include "base/slice.h"
#include "base/writer.h"

#define MICROSECONDS_PER_SECOND INT64_C(1000000)
#define SECONDS_PER_DAY INT64_C(86400)
#define MICROSECONDS_PER_DAY (SECONDS_PER_DAY * MICROSECONDS_PER_SECOND)

/* 9999-12-31T23:59:59.999999Z, the last instant that RFC 3339 can write. */
#define INSTANT_MAX (INT64_C(253402300800) * MICROSECONDS_PER_SECOND - 1)

/* The wall clock. */
int64_t clock_now(void);
/* Never goes back; for measuring durations only. */
int64_t clock_monotonic(void);

/* Civil date in UTC; month 1-12, day 1-31, weekday 0 = Sunday. */
struct civil {
	int year, month, day, hour, minute, second, microsecond, weekday;
};
struct civil civil_from_instant(int64_t at);
int64_t civil_to_instant(struct civil civil);

/* RFC 3339 in UTC: "2025-09-07T12:00:00Z", with ".ffffff" when the instant has a fraction; years 0-9999. */
void write_instant(struct writer *writer, int64_t at);
/* RFC 3339 date-time with any offset, in UTC from 1970 up to INSTANT_MAX; what is finer than a microsecond is cut off.
 * False when malformed. */
bool instant_parse(struct slice text, int64_t *ret_at);
/* "2025-09-07" as midnight UTC. */
bool date_parse(struct slice text, int64_t *ret_at);
