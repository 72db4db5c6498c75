#include "base/json.h"

#include <assert.h>

#include "base/clock.h"
#include "base/encoding.h"

struct parser {
	struct slice text;
	size_t at;
	int depth;
	size_t values;
	struct arena *arena;
	struct problem *problem;
};

static enum status parse_value(struct parser *parser, struct json *value);

static enum status fail(struct parser *parser, enum status status, const char *what)
{
	return problem_set(parser->problem, status, "", "%s at byte %zu.", what, parser->at);
}

static int peek(const struct parser *parser)
{
	return parser->at < parser->text.size ? (unsigned char)parser->text.data[parser->at] : -1;
}

static void skip_blanks(struct parser *parser)
{
	for (int c = peek(parser); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(parser))
		parser->at++;
}

static bool take(struct parser *parser, char c)
{
	if (peek(parser) != (unsigned char)c)
		return false;
	parser->at++;
	return true;
}

static enum status take_literal(struct parser *parser, struct slice literal)
{
	if (!slice_starts_with(slice_skip(parser->text, parser->at), literal))
		return fail(parser, ERR_INVALID_JSON, "Unexpected character");
	parser->at += literal.size;
	return STATUS_OK;
}

static enum status take_hex4(struct parser *parser, uint32_t *ret_unit)
{
	unsigned char bytes[2];
	size_t size;
	if (parser->text.size - parser->at < 4 ||
	        !hex_decode((struct slice) { parser->text.data + parser->at, 4 }, bytes, 2, &size))
		return fail(parser, ERR_INVALID_JSON, "Bad \\u escape");
	parser->at += 4;
	*ret_unit = (uint32_t)bytes[0] << 8 | bytes[1];
	return STATUS_OK;
}

static void write_utf8(struct writer *out, uint32_t point)
{
	if (point < 0x80) {
		write_char(out, (char)point);
	} else if (point < 0x800) {
		write_char(out, (char)(0xc0 | point >> 6));
		write_char(out, (char)(0x80 | (point & 63)));
	} else {
		if (point < 0x10000) {
			write_char(out, (char)(0xe0 | point >> 12));
		} else {
			write_char(out, (char)(0xf0 | point >> 18));
			write_char(out, (char)(0x80 | (point >> 12 & 63)));
		}
		write_char(out, (char)(0x80 | (point >> 6 & 63)));
		write_char(out, (char)(0x80 | (point & 63)));
	}
}

/* What follows a backslash. A surrogate must come as a pair. */
static enum status parse_escape(struct parser *parser, struct writer *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int c = peek(parser);
	const char *simple = c > 0 ? strchr(from, c) : NULL;
	uint32_t unit, low;
	if (simple) {
		parser->at++;
		write_char(out, to[simple - from]);
		return STATUS_OK;
	}
	if (!take(parser, 'u'))
		return fail(parser, ERR_INVALID_JSON, "Unknown escape");
	TRY(take_hex4(parser, &unit));
	if (unit >= 0xd800 && unit < 0xdc00) {
		if (!take(parser, '\\') || !take(parser, 'u'))
			return fail(parser, ERR_INVALID_JSON, "Lone surrogate");
		TRY(take_hex4(parser, &low));
		if (low < 0xdc00 || low > 0xdfff)
			return fail(parser, ERR_INVALID_JSON, "Lone surrogate");
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	} else if (unit >= 0xdc00 && unit <= 0xdfff) {
		return fail(parser, ERR_INVALID_JSON, "Lone surrogate");
	}
	write_utf8(out, unit);
	return STATUS_OK;
}

/* Behind the opening quote. A string without escapes is a view of the source. */
static enum status parse_string(struct parser *parser, struct slice *ret_text)
{
	size_t start = parser->at;
	struct writer out = { 0 };
	for (;;) {
		int c = peek(parser);
		if (c < 0x20)
			return fail(parser, ERR_INVALID_JSON,
			        c < 0 ? "Unterminated string" : "Control character in a string");
		if (c == '"')
			break;
		parser->at++;
		if (c == '\\') {
			if (!out.arena) {
				out = writer_growing(parser->arena);
				write_bytes(&out, parser->text.data + start, parser->at - 1 - start);
			}
			TRY(parse_escape(parser, &out));
		} else if (out.arena) {
			write_char(&out, (char)c);
		}
	}
	struct slice plain = { parser->text.data + start, parser->at - start };
	parser->at++;
	*ret_text = out.arena ? writer_slice(&out) : plain;
	return STATUS_OK;
}

static bool take_digits(struct parser *parser)
{
	size_t start = parser->at;
	while (peek(parser) >= '0' && peek(parser) <= '9')
		parser->at++;
	return parser->at > start;
}

static enum status parse_number(struct parser *parser)
{
	take(parser, '-');
	bool starts_with_zero = take(parser, '0');
	if (!starts_with_zero && !take_digits(parser))
		return fail(parser, ERR_INVALID_JSON, "Unexpected character");
	if (take(parser, '.') && !take_digits(parser))
		return fail(parser, ERR_INVALID_JSON, "Bad number");
	if (take(parser, 'e') || take(parser, 'E')) {
		if (!take(parser, '+'))
			take(parser, '-');
		if (!take_digits(parser))
			return fail(parser, ERR_INVALID_JSON, "Bad number");
	}
	int next = peek(parser);
	if (next >= '0' && next <= '9')
		return fail(parser, ERR_INVALID_JSON, "Number with a leading zero");
	return STATUS_OK;
}

static void append(struct json *parent, struct json **last, struct json *child)
{
	if (*last)
		(*last)->next = child;
	else
		parent->first = child;
	*last = child;
	parent->count++;
}

static bool has_member(const struct json *object, struct slice name)
{
	for (const struct json *member = object->first; member; member = member->next)
		if (slice_equal(member->name, name))
			return true;
	return false;
}

static enum status parse_array(struct parser *parser, struct json *array)
{
	struct json *last = NULL;
	skip_blanks(parser);
	if (take(parser, ']'))
		return STATUS_OK;
	do {
		struct json *item = ARENA_NEW(parser->arena, struct json);
		TRY(parse_value(parser, item));
		append(array, &last, item);
		skip_blanks(parser);
	} while (take(parser, ','));
	return take(parser, ']') ? STATUS_OK : fail(parser, ERR_INVALID_JSON, "Expected , or ]");
}

static enum status parse_object(struct parser *parser, struct json *object)
{
	struct json *last = NULL;
	skip_blanks(parser);
	if (take(parser, '}'))
		return STATUS_OK;
	do {
		struct json *member = ARENA_NEW(parser->arena, struct json);
		struct slice name;
		skip_blanks(parser);
		if (!take(parser, '"'))
			return fail(parser, ERR_INVALID_JSON, "Expected a member name");
		TRY(parse_string(parser, &name));
		if (has_member(object, name))
			return fail(parser, ERR_JSON_DUPLICATE_KEY, "Member named twice");
		skip_blanks(parser);
		if (!take(parser, ':'))
			return fail(parser, ERR_INVALID_JSON, "Expected :");
		TRY(parse_value(parser, member));
		member->name = name;
		append(object, &last, member);
		if (object->count > JSON_MEMBERS_MAX)
			return fail(parser, ERR_INVALID_JSON, "Too many members");
		skip_blanks(parser);
	} while (take(parser, ','));
	return take(parser, '}') ? STATUS_OK : fail(parser, ERR_INVALID_JSON, "Expected , or }");
}

static enum status parse_container(struct parser *parser, struct json *value, char open)
{
	if (++parser->depth > JSON_DEPTH_MAX)
		return fail(parser, ERR_JSON_TOO_DEEP, "Nested too deeply");
	parser->at++;
	value->type = open == '{' ? JSON_OBJECT : JSON_ARRAY;
	TRY(open == '{' ? parse_object(parser, value) : parse_array(parser, value));
	parser->depth--;
	return STATUS_OK;
}

static enum status parse_value(struct parser *parser, struct json *value)
{
	skip_blanks(parser);
	size_t start = parser->at;
	int c = peek(parser);
	if (++parser->values > JSON_VALUES_MAX)
		return fail(parser, ERR_INVALID_JSON, "Too many values");
	switch (c) {
	case '{':
	case '[':
		TRY(parse_container(parser, value, (char)c));
		break;
	case '"':
		parser->at++;
		value->type = JSON_STRING;
		TRY(parse_string(parser, &value->text));
		break;
	case 't':
	case 'f':
		value->type = JSON_BOOLEAN;
		value->boolean = c == 't';
		TRY(take_literal(parser, c == 't' ? SLICE("true") : SLICE("false")));
		break;
	case 'n':
		value->type = JSON_NULL;
		TRY(take_literal(parser, SLICE("null")));
		break;
	default:
		value->type = JSON_NUMBER;
		TRY(parse_number(parser));
		value->text = (struct slice) { parser->text.data + start, parser->at - start };
	}
	value->raw = (struct slice) { parser->text.data + start, parser->at - start };
	return STATUS_OK;
}

enum status json_parse(struct slice text, struct arena *arena, const struct json **ret_json, struct problem *problem)
{
	struct parser parser = { .text = text, .arena = arena, .problem = problem };
	struct json *value = ARENA_NEW(arena, struct json);
	if (!utf8_is_valid(text))
		return problem_set(problem, ERR_INVALID_JSON, "", "The body is not UTF-8.");
	TRY(parse_value(&parser, value));
	skip_blanks(&parser);
	if (parser.at != text.size)
		return fail(&parser, ERR_INVALID_JSON, "Something follows the value");
	*ret_json = value;
	return STATUS_OK;
}

const struct json *json_member(const struct json *object, const char *name)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *member = object->first; member; member = member->next)
		if (slice_is(member->name, name))
			return member;
	return NULL;
}

/* --- Binding ------------------------------------------------------------------------------------------------- */

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

/* --- Writing ------------------------------------------------------------------------------------------------- */

static void separate(struct json_writer *json)
{
	if (json->needs_comma)
		write_char(json->out, ',');
	json->needs_comma = true;
}

static void open_container(struct json_writer *json, char c)
{
	separate(json);
	write_char(json->out, c);
	json->needs_comma = false;
}

static void close_container(struct json_writer *json, char c)
{
	write_char(json->out, c);
	json->needs_comma = true;
}

void json_object_open(struct json_writer *json)
{
	open_container(json, '{');
}

void json_object_close(struct json_writer *json)
{
	close_container(json, '}');
}

void json_array_open(struct json_writer *json)
{
	open_container(json, '[');
}

void json_array_close(struct json_writer *json)
{
	close_container(json, ']');
}

void json_key(struct json_writer *json, const char *name)
{
	separate(json);
	write_char(json->out, '"');
	write_text(json->out, name);
	write_bytes(json->out, "\":", 2);
	json->needs_comma = false;
}

static void write_escaped(struct writer *out, struct slice text)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	size_t clean = 0;
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		write_bytes(out, text.data + clean, i - clean);
		clean = i + 1;
		const char *simple = c ? strchr(from, c) : NULL;
		write_char(out, '\\');
		if (simple)
			write_char(out, to[simple - from]);
		else
			writef(out, "u%04x", c);
	}
	write_bytes(out, text.data + clean, text.size - clean);
}

void json_text(struct json_writer *json, struct slice text)
{
	separate(json);
	write_char(json->out, '"');
	if (utf8_is_valid(text)) {
		write_escaped(json->out, text);
	} else {
		for (size_t i = 0; i < text.size; i++)
			write_escaped(json->out, (unsigned char)text.data[i] < 0x80
			                                 ? (struct slice) { text.data + i, 1 }
			                                 : SLICE("\xef\xbf\xbd"));
	}
	write_char(json->out, '"');
}

void json_i64(struct json_writer *json, int64_t value)
{
	separate(json);
	write_i64(json->out, value);
}

void json_boolean(struct json_writer *json, bool value)
{
	json_raw(json, value ? SLICE("true") : SLICE("false"));
}

void json_null(struct json_writer *json)
{
	json_raw(json, SLICE("null"));
}

void json_instant(struct json_writer *json, int64_t at)
{
	separate(json);
	write_char(json->out, '"');
	write_instant(json->out, at);
	write_char(json->out, '"');
}

void json_raw(struct json_writer *json, struct slice raw)
{
	assert(raw.size);
	separate(json);
	write_slice(json->out, raw);
}

void json_id(struct json_writer *json, const char *prefix, struct uuid uuid)
{
	separate(json);
	write_char(json->out, '"');
	write_text(json->out, prefix);
	write_char(json->out, '-');
	write_uuid(json->out, uuid);
	write_char(json->out, '"');
}

void json_key_text(struct json_writer *json, const char *name, struct slice text)
{
	json_key(json, name);
	json_text(json, text);
}

void json_key_text_or_null(struct json_writer *json, const char *name, struct slice text)
{
	json_key(json, name);
	if (text.size)
		json_text(json, text);
	else
		json_null(json);
}

void json_key_i64(struct json_writer *json, const char *name, int64_t value)
{
	json_key(json, name);
	json_i64(json, value);
}

void json_key_boolean(struct json_writer *json, const char *name, bool value)
{
	json_key(json, name);
	json_boolean(json, value);
}

void json_key_instant(struct json_writer *json, const char *name, int64_t at)
{
	json_key(json, name);
	if (at)
		json_instant(json, at);
	else
		json_null(json);
}

void json_key_raw(struct json_writer *json, const char *name, struct slice raw)
{
	json_key(json, name);
	json_raw(json, raw);
}

void json_key_id(struct json_writer *json, const char *name, const char *prefix, struct uuid uuid)
{
	json_key(json, name);
	if (uuid_is_nil(uuid))
		json_null(json);
	else
		json_id(json, prefix, uuid);
}
