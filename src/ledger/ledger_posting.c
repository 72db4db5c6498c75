#include "ledger/ledger_posting.h"

#include <assert.h>

#include "base/clock.h"
#include "ledger/ledger_events.h"

static struct stored_account *account_find(struct posting *posting, struct account_id id)
{
	for (size_t i = 0; i < posting->account_count; i++)
		if (uuid_equal(posting->accounts[i].account.id.uuid, id.uuid))
			return &posting->accounts[i];
	return NULL;
}

static void account_add(struct posting *posting, struct account_id id)
{
	size_t at = posting->account_count;
	if (uuid_is_nil(id.uuid))
		return;
	while (at > 0 && uuid_compare(posting->accounts[at - 1].account.id.uuid, id.uuid) >= 0)
		at--;
	if (at < posting->account_count && uuid_equal(posting->accounts[at].account.id.uuid, id.uuid))
		return;
	assert(posting->account_count < STORE_ACCOUNTS_MAX);
	memmove(&posting->accounts[at + 1], &posting->accounts[at],
	        (posting->account_count - at) * sizeof *posting->accounts);
	posting->accounts[at] = (struct stored_account) { .account.id = id };
	posting->account_count++;
}

static struct stored_record *record_find(struct posting *posting, struct transfer_id id)
{
	for (size_t i = 0; i < posting->record_count; i++)
		if (uuid_equal(posting->records[i].record.transfer.id.uuid, id.uuid))
			return &posting->records[i];
	return NULL;
}

static struct ledger_record *record_found(struct posting *posting, struct transfer_id id)
{
	struct stored_record *stored = record_find(posting, id);
	return stored && stored->is_found ? &stored->record : NULL;
}

static void record_add(struct posting *posting, struct transfer_id id)
{
	if (record_find(posting, id))
		return;
	assert(posting->record_count < STORE_RECORDS_MAX);
	posting->records[posting->record_count++] = (struct stored_record) { .record.transfer.id = id };
}

/* What transfers refer to tells their accounts. */
static enum status load_references(struct sql *sql, struct posting *posting)
{
	for (size_t i = 0; i < posting->group->count; i++)
		if (transfer_has_reference(posting->group->transfers[i].kind))
			record_add(posting, posting->group->transfers[i].reference);
	return ledger_store_records_get(sql, posting->records, posting->record_count, &posting->arena);
}

/* The accounts of a transfer whose reference may stand earlier in the same group. */
static void resolve(struct posting *posting, size_t index)
{
	const struct ledger_transfer *transfer = &posting->group->transfers[index];
	const struct ledger_record *reference = NULL;
	struct ledger_record earlier;
	if (transfer_has_reference(transfer->kind)) {
		reference = record_found(posting, transfer->reference);
		for (size_t i = 0; i < index && !reference; i++)
			if (uuid_equal(posting->group->transfers[i].id.uuid, transfer->reference.uuid)) {
				earlier.transfer.debit = posting->lines[i].debit;
				earlier.transfer.credit = posting->lines[i].credit;
				reference = &earlier;
			}
	}
	struct posting_line *line = &posting->lines[index];
	*line = (struct posting_line) { 0 };
	ledger_rules_accounts(transfer, reference, &line->debit, &line->credit);
}

static enum status load_accounts(struct sql *sql, struct posting *posting)
{
	for (size_t i = 0; i < posting->group->count; i++) {
		resolve(posting, i);
		account_add(posting, posting->lines[i].debit);
		account_add(posting, posting->lines[i].credit);
	}
	for (size_t i = 0; i < posting->group->open_count; i++)
		account_add(posting, posting->group->open[i].id);
	return ledger_store_accounts_lock(sql, posting->accounts, posting->account_count);
}

/* Once more and completely, now that the locks keep it as it is. A reference that appeared in between is for the next
 * try, which will lock its accounts too. */
static enum status load_records(struct sql *sql, struct posting *posting)
{
	for (size_t i = 0; i < posting->group->count; i++)
		record_add(posting, posting->group->transfers[i].id);
	TRY(ledger_store_records_get(sql, posting->records, posting->record_count, &posting->arena));
	for (size_t i = 0; i < posting->group->count; i++)
		if (uuid_is_nil(posting->lines[i].debit.uuid) &&
		        transfer_has_reference(posting->group->transfers[i].kind) &&
		        record_found(posting, posting->group->transfers[i].reference))
			return ERR_DATABASE_BUSY;
	return STATUS_OK;
}

static void open_absent(struct posting *posting)
{
	for (size_t i = 0; i < posting->group->open_count; i++) {
		const struct ledger_account *wanted = &posting->group->open[i];
		struct stored_account *stored = account_find(posting, wanted->id);
		if (!stored || stored->is_found)
			continue;
		stored->account = *wanted;
		stored->account.debits_pending = stored->account.debits_posted = 0;
		stored->account.credits_pending = stored->account.credits_posted = 0;
		stored->account.state = ACCOUNT_OPEN;
		stored->account.created_at = posting->at;
		stored->is_found = stored->is_new = true;
	}
}

static void set_time(struct posting *posting)
{
	posting->at = clock_now();
	for (size_t i = 0; i < posting->account_count; i++)
		if (posting->accounts[i].is_found && posting->accounts[i].updated_at > posting->at)
			posting->at = posting->accounts[i].updated_at;
}

static void remember(struct posting *posting, size_t index, struct stored_account *debit, struct stored_account *credit)
{
	struct posting_line *line = &posting->lines[index];
	struct stored_record *record = record_find(posting, posting->group->transfers[index].id);
	const struct ledger_record *reference;
	assert(debit && credit && record);
	line->stored = posting->group->transfers[index];
	line->stored.debit = line->debit;
	line->stored.credit = line->credit;
	if (line->stored.kind == TRANSFER_POST || line->stored.kind == TRANSFER_VOID) {
		reference = record_found(posting, line->stored.reference);
		assert(reference); /* the rules have seen it */
		line->released_minor = reference->transfer.amount.minor_units;
		if (line->stored.kind == TRANSFER_VOID)
			line->stored.amount = reference->transfer.amount;
	}
	if (!transfer_has_reference(line->stored.kind))
		line->stored.reference = (struct transfer_id) { 0 };
	line->book = debit->account.book;
	line->debit_balance = account_balance(&debit->account);
	line->credit_balance = account_balance(&credit->account);
	debit->is_changed = credit->is_changed = true;
	*record = (struct stored_record) { .record.transfer = line->stored, .is_found = true };
}

static enum status decide_one(struct posting *posting, size_t index)
{
	const struct ledger_transfer *transfer = &posting->group->transfers[index];
	struct posting_line *line = &posting->lines[index];
	struct stored_account *debit = account_find(posting, line->debit);
	struct stored_account *credit = account_find(posting, line->credit);
	struct ledger_record *existing = record_found(posting, transfer->id);
	struct ledger_record *reference =
	        transfer_has_reference(transfer->kind) ? record_found(posting, transfer->reference) : NULL;
	TRY(ledger_rules_apply(transfer, existing, reference, debit && debit->is_found ? &debit->account : NULL,
	        credit && credit->is_found ? &credit->account : NULL));
	line->is_repeat = existing != NULL;
	if (!existing)
		remember(posting, index, debit, credit);
	return STATUS_OK;
}

static enum status decide(struct posting *posting)
{
	for (size_t i = 0; i < posting->group->count; i++) {
		enum status status = decide_one(posting, i);
		if (status != STATUS_OK) {
			posting->refusal.index = i;
			return status;
		}
	}
	return STATUS_OK;
}

static enum status write_account(struct sql *sql, const struct posting *posting, const struct stored_account *stored)
{
	if (!stored->is_new)
		return stored->is_changed ? ledger_store_account_update(sql, stored, posting->at) : STATUS_OK;
	TRY(ledger_store_account_insert(sql, &stored->account));
	if (stored->account.book == BOOK_MONEY)
		TRY(ledger_event_opened(sql, posting->actor, &stored->account));
	return STATUS_OK;
}

static enum status write_line(struct sql *sql, const struct posting *posting, const struct posting_line *line)
{
	const struct journal_insert insert = {
		.transfer = &line->stored,
		.book = line->book,
		.released_minor = line->released_minor,
		.debit_balance = line->debit_balance,
		.credit_balance = line->credit_balance,
		.at = posting->at,
	};
	if (line->is_repeat)
		return STATUS_OK;
	TRY(ledger_store_transaction_insert(sql, &insert));
	if (posting->announces)
		TRY(ledger_event_posted(sql, posting->actor, &line->stored, posting->at));
	return STATUS_OK;
}

static enum status write_all(struct sql *sql, const struct posting *posting)
{
	for (size_t i = 0; i < posting->account_count; i++)
		TRY(write_account(sql, posting, &posting->accounts[i]));
	for (size_t i = 0; i < posting->group->count; i++)
		TRY(write_line(sql, posting, &posting->lines[i]));
	return STATUS_OK;
}

enum status posting_run(struct sql *sql, void *arg)
{
	struct posting *posting = arg;
	arena_clean_up(&posting->arena);
	posting->account_count = posting->record_count = 0;
	TRY(load_references(sql, posting));
	TRY(load_accounts(sql, posting));
	TRY(load_records(sql, posting));
	set_time(posting);
	open_absent(posting);
	TRY(decide(posting));
	TRY(write_all(sql, posting));
	if (posting->rider && posting->rider->write)
		TRY(posting->rider->write(sql, posting->rider->arg));
	return STATUS_OK;
}

void posting_clean_up(struct posting *posting)
{
	arena_clean_up(&posting->arena);
}
