#include "router/router_store.h"

#include "router_sql.h"

static enum status read_attempt(const struct sql_rows *rows, struct arena *arena, struct attempt *ret_attempt)
{
	struct attempt attempt = {
		.id = { sql_column_uuid(rows, 0) },
		.payment = { sql_column_uuid(rows, 1) },
		.ordinal = (int)sql_column_integer(rows, 2),
		.fee_minor = sql_column_integer(rows, 5),
		.tries = (int)sql_column_integer(rows, 6),
		.due_at = sql_column_instant(rows, 7),
		.network_reference = sql_column_copy(rows, 8, arena),
		.decline_code = sql_column_copy(rows, 9, arena),
		.created_at = sql_column_instant(rows, 10),
		.updated_at = sql_column_instant(rows, 11),
		.trace_id = sql_column_copy(rows, 12, arena),
	};
	if (!rail_parse(sql_column_bytes(rows, 3), &attempt.rail) ||
	        !attempt_status_parse(sql_column_bytes(rows, 4), &attempt.status))
		return ERR_DATABASE_CORRUPT;
	*ret_attempt = attempt;
	return STATUS_OK;
}

static enum status load_attempt_with(struct sql *sql, const struct sql_query *query, struct attempt_id id,
        struct arena *arena, struct attempt *ret_attempt)
{
	const struct sql_value values[] = { SQL_UUID(id.uuid) };
	struct sql_rows *rows;
	TRY(sql_select(sql, query, values, 1, &rows));
	enum status found = sql_next(rows) ? read_attempt(rows, arena, ret_attempt) : ERR_NOT_FOUND;
	TRY(sql_end(rows));
	return found;
}

enum status attempt_load(struct sql *sql, struct attempt_id id, struct arena *arena, struct attempt *ret_attempt)
{
	return load_attempt_with(sql, &attempt_get, id, arena, ret_attempt);
}

enum status attempt_load_locked(struct sql *sql, struct attempt_id id, struct arena *arena, struct attempt *ret_attempt)
{
	return load_attempt_with(sql, &attempt_lock, id, arena, ret_attempt);
}

enum status attempts_load(struct sql *sql, struct payment_id payment, struct arena *arena,
        struct attempt attempts[ATTEMPTS_MAX], size_t *ret_count)
{
	const struct sql_value values[] = { SQL_UUID(payment.uuid) };
	struct sql_rows *rows;
	size_t count = 0;
	enum status read = STATUS_OK;
	TRY(sql_select(sql, &attempts_of_payment, values, 1, &rows));
	while (read == STATUS_OK && count < ATTEMPTS_MAX && sql_next(rows))
		read = read_attempt(rows, arena, &attempts[count++]);
	TRY(sql_end(rows));
	TRY(read);
	*ret_count = count;
	return STATUS_OK;
}

enum status attempt_store(struct sql *sql, const struct attempt *attempt)
{
	const struct sql_value values[] = {
		SQL_UUID(attempt->id.uuid),
		SQL_UUID(attempt->payment.uuid),
		SQL_INTEGER(attempt->ordinal),
		SQL_TEXT(slice_from(rail_name(attempt->rail))),
		SQL_TEXT(slice_from(attempt_status_name(attempt->status))),
		SQL_INTEGER(attempt->fee_minor),
		SQL_INSTANT_OR_NULL(attempt->due_at),
		SQL_INSTANT(attempt->created_at),
		SQL_TEXT_OR_NULL(attempt->trace_id),
	};
	return sql_execute(sql, &attempt_insert, values, sizeof values / sizeof *values);
}

enum status attempt_store_change(struct sql *sql, const struct attempt *attempt)
{
	const struct sql_value values[] = {
		SQL_UUID(attempt->id.uuid),
		SQL_TEXT(slice_from(attempt_status_name(attempt->status))),
		SQL_INTEGER(attempt->tries),
		SQL_INSTANT_OR_NULL(attempt->due_at),
		SQL_TEXT_OR_NULL(attempt->network_reference),
		SQL_TEXT_OR_NULL(attempt->decline_code),
		SQL_INSTANT(attempt->updated_at),
	};
	return sql_execute(sql, &attempt_update, values, sizeof values / sizeof *values);
}

/* The identifiers in a query's first column; struct attempt_id and struct refund_id are a uuid each. */
static enum status list_due(struct sql *sql, const struct sql_query *query, int64_t now, struct uuid *ids,
        size_t capacity, size_t *ret_count)
{
	const struct sql_value values[] = { SQL_INSTANT(now), SQL_INTEGER(capacity) };
	struct sql_rows *rows;
	size_t count = 0;
	TRY(sql_select(sql, query, values, 2, &rows));
	while (count < capacity && sql_next(rows))
		ids[count++] = sql_column_uuid(rows, 0);
	TRY(sql_end(rows));
	*ret_count = count;
	return STATUS_OK;
}

enum status attempts_due(struct sql *sql, int64_t now, struct attempt_id *ids, size_t capacity, size_t *ret_count)
{
	return list_due(sql, &attempts_due_list, now, &ids->uuid, capacity, ret_count);
}

static const char *const refund_names[REFUND_STATUS_COUNT] = {
	[REFUND_PENDING] = "pending",
	[REFUND_SETTLED] = "settled",
	[REFUND_FAILED] = "failed",
};

const char *refund_status_name(enum refund_status status)
{
	return (unsigned)status < REFUND_STATUS_COUNT ? refund_names[status] : "";
}

static enum status read_refund(const struct sql_rows *rows, struct arena *arena, struct refund *ret_refund)
{
	struct refund refund = {
		.id = { sql_column_uuid(rows, 0) },
		.payment = { sql_column_uuid(rows, 1) },
		.amount_minor = sql_column_integer(rows, 2),
		.status = REFUND_STATUS_COUNT,
		.reason = sql_column_copy(rows, 4, arena),
		.tries = (int)sql_column_integer(rows, 5),
		.due_at = sql_column_instant(rows, 6),
		.created_at = sql_column_instant(rows, 7),
		.updated_at = sql_column_instant(rows, 8),
		.requested_by = sql_column_copy(rows, 9, arena),
		.trace_id = sql_column_copy(rows, 10, arena),
	};
	for (unsigned i = 0; i < REFUND_STATUS_COUNT; i++)
		if (slice_is(sql_column_bytes(rows, 3), refund_names[i]))
			refund.status = (enum refund_status)i;
	if (refund.status == REFUND_STATUS_COUNT)
		return ERR_DATABASE_CORRUPT;
	*ret_refund = refund;
	return STATUS_OK;
}

static enum status load_refund_with(struct sql *sql, const struct sql_query *query, struct refund_id id,
        struct arena *arena, struct refund *ret_refund)
{
	const struct sql_value values[] = { SQL_UUID(id.uuid) };
	struct sql_rows *rows;
	TRY(sql_select(sql, query, values, 1, &rows));
	enum status found = sql_next(rows) ? read_refund(rows, arena, ret_refund) : ERR_NOT_FOUND;
	TRY(sql_end(rows));
	return found;
}

enum status refund_load(struct sql *sql, struct refund_id id, struct arena *arena, struct refund *ret_refund)
{
	return load_refund_with(sql, &refund_get, id, arena, ret_refund);
}

enum status refund_load_locked(struct sql *sql, struct refund_id id, struct arena *arena, struct refund *ret_refund)
{
	return load_refund_with(sql, &refund_lock, id, arena, ret_refund);
}

enum status refund_store(struct sql *sql, const struct refund *refund)
{
	const struct sql_value values[] = {
		SQL_UUID(refund->id.uuid),
		SQL_UUID(refund->payment.uuid),
		SQL_INTEGER(refund->amount_minor),
		SQL_TEXT(slice_from(refund_status_name(refund->status))),
		SQL_TEXT_OR_NULL(refund->reason),
		SQL_INSTANT_OR_NULL(refund->due_at),
		SQL_INSTANT(refund->created_at),
		SQL_TEXT(refund->requested_by),
		SQL_TEXT_OR_NULL(refund->trace_id),
	};
	return sql_execute(sql, &refund_insert, values, sizeof values / sizeof *values);
}

enum status refund_store_change(struct sql *sql, const struct refund *refund)
{
	const struct sql_value values[] = { SQL_UUID(refund->id.uuid),
		SQL_TEXT(slice_from(refund_status_name(refund->status))), SQL_INTEGER(refund->tries),
		SQL_INSTANT_OR_NULL(refund->due_at), SQL_INSTANT(refund->updated_at) };
	return sql_execute(sql, &refund_update, values, sizeof values / sizeof *values);
}

enum status refunds_due(struct sql *sql, int64_t now, struct refund_id *ids, size_t capacity, size_t *ret_count)
{
	return list_due(sql, &refunds_due_list, now, &ids->uuid, capacity, ret_count);
}
