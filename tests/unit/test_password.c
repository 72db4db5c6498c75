#include "testing.h"

#include <pthread.h>

#include "base/clock.h"
#include "platform/password.h"

static void a_password_matches_its_own_hash_only(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH_MAX], again[PASSWORD_HASH_MAX];
	assert_status(password_hash(SLICE("correct horse"), hash), STATUS_OK);
	assert_true(slice_starts_with(slice_from(hash), SLICE("$argon2id$v=19$m=19456,t=2,p=1$")));
	assert_status(password_check(SLICE("correct horse"), slice_from(hash)), STATUS_OK);
	assert_status(password_check(SLICE("correct horsf"), slice_from(hash)), ERR_INVALID_CREDENTIALS);
	assert_status(password_check(SLICE(""), slice_from(hash)), ERR_INVALID_CREDENTIALS);
	assert_status(password_hash(SLICE("correct horse"), again), STATUS_OK);
	assert_string_not_equal(hash, again);
}

static void a_hash_that_is_none_never_matches(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH_MAX], too_long[PASSWORD_HASH_MAX + 1];
	assert_status(password_hash(SLICE(""), hash), STATUS_OK);
	memset(too_long, 'x', sizeof too_long);
	const struct slice rows[] = { SLICE_EMPTY, SLICE("plain"), SLICE("$argon2id$"), { hash, strlen(hash) - 1 },
		{ too_long, sizeof too_long } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_status(password_check(SLICE(""), rows[i]), ERR_INVALID_CREDENTIALS);
}

/* The fastest of several runs: what the work itself costs, without the noise of a busy machine. */
static int64_t least_check_time(struct slice hash)
{
	int64_t least = INT64_MAX;
	for (int i = 0; i < 5; i++) {
		int64_t start = clock_monotonic();
		assert_status(password_check(SLICE("wrong"), hash), ERR_INVALID_CREDENTIALS);
		int64_t took = clock_monotonic() - start;
		least = took < least ? took : least;
	}
	return least;
}

static void an_unknown_user_costs_as_much_as_a_known_one(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH_MAX];
	assert_status(password_hash(SLICE("right"), hash), STATUS_OK);
	int64_t known = least_check_time(slice_from(hash)), unknown = least_check_time(SLICE_EMPTY);
	assert_true(unknown > known / 2 && unknown < known * 2);
}

struct flood {
	pthread_barrier_t start;
	_Atomic int matched, overloaded, other;
	char hash[PASSWORD_HASH_MAX];
};

static void *flood_check(void *arg)
{
	struct flood *flood = arg;
	pthread_barrier_wait(&flood->start);
	enum status status = password_check(SLICE("right"), slice_from(flood->hash));
	(*(status == STATUS_OK ? &flood->matched : status == ERR_OVERLOADED ? &flood->overloaded : &flood->other))++;
	return NULL;
}

static void a_flood_is_refused_beyond_the_queue(void **state)
{
	(void)state;
	enum { THREADS = PASSWORD_HASHERS + PASSWORD_QUEUE_MAX + 40 };
	static struct flood flood;
	static pthread_t threads[THREADS];
	assert_status(password_hash(SLICE("right"), flood.hash), STATUS_OK);
	assert_int_equal(pthread_barrier_init(&flood.start, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flood_check, &flood), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	pthread_barrier_destroy(&flood.start);
	assert_true(flood.matched >= PASSWORD_HASHERS + PASSWORD_QUEUE_MAX);
	assert_true(flood.overloaded > 0);
	assert_int_equal(flood.other, 0);
	assert_status(password_check(SLICE("right"), slice_from(flood.hash)), STATUS_OK);
}

TESTS(cmocka_unit_test(a_password_matches_its_own_hash_only), cmocka_unit_test(a_hash_that_is_none_never_matches),
        cmocka_unit_test(an_unknown_user_costs_as_much_as_a_known_one),
        cmocka_unit_test(a_flood_is_refused_beyond_the_queue))
