#include "base/log.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

enum { LINE_MAX = 4096, CONTEXT_MAX = 64 };

static _Atomic enum log_level least_level = LOG_INFO;
static _Atomic enum log_format line_format = LOG_JSON;

struct context_text {
	char bytes[CONTEXT_MAX];
	size_t size;
};
static _Thread_local struct context_text trace_id, span_id, request_id;

static const char *const level_names[] = { "debug", "info", "warning", "error" };

void log_configure(enum log_level least, enum log_format format)
{
	least_level = least;
	line_format = format;
}

static void copy_context(struct context_text *to, struct slice from)
{
	to->size = from.size < CONTEXT_MAX ? from.size : CONTEXT_MAX;
	if (to->size)
		memcpy(to->bytes, from.data, to->size);
}

void log_context_set(struct slice trace, struct slice span, struct slice request)
{
	copy_context(&trace_id, trace);
	copy_context(&span_id, span);
	copy_context(&request_id, request);
}

void log_context_clear(void)
{
	log_context_set(SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
}

static void write_context(struct json_writer *json, const char *name, const struct context_text *text)
{
	if (text->size)
		json_key_text(json, name, (struct slice) { text->bytes, text->size });
}

static void write_json_line(struct writer *out, enum log_level level, const char *service, const char *message,
        const struct log_field *fields, size_t count)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_instant(&json, "ts", clock_now());
	json_key_text(&json, "level", slice_from(level_names[level]));
	json_key_text(&json, "service", slice_from(service));
	json_key_text(&json, "msg", slice_from(message));
	write_context(&json, "trace_id", &trace_id);
	write_context(&json, "span_id", &span_id);
	write_context(&json, "request_id", &request_id);
	for (size_t i = 0; i < count; i++) {
		json_key(&json, fields[i].name);
		if (fields[i].kind == LOG_FIELD_INTEGER)
			json_i64(&json, fields[i].integer);
		else if (fields[i].kind == LOG_FIELD_ID)
			json_id(&json, fields[i].text.data, fields[i].uuid);
		else
			json_text(&json, fields[i].text);
	}
	json_object_close(&json);
}

static void write_plain_line(struct writer *out, enum log_level level, const char *service, const char *message,
        const struct log_field *fields, size_t count)
{
	write_instant(out, clock_now() / 1000 * 1000);
	writef(out, " %-7s %-8s %s", level_names[level], service, message);
	for (size_t i = 0; i < count; i++) {
		writef(out, " %s=", fields[i].name);
		if (fields[i].kind == LOG_FIELD_INTEGER) {
			write_i64(out, fields[i].integer);
		} else if (fields[i].kind == LOG_FIELD_ID) {
			writef(out, "%s-", fields[i].text.data);
			write_uuid(out, fields[i].uuid);
		} else {
			struct json_writer json = { .out = out };
			json_text(&json, fields[i].text);
		}
	}
	if (request_id.size)
		writef(out, " request_id=%.*s", (int)request_id.size, request_id.bytes);
}

void log_write(
        enum log_level level, const char *service, const char *message, const struct log_field *fields, size_t count)
{
	if (level < least_level)
		return;
	char line[LINE_MAX];
	struct writer out = writer_fixed(line, sizeof line - 1);
	if (line_format == LOG_JSON)
		write_json_line(&out, level, service, message, fields, count);
	else
		write_plain_line(&out, level, service, message, fields, count);
	line[out.size] = '\n';
	/* One write, so that lines of several threads do not mix; a full disk must not stop a payment. */
	ssize_t ignored = write(STDERR_FILENO, line, out.size + 1);
	(void)ignored;
}
