/* What a consent allows. Pure: time is an argument, nothing is loaded or stored. */
#pragma once

#include "base/problem.h"
#include "identity/identity_api.h"

enum { CONSENT_PAYEES_MAX = 100, CONSENT_PAYEES_TEXT_MAX = CONSENT_PAYEES_MAX * (PAYEE_KEY_MAX + 1) };

/* The spending authority itself, as granted. Never changes but for its revocation. */
struct consent_terms {
	struct consent_id id;
	struct agent_id agent;
	enum currency currency;
	int64_t per_payment_minor, daily_minor, monthly_minor;
	int64_t approval_minor;    /* an amount above it needs a person's approval; 0: none does */
	unsigned rails;            /* bit per enum rail */
	struct account_id account; /* to pay from; nil: the agent's own */
	int64_t valid_from;
	int64_t expires_at; /* 0: never */
	int64_t revoked_at; /* 0: not revoked */
	int64_t created_at;
	struct slice payees; /* payee keys, a line feed between them; "": anybody */
};

/* The first reason why the consent does not cover the payment, in this order: ERR_CONSENT_REVOKED, _NOT_YET_VALID,
 * _EXPIRED, _CURRENCY, _PAYEE, _PAYMENT_LIMIT, _RAIL; STATUS_OK when it does, but for its budgets, which the ledger
 * holds. */
enum status consent_rules_check(const struct consent_terms *terms, struct money amount, struct slice payee, int64_t at);

/* True when a person must approve this amount first. */
bool consent_rules_needs_approval(const struct consent_terms *terms, struct money amount);

/* Neither revoked nor expired nor still to come. */
bool consent_rules_is_active(const struct consent_terms *terms, int64_t at);

enum consent_state { CONSENT_ACTIVE, CONSENT_REVOKED, CONSENT_EXPIRED };

/* What is shown: a consent that is still to come counts as active. */
enum consent_state consent_rules_state(const struct consent_terms *terms, int64_t at);

/* Whether such terms may be granted: positive limits, per payment <= daily <= monthly, a span that is not empty, at
 * least one rail, payee keys in one of the known forms. ERR_INVALID_FIELD with the member at
 * fault in the problem. */
enum status consent_rules_grant(const struct consent_terms *terms, struct problem *problem);

/* The first instant of the calendar day or month (UTC) that `at` falls into. */
int64_t consent_rules_period_start(enum budget_period period, int64_t at);
