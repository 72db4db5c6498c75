/* Do stored events have the members that their schemas in api/events name, all of them and in that order? */
#pragma once

#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "platform/outbox.h"
#include "testing.h"

/* api/events/<type>.json; fails when it is missing or no JSON. */
static inline const struct json *event_schema(struct arena *arena, struct slice type)
{
	const char *source = getenv("AGENTPAY_SOURCE");
	struct slice path = arena_format(arena, "%s/api/events/%.*s.json", source ? source : ".", SLICE_ARGS(type));
	char *text = arena_alloc(arena, 16384);
	const struct json *schema;
	FILE *file = fopen(path.data, "r");
	if (!file)
		fail_msg("%s is missing", path.data);
	size_t size = fread(text, 1, 16384, file);
	fclose(file);
	assert_status(json_parse(slice_make(text, size), arena, &schema, NULL), STATUS_OK);
	return schema;
}

static inline void assert_event_follows_its_schema(const struct event *event)
{
	struct arena arena = { 0 };
	const struct json *body, *schema = event_schema(&arena, event->type);
	assert_status(json_parse(event->body, &arena, &body, NULL), STATUS_OK);
	const struct json *member = body->first;
	for (const struct json *name = json_member(schema, "required")->first; name; name = name->next) {
		assert_non_null(member);
		assert_slice(member->name, arena_text(&arena, name->text));
		member = member->next;
	}
	assert_null(member);
	arena_clean_up(&arena);
}
