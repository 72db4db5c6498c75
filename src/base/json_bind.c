#include "base/json.h"

#include "base/clock.h"
#include "base/encoding.h"

static bool is_plain_text(struct slice text, size_t max)
{
	if (text.size > max)
		return false;
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return false;
	return true;
}

static enum status bind_text_list(const struct json *value, size_t max, void *target, struct arena *arena)
{
	if (value->type != JSON_ARRAY || value->count > max)
		return ERR_INVALID_FIELD;
	struct slice_list list = { .items = ARENA_ARRAY(arena, struct slice, value->count) };
	for (const struct json *item = value->first; item; item = item->next) {
		if (item->type != JSON_STRING || !is_plain_text(item->text, 255))
			return ERR_INVALID_FIELD;
		list.items[list.count++] = item->text;
	}
	*(struct slice_list *)target = list;
	return STATUS_OK;
}

/* `target` points at the field; only its own bytes are written, and only on success. */
static enum status bind_value(
        const struct json *value, const struct json_field *field, void *target, struct arena *arena)
{
	switch (field->kind) {
	case JSON_AS_TEXT:
		if (value->type != JSON_STRING || !is_plain_text(value->text, field->max ? field->max : 255))
			return ERR_INVALID_FIELD;
		*(struct slice *)target = value->text;
		return STATUS_OK;
	case JSON_AS_BOOLEAN:
		if (value->type != JSON_BOOLEAN)
			return ERR_INVALID_FIELD;
		*(bool *)target = value->boolean;
		return STATUS_OK;
	case JSON_AS_INTEGER:
		return value->type == JSON_NUMBER && slice_to_i64(value->text, target) ? STATUS_OK : ERR_INVALID_FIELD;
	case JSON_AS_DECIMAL:
		if ((value->type != JSON_NUMBER && value->type != JSON_STRING) || value->text.size > 64)
			return ERR_INVALID_FIELD;
		*(struct slice *)target = value->text;
		return STATUS_OK;
	case JSON_AS_INSTANT:
		return value->type == JSON_STRING && instant_parse(value->text, target) ? STATUS_OK : ERR_INVALID_FIELD;
	case JSON_AS_ID: {
		struct slice prefix = slice_from(field->prefix);
		if (value->type != JSON_STRING || !slice_starts_with(value->text, prefix) ||
		        value->text.size == prefix.size || value->text.data[prefix.size] != '-' ||
		        !uuid_parse(slice_skip(value->text, prefix.size + 1), target))
			return ERR_INVALID_ID;
		return STATUS_OK;
	}
	case JSON_AS_TEXT_LIST:
		return bind_text_list(value, field->max ? field->max : 100, target, arena);
	case JSON_AS_VALUE:
		*(const struct json **)target = value;
		return STATUS_OK;
	}
	return ERR_INTERNAL;
}

static const struct json_field *find_field(const struct json_field *fields, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(name, fields[i].name))
			return &fields[i];
	return NULL;
}

static const char *kind_names[] = {
	[JSON_AS_TEXT] = "a string without control characters, within its length limit",
	[JSON_AS_BOOLEAN] = "true or false",
	[JSON_AS_INTEGER] = "a whole number",
	[JSON_AS_DECIMAL] = "a decimal number or a string holding one",
	[JSON_AS_INSTANT] = "an RFC 3339 date-time",
	[JSON_AS_ID] = "an identifier",
	[JSON_AS_TEXT_LIST] = "an array of strings, within its length limit",
	[JSON_AS_VALUE] = "a value",
};

/* As much of the sender's name as a problem shows, cut between two characters. */
static struct slice shown_name(struct slice name)
{
	name.size = name.size > 60 ? 60 : name.size;
	while (!utf8_is_valid(name))
		name.size--;
	return name;
}

enum status json_bind(const struct json *object, const struct json_field *fields, size_t count, void *target,
        struct arena *arena, struct problem *problem)
{
	if (object->type != JSON_OBJECT)
		return problem_set(problem, ERR_INVALID_FIELD, "", "Expected a JSON object.");
	for (const struct json *member = object->first; member; member = member->next) {
		const struct json_field *field = find_field(fields, count, member->name);
		if (!field) {
			return problem_set(problem, ERR_UNKNOWN_FIELD, arena_text(arena, shown_name(member->name)),
			        "There is no such member here.");
		}
		if (member->type == JSON_NULL)
			continue;
		enum status status = bind_value(member, field, (char *)target + field->offset, arena);
		if (status == ERR_INVALID_ID)
			return problem_set(problem, status, field->name, "Expected %s-<uuid>.", field->prefix);
		if (status != STATUS_OK)
			return problem_set(problem, status, field->name, "Expected %s.", kind_names[field->kind]);
		if (field->given)
			*(bool *)((char *)target + field->given) = true;
	}
	for (size_t i = 0; i < count; i++) {
		const struct json *member = fields[i].is_required ? json_member(object, fields[i].name) : NULL;
		if (fields[i].is_required && (!member || member->type == JSON_NULL))
			return problem_set(problem, ERR_MISSING_FIELD, fields[i].name, "This member is required.");
	}
	return STATUS_OK;
}

enum status json_read(struct slice text, const struct json_field *fields, size_t count, void *target,
        struct arena *arena, struct problem *problem)
{
	const struct json *value;
	TRY(json_parse(text.size ? text : SLICE("{}"), arena, &value, problem));
	return json_bind(value, fields, count, target, arena, problem);
}
