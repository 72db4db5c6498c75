/* Amounts: a text that is read is written back byte for byte, every amount survives the way through text, and a fee
 * stays within its bounds. The first byte chooses the currency. */
#include <stdlib.h>

#include "money/money.h"

enum { AMOUNT_TEXT_MAX = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
	if (!holds)
		abort();
}

static struct slice write_amount(struct money money, char buffer[AMOUNT_TEXT_MAX])
{
	struct writer out = writer_fixed(buffer, AMOUNT_TEXT_MAX);
	write_money(&out, money);
	need(!out.overflowed);
	return writer_slice(&out);
}

static void try_text(struct slice text, enum currency currency)
{
	char buffer[AMOUNT_TEXT_MAX];
	struct money money = { -7, CURRENCY_NONE };
	enum status status = money_parse(text, currency, &money);
	if (status == STATUS_OK) {
		need(money.currency == currency && money.minor_units >= 0 && money.minor_units <= AMOUNT_MINOR_MAX);
		need(slice_equal(write_amount(money, buffer), text));
		return;
	}
	need(status == ERR_INVALID_AMOUNT || status == ERR_AMOUNT_OUT_OF_RANGE);
	need(money.minor_units == -7 && money.currency == CURRENCY_NONE);
}

static void try_amount(int64_t minor_units, enum currency currency)
{
	char buffer[AMOUNT_TEXT_MAX];
	struct money again, money = { minor_units, currency };
	enum status status = money_parse(write_amount(money, buffer), currency, &again);
	if (minor_units < 0)
		need(status == ERR_INVALID_AMOUNT);
	else if (minor_units > AMOUNT_MINOR_MAX)
		need(status == ERR_AMOUNT_OUT_OF_RANGE);
	else
		need(status == STATUS_OK && again.minor_units == minor_units);
}

static int64_t below(uint64_t value, int64_t bound)
{
	return (int64_t)(value % (uint64_t)bound);
}

static void try_fee(const uint64_t numbers[4], enum currency currency)
{
	struct money amount = { below(numbers[0], AMOUNT_MINOR_MAX + 1), currency };
	struct fee_schedule schedule = { .fixed_minor = below(numbers[1], 1000000),
		.basis_points = below(numbers[1] >> 32, 10001),
		.min_minor = below(numbers[2], 1000) };
	schedule.cap_minor = numbers[3] % 2 ? schedule.min_minor + 1 + below(numbers[3], 1000000) : 0;
	struct money fee = money_fee(amount, &schedule);
	need(fee.currency == currency && fee.minor_units >= schedule.min_minor);
	need(!schedule.cap_minor || fee.minor_units <= schedule.cap_minor);
	need(fee.minor_units <= schedule.fixed_minor + schedule.min_minor + amount.minor_units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t numbers[4] = { 0 };
	if (size < 1)
		return 0;
	enum currency currency = (enum currency)(1 + data[0] % (CURRENCY_COUNT - 1));
	struct slice rest = slice_make(data + 1, size - 1);
	try_text(rest, currency);
	memcpy(numbers, rest.data, rest.size < sizeof numbers ? rest.size : sizeof numbers);
	try_amount((int64_t)numbers[0], currency);
	try_fee(numbers, currency);
	return 0;
}
