/* What every test program includes: cmocka, and a main that runs one group.
 * TESTS(row, row, …) with rows cmocka_unit_test(function) ends the file. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"
#include "base/status.h"

#define assert_status(actual, expected) assert_string_equal(status_code(actual), status_code(expected))

static inline void assert_slice_(struct slice actual, const char *expected, const char *file, int line)
{
	if (slice_is(actual, expected))
		return;
	print_error("\"%.*s\" is not \"%s\"\n", SLICE_ARGS(actual), expected);
	_fail(file, line);
}
#define assert_slice(actual, expected) assert_slice_((actual), (expected), __FILE__, __LINE__)

#define TESTS(...) \
	int main(void) \
	{ \
		const struct CMUnitTest tests[] = { __VA_ARGS__ }; \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}
