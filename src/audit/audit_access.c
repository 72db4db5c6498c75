#include "audit/audit_api.h"

#include "base/json.h"

enum { BODY_MAX = 512 };

enum status audit_access_store(struct sql *sql, const struct actor *actor, const struct audit_access *access)
{
	char body[BODY_MAX];
	struct writer out = writer_fixed(body, sizeof body);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "event_type", SLICE("audit.access"));
	json_key_id(&json, "user_id", ID_PREFIX_user, access->user.uuid);
	json_key_text(&json, "resource", slice_from(access->resource));
	json_key_text(&json, "action", slice_from(access->action));
	json_key_text_or_null(&json, "ip_address", actor->ip_address);
	json_key_instant(&json, "timestamp", access->at);
	json_object_close(&json);
	if (out.overflowed)
		return ERR_INTERNAL;
	const struct event event = { .id = uuid_new(),
		.type = SLICE("audit.access"),
		.entity_type = slice_from(access->entity_type ? access->entity_type : access->resource),
		.entity_id = access->entity,
		.actor = actor->name,
		.ip_address = actor->ip_address,
		.user_agent = actor->user_agent,
		.trace_id = actor->trace_id,
		.body = writer_slice(&out),
		.created_at = access->at };
	return outbox_add(sql, &event);
}
