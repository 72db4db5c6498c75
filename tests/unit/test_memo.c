#include "testing.h"

#include "platform/memo.h"

static struct memo_key key_of(unsigned number)
{
	struct memo_key key = { { 0 } };
	memcpy(key.bytes + 7, &number, sizeof number);
	return key;
}

static void put(struct memo *memo, unsigned number, const char *value, int64_t ends_at)
{
	struct memo_key key = key_of(number);
	memo_put(memo, &key, memo_ticket(memo, &key), slice_from(value), ends_at);
}

static bool holds(struct memo *memo, unsigned number, const char *value, int64_t now)
{
	char buffer[64];
	size_t size;
	struct memo_key key = key_of(number);
	return memo_get(memo, &key, now, buffer, sizeof buffer, &size) && slice_is(slice_make(buffer, size), value);
}

static void keeps_a_value_until_its_end(void **state)
{
	struct memo *memo = memo_new(64, 4096);
	(void)state;
	put(memo, 1, "one", 100);
	assert_true(holds(memo, 1, "one", 0));
	assert_true(holds(memo, 1, "one", 99));
	assert_false(holds(memo, 1, "one", 100));
	assert_false(holds(memo, 2, "one", 0));
	put(memo, 1, "other", 200);
	assert_true(holds(memo, 1, "other", 150));
	memo_free(memo);
}

static void gives_nothing_that_does_not_fit(void **state)
{
	char buffer[2] = "-";
	size_t size = 7;
	struct memo *memo = memo_new(64, 4096);
	struct memo_key key = key_of(1);
	(void)state;
	put(memo, 1, "one", 100);
	assert_false(memo_get(memo, &key, 0, buffer, sizeof buffer, &size));
	assert_int_equal(size, 7);
	assert_string_equal(buffer, "-");
	memo_free(memo);
}

static void forgets_when_told(void **state)
{
	struct memo *memo = memo_new(64, 4096);
	struct memo_key key = key_of(1);
	(void)state;
	put(memo, 1, "one", 100);
	put(memo, 2, "two", 100);
	memo_forget(memo, &key);
	assert_false(holds(memo, 1, "one", 0));
	assert_true(holds(memo, 2, "two", 0));
	memo_forget_all(memo);
	assert_false(holds(memo, 2, "two", 0));
	memo_free(memo);
}

static void drops_what_was_looked_up_before_a_change(void **state)
{
	struct memo *memo = memo_new(64, 4096);
	struct memo_key key = key_of(1);
	(void)state;
	uint64_t ticket = memo_ticket(memo, &key);
	memo_forget(memo, &key);
	memo_put(memo, &key, ticket, SLICE("stale"), 100);
	assert_false(holds(memo, 1, "stale", 0));
	ticket = memo_ticket(memo, &key);
	memo_forget_all(memo);
	memo_put(memo, &key, ticket, SLICE("stale"), 100);
	assert_false(holds(memo, 1, "stale", 0));
	memo_free(memo);
}

static void never_grows_past_its_bounds(void **state)
{
	enum { KEYS = 20000, ENTRIES = 1024 };
	struct memo *memo = memo_new(ENTRIES, 1 << 20);
	size_t found = 0;
	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		put(memo, i, "value", 1 + (int64_t)i);
	for (unsigned i = 0; i < KEYS; i++)
		found += holds(memo, i, "value", 0);
	assert_true(found > ENTRIES / 2 && found <= ENTRIES * 2);
	assert_true(holds(memo, KEYS - 1, "value", 0));
	memo_free(memo);
}

static void the_bytes_are_bounded_too(void **state)
{
	enum { KEYS = 10000, BYTES = 64 * 100 };
	struct memo *memo = memo_new(100000, BYTES);
	size_t found = 0;
	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		put(memo, i, "0123456789", 100);
	for (unsigned i = 0; i < KEYS; i++)
		found += holds(memo, i, "0123456789", 0);
	assert_true(found > 0 && found * 10 <= BYTES);
	memo_free(memo);
}

TESTS(cmocka_unit_test(keeps_a_value_until_its_end), cmocka_unit_test(gives_nothing_that_does_not_fit),
        cmocka_unit_test(forgets_when_told), cmocka_unit_test(drops_what_was_looked_up_before_a_change),
        cmocka_unit_test(never_grows_past_its_bounds), cmocka_unit_test(the_bytes_are_bounded_too))
