#include "base/json.h"

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
	uint32_t unit = 0, low = 0;
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
