#include "platform/http_request.h"

#include "base/encoding.h"
#include "base/random.h"
#include "base/uuid.h"

enum { TRACEPARENT_SIZE = 55, TRACE_ID_AT = 3, TRACE_ID_SIZE = 32, SPAN_ID_AT = 36, SPAN_ID_SIZE = 16, FLAGS_AT = 53 };

static bool is_visible(struct slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
			return false;
	return true;
}

static bool has_control_characters(struct slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
			return true;
	return false;
}

/* "http://host/a" -> "/a"; the authority is ours whatever it says, because there is one server behind this socket. */
static struct slice without_authority(struct slice target)
{
	static const struct slice schemes[] = { { "http://", 7 }, { "https://", 8 } };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		if (!slice_starts_with(target, schemes[i]))
			continue;
		struct slice rest = slice_skip(target, schemes[i].size);
		const char *path = rest.size ? memchr(rest.data, '/', rest.size) : NULL;
		return path ? slice_skip(rest, (size_t)(path - rest.data)) : SLICE_EMPTY;
	}
	return target;
}

static bool decode_segments(struct slice path, struct arena *arena, struct http_segments *segments)
{
	struct slice rest = slice_skip(path, 1), part;
	bool is_encoded = path.size && memchr(path.data, '%', path.size);
	segments->count = 0;
	while (slice_split(&rest, '/', &part)) {
		if (segments->count == HTTP_SEGMENTS_MAX)
			return false;
		if (is_encoded && !percent_decode(part, false, arena, &part))
			return false;
		if (is_encoded && (has_control_characters(part) || !utf8_is_valid(part)))
			return false;
		segments->items[segments->count++] = part;
	}
	return true;
}

static struct slice join_segments(const struct http_segments *segments, struct arena *arena)
{
	struct writer path = writer_growing(arena);
	for (size_t i = 0; i < segments->count; i++) {
		write_char(&path, '/');
		write_slice(&path, segments->items[i]);
	}
	return writer_slice(&path);
}

/* A filter that cannot be read must not count as none, nor reach a database that refuses the text. */
static bool query_is_text(struct slice query, struct arena *arena)
{
	struct slice text;
	if (!query.size || !memchr(query.data, '%', query.size))
		return true;
	return percent_decode(query, true, arena, &text) && !has_control_characters(text) && utf8_is_valid(text);
}

bool http_target_parse(struct slice target, struct http_request *request, struct http_segments *ret_segments)
{
	struct http_segments segments;
	struct slice query = without_authority(target), path;
	if (!is_visible(target) || !query.size || query.data[0] != '/')
		return false;
	slice_split(&query, '?', &path);
	if (!decode_segments(path, request->arena, &segments) || !query_is_text(query, request->arena))
		return false;
	request->path = memchr(path.data, '%', path.size) ? join_segments(&segments, request->arena) : path;
	request->raw_query = query.data ? query : SLICE_EMPTY;
	*ret_segments = segments;
	return true;
}

/* The usual name needs no decoding; the decoded one is compared only when it could differ. */
static bool query_name_is(struct slice name, struct slice wanted, struct arena *arena)
{
	if (slice_equal(name, wanted))
		return true;
	bool is_encoded =
	        name.size >= wanted.size && (memchr(name.data, '%', name.size) || memchr(name.data, '+', name.size));
	return is_encoded && percent_decode(name, true, arena, &name) && slice_equal(name, wanted);
}

struct slice http_request_query(const struct http_request *request, const char *name)
{
	struct slice rest = request->raw_query, pair, key, wanted = slice_from(name);
	while (rest.size && slice_split(&rest, '&', &pair)) {
		struct slice value = pair;
		slice_split(&value, '=', &key);
		if (!query_name_is(key, wanted, request->arena))
			continue;
		if (!value.data || !percent_decode(value, true, request->arena, &value))
			return SLICE_EMPTY;
		return value;
	}
	return SLICE_EMPTY;
}

/* Lower-case hexadecimal with at least one digit other than zero. */
static bool is_trace_hex(struct slice text)
{
	bool is_zero = true;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		is_zero = is_zero && c == '0';
	}
	return !is_zero;
}

static bool traceparent_is_valid(struct slice text)
{
	if (text.size != TRACEPARENT_SIZE || memcmp(text.data, "00-", TRACE_ID_AT) != 0)
		return false;
	if (text.data[SPAN_ID_AT - 1] != '-' || text.data[FLAGS_AT - 1] != '-')
		return false;
	unsigned char flags;
	size_t size;
	return is_trace_hex((struct slice) { text.data + TRACE_ID_AT, TRACE_ID_SIZE }) &&
	       is_trace_hex((struct slice) { text.data + SPAN_ID_AT, SPAN_ID_SIZE }) &&
	       hex_decode((struct slice) { text.data + FLAGS_AT, 2 }, &flags, 1, &size);
}

void http_trace_begin(struct http_request *request, struct slice traceparent)
{
	char *text = arena_alloc(request->arena, TRACEPARENT_SIZE);
	struct writer out = writer_fixed(text, TRACEPARENT_SIZE);
	bool is_continued = traceparent_is_valid(traceparent);
	unsigned char random[24];
	random_bytes(random, sizeof random);
	/* Identifiers of zeros mean "none". */
	random[0] |= 1;
	random[16] |= 1;
	write_slice(&out, SLICE("00-"));
	if (is_continued)
		write_bytes(&out, traceparent.data + TRACE_ID_AT, TRACE_ID_SIZE);
	else
		write_hex(&out, random, 16);
	write_char(&out, '-');
	write_hex(&out, random + 16, 8);
	write_char(&out, '-');
	write_slice(&out, is_continued ? slice_skip(traceparent, FLAGS_AT) : SLICE("01"));
	request->traceparent = writer_slice(&out);
	request->trace_id = (struct slice) { text + TRACE_ID_AT, TRACE_ID_SIZE };
	request->span_id = (struct slice) { text + SPAN_ID_AT, SPAN_ID_SIZE };
}

struct slice http_traceparent(struct slice trace_id, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	unsigned char span[SPAN_ID_SIZE / 2];
	if (!trace_id.size)
		return SLICE_EMPTY;
	random_bytes(span, sizeof span);
	span[0] |= 1;
	writef(&out, "00-%.*s-", SLICE_ARGS(trace_id));
	write_hex(&out, span, sizeof span);
	write_slice(&out, SLICE("-01"));
	return writer_slice(&out);
}

static bool is_safe_identifier(struct slice text)
{
	if (!text.size || text.size > HTTP_REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		            c == '_' || c == '-'))
			return false;
	}
	return true;
}

void http_request_identify(struct http_request *request, struct slice given)
{
	if (is_safe_identifier(given)) {
		request->request_id = arena_copy(request->arena, given);
		return;
	}
	enum { SIZE = 4 + UUID_TEXT_SIZE };
	/* One byte more stays zero: the answer's header wants a C string. */
	struct writer out = writer_fixed(arena_alloc(request->arena, SIZE + 1), SIZE);
	write_slice(&out, SLICE("req-"));
	write_uuid(&out, uuid_new());
	request->request_id = writer_slice(&out);
}

static bool is_token_character(unsigned char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

bool http_field_is_valid(struct slice name, struct slice value)
{
	for (size_t i = 0; i < name.size; i++)
		if (!is_token_character((unsigned char)name.data[i]))
			return false;
	for (size_t i = 0; i < value.size; i++)
		if (((unsigned char)value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f)
			return false;
	return name.size > 0;
}

bool http_media_type_is_json(struct slice content_type)
{
	struct slice type;
	return slice_split(&content_type, ';', &type) &&
	       slice_equal_ignore_case(slice_trim(type), SLICE("application/json"));
}
