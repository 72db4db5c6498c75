#include "notify/notify_rules.h"

/* Seconds to wait before attempt 1, 2, 3, ... */
static const int32_t schedule_seconds[NOTIFY_ATTEMPTS_MAX] = {
	0,
	5,
	5 * 60,
	30 * 60,
	2 * 3600,
	5 * 3600,
	10 * 3600,
	14 * 3600,
	20 * 3600,
	24 * 3600,
};

enum { RETRY_AFTER_MAX = 24 * 3600, PATTERN_MAX = 100 };

int64_t notify_retry_delay_ms(int attempts, int64_t retry_after_seconds, uint64_t randomness)
{
	if (attempts >= NOTIFY_ATTEMPTS_MAX)
		return -1;
	int64_t seconds = schedule_seconds[attempts];
	if (retry_after_seconds > RETRY_AFTER_MAX)
		retry_after_seconds = RETRY_AFTER_MAX;
	if (retry_after_seconds > seconds)
		seconds = retry_after_seconds;
	int64_t delay_ms = seconds * 1000;
	return delay_ms + (int64_t)(randomness % (uint64_t)(delay_ms / 10 + 1));
}

int64_t notify_retry_after(struct slice header)
{
	uint64_t seconds;
	if (!slice_to_u64(slice_trim(header), &seconds))
		return 0;
	return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (int64_t)seconds;
}

enum notify_outcome notify_outcome_of(enum status call, int http_status)
{
	if (call == ERR_WEBHOOK_URL_REFUSED)
		return NOTIFY_REFUSED;
	if (call != STATUS_OK)
		return NOTIFY_RETRY;
	if (http_status >= 200 && http_status <= 299)
		return NOTIFY_DELIVERED;
	return http_status == 410 ? NOTIFY_GONE : NOTIFY_RETRY;
}

bool notify_type_matches(struct slice pattern, struct slice type)
{
	if (slice_equal(pattern, type) || slice_is(pattern, "*"))
		return true;
	if (pattern.size < 2 || pattern.data[pattern.size - 1] != '*')
		return false;
	/* With its dot, so that "payment.*" does not want "payments.x". */
	return slice_starts_with(type, slice_make(pattern.data, pattern.size - 1));
}

static bool is_word(struct slice word)
{
	for (size_t i = 0; i < word.size; i++)
		if ((word.data[i] < 'a' || word.data[i] > 'z') && word.data[i] != '_')
			return false;
	return word.size > 0;
}

bool notify_pattern_is_valid(struct slice pattern)
{
	struct slice rest = pattern, word;
	if (pattern.size > PATTERN_MAX || slice_is(pattern, ""))
		return false;
	while (slice_split(&rest, '.', &word)) {
		bool is_last = rest.data == NULL;
		if (!is_word(word) && !(is_last && slice_is(word, "*")))
			return false;
	}
	return true;
}
