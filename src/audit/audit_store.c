#include "audit/audit_store.h"

#include "audit_sql.h"
#include "base/json.h"
#include "money/ids.h"

#define BYTES(field) SQL_BLOB(slice_make((field).bytes, sizeof(field).bytes))

enum status audit_store_append(struct sql *sql, const struct audit_record *record)
{
	const struct sql_value values[] = {
		SQL_INTEGER(record->sequence),
		SQL_INTEGER(record->source_sequence),
		SQL_UUID(record->id),
		SQL_TEXT(record->event_type),
		SQL_TEXT_OR_NULL(record->entity_type),
		SQL_UUID_OR_NULL(record->entity_id),
		SQL_UUID_OR_NULL(record->user_id),
		SQL_TEXT_OR_NULL(record->action),
		SQL_TEXT(record->actor),
		SQL_TEXT_OR_NULL(record->ip_address),
		SQL_TEXT_OR_NULL(record->user_agent),
		SQL_TEXT_OR_NULL(record->trace_id),
		SQL_TEXT_OR_NULL(record->old_values),
		SQL_TEXT_OR_NULL(record->new_values),
		SQL_TEXT(record->body),
		SQL_INSTANT(record->created_at),
		BYTES(record->previous_hash),
		BYTES(record->sums),
		BYTES(record->hash),
	};
	return sql_execute(sql, &audit_insert, values, sizeof values / sizeof *values);
}

/* Bytes of another size than they should have are an alteration, which shows as a wrong hash. */
static void read_bytes(const struct sql_rows *rows, int column, unsigned char *ret_bytes, size_t size)
{
	struct slice bytes = sql_column_bytes(rows, column);
	memset(ret_bytes, 0, size);
	if (bytes.size == size)
		memcpy(ret_bytes, bytes.data, size);
}

static struct audit_record read_record(const struct sql_rows *rows)
{
	struct audit_record record = {
		.sequence = sql_column_integer(rows, 0),
		.source_sequence = sql_column_integer(rows, 1),
		.id = sql_column_uuid(rows, 2),
		.event_type = sql_column_bytes(rows, 3),
		.entity_type = sql_column_bytes(rows, 4),
		.entity_id = sql_column_uuid(rows, 5),
		.user_id = sql_column_uuid(rows, 6),
		.action = sql_column_bytes(rows, 7),
		.actor = sql_column_bytes(rows, 8),
		.ip_address = sql_column_bytes(rows, 9),
		.user_agent = sql_column_bytes(rows, 10),
		.trace_id = sql_column_bytes(rows, 11),
		.old_values = sql_column_bytes(rows, 12),
		.new_values = sql_column_bytes(rows, 13),
		.body = sql_column_bytes(rows, 14),
		.created_at = sql_column_instant(rows, 15),
	};
	read_bytes(rows, 16, record.previous_hash.bytes, sizeof record.previous_hash.bytes);
	read_bytes(rows, 17, record.sums.bytes, sizeof record.sums.bytes);
	read_bytes(rows, 18, record.hash.bytes, sizeof record.hash.bytes);
	return record;
}

static enum status take_rows(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t count, audit_take *take, void *arg)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, query, values, count, &rows));
	bool goes_on = true;
	while (goes_on && sql_next(rows)) {
		struct audit_record record = read_record(rows);
		goes_on = take(arg, &record);
	}
	return sql_end(rows);
}

enum status audit_store_stream(struct sql *sql, int64_t after, int64_t limit, audit_take *take, void *arg)
{
	const struct sql_value values[] = { SQL_INTEGER(after), SQL_INTEGER(limit) };
	return take_rows(sql, &audit_stream, values, 2, take, arg);
}

enum status audit_store_page(
        struct sql *sql, const struct audit_filter *filter, const struct page *page, audit_take *take, void *arg)
{
	const struct sql_value values[] = { SQL_INSTANT(page->before_at), SQL_UUID(page->before_id),
		SQL_INSTANT(filter->from_at), SQL_TEXT(filter->event_type), SQL_TEXT(filter->entity_type),
		SQL_TEXT(filter->actor), SQL_INTEGER(page->limit + 1), SQL_UUID(filter->entity_id) };
	return uuid_is_nil(filter->entity_id) ? take_rows(sql, &audit_page, values, 7, take, arg)
	                                      : take_rows(sql, &audit_page_of_entity, values, 8, take, arg);
}

enum status audit_store_prepare(struct sql *sql)
{
	const struct sha256 none = { 0 };
	return sql_execute(sql, &audit_head_create, (struct sql_value[]) { BYTES(none) }, 1);
}

enum status audit_store_head(struct sql *sql, struct audit_head *ret_head)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &audit_head_lock, NULL, 0, &rows));
	bool is_found = sql_next(rows);
	if (is_found) {
		ret_head->sequence = sql_column_integer(rows, 0);
		ret_head->source_sequence = sql_column_integer(rows, 1);
		read_bytes(rows, 2, ret_head->hash.bytes, sizeof ret_head->hash.bytes);
	}
	TRY(sql_end(rows));
	return is_found ? STATUS_OK : ERR_AUDIT_BROKEN;
}

enum status audit_store_head_move(struct sql *sql, const struct audit_head *head)
{
	const struct sql_value values[] = { SQL_INTEGER(head->sequence), SQL_INTEGER(head->source_sequence),
		BYTES(head->hash) };
	return sql_execute(sql, &audit_head_store, values, 3);
}

enum status audit_store_has(struct sql *sql, struct uuid event, bool *ret_has)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &audit_exists, (struct sql_value[]) { SQL_UUID(event) }, 1, &rows));
	bool has = sql_next(rows);
	TRY(sql_end(rows));
	*ret_has = has;
	return STATUS_OK;
}

enum status audit_store_bounds(struct sql *sql, struct audit_bounds *ret_bounds)
{
	struct sql_rows *rows;
	struct audit_bounds bounds = { 0 };
	TRY(sql_select(sql, &audit_bounds, NULL, 0, &rows));
	if (sql_next(rows)) {
		bounds.has_head = !sql_column_is_null(rows, 0);
		bounds.head.sequence = sql_column_integer(rows, 0);
		read_bytes(rows, 1, bounds.head.hash.bytes, sizeof bounds.head.hash.bytes);
		bounds.has_records = !sql_column_is_null(rows, 2);
		bounds.first = sql_column_integer(rows, 2);
		bounds.last = sql_column_integer(rows, 3);
	}
	TRY(sql_end(rows));
	*ret_bounds = bounds;
	return STATUS_OK;
}

enum status audit_store_successor(struct sql *sql, struct sha256 hash, int64_t except, int64_t *ret_sequence)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &audit_successor, (struct sql_value[]) { BYTES(hash), SQL_INTEGER(except) }, 2, &rows));
	int64_t sequence = sql_next(rows) ? sql_column_integer(rows, 0) : 0;
	TRY(sql_end(rows));
	*ret_sequence = sequence;
	return STATUS_OK;
}
