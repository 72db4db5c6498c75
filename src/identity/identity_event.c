#include "identity/identity_core.h"

#include "base/clock.h"

/* {"event_type":…, ids…, "timestamp":…} */
static void write_body(struct writer *out, const struct identity_event *event, int64_t now)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_text(&json, "event_type", slice_from(event->type));
	for (size_t i = 0; i < sizeof event->ids / sizeof *event->ids && event->ids[i].name; i++)
		json_key_id(&json, event->ids[i].name, event->ids[i].prefix, event->ids[i].uuid);
	json_key_instant(&json, "timestamp", now);
	json_object_close(&json);
}

enum status identity_event_add(
        struct sql *sql, const struct actor *actor, int64_t now, const struct identity_event *event)
{
	char body[512];
	struct writer out = writer_fixed(body, sizeof body);
	write_body(&out, event, now);
	if (out.overflowed)
		return ERR_INTERNAL;
	const struct event row = {
		.id = uuid_new(),
		.type = slice_from(event->type),
		.entity_type = slice_from(event->entity_type),
		.entity_id = event->ids[0].uuid,
		.actor = actor->name,
		.ip_address = actor->ip_address,
		.user_agent = actor->user_agent,
		.trace_id = actor->trace_id,
		.body = writer_slice(&out),
		.old_values = event->old_values,
		.new_values = event->new_values,
		.created_at = now,
	};
	return outbox_add(sql, &row);
}
