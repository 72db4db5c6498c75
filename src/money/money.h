/* Amounts of money: whole minor units and a currency, overflow checked, never a float. On the wire an amount is a
 * decimal number in major units with exactly the currency's decimals. Pure: no I/O, no allocation. */
#pragma once

#include "base/slice.h"
#include "base/status.h"
#include "base/writer.h"

enum currency {
	CURRENCY_NONE = 0,
#define CURRENCY(code, numeric, decimals) CURRENCY_##code,
#include "money/currencies.def"
#undef CURRENCY
	CURRENCY_COUNT
};

/* 999,999,999,999,999 minor units: the 15 significant digits that every JSON reader holds exactly. */
#define AMOUNT_MINOR_MAX INT64_C(999999999999999)

struct money {
	int64_t minor_units;
	enum currency currency;
};

/* "USD"; "" for CURRENCY_NONE. */
const char *currency_code(enum currency currency);
int currency_decimals(enum currency currency);
/* ERR_UNKNOWN_CURRENCY when the upper-case code is not in the table. */
enum status currency_parse(struct slice code, enum currency *ret_currency);

/* Reads a non-negative decimal text such as "1500.00" (USD), "1500" (JPY): digits, no sign, no exponent, no leading
 * zero but "0.", and exactly the currency's decimals. ERR_INVALID_AMOUNT, or ERR_AMOUNT_OUT_OF_RANGE beyond
 * AMOUNT_MINOR_MAX. */
enum status money_parse(struct slice text, enum currency currency, struct money *ret_money);

/* Writes the decimal text, with '-' for a negative balance. */
void write_money(struct writer *writer, struct money money);

/* ERR_BALANCE_OVERFLOW when the sum leaves int64; asserts equal currencies. */
enum status money_add(struct money a, struct money b, struct money *ret_sum);

/* A rail's price: fixed minor units plus basis points of the amount, within [min, cap] (cap 0 = none). */
struct fee_schedule {
	int64_t fixed_minor;
	int64_t basis_points; /* 1/10000 of the amount */
	int64_t min_minor;
	int64_t cap_minor;
};
/* Half-even rounding of the proportional part, 128-bit inside. */
struct money money_fee(struct money amount, const struct fee_schedule *schedule);
