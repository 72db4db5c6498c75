#include "ledger/ledger_rules.h"

void ledger_rules_accounts(const struct ledger_transfer *transfer, const struct ledger_record *reference,
        struct account_id *ret_debit, struct account_id *ret_credit)
{
	static const struct ledger_record nothing;
	const struct ledger_record *from = reference ? reference : &nothing;
	bool is_reversal = transfer->kind == TRANSFER_REVERSAL;
	if (!transfer_has_reference(transfer->kind)) {
		*ret_debit = transfer->debit;
		*ret_credit = transfer->credit;
		return;
	}
	*ret_debit = is_reversal ? from->transfer.credit : from->transfer.debit;
	*ret_credit = is_reversal ? from->transfer.debit : from->transfer.credit;
}

/* Accounts that come from a reference, and the amount of a VOID, are no part of what was said. */
static bool is_repeat(const struct ledger_transfer *transfer, const struct ledger_transfer *stored)
{
	if (transfer->kind != stored->kind || !uuid_equal(transfer->payment.uuid, stored->payment.uuid) ||
	        !slice_equal(transfer->description, stored->description))
		return false;
	if (transfer->kind != TRANSFER_VOID && (transfer->amount.minor_units != stored->amount.minor_units ||
	                                               transfer->amount.currency != stored->amount.currency))
		return false;
	if (transfer_has_reference(transfer->kind))
		return uuid_equal(transfer->reference.uuid, stored->reference.uuid);
	return uuid_equal(transfer->debit.uuid, stored->debit.uuid) &&
	       uuid_equal(transfer->credit.uuid, stored->credit.uuid);
}

static enum status check_shape(const struct ledger_transfer *transfer)
{
	if (transfer->kind != TRANSFER_VOID && transfer->amount.minor_units <= 0)
		return ERR_TRANSFER_AMOUNT_ZERO;
	if (!transfer_has_reference(transfer->kind) && uuid_equal(transfer->debit.uuid, transfer->credit.uuid))
		return ERR_TRANSFER_SAME_ACCOUNT;
	return STATUS_OK;
}

/* A void gives back only what was held, so a closed account accepts it. */
static enum status check_accounts(
        const struct ledger_transfer *transfer, const struct ledger_account *debit, const struct ledger_account *credit)
{
	bool is_void = transfer->kind == TRANSFER_VOID;
	if (!debit || !credit)
		return ERR_ACCOUNT_NOT_FOUND;
	if (!is_void && (debit->state == ACCOUNT_CLOSED || credit->state == ACCOUNT_CLOSED))
		return ERR_ACCOUNT_CLOSED;
	if (debit->currency != credit->currency || (!is_void && transfer->amount.currency != debit->currency))
		return ERR_CURRENCY_MISMATCH;
	if (debit->book != credit->book)
		return ERR_BOOK_MISMATCH;
	return STATUS_OK;
}

static enum status check_hold(const struct ledger_transfer *transfer, const struct ledger_record *hold)
{
	if (!hold || hold->transfer.kind != TRANSFER_HOLD)
		return ERR_HOLD_NOT_FOUND;
	if (hold->phase == HOLD_POSTED)
		return ERR_HOLD_ALREADY_POSTED;
	if (hold->phase == HOLD_VOIDED)
		return ERR_HOLD_ALREADY_VOIDED;
	if (transfer->kind == TRANSFER_POST && transfer->amount.minor_units > hold->transfer.amount.minor_units)
		return ERR_HOLD_EXCEEDED;
	return STATUS_OK;
}

/* A reversal cannot itself be reversed: what it gave back is moved again by a new transfer. */
static enum status check_original(const struct ledger_record *original)
{
	if (!original || (original->transfer.kind != TRANSFER_SINGLE && original->transfer.kind != TRANSFER_POST))
		return ERR_TRANSFER_NOT_FOUND;
	return STATUS_OK;
}

static bool is_short(const struct ledger_account *account, int64_t out_minor)
{
	return account->overdraft_minor != INT64_MAX &&
	       (__int128)account_available(account) - out_minor < -(__int128)account->overdraft_minor;
}

/* Only what lowers the normal side needs cover: a debit of a liability, a credit of an asset. */
static enum status check_cover(
        const struct ledger_account *debit, const struct ledger_account *credit, int64_t amount_minor)
{
	if ((account_is_debit_normal(debit->type) || !is_short(debit, amount_minor)) &&
	        (!account_is_debit_normal(credit->type) || !is_short(credit, amount_minor)))
		return STATUS_OK;
	return debit->book == BOOK_BUDGET ? ERR_BUDGET_EXCEEDED : ERR_INSUFFICIENT_FUNDS;
}

/* Posted and pending of one side together stay within int64: then posting a hold can never overflow. */
static enum status check_overflow(
        const struct ledger_account *debit, const struct ledger_account *credit, int64_t amount_minor)
{
	if (amount_minor > INT64_MAX - debit->debits_posted - debit->debits_pending ||
	        amount_minor > INT64_MAX - credit->credits_posted - credit->credits_pending)
		return ERR_BALANCE_OVERFLOW;
	return STATUS_OK;
}

static enum status check_reversible(const struct ledger_transfer *transfer, const struct ledger_record *original)
{
	if (transfer->kind == TRANSFER_REVERSAL &&
	        transfer->amount.minor_units > original->transfer.amount.minor_units - original->reversed_minor)
		return ERR_REVERSAL_EXCEEDED;
	return STATUS_OK;
}

static void move_pending(struct ledger_account *debit, struct ledger_account *credit, int64_t amount_minor)
{
	debit->debits_pending += amount_minor;
	credit->credits_pending += amount_minor;
}

static void move_posted(struct ledger_account *debit, struct ledger_account *credit, int64_t amount_minor)
{
	debit->debits_posted += amount_minor;
	credit->credits_posted += amount_minor;
}

static void end_hold(const struct ledger_transfer *transfer, struct ledger_record *hold, struct ledger_account *debit,
        struct ledger_account *credit)
{
	bool is_post = transfer->kind == TRANSFER_POST;
	move_pending(debit, credit, -hold->transfer.amount.minor_units);
	if (is_post)
		move_posted(debit, credit, transfer->amount.minor_units);
	hold->phase = is_post ? HOLD_POSTED : HOLD_VOIDED;
}

static void begin(const struct ledger_transfer *transfer, struct ledger_record *original, struct ledger_account *debit,
        struct ledger_account *credit)
{
	if (transfer->kind == TRANSFER_HOLD)
		move_pending(debit, credit, transfer->amount.minor_units);
	else
		move_posted(debit, credit, transfer->amount.minor_units);
	if (transfer->kind == TRANSFER_REVERSAL)
		original->reversed_minor += transfer->amount.minor_units;
}

enum status ledger_rules_apply(const struct ledger_transfer *transfer, const struct ledger_record *existing,
        struct ledger_record *reference, struct ledger_account *debit, struct ledger_account *credit)
{
	bool has_reference = transfer_has_reference(transfer->kind);
	bool is_end = has_reference && transfer->kind != TRANSFER_REVERSAL;
	if (existing && is_repeat(transfer, &existing->transfer))
		return STATUS_OK;
	TRY(check_shape(transfer));
	if (!has_reference || reference)
		TRY(check_accounts(transfer, debit, credit));
	if (existing)
		return ERR_TRANSFER_EXISTS_DIFFERENT;
	if (is_end) {
		TRY(check_hold(transfer, reference));
		end_hold(transfer, reference, debit, credit);
		return STATUS_OK;
	}
	if (has_reference)
		TRY(check_original(reference));
	TRY(check_cover(debit, credit, transfer->amount.minor_units));
	TRY(check_overflow(debit, credit, transfer->amount.minor_units));
	TRY(check_reversible(transfer, reference));
	begin(transfer, reference, debit, credit);
	return STATUS_OK;
}
