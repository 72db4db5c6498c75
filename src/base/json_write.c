#include "base/json.h"

#include <assert.h>

#include "base/clock.h"
#include "base/encoding.h"

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
