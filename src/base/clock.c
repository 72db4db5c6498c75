#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t which)
{
	struct timespec now;
	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * MICROSECONDS_PER_SECOND + now.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar: years start in March, 400-year eras. */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

struct civil civil_from_instant(int64_t at)
{
	int64_t days = floor_div(at, MICROSECONDS_PER_DAY);
	int64_t rest = at % MICROSECONDS_PER_DAY;
	if (rest < 0)
		rest += MICROSECONDS_PER_DAY;
	int64_t shifted = days + 719468;
	int64_t era = floor_div(shifted, 146097);
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;
	int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
	int64_t seconds = rest / MICROSECONDS_PER_SECOND;
	int64_t weekday = (days + 4) % 7;
	return (struct civil) {
		.year = (int)(year_of_era + era * 400 + (month <= 2)),
		.month = (int)month,
		.day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1),
		.hour = (int)(seconds / 3600),
		.minute = (int)(seconds / 60 % 60),
		.second = (int)(seconds % 60),
		.microsecond = (int)(rest % MICROSECONDS_PER_SECOND),
		.weekday = (int)(weekday < 0 ? weekday + 7 : weekday),
	};
}

int64_t civil_to_instant(struct civil c)
{
	int64_t seconds =
	        days_from_civil(c.year, c.month, c.day) * SECONDS_PER_DAY + c.hour * 3600 + c.minute * 60 + c.second;
	return seconds * MICROSECONDS_PER_SECOND + c.microsecond;
}

static void write_padded(struct writer *writer, int value, int width)
{
	char digits[8];
	for (int i = width; i-- > 0; value /= 10)
		digits[i] = (char)('0' + value % 10);
	write_bytes(writer, digits, (size_t)width);
}

void write_instant(struct writer *writer, int64_t at)
{
	struct civil c = civil_from_instant(at);
	const struct {
		int value, width;
		char before;
	} parts[] = { { c.year, 4, 0 }, { c.month, 2, '-' }, { c.day, 2, '-' }, { c.hour, 2, 'T' },
		{ c.minute, 2, ':' }, { c.second, 2, ':' }, { c.microsecond, 6, '.' } };
	size_t count = sizeof parts / sizeof *parts - (c.microsecond == 0);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].before)
			write_char(writer, parts[i].before);
		write_padded(writer, parts[i].value, parts[i].width);
	}
	write_char(writer, 'Z');
}

/* Takes exactly `width` digits off the front. */
static bool take_digits(struct slice *text, size_t width, int *ret_value)
{
	uint64_t value;
	if (text->size < width || !slice_to_u64((struct slice) { text->data, width }, &value))
		return false;
	*text = slice_skip(*text, width);
	*ret_value = (int)value;
	return true;
}

static bool take_char(struct slice *text, char c)
{
	if (!text->size || text->data[0] != c)
		return false;
	*text = slice_skip(*text, 1);
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(struct slice *text, struct civil *c)
{
	return take_digits(text, 4, &c->year) && take_char(text, '-') && take_digits(text, 2, &c->month) &&
	       take_char(text, '-') && take_digits(text, 2, &c->day) && c->year >= 1970 && c->month >= 1 &&
	       c->month <= 12 && c->day >= 1 && c->day <= days_in_month(c->year, c->month);
}

/* Up to nine digits; what is finer than a microsecond is cut off. */
static bool take_fraction(struct slice *text, int *ret_microsecond)
{
	int value = 0, digits = 0;
	while (text->size && text->data[0] >= '0' && text->data[0] <= '9') {
		if (digits < 6)
			value = value * 10 + (text->data[0] - '0');
		digits++;
		*text = slice_skip(*text, 1);
	}
	for (int i = digits; i < 6; i++)
		value *= 10;
	*ret_microsecond = value;
	return digits >= 1 && digits <= 9;
}

bool instant_parse(struct slice text, int64_t *ret_at)
{
	struct civil c = { 0 };
	int64_t offset_minutes = 0;
	if (!take_date(&text, &c) || !(take_char(&text, 'T') || take_char(&text, 't')) ||
	        !take_digits(&text, 2, &c.hour) || !take_char(&text, ':') || !take_digits(&text, 2, &c.minute) ||
	        !take_char(&text, ':') || !take_digits(&text, 2, &c.second) || c.hour > 23 || c.minute > 59 ||
	        c.second > 59)
		return false;
	if (take_char(&text, '.') && !take_fraction(&text, &c.microsecond))
		return false;
	if (!take_char(&text, 'Z') && !take_char(&text, 'z')) {
		int hours, minutes;
		int64_t sign = take_char(&text, '+') ? 1 : take_char(&text, '-') ? -1 : 0;
		if (!sign || !take_digits(&text, 2, &hours) || !take_char(&text, ':') ||
		        !take_digits(&text, 2, &minutes) || hours > 23 || minutes > 59)
			return false;
		offset_minutes = sign * (hours * 60 + minutes);
	}
	int64_t at = civil_to_instant(c) - offset_minutes * 60 * MICROSECONDS_PER_SECOND;
	/* An offset can lead out of the years that can be written again. */
	if (text.size || at < 0 || at > INSTANT_MAX)
		return false;
	*ret_at = at;
	return true;
}

bool date_parse(struct slice text, int64_t *ret_at)
{
	struct civil c = { 0 };
	if (!take_date(&text, &c) || text.size)
		return false;
	*ret_at = civil_to_instant(c);
	return true;
}
