/* Test vectors that others published. They stand beside the source tree, in $AGENTPAY_SHARED or ../shared; where they
 * are not, the test is skipped visibly, and fails when CI=true. */
#pragma once

#include <stdio.h>

#include "base/arena.h"
#include "base/encoding.h"
#include "base/json.h"
#include "testing.h"

static inline const char *vectors_path(struct arena *arena, const char *name)
{
	const char *shared = getenv("AGENTPAY_SHARED"), *source = getenv("AGENTPAY_SOURCE");
	struct slice path = shared ? arena_format(arena, "%s/vectors/%s", shared, name)
	                           : arena_format(arena, "%s/../shared/vectors/%s", source ? source : ".", name);
	return path.data;
}

/* The bytes of a vector file. */
static inline struct slice vectors_bytes(struct arena *arena, const char *name)
{
	const char *ci = getenv("CI"), *path = vectors_path(arena, name);
	FILE *file = fopen(path, "rb");
	if (!file && ci && strcmp(ci, "true") == 0)
		fail_msg("no test vectors: %s", path);
	if (!file) {
		print_message("no test vectors: %s\n", path);
		skip();
	}
	struct writer text = writer_growing(arena);
	char block[8192];
	for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
		write_bytes(&text, block, got);
	fclose(file);
	return writer_slice(&text);
}

static inline const struct json *vectors_read(struct arena *arena, const char *name)
{
	const struct json *json;
	struct problem problem;
	if (json_parse(vectors_bytes(arena, name), arena, &json, &problem) != STATUS_OK)
		fail_msg("%s: %s", name, problem.detail);
	return json;
}

/* The text of a member that must be there. */
static inline struct slice vector_text(const struct json *object, const char *name)
{
	const struct json *member = json_member(object, name);
	if (!member)
		fail_msg("no member %s", name);
	return member->text;
}

/* A member's hexadecimal text as bytes. */
static inline struct slice vector_bytes(const struct json *object, const char *name, struct arena *arena)
{
	struct slice text = vector_text(object, name);
	char *bytes = arena_alloc(arena, text.size / 2 + 1);
	size_t size;
	if (!hex_decode(text, bytes, text.size / 2, &size))
		fail_msg("no hexadecimal text in %s", name);
	return slice_make(bytes, size);
}

static inline bool vector_has(const struct json *list, const char *text)
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next)
		if (slice_is(item->text, text))
			return true;
	return false;
}
