#include "router/payment_moves.h"

enum { EVENT_TEXT_MAX = 512 };

static void write_body(struct writer *out, const struct payment *payment, const char *type, int64_t at)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_text(&json, "event_type", slice_from(type));
	json_key_id(&json, "payment_id", ID_PREFIX_payment, payment->id.uuid);
	json_key_id(&json, "agent_id", ID_PREFIX_agent, payment->agent.uuid);
	json_key(&json, "amount");
	write_money(out, payment->amount);
	json.needs_comma = true;
	json_key_text(&json, "currency", slice_from(currency_code(payment->amount.currency)));
	json_key_text_or_null(&json, "rail", slice_from(payment->has_rail ? rail_name(payment->rail) : ""));
	json_key_instant(&json, "timestamp", at);
	json_object_close(&json);
}

/* The fields that a change of state changes. */
static void write_values(struct writer *out, enum payment_status status, const struct payment *payment)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_text(&json, "status", slice_from(payment_status_name(status)));
	if (payment) {
		json_key_text_or_null(&json, "rail", slice_from(payment->has_rail ? rail_name(payment->rail) : ""));
		if (payment->decline_code.size)
			json_key_text(&json, "decline_code", payment->decline_code);
	}
	json_object_close(&json);
}

static struct event event_of(const struct payment *payment, const struct actor *actor, const char *type, int64_t at)
{
	return (struct event) {
		.id = uuid_new(),
		.type = slice_from(type),
		.entity_type = SLICE("payment"),
		.entity_id = payment->id.uuid,
		.actor = actor->name,
		.ip_address = actor->ip_address,
		.user_agent = actor->user_agent,
		.trace_id = actor->trace_id,
		.created_at = at,
	};
}

static struct slice body_of(const struct payment *payment, const char *type, int64_t at, struct arena *arena)
{
	char buffer[EVENT_TEXT_MAX];
	struct writer out = writer_fixed(buffer, sizeof buffer);
	write_body(&out, payment, type, at);
	return arena_copy(arena, writer_slice(&out));
}

static struct slice values_of(enum payment_status status, const struct payment *payment, struct arena *arena)
{
	char buffer[EVENT_TEXT_MAX];
	struct writer out = writer_fixed(buffer, sizeof buffer);
	write_values(&out, status, payment);
	return arena_copy(arena, writer_slice(&out));
}

void payment_opening_make(const struct payment *payment, const struct actor *actor, struct arena *arena,
        struct payment_opening *ret_opening)
{
	const char *initiated = payment_status_event(PAYMENT_CREATED);
	const char *reached = payment_status_event(payment->status);
	int64_t at = payment->created_at;
	ret_opening->payment = payment;
	ret_opening->event_count = 1;
	payment_row_make(payment, arena, &ret_opening->row);
	ret_opening->events[0] = event_of(payment, actor, initiated, at);
	ret_opening->events[0].body = body_of(payment, initiated, at, arena);
	ret_opening->events[0].new_values = values_of(PAYMENT_CREATED, NULL, arena);
	if (payment->status == PAYMENT_CREATED)
		return;
	ret_opening->event_count = 2;
	ret_opening->events[1] = event_of(payment, actor, reached, at);
	ret_opening->events[1].body = body_of(payment, reached, at, arena);
	ret_opening->events[1].old_values = ret_opening->events[0].new_values;
	ret_opening->events[1].new_values = values_of(payment->status, payment, arena);
}

enum status payment_opening_store(struct sql *sql, const struct payment_opening *opening)
{
	const struct payment *payment = opening->payment;
	TRY(payment_row_store(sql, &opening->row));
	for (size_t i = 0; i < opening->event_count; i++)
		TRY(outbox_add(sql, &opening->events[i]));
	if (payment->status == PAYMENT_CREATED || payment->status == PAYMENT_SETTLED)
		return STATUS_OK;
	return history_store(sql, payment, payment->decline_code);
}

enum status payment_tell(
        struct sql *sql, const struct actor *actor, const struct payment *payment, const char *type, int64_t at)
{
	char buffer[EVENT_TEXT_MAX];
	struct writer out = writer_fixed(buffer, sizeof buffer);
	struct event event = event_of(payment, actor, type, at);
	write_body(&out, payment, type, at);
	event.body = writer_slice(&out);
	return outbox_add(sql, &event);
}

static enum status tell_move(
        struct sql *sql, const struct actor *actor, const struct payment *payment, enum payment_status from, int64_t at)
{
	char buffer[3][EVENT_TEXT_MAX];
	struct writer body = writer_fixed(buffer[0], EVENT_TEXT_MAX), old = writer_fixed(buffer[1], EVENT_TEXT_MAX),
	              new = writer_fixed(buffer[2], EVENT_TEXT_MAX);
	const char *type = payment_status_event(payment->status);
	struct event event = event_of(payment, actor, type, at);
	write_body(&body, payment, type, at);
	write_values(&old, from, NULL);
	write_values(&new, payment->status, payment);
	event.body = writer_slice(&body);
	event.old_values = writer_slice(&old);
	event.new_values = writer_slice(&new);
	return outbox_add(sql, &event);
}

enum status payment_move(struct sql *sql, const struct actor *actor, struct payment *payment, enum payment_status to,
        int64_t at, struct slice reason)
{
	enum payment_status from = payment->status;
	if (!payment_may_move(from, to))
		return ERR_STATE_CONFLICT;
	payment->status = to;
	payment->version++;
	payment->updated_at = at;
	if (payment_status_is_final(to) && !payment->completed_at)
		payment->completed_at = at;
	TRY(payment_store_change(sql, payment));
	TRY(history_store(sql, payment, reason));
	return tell_move(sql, actor, payment, from, at);
}
