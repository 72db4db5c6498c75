/* What may happen to accounts: the pure heart of the ledger. It changes the accounts it is given and nothing else. */
#pragma once

#include "ledger/ledger_api.h"

enum hold_phase { HOLD_PENDING, HOLD_POSTED, HOLD_VOIDED };

/* A transfer of the journal, with the accounts it really touched and what later transfers made of it. */
struct ledger_record {
	struct ledger_transfer transfer;
	enum hold_phase phase;  /* of a TRANSFER_HOLD */
	int64_t reversed_minor; /* how much of a SINGLE or POST was given back */
};

/* Applies one transfer to its accounts. The first fault found, in the order of the ledger group in errors.def, is the
 * answer, and then nothing was changed.
 *
 * `existing` is the transfer already stored under the same identifier (NULL: none): when it says the same, the
 * repeat succeeds without effect. `reference` is what a POST, VOID or REVERSAL refers to (NULL: nothing was found); its
 * phase and reversed amount are brought up to date. `debit` and `credit` are those of ledger_rules_accounts (NULL: no
 * such account). */
enum status ledger_rules_apply(const struct ledger_transfer *transfer, const struct ledger_record *existing,
        struct ledger_record *reference, struct ledger_account *debit, struct ledger_account *credit);

/* The accounts that a transfer touches: its own, the hold's, or the original's swapped. Nil without a reference. */
void ledger_rules_accounts(const struct ledger_transfer *transfer, const struct ledger_record *reference,
        struct account_id *ret_debit, struct account_id *ret_credit);

static inline bool transfer_has_reference(enum transfer_kind kind)
{
	return kind == TRANSFER_POST || kind == TRANSFER_VOID || kind == TRANSFER_REVERSAL;
}

/* True when the posted sums change; holds and voids move pending sums only. */
static inline bool transfer_moves_money(enum transfer_kind kind)
{
	return kind == TRANSFER_SINGLE || kind == TRANSFER_POST || kind == TRANSFER_REVERSAL;
}

/* Posted balance on the account's normal side. Never overflows: each sum is between 0 and INT64_MAX. */
static inline int64_t account_balance(const struct ledger_account *account)
{
	return account_is_debit_normal(account->type) ? account->debits_posted - account->credits_posted
	                                              : account->credits_posted - account->debits_posted;
}

/* Pending outflow. */
static inline int64_t account_held(const struct ledger_account *account)
{
	return account_is_debit_normal(account->type) ? account->credits_pending : account->debits_pending;
}

/* What may still be taken without an overdraft. Never overflows: posted and pending of one side together fit. */
static inline int64_t account_available(const struct ledger_account *account)
{
	return account_balance(account) - account_held(account);
}
