/* What other services may know of the router: rails by name, and how a payee is named. */
#pragma once

#include "base/slice.h"

enum rail {
#define RAIL(name, text) RAIL_##name,
#include "router/rails.def"
#undef RAIL
	RAIL_COUNT
};

#define RAILS_ALL ((1u << RAIL_COUNT) - 1)

static inline const char *rail_name(enum rail rail)
{
	static const char *const names[] = {
#define RAIL(name, text) text,
#include "router/rails.def"
#undef RAIL
	};
	return (unsigned)rail < RAIL_COUNT ? names[rail] : "";
}

static inline bool rail_parse(struct slice name, enum rail *ret_rail)
{
	for (unsigned rail = 0; rail < RAIL_COUNT; rail++)
		if (slice_is(name, rail_name((enum rail)rail))) {
			*ret_rail = (enum rail)rail;
			return true;
		}
	return false;
}

/* A payee key names whom money goes to, canonically; consents list them, risk counts by them:
 *   "acct-<uuid>"                         an account in our own ledger
 *   "iban:<IBAN without blanks>"          upper case, check digits verified
 *   "us:<routing number>/<account number>"
 *   "card:<token>"                        a payee's card or merchant token at the card processor */
enum { PAYEE_KEY_MAX = 128 };
