/* Structured logs on standard error: one JSON object a line, or aligned text for people. Fixed fields: ts level
 * service msg trace_id span_id request_id, then the event's own. Never log a token, key, password or personal data.
 * Services log once per outcome; rules never. */
#pragma once

#include "base/slice.h"
#include "base/status.h"
#include "base/uuid.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_JSON, LOG_PLAIN };

struct log_field {
	const char *name;
	enum { LOG_FIELD_TEXT, LOG_FIELD_INTEGER, LOG_FIELD_ID } kind;
	struct slice text; /* LOG_FIELD_ID: the prefix */
	int64_t integer;
	struct uuid uuid;
};

#define LOG_SLICE(field, value) \
	{ \
		.name = (field), .kind = LOG_FIELD_TEXT, .text = (value) \
	}
#define LOG_TEXT(field, value) \
	{ \
		.name = (field), .kind = LOG_FIELD_TEXT, .text = slice_from(value) \
	}
#define LOG_INT(field, value) \
	{ \
		.name = (field), .kind = LOG_FIELD_INTEGER, .integer = (int64_t)(value) \
	}
#define LOG_STATUS(status) LOG_TEXT("code", status_code(status))
#define LOG_ID(field, prefix, value) \
	{ \
		.name = (field), .kind = LOG_FIELD_ID, .text = slice_from(prefix), .uuid = (value) \
	}

void log_configure(enum log_level least, enum log_format format);

/* The request that this thread works for; texts are copied, "" when there is none. */
void log_context_set(struct slice trace_id, struct slice span_id, struct slice request_id);
void log_context_clear(void);

void log_write(
        enum log_level level, const char *service, const char *message, const struct log_field *fields, size_t count);

/* log_event(LOG_INFO, "router", "payment settled", LOG_INT("fee", 3), LOG_TEXT("rail", "ach")); at least one field */
#define log_event(level, service, message, ...) \
	do { \
		const struct log_field fields_[] = { __VA_ARGS__ }; \
		log_write((level), (service), (message), fields_, sizeof fields_ / sizeof *fields_); \
	} while (0)
