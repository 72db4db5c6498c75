/* Token buckets in this process: who asks too often is told when to come back. A key (an agent, an address) starts with
 * a full bucket of `limit` tokens, each request takes one, and they grow back evenly over `period`. */
#pragma once

#include "base/slice.h"

struct rate_limit;

struct rate_limit_options {
	int64_t limit;     /* tokens in a full bucket, > 0 */
	int64_t period_us; /* in which an empty bucket fills up, > 0 */
	size_t keys_max;   /* remembered at the same time; 0 = 65536, 16 bytes each */
};

/* For the RateLimit-Limit, -Remaining and -Reset headers, and for Retry-After. */
struct rate_limit_state {
	int64_t limit;
	int64_t remaining;           /* whole tokens left */
	int64_t reset_seconds;       /* until the bucket is full again, rounded up */
	int64_t retry_after_seconds; /* until the next token, at least 1; 0 when the request was allowed */
};

struct rate_limit *rate_limit_new(const struct rate_limit_options *options);
/* Accepts NULL. */
void rate_limit_free(struct rate_limit *rate_limit);

/* Takes a token if there is one; false means "too many requests". `now` is a monotonic clock in microseconds.
 * Thread-safe. When the table is full, the bucket nearest to full makes room, so a forgotten key gains at most what it
 * had not yet spent; what a key has used up is forgotten last. Keys are compared by a keyed 64-bit hash, so nobody
 * outside can choose two that collide. */
bool rate_limit_take(struct rate_limit *rate_limit, struct slice key, int64_t now, struct rate_limit_state *ret_state);
