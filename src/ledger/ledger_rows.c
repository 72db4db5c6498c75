#include "ledger/ledger_rows.h"

#include "ledger/ledger_names.h"

enum status ledger_row_currency(const struct sql_rows *rows, int column, enum currency *ret_currency)
{
	bool is_known = currency_parse(sql_column_bytes(rows, column), ret_currency) == STATUS_OK;
	return is_known ? STATUS_OK : ERR_DATABASE_CORRUPT;
}

enum status ledger_row_account(const struct sql_rows *rows, int column, struct ledger_account *account)
{
	if (!account_type_parse(sql_column_bytes(rows, column), &account->type) ||
	        !ledger_book_parse(sql_column_bytes(rows, column + 1), &account->book) ||
	        !account_state_parse(sql_column_bytes(rows, column + 3), &account->state))
		return ERR_DATABASE_CORRUPT;
	TRY(ledger_row_currency(rows, column + 2, &account->currency));
	account->overdraft_minor = sql_column_integer(rows, column + 4);
	account->debits_pending = sql_column_integer(rows, column + 5);
	account->debits_posted = sql_column_integer(rows, column + 6);
	account->credits_pending = sql_column_integer(rows, column + 7);
	account->credits_posted = sql_column_integer(rows, column + 8);
	return STATUS_OK;
}

enum status ledger_row_transfer(const struct sql_rows *rows, struct arena *arena, struct ledger_transfer *transfer)
{
	transfer->id.uuid = sql_column_uuid(rows, 0);
	if (!transfer_kind_parse(sql_column_bytes(rows, 1), &transfer->kind))
		return ERR_DATABASE_CORRUPT;
	transfer->debit.uuid = sql_column_uuid(rows, 2);
	transfer->credit.uuid = sql_column_uuid(rows, 3);
	transfer->amount.minor_units = sql_column_integer(rows, 4);
	TRY(ledger_row_currency(rows, 5, &transfer->amount.currency));
	transfer->reference.uuid = sql_column_uuid(rows, 6);
	transfer->payment.uuid = sql_column_uuid(rows, 7);
	transfer->description = sql_column_copy(rows, 8, arena);
	return STATUS_OK;
}
