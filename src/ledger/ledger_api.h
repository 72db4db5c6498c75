/* What other services may know of the ledger: double-entry accounts and transfers. Implemented by ledger_service.c in
 * the same process and by ledger_client.c over HTTP.
 *
 * An account keeps four sums: debits and credits, posted (which only grow) and pending (raised by holds, lowered when
 * they end). Asset and expense accounts have a debit balance, the others a credit balance. A transfer debits one
 * account and credits another of the same currency and book. */
#pragma once

#include "base/problem.h"
#include "money/ids.h"
#include "money/money.h"
#include "platform/committer.h"
#include "platform/outbox.h"

enum account_type {
	ACCOUNT_ASSET,
	ACCOUNT_LIABILITY,
	ACCOUNT_EQUITY,
	ACCOUNT_REVENUE,
	ACCOUNT_EXPENSE,
	ACCOUNT_TYPE_COUNT
};

/* Budgets of consents are accounts of a book of their own, so that reports show money only. */
enum ledger_book { BOOK_MONEY, BOOK_BUDGET };

enum account_state { ACCOUNT_OPEN, ACCOUNT_CLOSED };

struct ledger_account {
	struct account_id id;
	struct agent_id agent; /* nil: the platform's own */
	enum account_type type;
	enum ledger_book book;
	enum currency currency;
	enum account_state state;
	/* How far the balance may fall below zero on its normal side, own pending outflow included; 0 = not at all,
	 * INT64_MAX = without limit. A budget is an account whose overdraft is the limit. */
	int64_t overdraft_minor;
	struct slice name; /* at most 255 bytes */
	int64_t debits_pending, debits_posted, credits_pending, credits_posted;
	int64_t created_at;
};

/* Posted balance on the account's normal side, and the same less what is held. */
static inline bool account_is_debit_normal(enum account_type type)
{
	return type == ACCOUNT_ASSET || type == ACCOUNT_EXPENSE;
}

enum transfer_kind {
	TRANSFER_SINGLE,   /* posted at once */
	TRANSFER_HOLD,     /* pending until posted or voided */
	TRANSFER_POST,     /* posts (part of) the hold `reference`; the rest is released */
	TRANSFER_VOID,     /* releases the hold `reference` */
	TRANSFER_REVERSAL, /* gives back (part of) the posted transfer `reference`: never more in total than it moved */
};

struct ledger_transfer {
	struct transfer_id id; /* idempotent by it, for ever */
	enum transfer_kind kind;
	struct account_id
	        debit; /* POST, VOID: ignored, taken from the hold; REVERSAL: taken from the original, swapped */
	struct account_id credit;
	struct money amount; /* VOID: ignored */
	struct transfer_id reference;
	struct payment_id payment; /* nil: none */
	struct slice description;  /* at most 255 bytes */
};

enum { LEDGER_GROUP_MAX = 16, LEDGER_OPEN_MAX = 8 };

/* Linked transfers: all are done or none, in order. Accounts of `open` are opened first where absent (their sums are
 * ignored; an existing account is left as it is). */
struct ledger_group {
	const struct ledger_account *open;
	size_t open_count;
	const struct ledger_transfer *transfers;
	size_t count;
};

/* Why a group was refused. */
struct ledger_refusal {
	size_t index; /* of the transfer */
};

struct ledger_api {
	void *self;

	/* True when a rider is stored in the very transaction of the group: nothing between them can be lost. False
	 * when they are two commits, the group's first: then the caller stores what it is about to do before it posts,
	 * and resumes after a crash (posting again with the same identifiers is safe). */
	bool shares_commit;

	/* Posts a group, durably, and then or together with it the rider's writes. A repeat of the same group is a
	 * success (the rider runs again). Refusals in order of precedence: ERR_TRANSFER_AMOUNT_ZERO,
	 * ERR_TRANSFER_SAME_ACCOUNT, ERR_ACCOUNT_..., ERR_CURRENCY_MISMATCH, ERR_BOOK_MISMATCH,
	 * ERR_TRANSFER_EXISTS_DIFFERENT, ERR_TRANSFER_NOT_FOUND (nothing to reverse), ERR_HOLD_...,
	 * ERR_BUDGET_EXCEEDED (budget book), ERR_INSUFFICIENT_FUNDS, ERR_BALANCE_OVERFLOW, ERR_REVERSAL_EXCEEDED;
	 * `refusal` (may be NULL) names the transfer. The rider does not run on a refusal. */
	enum status (*post)(void *self, const struct actor *actor, const struct ledger_group *group,
	        const struct commit_rider *rider, struct ledger_refusal *refusal);

	/* ERR_ACCOUNT_NOT_FOUND. The name lives in the arena. */
	enum status (*account_get)(
	        void *self, struct account_id id, struct arena *arena, struct ledger_account *ret_account);

	/* The agent's oldest open liability account of that currency: ERR_ACCOUNT_NOT_FOUND. */
	enum status (*account_of_agent)(
	        void *self, struct agent_id agent, enum currency currency, struct account_id *ret_account);
};
