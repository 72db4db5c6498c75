#include "money/money.h"

#include <assert.h>

static const struct {
	const char *code;
	size_t code_size;
	int decimals;
} currencies[CURRENCY_COUNT] = {
	[CURRENCY_NONE] = { "", 0, 0 },
#define CURRENCY(code, numeric, decimals) [CURRENCY_##code] = { #code, sizeof(#code) - 1, decimals },
#include "money/currencies.def"
#undef CURRENCY
};

const char *currency_code(enum currency currency)
{
	assert(currency < CURRENCY_COUNT);
	return currencies[currency].code;
}

int currency_decimals(enum currency currency)
{
	assert(currency < CURRENCY_COUNT);
	return currencies[currency].decimals;
}

enum status currency_parse(struct slice code, enum currency *ret_currency)
{
	for (int i = 1; i < CURRENCY_COUNT; i++)
		if (code.size == currencies[i].code_size && code.data[0] == currencies[i].code[0] &&
		        memcmp(code.data, currencies[i].code, code.size) == 0) {
			*ret_currency = (enum currency)i;
			return STATUS_OK;
		}
	return ERR_UNKNOWN_CURRENCY;
}

enum status money_parse(struct slice text, enum currency currency, struct money *ret_money)
{
	int decimals = currency_decimals(currency);
	int64_t minor = 0;
	size_t point = decimals ? text.size - (size_t)decimals - 1 : text.size;
	if (text.size < (decimals ? (size_t)decimals + 2 : 1) || (text.data[0] == '0' && point != 1))
		return ERR_INVALID_AMOUNT;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (i == point) {
			if (c != '.')
				return ERR_INVALID_AMOUNT;
			continue;
		}
		if (c < '0' || c > '9')
			return ERR_INVALID_AMOUNT;
		if (minor <= AMOUNT_MINOR_MAX)
			minor = minor * 10 + (c - '0');
	}
	if (minor > AMOUNT_MINOR_MAX)
		return ERR_AMOUNT_OUT_OF_RANGE;
	*ret_money = (struct money) { minor, currency };
	return STATUS_OK;
}

void write_money(struct writer *writer, struct money money)
{
	int decimals = currency_decimals(money.currency);
	uint64_t magnitude = money.minor_units < 0 ? 0 - (uint64_t)money.minor_units : (uint64_t)money.minor_units;
	char digits[32];
	size_t at = sizeof digits;
	for (int written = 0; magnitude || written <= decimals; written++) {
		if (written == decimals && decimals)
			digits[--at] = '.';
		digits[--at] = (char)('0' + magnitude % 10);
		magnitude /= 10;
	}
	if (money.minor_units < 0)
		digits[--at] = '-';
	write_bytes(writer, digits + at, sizeof digits - at);
}

enum status money_add(struct money a, struct money b, struct money *ret_sum)
{
	int64_t sum;
	assert(a.currency == b.currency);
	if (__builtin_add_overflow(a.minor_units, b.minor_units, &sum))
		return ERR_BALANCE_OVERFLOW;
	*ret_sum = (struct money) { sum, a.currency };
	return STATUS_OK;
}

struct money money_fee(struct money amount, const struct fee_schedule *schedule)
{
	__int128 exact = (__int128)amount.minor_units * schedule->basis_points;
	__int128 whole = exact / 10000, rest = exact % 10000;
	if (rest > 5000 || (rest == 5000 && whole % 2 != 0))
		whole++;
	__int128 fee = whole + schedule->fixed_minor;
	if (fee < schedule->min_minor)
		fee = schedule->min_minor;
	if (schedule->cap_minor && fee > schedule->cap_minor)
		fee = schedule->cap_minor;
	return (struct money) { (int64_t)fee, amount.currency };
}
