#include "ledger/ledger_store.h"

#include <assert.h>

#include "ledger/ledger_names.h"
#include "ledger/ledger_rows.h"
#include "ledger_sql.h"

/* How many identifiers a query of the hot path takes. */
enum { WIDTH = 8 };

#define COUNT_OF(values) (sizeof(values) / sizeof *(values))

static enum status read_locked(const struct sql_rows *rows, struct stored_account *stored)
{
	TRY(ledger_row_account(rows, 1, &stored->account));
	stored->account.created_at = sql_column_instant(rows, 10);
	stored->updated_at = sql_column_instant(rows, 11);
	stored->row = sql_column_integer(rows, 12);
	stored->is_found = true;
	return STATUS_OK;
}

static struct stored_account *account_slot(struct stored_account *accounts, size_t count, struct uuid id)
{
	size_t i = 0;
	while (i < count && !uuid_equal(accounts[i].account.id.uuid, id))
		i++;
	assert(i < count); /* The database answers only what was asked. */
	return &accounts[i];
}

static enum status lock_chunk(struct sql *sql, struct stored_account *accounts, size_t count)
{
	struct sql_value ids[WIDTH];
	struct sql_rows *rows;
	enum status status = STATUS_OK, end;
	for (size_t i = 0; i < WIDTH; i++)
		ids[i] = i < count ? SQL_UUID(accounts[i].account.id.uuid) : SQL_NULL;
	TRY(sql_select(sql, &ledger_accounts_lock, ids, WIDTH, &rows));
	while (status == STATUS_OK && sql_next(rows))
		status = read_locked(rows, account_slot(accounts, count, sql_column_uuid(rows, 0)));
	end = sql_end(rows);
	return status != STATUS_OK ? status : end;
}

enum status ledger_store_accounts_lock(struct sql *sql, struct stored_account *accounts, size_t count)
{
	for (size_t at = 0; at < count; at += WIDTH)
		TRY(lock_chunk(sql, accounts + at, count - at < WIDTH ? count - at : WIDTH));
	return STATUS_OK;
}

static enum status read_record(const struct sql_rows *rows, struct arena *arena, struct stored_record *stored)
{
	enum transfer_kind end;
	TRY(ledger_row_transfer(rows, arena, &stored->record.transfer));
	stored->record.phase = HOLD_PENDING;
	if (!sql_column_is_null(rows, 9)) {
		if (!transfer_kind_parse(sql_column_bytes(rows, 9), &end))
			return ERR_DATABASE_CORRUPT;
		stored->record.phase = end == TRANSFER_POST ? HOLD_POSTED : HOLD_VOIDED;
	}
	stored->record.reversed_minor = sql_column_integer(rows, 10);
	stored->is_found = true;
	return STATUS_OK;
}

static struct stored_record *record_slot(struct stored_record *records, size_t count, struct uuid id)
{
	size_t i = 0;
	while (i < count && !uuid_equal(records[i].record.transfer.id.uuid, id))
		i++;
	assert(i < count); /* The database answers only what was asked. */
	return &records[i];
}

static enum status records_chunk(struct sql *sql, struct stored_record *records, size_t count, struct arena *arena)
{
	struct sql_value ids[WIDTH];
	struct sql_rows *rows;
	enum status status = STATUS_OK, end;
	for (size_t i = 0; i < WIDTH; i++)
		ids[i] = i < count ? SQL_UUID(records[i].record.transfer.id.uuid) : SQL_NULL;
	TRY(sql_select(sql, &ledger_records_get, ids, WIDTH, &rows));
	while (status == STATUS_OK && sql_next(rows))
		status = read_record(rows, arena, record_slot(records, count, sql_column_uuid(rows, 0)));
	end = sql_end(rows);
	return status != STATUS_OK ? status : end;
}

enum status ledger_store_records_get(struct sql *sql, struct stored_record *records, size_t count, struct arena *arena)
{
	for (size_t at = 0; at < count; at += WIDTH)
		TRY(records_chunk(sql, records + at, count - at < WIDTH ? count - at : WIDTH, arena));
	return STATUS_OK;
}

enum status ledger_store_account_insert(struct sql *sql, const struct ledger_account *account)
{
	const struct sql_value values[] = {
		SQL_UUID(account->id.uuid),
		SQL_UUID_OR_NULL(account->agent.uuid),
		SQL_TEXT(slice_from(account_type_name(account->type))),
		SQL_TEXT(slice_from(ledger_book_name(account->book))),
		SQL_TEXT(slice_from(currency_code(account->currency))),
		SQL_INTEGER(account->overdraft_minor),
		SQL_TEXT(account->name),
		SQL_INSTANT(account->created_at),
		SQL_INSTANT(account->created_at),
		SQL_INTEGER(account->debits_pending),
		SQL_INTEGER(account->debits_posted),
		SQL_INTEGER(account->credits_pending),
		SQL_INTEGER(account->credits_posted),
		SQL_INTEGER(account_balance(account)),
	};
	return sql_execute(sql, &ledger_account_insert, values, COUNT_OF(values));
}

enum status ledger_store_account_update(struct sql *sql, const struct stored_account *stored, int64_t at)
{
	const struct ledger_account *account = &stored->account;
	const struct sql_value values[] = {
		SQL_UUID(account->id.uuid),
		SQL_INTEGER(account->debits_pending),
		SQL_INTEGER(account->debits_posted),
		SQL_INTEGER(account->credits_pending),
		SQL_INTEGER(account->credits_posted),
		SQL_INTEGER(account_balance(account)),
		SQL_INSTANT(at),
		SQL_INTEGER(stored->row),
	};
	return sql_execute(sql, &ledger_account_update, values, COUNT_OF(values));
}

enum status ledger_store_transaction_insert(struct sql *sql, const struct journal_insert *insert)
{
	const struct ledger_transfer *transfer = insert->transfer;
	const struct sql_value values[] = {
		SQL_UUID(transfer->id.uuid),
		SQL_TEXT(slice_from(transfer_kind_name(transfer->kind))),
		SQL_TEXT(slice_from(ledger_book_name(insert->book))),
		SQL_UUID(transfer->debit.uuid),
		SQL_UUID(transfer->credit.uuid),
		SQL_INTEGER(transfer->amount.minor_units),
		SQL_TEXT(slice_from(currency_code(transfer->amount.currency))),
		SQL_INTEGER(insert->released_minor),
		SQL_INTEGER(insert->debit_balance),
		SQL_INTEGER(insert->credit_balance),
		SQL_UUID_OR_NULL(transfer->reference.uuid),
		SQL_UUID_OR_NULL(transfer->payment.uuid),
		SQL_TEXT_OR_NULL(transfer->description),
		SQL_INSTANT(insert->at),
	};
	return sql_execute(sql, &ledger_transaction_insert, values, COUNT_OF(values));
}
