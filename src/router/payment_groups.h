/* What a payment does to the ledger: linked transfers whose identifiers are pure functions of the payment, so that
 * posting one again after a crash changes nothing.
 *
 *   book      wallet -> payee, and each budget -> "Budget spent", all at once
 *   hold      wallet -> "Clearing <rail> <CUR>", fee: wallet -> "Fees <rail> <CUR>", each budget -> "Budget spent"
 *   settle    posts the holds; "Clearing" -> "Cash at bank <CUR>": the money left
 *   release   voids the holds
 *   rehold    voids wallet and fee holds of one attempt, holds for the next; budgets stay held
 *   return    reverses what settle moved, less what was refunded; budgets too; the fee is kept
 *   refund    reverses part of it; budgets stay spent, so that refunds cannot stretch a consent
 *   suspense  "Suspense <CUR>" -> "Cash at bank": money left for an attempt that counted as void */
#pragma once

#include "ledger/ledger_api.h"
#include "router/payment.h"

enum { GROUP_NAMES_SIZE = 40 };

/* Filled in place by the functions below; must not be copied, since accounts point at their names. */
struct payment_group {
	struct ledger_account open[LEDGER_OPEN_MAX];
	size_t open_count;
	struct ledger_transfer transfers[LEDGER_GROUP_MAX];
	size_t count;
	char names[LEDGER_OPEN_MAX][GROUP_NAMES_SIZE];
};

void group_book(struct payment_group *group, const struct payment *payment);
void group_hold(struct payment_group *group, const struct payment *payment, const struct attempt *attempt);
void group_rehold(struct payment_group *group, const struct payment *payment, const struct attempt *from,
        const struct attempt *to);
void group_settle(struct payment_group *group, const struct payment *payment, const struct attempt *attempt);
void group_release(struct payment_group *group, const struct payment *payment, const struct attempt *attempt);
/* `attempt` is the settled one, NULL for book. */
void group_return(struct payment_group *group, const struct payment *payment, const struct attempt *attempt);
void group_refund(struct payment_group *group, const struct payment *payment, const struct attempt *attempt,
        const struct refund *refund);
void group_suspense(struct payment_group *group, const struct payment *payment, const struct attempt *attempt);

/* For ledger->post; lives as long as the group. */
struct ledger_group group_view(const struct payment_group *group);

/* The status to tell when the ledger refused the transfer at `index`: an exceeded budget is named by its period. */
enum status group_refusal(
        const struct payment *payment, const struct payment_group *group, enum status status, size_t index);

/* The attempt's identifier, a pure function of payment and ordinal. */
struct attempt_id attempt_id_of(struct payment_id payment, int ordinal);
/* True for the accounts that groups keep for themselves; nobody can be paid into them. */
bool account_is_of_groups(struct account_id account, enum currency currency);
