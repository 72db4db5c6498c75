/* When a webhook is tried again, what an answer means, and which events an endpoint wants. Pure. */
#pragma once

#include "base/json.h"

/* The schedule of Standard Webhooks: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h after the attempt
 * before. */
enum { NOTIFY_ATTEMPTS_MAX = 10 };

/* How long to wait in milliseconds after `attempts` failed ones: the schedule's time, or `retry_after_seconds` where
 * that is longer (at most a day), and up to a tenth more by `randomness`. -1 when it is to be given up. */
int64_t notify_retry_delay_ms(int attempts, int64_t retry_after_seconds, uint64_t randomness);

/* Seconds of a Retry-After header; 0 when absent, malformed, or a date. */
int64_t notify_retry_after(struct slice header);

enum notify_outcome {
	NOTIFY_DELIVERED,
	NOTIFY_RETRY,
	NOTIFY_GONE,    /* the endpoint does not want any more: it is disabled */
	NOTIFY_REFUSED, /* its address may not be connected to: trying again is no use */
};
/* `http_status` counts only when the call is STATUS_OK. */
enum notify_outcome notify_outcome_of(enum status call, int http_status);

/* "payment.settled" is wanted by "payment.settled", "payment.*" and "*". */
bool notify_type_matches(struct slice pattern, struct slice type);
/* "*", or dotted lower-case words, the last of which may be "*". */
bool notify_pattern_is_valid(struct slice pattern);
