/* The JSON reader and writer: what is read and written again reads as the same, and binding any document to a table of
 * every kind keeps its promises. */
#include <stdlib.h>

#include "base/encoding.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void write_value(struct json_writer *json, const struct json *value, struct arena *arena);

/* json_key takes names of ours, which need no escaping; these are written as texts first. */
static void write_members(struct json_writer *json, const struct json *object, struct arena *arena)
{
	for (const struct json *member = object->first; member; member = member->next) {
		struct writer name = writer_growing(arena);
		struct json_writer name_json = { .out = &name };
		json_text(&name_json, member->name);
		json_key(json, arena_text(arena, (struct slice) { name.data + 1, name.size - 2 }));
		write_value(json, member, arena);
	}
}

static void write_value(struct json_writer *json, const struct json *value, struct arena *arena)
{
	switch (value->type) {
	case JSON_NULL:
		json_null(json);
		break;
	case JSON_BOOLEAN:
		json_boolean(json, value->boolean);
		break;
	case JSON_NUMBER:
		json_raw(json, value->text);
		break;
	case JSON_STRING:
		json_text(json, value->text);
		break;
	case JSON_ARRAY:
		json_array_open(json);
		for (const struct json *item = value->first; item; item = item->next)
			write_value(json, item, arena);
		json_array_close(json);
		break;
	case JSON_OBJECT:
		json_object_open(json);
		write_members(json, value, arena);
		json_object_close(json);
		break;
	}
}

static void need_same(const struct json *a, const struct json *b)
{
	need(a->type == b->type && a->boolean == b->boolean && a->count == b->count);
	need(slice_equal(a->text, b->text) && slice_equal(a->name, b->name));
	const struct json *left = a->first, *right = b->first;
	for (; left && right; left = left->next, right = right->next)
		need_same(left, right);
	need(!left && !right);
}

struct form {
	struct slice text, decimal;
	struct slice_list list;
	struct uuid id;
	int64_t integer, at;
	const struct json *value;
	bool boolean, given;
};

static void try_binding(const struct json *json, struct arena *arena)
{
	static const struct json_field fields[] = {
		{ "t", JSON_AS_TEXT, .offset = offsetof(struct form, text), .max = 5,
		        .given = offsetof(struct form, given) },
		{ "b", JSON_AS_BOOLEAN, .offset = offsetof(struct form, boolean) },
		{ "i", JSON_AS_INTEGER, .offset = offsetof(struct form, integer) },
		{ "d", JSON_AS_DECIMAL, .offset = offsetof(struct form, decimal) },
		{ "a", JSON_AS_INSTANT, .offset = offsetof(struct form, at) },
		{ "u", JSON_AS_ID, .offset = offsetof(struct form, id), .prefix = "pay" },
		{ "l", JSON_AS_TEXT_LIST, .offset = offsetof(struct form, list), .max = 2 },
		{ "v", JSON_AS_VALUE, .offset = offsetof(struct form, value) },
	};
	struct form form = { 0 };
	struct problem problem = { .param = "" };
	enum status status = json_bind(json, fields, sizeof fields / sizeof *fields, &form, arena, &problem);
	need(utf8_is_valid(slice_from(problem.param)) && utf8_is_valid(slice_from(problem.detail)));
	if (status != STATUS_OK)
		return;
	need(form.text.size <= 5 && form.decimal.size <= 64 && form.list.count <= 2);
	need(!form.text.size || form.given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	const struct json *json, *again;
	struct problem problem = { .param = "" };
	enum status status = json_parse(slice_make(data, size), &arena, &json, &problem);
	if (status == STATUS_OK) {
		struct writer out = writer_growing(&arena);
		struct json_writer writer = { .out = &out };
		write_value(&writer, json, &arena);
		need(json_parse(writer_slice(&out), &arena, &again, NULL) == STATUS_OK);
		need_same(json, again);
		need(json_parse(json->raw, &arena, &again, NULL) == STATUS_OK);
		need_same(json, again);
		try_binding(json, &arena);
	} else {
		need(status == ERR_INVALID_JSON || status == ERR_JSON_TOO_DEEP || status == ERR_JSON_DUPLICATE_KEY);
		need(problem.detail[0]);
	}
	arena_clean_up(&arena);
	return 0;
}
