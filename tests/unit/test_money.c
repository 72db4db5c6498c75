#include "testing.h"

#include "money/money.h"

static void reads_exactly_the_currency_decimals(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum currency currency;
		enum status status;
		int64_t minor;
	} rows[] = {
		{ "1500.00", CURRENCY_USD, STATUS_OK, 150000 },
		{ "0.01", CURRENCY_USD, STATUS_OK, 1 },
		{ "0.00", CURRENCY_USD, STATUS_OK, 0 },
		{ "1500", CURRENCY_JPY, STATUS_OK, 1500 },
		{ "0", CURRENCY_JPY, STATUS_OK, 0 },
		{ "1.234", CURRENCY_KWD, STATUS_OK, 1234 },
		{ "0.000001", CURRENCY_USDC, STATUS_OK, 1 },
		{ "9999999999999.99", CURRENCY_USD, STATUS_OK, AMOUNT_MINOR_MAX },
		{ "10000000000000.00", CURRENCY_USD, ERR_AMOUNT_OUT_OF_RANGE, 0 },
		{ "99999999999999999999999999.00", CURRENCY_USD, ERR_AMOUNT_OUT_OF_RANGE, 0 },
		{ "1500.001", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "1500.0", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "1500", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "1500.00", CURRENCY_JPY, ERR_INVALID_AMOUNT, 0 },
		{ "1e3", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "-1.00", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "+1.00", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "01.00", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ ".01", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "00", CURRENCY_JPY, ERR_INVALID_AMOUNT, 0 },
		{ "", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "", CURRENCY_JPY, ERR_INVALID_AMOUNT, 0 },
		{ "NaN", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
		{ "1,00", CURRENCY_USD, ERR_INVALID_AMOUNT, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct money money = { 0 };
		assert_status(money_parse(slice_from(rows[i].text), rows[i].currency, &money), rows[i].status);
		assert_int_equal(money.minor_units, rows[i].minor);
	}
}

static void writes_what_it_reads(void **state)
{
	(void)state;
	static const struct {
		struct money money;
		const char *text;
	} rows[] = {
		{ { 150000, CURRENCY_USD }, "1500.00" },
		{ { 1, CURRENCY_USD }, "0.01" },
		{ { 0, CURRENCY_USD }, "0.00" },
		{ { -1234, CURRENCY_USD }, "-12.34" },
		{ { 0, CURRENCY_JPY }, "0" },
		{ { 1500, CURRENCY_JPY }, "1500" },
		{ { 1, CURRENCY_USDC }, "0.000001" },
		{ { INT64_MIN, CURRENCY_JPY }, "-9223372036854775808" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char buffer[40];
		struct writer out = writer_fixed(buffer, sizeof buffer);
		write_money(&out, rows[i].money);
		assert_slice(writer_slice(&out), rows[i].text);
	}
}

static void fees_round_half_to_even_and_keep_their_bounds(void **state)
{
	(void)state;
	static const struct {
		int64_t amount;
		struct fee_schedule schedule;
		int64_t fee;
	} rows[] = {
		{ 10000, { .fixed_minor = 30, .basis_points = 290 }, 320 },
		{ 50, { .basis_points = 100 }, 0 },  /* 0.5 -> 0 */
		{ 150, { .basis_points = 100 }, 2 }, /* 1.5 -> 2 */
		{ 250, { .basis_points = 100 }, 2 }, /* 2.5 -> 2 */
		{ 251, { .basis_points = 100 }, 3 },
		{ 10000000, { .basis_points = 80, .cap_minor = 500 }, 500 },
		{ 100, { .basis_points = 80, .min_minor = 25 }, 25 },
		{ AMOUNT_MINOR_MAX, { .basis_points = 10000 }, AMOUNT_MINOR_MAX },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(
		        money_fee((struct money) { rows[i].amount, CURRENCY_USD }, &rows[i].schedule).minor_units,
		        rows[i].fee);
}

static void adding_past_the_end_is_an_error(void **state)
{
	(void)state;
	struct money sum = { 7, CURRENCY_USD };
	assert_status(money_add((struct money) { INT64_MAX, CURRENCY_USD }, (struct money) { 1, CURRENCY_USD }, &sum),
	        ERR_BALANCE_OVERFLOW);
	assert_int_equal(sum.minor_units, 7);
	assert_status(
	        money_add((struct money) { 1, CURRENCY_USD }, (struct money) { 2, CURRENCY_USD }, &sum), STATUS_OK);
	assert_int_equal(sum.minor_units, 3);
}

TESTS(cmocka_unit_test(reads_exactly_the_currency_decimals), cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(fees_round_half_to_even_and_keep_their_bounds),
        cmocka_unit_test(adding_past_the_end_is_an_error))
