#include "identity/consent_rules.h"

#include "base/clock.h"

static bool covers_payee(struct slice payees, struct slice payee)
{
	struct slice key;
	if (slice_is_empty(payees))
		return true;
	while (slice_split(&payees, '\n', &key))
		if (slice_equal(key, payee))
			return true;
	return false;
}

enum status consent_rules_check(const struct consent_terms *terms, struct money amount, struct slice payee, int64_t at)
{
	if (terms->revoked_at)
		return ERR_CONSENT_REVOKED;
	if (at < terms->valid_from)
		return ERR_CONSENT_NOT_YET_VALID;
	if (terms->expires_at && at >= terms->expires_at)
		return ERR_CONSENT_EXPIRED;
	if (amount.currency != terms->currency)
		return ERR_CONSENT_CURRENCY;
	if (!covers_payee(terms->payees, payee))
		return ERR_CONSENT_PAYEE;
	if (amount.minor_units > terms->per_payment_minor)
		return ERR_CONSENT_PAYMENT_LIMIT;
	if (!(terms->rails & RAILS_ALL))
		return ERR_CONSENT_RAIL;
	return STATUS_OK;
}

bool consent_rules_needs_approval(const struct consent_terms *terms, struct money amount)
{
	return terms->approval_minor && amount.minor_units > terms->approval_minor;
}

enum consent_state consent_rules_state(const struct consent_terms *terms, int64_t at)
{
	if (terms->revoked_at)
		return CONSENT_REVOKED;
	if (terms->expires_at && at >= terms->expires_at)
		return CONSENT_EXPIRED;
	return CONSENT_ACTIVE;
}

bool consent_rules_is_active(const struct consent_terms *terms, int64_t at)
{
	return consent_rules_state(terms, at) == CONSENT_ACTIVE && at >= terms->valid_from;
}

static bool payee_key_is_known(struct slice key)
{
	static const struct slice forms[] = { SLICE("acct-"), SLICE("iban:"), SLICE("us:"), SLICE("card:") };
	if (key.size > PAYEE_KEY_MAX)
		return false;
	for (size_t i = 0; i < key.size; i++)
		if (key.data[i] <= ' ' || key.data[i] > '~')
			return false;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (slice_starts_with(key, forms[i]) && key.size > forms[i].size)
			return true;
	return false;
}

static enum status check_payees(struct slice payees, struct problem *problem)
{
	struct slice key;
	if (slice_is_empty(payees))
		return STATUS_OK;
	while (slice_split(&payees, '\n', &key))
		if (!payee_key_is_known(key))
			return problem_set(problem, ERR_INVALID_FIELD, "payees",
			        "A payee is named acct-<uuid>, iban:<IBAN>, us:<routing number>/<account number> or "
			        "card:<token>, without blanks.");
	return STATUS_OK;
}

enum status consent_rules_grant(const struct consent_terms *terms, struct problem *problem)
{
	const struct {
		const char *name;
		int64_t minor, at_least;
		const char *sentence;
	} limits[] = {
		{ "per_payment_limit", terms->per_payment_minor, 1, "A limit is a positive amount." },
		{ "daily_limit", terms->daily_minor, terms->per_payment_minor,
		        "The daily limit is not below the limit for one payment." },
		{ "monthly_limit", terms->monthly_minor, terms->daily_minor,
		        "The monthly limit is not below the daily limit." },
		{ "approval_threshold", terms->approval_minor, 0, "The approval threshold is not negative." },
	};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (limits[i].minor < limits[i].at_least)
			return problem_set(problem, ERR_INVALID_FIELD, limits[i].name, "%s", limits[i].sentence);
	if (terms->expires_at && terms->expires_at <= terms->valid_from)
		return problem_set(problem, ERR_INVALID_FIELD, "expires_at", "A consent ends after it begins.");
	if (!(terms->rails & RAILS_ALL))
		return problem_set(problem, ERR_INVALID_FIELD, "rails",
		        "Name at least one rail, or leave the member out for all.");
	return check_payees(terms->payees, problem);
}

int64_t consent_rules_period_start(enum budget_period period, int64_t at)
{
	struct civil civil = civil_from_instant(at);
	return civil_to_instant((struct civil) {
	        .year = civil.year,
	        .month = civil.month,
	        .day = period == BUDGET_MONTHLY ? 1 : civil.day,
	});
}
