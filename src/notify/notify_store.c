#include "notify/notify_store.h"

#include "notify_sql.h"

static const char *const status_names[] = {
	[DELIVERY_PENDING] = "pending",
	[DELIVERY_DELIVERED] = "delivered",
	[DELIVERY_FAILED] = "failed",
};

const char *delivery_status_name(enum delivery_status status)
{
	return status_names[status];
}

/* Texts live as long as the row. */
static struct webhook read_webhook(const struct sql_rows *rows)
{
	return (struct webhook) {
		.id.uuid = sql_column_uuid(rows, 0),
		.url = sql_column_bytes(rows, 1),
		.event_types = sql_column_bytes(rows, 2),
		.is_enabled = slice_is(sql_column_bytes(rows, 3), "enabled"),
		.disabled_reason = sql_column_bytes(rows, 4),
		.secret = sql_column_bytes(rows, 5),
		.previous_secret = sql_column_bytes(rows, 6),
		.previous_valid_until = sql_column_instant(rows, 7),
		.rotation = sql_column_uuid(rows, 8),
		.created_at = sql_column_instant(rows, 9),
	};
}

static struct webhook keep_webhook(struct arena *arena, struct webhook webhook)
{
	webhook.url = arena_copy(arena, webhook.url);
	webhook.event_types = arena_copy(arena, webhook.event_types);
	webhook.disabled_reason = arena_copy(arena, webhook.disabled_reason);
	webhook.secret = arena_copy(arena, webhook.secret);
	webhook.previous_secret = arena_copy(arena, webhook.previous_secret);
	return webhook;
}

static struct delivery read_delivery(const struct sql_rows *rows)
{
	struct slice status = sql_column_bytes(rows, 5);
	return (struct delivery) {
		.id.uuid = sql_column_uuid(rows, 0),
		.webhook.uuid = sql_column_uuid(rows, 1),
		.event.uuid = sql_column_uuid(rows, 2),
		.event_type = sql_column_bytes(rows, 3),
		.body = sql_column_bytes(rows, 4),
		.status = slice_is(status, "pending")     ? DELIVERY_PENDING
		          : slice_is(status, "delivered") ? DELIVERY_DELIVERED
		                                          : DELIVERY_FAILED,
		.attempts = (int)sql_column_integer(rows, 6),
		.next_attempt_at = sql_column_instant(rows, 7),
		.last_status = (int)sql_column_integer(rows, 8),
		.last_error = sql_column_bytes(rows, 9),
		.created_at = sql_column_instant(rows, 10),
		.delivered_at = sql_column_instant(rows, 11),
		.trace_id = sql_column_bytes(rows, 12),
	};
}

static struct delivery keep_delivery(struct arena *arena, struct delivery delivery)
{
	delivery.event_type = arena_copy(arena, delivery.event_type);
	delivery.body = arena_copy(arena, delivery.body);
	delivery.last_error = arena_copy(arena, delivery.last_error);
	delivery.trace_id = arena_copy(arena, delivery.trace_id);
	return delivery;
}

enum status notify_store_webhook_add(struct sql *sql, const struct webhook *webhook, bool *ret_inserted)
{
	int64_t inserted;
	const struct sql_value values[] = { SQL_UUID(webhook->id.uuid), SQL_TEXT(webhook->url),
		SQL_TEXT(webhook->event_types), SQL_BLOB(webhook->secret), SQL_INSTANT(webhook->created_at) };
	TRY(sql_execute_counted(sql, &webhook_insert, values, 5, &inserted));
	*ret_inserted = inserted > 0;
	return STATUS_OK;
}

enum status notify_store_webhook(
        struct sql *sql, struct webhook_id id, struct arena *arena, struct webhook *ret_webhook)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &webhook_get, (struct sql_value[]) { SQL_UUID(id.uuid) }, 1, &rows));
	bool is_found = sql_next(rows);
	struct webhook webhook = { 0 };
	if (is_found)
		webhook = keep_webhook(arena, read_webhook(rows));
	TRY(sql_end(rows));
	if (!is_found)
		return ERR_NOT_FOUND;
	*ret_webhook = webhook;
	return STATUS_OK;
}

enum status notify_store_webhook_count(struct sql *sql, int64_t *ret_count)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &webhook_count, NULL, 0, &rows));
	int64_t count = sql_next(rows) ? sql_column_integer(rows, 0) : 0;
	TRY(sql_end(rows));
	*ret_count = count;
	return STATUS_OK;
}

enum status notify_store_webhooks(
        struct sql *sql, const struct page *page, void (*take)(void *arg, const struct webhook *webhook), void *arg)
{
	struct sql_rows *rows;
	const struct sql_value values[] = { SQL_INSTANT(page->before_at), SQL_UUID(page->before_id),
		SQL_INTEGER(page->limit + 1) };
	TRY(sql_select(sql, &webhook_page, values, 3, &rows));
	while (sql_next(rows)) {
		struct webhook webhook = read_webhook(rows);
		take(arg, &webhook);
	}
	return sql_end(rows);
}

enum status notify_store_enabled(
        struct sql *sql, struct arena *arena, struct webhook *webhooks, size_t capacity, size_t *ret_count)
{
	struct sql_rows *rows;
	size_t count = 0;
	TRY(sql_select(sql, &webhook_enabled, NULL, 0, &rows));
	while (count < capacity && sql_next(rows))
		webhooks[count++] = keep_webhook(arena, read_webhook(rows));
	TRY(sql_end(rows));
	*ret_count = count;
	return STATUS_OK;
}

enum status notify_store_rotate(struct sql *sql, struct webhook_id id, struct slice sealed_secret,
        int64_t previous_valid_until, struct uuid rotation)
{
	const struct sql_value values[] = { SQL_UUID(id.uuid), SQL_INSTANT(previous_valid_until),
		SQL_BLOB(sealed_secret), SQL_UUID(rotation) };
	return sql_execute(sql, &webhook_rotate, values, 4);
}

enum status notify_store_enable(
        struct sql *sql, struct webhook_id id, bool is_enabled, struct slice reason, bool *ret_changed)
{
	int64_t changed;
	const struct sql_value values[] = { SQL_UUID(id.uuid),
		SQL_TEXT(slice_from(is_enabled ? "enabled" : "disabled")), SQL_TEXT_OR_NULL(reason) };
	TRY(sql_execute_counted(sql, &webhook_set_status, values, 3, &changed));
	*ret_changed = changed > 0;
	return STATUS_OK;
}

enum status notify_store_delete(struct sql *sql, struct webhook_id id)
{
	const struct sql_value value = SQL_UUID(id.uuid);
	TRY(sql_execute(sql, &delivery_delete_all, &value, 1));
	return sql_execute(sql, &webhook_delete, &value, 1);
}

enum status notify_store_delivery_add(struct sql *sql, const struct delivery *delivery)
{
	const struct sql_value values[] = { SQL_UUID(delivery->id.uuid), SQL_UUID(delivery->webhook.uuid),
		SQL_UUID(delivery->event.uuid), SQL_TEXT(delivery->event_type), SQL_TEXT(delivery->body),
		SQL_INSTANT(delivery->created_at), SQL_TEXT_OR_NULL(delivery->trace_id) };
	return sql_execute(sql, &delivery_insert, values, sizeof values / sizeof *values);
}

enum status notify_store_delivery(
        struct sql *sql, struct delivery_id id, struct arena *arena, struct delivery *ret_delivery)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &delivery_get, (struct sql_value[]) { SQL_UUID(id.uuid) }, 1, &rows));
	bool is_found = sql_next(rows);
	struct delivery delivery = { 0 };
	if (is_found)
		delivery = keep_delivery(arena, read_delivery(rows));
	TRY(sql_end(rows));
	if (!is_found)
		return ERR_NOT_FOUND;
	*ret_delivery = delivery;
	return STATUS_OK;
}

enum status notify_store_deliveries(struct sql *sql, struct webhook_id webhook, const struct page *page,
        void (*take)(void *arg, const struct delivery *delivery), void *arg)
{
	struct sql_rows *rows;
	const struct sql_value values[] = { SQL_INSTANT(page->before_at), SQL_UUID(page->before_id),
		SQL_INTEGER(page->limit + 1), SQL_UUID(webhook.uuid) };
	TRY(sql_select(sql, &delivery_page, values, 4, &rows));
	while (sql_next(rows)) {
		struct delivery delivery = read_delivery(rows);
		take(arg, &delivery);
	}
	return sql_end(rows);
}

enum status notify_store_due_webhook(
        struct sql *sql, int64_t now, const struct webhook_id busy[NOTIFY_BUSY_MAX], struct webhook_id *ret_webhook)
{
	struct sql_rows *rows;
	const struct sql_value values[] = { SQL_INSTANT(now), SQL_UUID(busy[0].uuid), SQL_UUID(busy[1].uuid),
		SQL_UUID(busy[2].uuid), SQL_UUID(busy[3].uuid) };
	_Static_assert(NOTIFY_BUSY_MAX == 4, "one parameter for each");
	TRY(sql_select(sql, &delivery_due_webhook, values, 5, &rows));
	struct webhook_id webhook = { 0 };
	if (sql_next(rows))
		webhook.uuid = sql_column_uuid(rows, 0);
	TRY(sql_end(rows));
	*ret_webhook = webhook;
	return STATUS_OK;
}

enum status notify_store_take_due(struct sql *sql, struct webhook_id webhook, int64_t now, int64_t lease_until,
        struct arena *arena, struct delivery *deliveries, size_t capacity, size_t *ret_count)
{
	struct sql_rows *rows;
	size_t count = 0;
	const struct sql_value values[] = { SQL_UUID(webhook.uuid), SQL_INSTANT(now), SQL_INTEGER(capacity) };
	TRY(sql_select(sql, &delivery_due, values, 3, &rows));
	while (count < capacity && sql_next(rows))
		deliveries[count++] = keep_delivery(arena, read_delivery(rows));
	TRY(sql_end(rows));
	for (size_t i = 0; i < count; i++)
		TRY(notify_store_give_back(sql, deliveries[i].id, lease_until));
	*ret_count = count;
	return STATUS_OK;
}

enum status notify_store_give_back(struct sql *sql, struct delivery_id id, int64_t now)
{
	return sql_execute(sql, &delivery_lease, (struct sql_value[]) { SQL_UUID(id.uuid), SQL_INSTANT(now) }, 2);
}

enum status notify_store_outcome(struct sql *sql, const struct delivery *delivery)
{
	const struct sql_value values[] = { SQL_UUID(delivery->id.uuid),
		SQL_TEXT(slice_from(delivery_status_name(delivery->status))), SQL_INTEGER(delivery->attempts),
		SQL_INSTANT_OR_NULL(delivery->next_attempt_at),
		delivery->last_status ? SQL_INTEGER(delivery->last_status) : SQL_NULL,
		SQL_TEXT_OR_NULL(delivery->last_error), SQL_INSTANT_OR_NULL(delivery->delivered_at) };
	return sql_execute(sql, &delivery_outcome, values, 7);
}

enum status notify_store_replay(struct sql *sql, struct delivery_id id, int64_t now)
{
	return sql_execute(sql, &delivery_replay, (struct sql_value[]) { SQL_UUID(id.uuid), SQL_INSTANT(now) }, 2);
}
