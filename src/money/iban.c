#include "money/iban.h"

static bool is_letter(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool iban_is_valid(struct slice iban)
{
	if (iban.size < 15 || iban.size > IBAN_MAX || !is_letter(iban.data[0]) || !is_letter(iban.data[1]) ||
	        !is_digit(iban.data[2]) || !is_digit(iban.data[3]))
		return false;
	unsigned remainder = 0;
	for (size_t i = 0; i < iban.size; i++) {
		/* The first four characters count last. */
		char c = iban.data[(i + 4) % iban.size];
		if (is_digit(c))
			remainder = (remainder * 10 + (unsigned)(c - '0')) % 97;
		else if (is_letter(c))
			remainder = (remainder * 100 + (unsigned)(c - 'A') + 10) % 97;
		else
			return false;
	}
	return remainder == 1;
}
