/* The reading half of ledger_store.h: accounts, journal, statements, trial balance. */
#include <assert.h>

#include "ledger/ledger_names.h"
#include "ledger/ledger_rows.h"
#include "ledger/ledger_store.h"
#include "ledger_sql.h"

#define COUNT_OF(values) (sizeof(values) / sizeof *(values))

/* Reads one row into an element of an array in the arena. */
typedef enum status row_reader(const struct sql_rows *rows, struct arena *arena, void *element);

struct row_list {
	row_reader *read;
	size_t element_size;
	char *elements;
	size_t count, capacity;
};

static void *list_grow(struct row_list *list, struct arena *arena)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 64;
		char *elements = arena_array(arena, capacity, list->element_size);
		if (list->count)
			memcpy(elements, list->elements, list->count * list->element_size);
		list->elements = elements;
		list->capacity = capacity;
	}
	return list->elements + list->count++ * list->element_size;
}

static enum status list_read(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t value_count, struct arena *arena, struct row_list *list)
{
	struct sql_rows *rows;
	enum status status = STATUS_OK, end;
	TRY(sql_select(sql, query, values, value_count, &rows));
	while (status == STATUS_OK && sql_next(rows))
		status = list->read(rows, arena, list_grow(list, arena));
	end = sql_end(rows);
	return status != STATUS_OK ? status : end;
}

static enum status read_account(const struct sql_rows *rows, struct arena *arena, void *element)
{
	struct ledger_account *account = element;
	account->id.uuid = sql_column_uuid(rows, 0);
	account->agent.uuid = sql_column_uuid(rows, 1);
	TRY(ledger_row_account(rows, 2, account));
	account->name = sql_column_copy(rows, 11, arena);
	account->created_at = sql_column_instant(rows, 12);
	return STATUS_OK;
}

static enum status read_entry(const struct sql_rows *rows, struct arena *arena, void *element)
{
	struct ledger_entry *entry = element;
	TRY(ledger_row_transfer(rows, arena, &entry->transfer));
	entry->created_at = sql_column_instant(rows, 9);
	entry->sequence = sql_column_integer(rows, 10);
	return STATUS_OK;
}

static enum status read_statement_line(const struct sql_rows *rows, struct arena *arena, void *element)
{
	struct statement_line *line = element;
	line->id.uuid = sql_column_uuid(rows, 0);
	if (!transfer_kind_parse(sql_column_bytes(rows, 1), &line->kind))
		return ERR_DATABASE_CORRUPT;
	line->is_debit = sql_column_boolean(rows, 2);
	line->amount_minor = sql_column_integer(rows, 3);
	line->balance_minor = sql_column_integer(rows, 4);
	line->description = sql_column_copy(rows, 5, arena);
	line->payment.uuid = sql_column_uuid(rows, 6);
	line->created_at = sql_column_instant(rows, 7);
	line->sequence = sql_column_integer(rows, 8);
	return STATUS_OK;
}

/* Columns 4 to 7 are the account's sums, 8 to 11 the journal's, 12 the account's balance. */
static bool account_agrees(const struct sql_rows *rows, enum account_type type)
{
	int64_t debits = sql_column_integer(rows, 9), credits = sql_column_integer(rows, 11);
	int64_t balance = account_is_debit_normal(type) ? debits - credits : credits - debits;
	for (int i = 4; i < 8; i++)
		if (sql_column_integer(rows, i) != sql_column_integer(rows, i + 4))
			return false;
	return sql_column_integer(rows, 12) == balance;
}

static enum status read_trial_line(const struct sql_rows *rows, struct arena *arena, void *element)
{
	struct trial_line *line = element;
	line->account.uuid = sql_column_uuid(rows, 0);
	line->name = sql_column_copy(rows, 1, arena);
	if (!account_type_parse(sql_column_bytes(rows, 2), &line->type))
		return ERR_DATABASE_CORRUPT;
	TRY(ledger_row_currency(rows, 3, &line->currency));
	line->debits_posted = sql_column_integer(rows, 9);
	line->credits_posted = sql_column_integer(rows, 11);
	line->agrees = account_agrees(rows, line->type);
	line->sequence = sql_column_integer(rows, 13);
	return STATUS_OK;
}

enum status ledger_store_account_get(
        struct sql *sql, struct account_id id, struct arena *arena, struct ledger_account *ret_account)
{
	struct row_list list = { .read = read_account, .element_size = sizeof(struct ledger_account) };
	const struct sql_value values[] = { SQL_UUID(id.uuid) };
	TRY(list_read(sql, &ledger_account_get, values, COUNT_OF(values), arena, &list));
	if (!list.count)
		return ERR_ACCOUNT_NOT_FOUND;
	memcpy(ret_account, list.elements, sizeof *ret_account);
	return STATUS_OK;
}

enum status ledger_store_account_of_agent(
        struct sql *sql, struct agent_id agent, enum currency currency, struct account_id *ret_account)
{
	const struct sql_value values[] = { SQL_UUID(agent.uuid), SQL_TEXT(slice_from(currency_code(currency))) };
	struct sql_rows *rows;
	struct account_id account = { 0 };
	TRY(sql_select(sql, &ledger_account_of_agent, values, COUNT_OF(values), &rows));
	if (sql_next(rows))
		account.uuid = sql_column_uuid(rows, 0);
	TRY(sql_end(rows));
	if (uuid_is_nil(account.uuid))
		return ERR_ACCOUNT_NOT_FOUND;
	*ret_account = account;
	return STATUS_OK;
}

enum status ledger_store_accounts_list(struct sql *sql, const struct accounts_query *query, struct arena *arena,
        struct ledger_account **ret_accounts, size_t *ret_count)
{
	struct row_list list = { .read = read_account, .element_size = sizeof(struct ledger_account) };
	bool is_of_agent = !uuid_is_nil(query->agent.uuid);
	const struct sql_value values[] = {
		SQL_TEXT(slice_from(currency_code(query->currency))),
		SQL_INSTANT(query->before_at),
		SQL_UUID(query->before_id),
		SQL_INTEGER(query->limit),
		SQL_UUID(query->agent.uuid),
	};
	TRY(list_read(sql, is_of_agent ? &ledger_accounts_list_agent : &ledger_accounts_list, values,
	        is_of_agent ? COUNT_OF(values) : COUNT_OF(values) - 1, arena, &list));
	*ret_accounts = (void *)list.elements;
	*ret_count = list.count;
	return STATUS_OK;
}

enum status ledger_store_entry_get(
        struct sql *sql, struct transfer_id id, struct arena *arena, struct ledger_entry *ret_entry)
{
	struct row_list list = { .read = read_entry, .element_size = sizeof(struct ledger_entry) };
	const struct sql_value values[] = { SQL_UUID(id.uuid) };
	TRY(list_read(sql, &ledger_transaction_get, values, COUNT_OF(values), arena, &list));
	if (!list.count)
		return ERR_NOT_FOUND;
	memcpy(ret_entry, list.elements, sizeof *ret_entry);
	return STATUS_OK;
}

enum status ledger_store_entries_list(struct sql *sql, const struct entries_query *query, struct arena *arena,
        struct ledger_entry **ret_entries, size_t *ret_count)
{
	struct row_list list = { .read = read_entry, .element_size = sizeof(struct ledger_entry) };
	bool has_account = !uuid_is_nil(query->account.uuid), has_payment = !uuid_is_nil(query->payment.uuid);
	bool has_agent = !uuid_is_nil(query->agent.uuid);
	const struct sql_query *chosen = has_account   ? &ledger_transactions_list_account
	                                 : has_payment ? &ledger_transactions_list_payment
	                                 : has_agent   ? &ledger_transactions_list_agent
	                                               : &ledger_transactions_list;
	const struct sql_value values[] = {
		SQL_INTEGER(query->before_sequence),
		SQL_INTEGER(query->limit),
		SQL_UUID(has_account   ? query->account.uuid
		         : has_payment ? query->payment.uuid
		                       : query->agent.uuid),
		has_account ? SQL_UUID_OR_NULL(query->payment.uuid) : SQL_UUID_OR_NULL(query->agent.uuid),
		SQL_INSTANT(query->before_at),
	};
	size_t count = has_account ? 5 : has_payment ? 4 : has_agent ? 3 : 2;
	TRY(list_read(sql, chosen, values, count, arena, &list));
	*ret_entries = (void *)list.elements;
	*ret_count = list.count;
	return STATUS_OK;
}

enum status ledger_store_statement(struct sql *sql, const struct statement_query *query, struct arena *arena,
        struct statement_line **ret_lines, size_t *ret_count)
{
	struct row_list list = { .read = read_statement_line, .element_size = sizeof(struct statement_line) };
	const struct sql_value values[] = {
		SQL_UUID(query->account.uuid),
		SQL_INSTANT(query->from),
		SQL_INSTANT(query->to),
		SQL_INSTANT(query->after_at),
		SQL_INTEGER(query->after_sequence),
		SQL_INTEGER(query->limit),
	};
	TRY(list_read(sql, &ledger_statement, values, COUNT_OF(values), arena, &list));
	*ret_lines = (void *)list.elements;
	*ret_count = list.count;
	return STATUS_OK;
}

enum status ledger_store_balance_before(
        struct sql *sql, struct account_id account, int64_t at, int64_t *ret_balance_minor)
{
	const struct sql_value values[] = { SQL_UUID(account.uuid), SQL_INSTANT(at) };
	struct sql_rows *rows;
	int64_t balance = 0;
	TRY(sql_select(sql, &ledger_balance_before, values, COUNT_OF(values), &rows));
	if (sql_next(rows))
		balance = sql_column_integer(rows, 0);
	TRY(sql_end(rows));
	*ret_balance_minor = balance;
	return STATUS_OK;
}

enum status ledger_store_trial_balance(
        struct sql *sql, enum currency currency, struct arena *arena, struct trial_line **ret_lines, size_t *ret_count)
{
	struct row_list list = { .read = read_trial_line, .element_size = sizeof(struct trial_line) };
	const struct sql_value values[] = { SQL_TEXT(slice_from(currency_code(currency))) };
	TRY(list_read(sql, &ledger_trial_balance, values, COUNT_OF(values), arena, &list));
	*ret_lines = (void *)list.elements;
	*ret_count = list.count;
	return STATUS_OK;
}
