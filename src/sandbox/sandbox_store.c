#include "sandbox/sandbox_store.h"

#include "sandbox_sql.h"

const struct sql_migrations sandbox_migrations = { sandbox_migration_rows, SANDBOX_MIGRATION_COUNT };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Columns rail, status, code, amount, currency, network_reference, settles_at, times_taken from `first` on. */
static void read_payment(const struct sql_rows *rows, int first, struct arena *arena, struct sandbox_payment *payment)
{
	struct slice *const texts[] = { &payment->rail, &payment->status, &payment->code, &payment->amount,
		&payment->currency, &payment->network_reference };
	for (int i = 0; i < (int)COUNT(texts); i++)
		*texts[i] = sql_column_copy(rows, first + i, arena);
	payment->settles_at = sql_column_instant(rows, first + 6);
	payment->times_taken = sql_column_integer(rows, first + 7);
}

enum status sandbox_store_get(
        struct sql *sql, struct uuid attempt, struct arena *arena, struct sandbox_payment *ret_payment)
{
	struct sql_rows *rows;
	const struct sql_value values[] = { SQL_UUID(attempt) };
	TRY(sql_select(sql, &sandbox_payment_get, values, COUNT(values), &rows));
	bool found = sql_next(rows);
	if (found) {
		ret_payment->attempt = attempt;
		read_payment(rows, 0, arena, ret_payment);
	}
	TRY(sql_end(rows));
	return found ? STATUS_OK : ERR_NOT_FOUND;
}

enum status sandbox_store_insert(struct sql *sql, const struct sandbox_payment *payment, int64_t now)
{
	const struct sql_value values[] = { SQL_UUID(payment->attempt), SQL_TEXT(payment->rail),
		SQL_TEXT(payment->status), SQL_TEXT_OR_NULL(payment->code), SQL_TEXT(payment->amount),
		SQL_TEXT(payment->currency), SQL_TEXT(payment->network_reference),
		SQL_INSTANT_OR_NULL(payment->settles_at), SQL_INTEGER(payment->times_taken), SQL_INSTANT(now) };
	return sql_execute(sql, &sandbox_payment_insert, values, COUNT(values));
}

enum status sandbox_store_take(struct sql *sql, const struct sandbox_payment *payment, int taken)
{
	const struct sql_value values[] = { SQL_UUID(payment->attempt), SQL_TEXT(payment->status),
		SQL_TEXT_OR_NULL(payment->code), SQL_INSTANT_OR_NULL(payment->settles_at), SQL_INTEGER(taken) };
	return sql_execute(sql, &sandbox_payment_take, values, COUNT(values));
}

enum status sandbox_store_set_status(struct sql *sql, struct uuid attempt, struct slice status, struct slice code)
{
	const struct sql_value values[] = { SQL_UUID(attempt), SQL_TEXT(status), SQL_TEXT_OR_NULL(code) };
	return sql_execute(sql, &sandbox_payment_set_status, values, COUNT(values));
}

enum status sandbox_store_list(
        struct sql *sql, struct arena *arena, struct sandbox_payment **ret_payments, size_t *ret_count)
{
	struct sql_rows *rows;
	struct sandbox_payment *payments = NULL;
	size_t count = 0, capacity = 0;
	TRY(sql_select(sql, &sandbox_payment_list, NULL, 0, &rows));
	while (sql_next(rows)) {
		if (count == capacity) {
			struct sandbox_payment *grown =
			        ARENA_ARRAY(arena, struct sandbox_payment, capacity ? capacity * 2 : 64);
			if (count)
				memcpy(grown, payments, count * sizeof *payments);
			capacity = capacity ? capacity * 2 : 64;
			payments = grown;
		}
		payments[count].attempt = sql_column_uuid(rows, 0);
		read_payment(rows, 1, arena, &payments[count++]);
	}
	TRY(sql_end(rows));
	*ret_payments = payments;
	*ret_count = count;
	return STATUS_OK;
}

enum status sandbox_store_refund(
        struct sql *sql, struct slice refund_id, struct uuid attempt, struct slice amount, int64_t now)
{
	const struct sql_value values[] = { SQL_TEXT(refund_id), SQL_UUID(attempt), SQL_TEXT(amount),
		SQL_INSTANT(now) };
	return sql_execute(sql, &sandbox_refund_insert, values, COUNT(values));
}

enum status sandbox_store_refund_count(struct sql *sql, int64_t *ret_count)
{
	struct sql_rows *rows;
	int64_t count = 0;
	TRY(sql_select(sql, &sandbox_refund_count, NULL, 0, &rows));
	if (sql_next(rows))
		count = sql_column_integer(rows, 0);
	TRY(sql_end(rows));
	*ret_count = count;
	return STATUS_OK;
}

enum status sandbox_store_notify(struct sql *sql, const struct sandbox_notification *notification)
{
	const struct sql_value values[] = { SQL_UUID(notification->id), SQL_UUID(notification->attempt),
		SQL_TEXT(notification->type), SQL_TEXT_OR_NULL(notification->code), SQL_TEXT(notification->notify_url),
		SQL_INSTANT(notification->due_at) };
	return sql_execute(sql, &sandbox_notification_insert, values, COUNT(values));
}

enum status sandbox_store_due(
        struct sql *sql, int64_t now, struct arena *arena, struct sandbox_notification ret_rows[64], size_t *ret_count)
{
	struct sql_rows *rows;
	const struct sql_value values[] = { SQL_INSTANT(now) };
	size_t count = 0;
	TRY(sql_select(sql, &sandbox_notification_due, values, COUNT(values), &rows));
	while (count < 64 && sql_next(rows)) {
		struct sandbox_notification *row = &ret_rows[count++];
		row->id = sql_column_uuid(rows, 0);
		row->attempt = sql_column_uuid(rows, 1);
		row->type = sql_column_copy(rows, 2, arena);
		row->code = sql_column_copy(rows, 3, arena);
		row->notify_url = sql_column_copy(rows, 4, arena);
		row->tries = sql_column_integer(rows, 5);
		row->network_reference = sql_column_copy(rows, 6, arena);
		row->due_at = sql_column_instant(rows, 7);
	}
	TRY(sql_end(rows));
	*ret_count = count;
	return STATUS_OK;
}

enum status sandbox_store_notified(struct sql *sql, struct uuid id, struct slice state, int64_t next_at)
{
	const struct sql_value values[] = { SQL_UUID(id), SQL_TEXT(state), SQL_INSTANT(next_at) };
	return sql_execute(sql, &sandbox_notification_done, values, COUNT(values));
}
