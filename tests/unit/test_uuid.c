#include "testing.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/uuid.h"

enum { THREADS = 4, EACH = 20000 };

static void new_ones_are_version_7_and_carry_the_time(void **state)
{
	(void)state;
	int64_t before = clock_now() / 1000;
	struct uuid uuid = uuid_new();
	int64_t after = clock_now() / 1000;
	assert_int_equal(uuid.bytes[6] >> 4, 7);
	assert_int_equal(uuid.bytes[8] >> 6, 2);
	/* The counter may run ahead of the clock by what was made within one tick. */
	assert_true(uuid_milliseconds(uuid) >= before && uuid_milliseconds(uuid) <= after + 1);
}

static void later_ones_compare_greater(void **state)
{
	(void)state;
	struct uuid last = uuid_new();
	for (int i = 0; i < 100000; i++) {
		struct uuid uuid = uuid_new();
		assert_true(uuid_compare(uuid, last) > 0);
		assert_true(uuid_compare(last, uuid) < 0);
		last = uuid;
	}
}

static void *make_many(void *arg)
{
	struct uuid *uuids = arg;
	for (int i = 0; i < EACH; i++)
		uuids[i] = uuid_new();
	return NULL;
}

static int by_order(const void *a, const void *b)
{
	return uuid_compare(*(const struct uuid *)a, *(const struct uuid *)b);
}

static void threads_never_make_the_same(void **state)
{
	(void)state;
	static struct uuid all[THREADS * EACH];
	pthread_t threads[THREADS];
	for (int t = 0; t < THREADS; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, make_many, all + t * EACH), 0);
	for (int t = 0; t < THREADS; t++)
		assert_int_equal(pthread_join(threads[t], NULL), 0);
	for (int i = 1; i < THREADS * EACH; i++)
		assert_true(i % EACH == 0 || uuid_compare(all[i - 1], all[i]) < 0);
	qsort(all, THREADS * EACH, sizeof *all, by_order);
	for (int i = 1; i < THREADS * EACH; i++) {
		/* Already the first 64 bits differ: order does not hang on the random rest. */
		assert_memory_not_equal(all[i - 1].bytes, all[i].bytes, 8);
	}
}

static void derived_ones_are_version_8(void **state)
{
	(void)state;
	unsigned char digest[16];
	memset(digest, 0xff, sizeof digest);
	struct uuid uuid = uuid_from_digest(digest);
	assert_int_equal(uuid.bytes[6], 0x8f);
	assert_int_equal(uuid.bytes[8], 0xbf);
	assert_int_equal(uuid.bytes[0], 0xff);
	assert_int_equal(uuid.bytes[15], 0xff);
}

static void text_goes_both_ways(void **state)
{
	(void)state;
	static const struct {
		const char *text, *written; /* written NULL: refused */
	} rows[] = {
		{ "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff" },
		{ "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff" },
		{ "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000" },
		{ "00112233445566778899aabbccddeeff", NULL },
		{ "00112233-4455-6677-8899-aabbccddeef", NULL },
		{ "00112233-4455-6677-8899-aabbccddeeff0", NULL },
		{ "00112233-4455-6677-8899_aabbccddeeff", NULL },
		{ "0011223-34455-6677-8899-aabbccddeeff", NULL },
		{ "00112233-4455-6677-8899-aabbccddeefg", NULL },
		{ "{0112233-4455-6677-8899-aabbccddeef}", NULL },
		{ "", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char buffer[UUID_TEXT_SIZE];
		struct writer out = writer_fixed(buffer, sizeof buffer);
		struct uuid uuid = { { 7 } };
		assert_int_equal(uuid_parse(slice_from(rows[i].text), &uuid), rows[i].written != NULL);
		if (!rows[i].written) {
			assert_int_equal(uuid.bytes[0], 7);
			continue;
		}
		write_uuid(&out, uuid);
		assert_false(out.overflowed);
		assert_slice(writer_slice(&out), rows[i].written);
	}
}

static void equality_nil_and_hash(void **state)
{
	(void)state;
	struct uuid nil = { { 0 } }, one = uuid_new(), other = uuid_new();
	assert_true(uuid_is_nil(nil));
	assert_false(uuid_is_nil(one));
	assert_true(uuid_equal(one, one));
	assert_false(uuid_equal(one, other));
	assert_true(uuid_hash(one) == uuid_hash(one));
	assert_true(uuid_hash(one) != uuid_hash(other));
}

TESTS(cmocka_unit_test(new_ones_are_version_7_and_carry_the_time), cmocka_unit_test(later_ones_compare_greater),
        cmocka_unit_test(threads_never_make_the_same), cmocka_unit_test(derived_ones_are_version_8),
        cmocka_unit_test(text_goes_both_ways), cmocka_unit_test(equality_nil_and_hash))
