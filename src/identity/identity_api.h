/* What other services may know of identity: who asks, what roles may do, and whether a consent covers a payment.
 * Implemented by identity_service.c in the same process and by identity_client.c over HTTP. */
#pragma once

#include "money/ids.h"
#include "money/money.h"
#include "router/router_api.h"

enum role { ROLE_AGENT = 1, ROLE_ADMIN = 2, ROLE_AUDITOR = 4 };

enum permission {
	PERMISSION_PUBLIC = 0,
#define PERMISSION(name, roles) PERMISSION_##name,
#include "identity/permissions.def"
#undef PERMISSION
	PERMISSION_COUNT
};

/* Pure, from the table; PERMISSION_PUBLIC is allowed to everybody. */
bool permission_allows(enum permission permission, unsigned roles);

enum principal_kind { PRINCIPAL_USER, PRINCIPAL_AGENT };

/* Who asks. */
struct principal {
	enum principal_kind kind;
	struct uuid id; /* user or agent */
	unsigned roles;
	struct user_id owner;      /* of an agent */
	struct session_id session; /* of a user */
	int64_t expires_at;
};

static inline bool principal_is_agent(const struct principal *principal)
{
	return principal->kind == PRINCIPAL_AGENT;
}

static inline struct agent_id principal_agent(const struct principal *principal)
{
	return (struct agent_id) { principal->kind == PRINCIPAL_AGENT ? principal->id : (struct uuid) { { 0 } } };
}

/* May this agent pay this amount to this payee now? */
struct consent_question {
	struct agent_id agent;
	struct consent_id consent; /* nil: the agent's oldest active consent that covers the currency */
	struct money amount;
	struct slice payee; /* payee key, see router_api.h */
	int64_t at;         /* now */
};

enum budget_period { BUDGET_DAILY, BUDGET_MONTHLY };
enum { CONSENT_BUDGETS_MAX = 2 };

/* A ledger account that the amount is taken from too, so that the limit holds under concurrency. Its id is a pure
 * function of consent and period (calendar day or month in UTC). */
struct consent_budget {
	enum budget_period period;
	struct account_id account;
	int64_t limit_minor;
};

struct consent_verdict {
	enum status refusal; /* STATUS_OK, ERR_CONSENT_..., ERR_AGENT_SUSPENDED */
	struct consent_id consent;
	bool needs_approval;       /* the amount is over the consent's approval threshold */
	unsigned rails;            /* bit per enum rail: where the payment may go */
	struct account_id account; /* the account that the consent names to pay from; nil: the agent's own */
	struct consent_budget budgets[CONSENT_BUDGETS_MAX];
	size_t budget_count;
};

struct identity_api {
	void *self;

	/* A bearer token to a principal: ERR_INVALID_TOKEN, ERR_TOKEN_EXPIRED, ERR_AGENT_SUSPENDED. Verified tokens are
	 * cached until they expire or are revoked (in another process: at most 2 s later). */
	enum status (*authenticate)(void *self, struct slice token, int64_t now, struct principal *ret_principal);

	/* STATUS_OK with a verdict (which may be a refusal), or a failure to find out. */
	enum status (*consent_check)(
	        void *self, const struct consent_question *question, struct consent_verdict *ret_verdict);
};
