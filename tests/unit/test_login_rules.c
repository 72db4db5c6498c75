#include "testing.h"

#include "base/clock.h"
#include "identity/login_rules.h"

#define MINUTES(count) ((count)*60 * MICROSECONDS_PER_SECOND)

static void locks_at_the_limit(void **state)
{
	struct login_failures failures = { 0 };
	(void)state;
	for (int i = 1; i < 10; i++)
		assert_false(login_rules_fail(&failures, LOGIN_FAILURES_OF_USER, MINUTES(i)));
	assert_false(login_rules_is_locked(&failures, MINUTES(9)));
	assert_true(login_rules_fail(&failures, LOGIN_FAILURES_OF_USER, MINUTES(10)));
	assert_true(login_rules_is_locked(&failures, MINUTES(10)));
	assert_true(login_rules_is_locked(&failures, MINUTES(40) - 1));
	assert_false(login_rules_is_locked(&failures, MINUTES(40)));
}

static void begins_anew_after_the_lock(void **state)
{
	struct login_failures failures = { 0 };
	(void)state;
	assert_true(login_rules_fail(&failures, 1, MINUTES(1)));
	assert_false(login_rules_fail(&failures, 2, MINUTES(31)));
	assert_int_equal(failures.failures, 1);
	assert_false(login_rules_is_locked(&failures, MINUTES(31)));
}

static void counts_in_a_window_only(void **state)
{
	struct login_failures failures = { 0 };
	(void)state;
	for (int i = 0; i < 9; i++)
		assert_false(login_rules_fail(&failures, LOGIN_FAILURES_OF_USER, MINUTES(1)));
	assert_false(login_rules_fail(&failures, LOGIN_FAILURES_OF_USER, MINUTES(16)));
	assert_int_equal(failures.failures, 1);
	assert_int_equal(failures.window_ends_at, MINUTES(31));
}

static void nobody_is_locked_at_first(void **state)
{
	const struct login_failures failures = { 0 };
	(void)state;
	assert_false(login_rules_is_locked(&failures, 0));
	assert_false(login_rules_is_locked(&failures, MINUTES(1)));
}

TESTS(cmocka_unit_test(locks_at_the_limit), cmocka_unit_test(begins_anew_after_the_lock),
        cmocka_unit_test(counts_in_a_window_only), cmocka_unit_test(nobody_is_locked_at_first))
