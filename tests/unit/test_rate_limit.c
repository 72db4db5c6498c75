#include "testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "platform/rate_limit.h"

enum { SECOND = 1000000 };

static bool take(struct rate_limit *limit, const char *key, int64_t now, struct rate_limit_state *ret_state)
{
	return rate_limit_take(limit, slice_from(key), now, ret_state);
}

static void spends_and_refills(void **state)
{
	(void)state;
	/* Six tokens in a minute: one every ten seconds. */
	static const struct {
		int64_t at_seconds;
		bool is_allowed;
		int64_t remaining, reset, retry;
	} rows[] = {
		{ 1000, true, 5, 10, 0 },
		{ 1000, true, 4, 20, 0 },
		{ 1000, true, 3, 30, 0 },
		{ 1000, true, 2, 40, 0 },
		{ 1000, true, 1, 50, 0 },
		{ 1000, true, 0, 60, 0 },
		{ 1000, false, 0, 60, 10 },
		{ 1004, false, 0, 56, 6 },
		{ 1009, false, 0, 51, 1 },
		{ 1010, true, 0, 60, 0 },
		{ 1010, false, 0, 60, 10 },
		{ 1025, true, 0, 55, 0 },
		{ 1045, true, 1, 45, 0 },
		{ 5000, true, 5, 10, 0 },
		/* A clock that goes back gives nothing away. */
		{ 1000, false, -1, -1, -1 },
	};
	struct rate_limit *limit =
	        rate_limit_new(&(struct rate_limit_options) { .limit = 6, .period_us = 60 * (int64_t)SECOND });
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rate_limit_state now;
		assert_int_equal(take(limit, "agent", rows[i].at_seconds * SECOND, &now), rows[i].is_allowed);
		assert_int_equal(now.limit, 6);
		if (rows[i].remaining < 0)
			continue;
		assert_int_equal(now.remaining, rows[i].remaining);
		assert_int_equal(now.reset_seconds, rows[i].reset);
		assert_int_equal(now.retry_after_seconds, rows[i].retry);
	}
	rate_limit_free(limit);
	rate_limit_free(NULL);
}

static void keeps_keys_apart(void **state)
{
	(void)state;
	struct rate_limit *limit = rate_limit_new(&(struct rate_limit_options) { .limit = 1, .period_us = SECOND });
	struct rate_limit_state now;
	static const char *const keys[] = { "", "a", "b", "ab", "12345678", "123456789", "12345678123456781" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		assert_true(take(limit, keys[i], SECOND, &now));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		assert_false(take(limit, keys[i], SECOND, &now));
	rate_limit_free(limit);
}

/* Odd divisions must not shrink the bucket, nor let more through than the limit. */
static void allows_exactly_the_limit_at_once(void **state)
{
	(void)state;
	static const int64_t limits[] = { 1, 3, 7, 600, 1001 };
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct rate_limit *limit =
		        rate_limit_new(&(struct rate_limit_options) { .limit = limits[i], .period_us = 10 * SECOND });
		struct rate_limit_state now;
		int64_t allowed = 0;
		for (int64_t k = 0; k < 2 * limits[i]; k++)
			allowed += take(limit, "k", 77, &now);
		assert_int_equal(allowed, limits[i]);
		rate_limit_free(limit);
	}
}

static void forgets_the_fullest_first(void **state)
{
	(void)state;
	/* One set of eight: the ninth key takes the place of a bucket that has refilled, never of a used-up one. */
	struct rate_limit *limit =
	        rate_limit_new(&(struct rate_limit_options) { .limit = 2, .period_us = SECOND, .keys_max = 8 });
	struct rate_limit_state now;
	char key[16];
	assert_true(take(limit, "spent", 0, &now));
	assert_true(take(limit, "spent", 0, &now));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "%d", i);
		assert_true(take(limit, key, 0, &now));
		assert_false(take(limit, "spent", 0, &now));
	}
	rate_limit_free(limit);
}

enum { THREADS = 4, ROUNDS = 5000, LIMIT = 777 };
static atomic_int allowed_together;

static void *take_often(void *arg)
{
	struct rate_limit_state now;
	for (int i = 0; i < ROUNDS; i++)
		allowed_together += take(arg, "shared", SECOND, &now);
	return NULL;
}

static void threads_share_a_bucket(void **state)
{
	(void)state;
	struct rate_limit *limit = rate_limit_new(&(struct rate_limit_options) { .limit = LIMIT, .period_us = SECOND });
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, take_often, limit);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(allowed_together, LIMIT);
	rate_limit_free(limit);
}

TESTS(cmocka_unit_test(spends_and_refills), cmocka_unit_test(keeps_keys_apart),
        cmocka_unit_test(allows_exactly_the_limit_at_once), cmocka_unit_test(forgets_the_fullest_first),
        cmocka_unit_test(threads_share_a_bucket))
