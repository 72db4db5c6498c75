/* A payment, its attempts and refunds, as the router works with them. Texts live in the arena of whoever read them. */
#pragma once

#include "identity/identity_api.h"
#include "platform/crypto.h"
#include "router/payee.h"
#include "router/payment_rules.h"

struct payment {
	struct payment_id id;
	struct agent_id agent;
	struct consent_id consent;
	struct account_id account; /* that pays; nil until known */
	struct money amount;
	int64_t fee_minor;
	struct payee payee;
	enum payment_status status;
	bool has_rail;
	enum rail rail;
	unsigned rails_requested, rails_consented; /* bit per enum rail */
	int64_t deadline_at;                       /* 0: none */
	struct consent_budget budgets[CONSENT_BUDGETS_MAX];
	size_t budget_count;
	int risk_score;            /* -1: not scored */
	struct slice risk_reasons; /* JSON array, "" when not scored */
	struct slice decline_code, decline_reason;
	struct slice reference, description;
	int64_t refunded_minor;  /* given back */
	int64_t refunding_minor; /* refunds under way, not yet given back */
	struct sha256 body_hash;
	struct slice ip_address;
	int version; /* counts the changes of state */
	int64_t expected_at, created_at, updated_at, completed_at;
};

struct attempt {
	struct attempt_id id;
	struct payment_id payment;
	int ordinal; /* 1 for the first */
	enum rail rail;
	enum attempt_status status;
	int64_t fee_minor;
	int tries;
	int64_t due_at; /* 0: nothing left to do */
	struct slice network_reference, decline_code;
	struct slice trace_id; /* of the request that asked for it; "": of none */
	int64_t created_at, updated_at;
};

enum refund_status { REFUND_PENDING, REFUND_SETTLED, REFUND_FAILED, REFUND_STATUS_COUNT };

struct refund {
	struct refund_id id;
	struct payment_id payment;
	int64_t amount_minor;
	enum refund_status status;
	struct slice reason, requested_by; /* an actor's name */
	struct slice trace_id;             /* of the request; "": of none */
	int tries;
	int64_t due_at;
	int64_t created_at, updated_at;
};

enum { ATTEMPTS_MAX = RAIL_COUNT };
