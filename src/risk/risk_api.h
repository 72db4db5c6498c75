/* What other services may know of risk: a score for a payment about to be made. Implemented by risk_service.c in the
 * same process and by risk_client.c over HTTP. */
#pragma once

#include "money/ids.h"
#include "money/money.h"
#include "platform/outbox.h"

struct risk_question {
	struct payment_id payment; /* the decision is idempotent by it while it is remembered (24 h) */
	struct agent_id agent;
	struct money amount;
	struct slice payee; /* payee key, see router_api.h */
	struct slice ip_address;
	int64_t at;
};

enum risk_decision { RISK_ALLOW, RISK_REVIEW, RISK_BLOCK };

enum { RISK_REASONS_MAX = 8 };

struct risk_reason {
	char code[32]; /* "high_velocity", "new_payee", "large_amount", "country" ... */
	int points;
};

struct risk_verdict {
	int score; /* 0-100: the sum of the points, capped */
	enum risk_decision decision;
	struct risk_reason reasons[RISK_REASONS_MAX]; /* most points first */
	size_t reason_count;
};

struct risk_api {
	void *self;
	/* Scores, counts the payment in its windows, and at review or above stores an alert with its event. */
	enum status (*assess)(void *self, const struct actor *actor, const struct risk_question *question,
	        struct risk_verdict *ret_verdict);
};
