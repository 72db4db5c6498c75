/* International bank account numbers (ISO 13616). Pure. */
#pragma once

#include "base/slice.h"

enum { IBAN_MAX = 34 };

/* True for 15 to 34 upper-case letters and digits, two letters and two check digits first, whose remainder modulo 97 is
 * 1 (ISO 7064). Printed blanks are not taken; the country's own length is not checked. */
bool iban_is_valid(struct slice iban);
