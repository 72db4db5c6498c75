#include "notify/notify_events.h"

#include "base/json.h"

enum status notify_event_store(struct sql *sql, const char *type, const struct actor *actor, struct webhook_id webhook,
        int64_t at, struct slice old_values, struct slice new_values)
{
	char body[256];
	struct writer out = writer_fixed(body, sizeof body);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "event_type", slice_from(type));
	json_key_id(&json, "webhook_id", ID_PREFIX_webhook, webhook.uuid);
	json_key_instant(&json, "timestamp", at);
	json_object_close(&json);
	if (out.overflowed)
		return ERR_INTERNAL;
	const struct event event = { .id = uuid_new(),
		.type = slice_from(type),
		.entity_type = SLICE("webhook"),
		.entity_id = webhook.uuid,
		.actor = actor->name,
		.ip_address = actor->ip_address,
		.user_agent = actor->user_agent,
		.trace_id = actor->trace_id,
		.body = writer_slice(&out),
		.old_values = old_values,
		.new_values = new_values,
		.created_at = at };
	return outbox_add(sql, &event);
}
