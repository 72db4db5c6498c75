/* JSON (RFC 8259), strict: UTF-8 only, no duplicate members, no lone surrogates, bounded depth, nothing after the
 * value. Numbers keep their text, because an amount's decimals are part of its meaning. */
#pragma once

#include "base/arena.h"
#include "base/problem.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "base/writer.h"

enum { JSON_DEPTH_MAX = 32, JSON_MEMBERS_MAX = 1024, JSON_VALUES_MAX = 100000 };

enum json_type { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool boolean;
	struct slice text;        /* a string's decoded bytes, a number's text as written */
	struct slice raw;         /* the value as written in the source */
	struct slice name;        /* the member's name inside an object */
	size_t count;             /* items or members */
	const struct json *first; /* first item or member */
	const struct json *next;  /* the next one in the same array or object */
};

/* Parses the whole text. Values point into `text` and the arena; both must outlive them.
 * ERR_INVALID_JSON, ERR_JSON_TOO_DEEP (over JSON_DEPTH_MAX) or ERR_JSON_DUPLICATE_KEY, with the byte offset in the
 * problem. An object may have JSON_MEMBERS_MAX members, a document JSON_VALUES_MAX values. */
enum status json_parse(struct slice text, struct arena *arena, const struct json **ret_json, struct problem *problem);

/* The member of an object; NULL when absent or when `object` is no object. A JSON null is found, not NULL. */
const struct json *json_member(const struct json *object, const char *name);

/* How an object's members become a C struct's fields. */
enum json_kind {
	JSON_AS_TEXT,      /* string, at most `max` bytes, no control characters -> struct slice */
	JSON_AS_BOOLEAN,   /* -> bool */
	JSON_AS_INTEGER,   /* whole number within int64 -> int64_t */
	JSON_AS_DECIMAL,   /* number or string holding one, text unchanged -> struct slice; see money_parse */
	JSON_AS_INSTANT,   /* RFC 3339 date-time -> int64_t microseconds since 1970 */
	JSON_AS_ID,        /* string `<prefix>-<uuid>` -> struct uuid (the first member of every id type) */
	JSON_AS_TEXT_LIST, /* array of at most `max` strings of at most 255 bytes -> struct slice_list */
	JSON_AS_VALUE,     /* anything -> const struct json * */
};

struct slice_list {
	struct slice *items; /* in the arena */
	size_t count;
};

struct json_field {
	const char *name;
	enum json_kind kind;
	bool is_required;
	size_t offset;      /* of the C field */
	size_t max;         /* text bytes (0 = 255) or list items (0 = 100) */
	const char *prefix; /* for JSON_AS_ID */
	size_t given;       /* offset of a bool set true when the member is present and not null; 0 = none (put the
	                     * bool anywhere but first) */
};

/* Binds every member of `object` by the table; members that are null count as absent. Refuses what is not an object
 * (ERR_INVALID_FIELD), unknown members (ERR_UNKNOWN_FIELD), missing ones (ERR_MISSING_FIELD), wrong types or values
 * (ERR_INVALID_FIELD, ERR_INVALID_ID), naming the member in the problem. Absent optional fields stay as they are. */
enum status json_bind(const struct json *object, const struct json_field *fields, size_t count, void *target,
        struct arena *arena, struct problem *problem);

/* json_parse and json_bind of a whole document; an empty text counts as `{}`. */
enum status json_read(struct slice text, const struct json_field *fields, size_t count, void *target,
        struct arena *arena, struct problem *problem);

/* --- Writing. Values are separated by the writer itself: call json_open/json_key/json_value... in order. ------- */

/* Where a value may stand: tracks the comma. One per document, on the stack. */
struct json_writer {
	struct writer *out;
	bool needs_comma;
};

void json_object_open(struct json_writer *json);
void json_object_close(struct json_writer *json);
void json_array_open(struct json_writer *json);
void json_array_close(struct json_writer *json);
/* The name is a literal of ours and needs no escaping. */
void json_key(struct json_writer *json, const char *name);
/* Bytes that are not UTF-8 become U+FFFD. */
void json_text(struct json_writer *json, struct slice text);
void json_i64(struct json_writer *json, int64_t value);
void json_boolean(struct json_writer *json, bool value);
void json_null(struct json_writer *json);
void json_instant(struct json_writer *json, int64_t at);
/* A value that is JSON already (a decimal number's text, a stored document). */
void json_raw(struct json_writer *json, struct slice raw);
/* `<prefix>-<uuid>` as a string. */
void json_id(struct json_writer *json, const char *prefix, struct uuid uuid);

/* key and value in one call, the common case */
void json_key_text(struct json_writer *json, const char *name, struct slice text);
/* Writes null for an empty slice. */
void json_key_text_or_null(struct json_writer *json, const char *name, struct slice text);
void json_key_i64(struct json_writer *json, const char *name, int64_t value);
void json_key_boolean(struct json_writer *json, const char *name, bool value);
/* Writes null for 0. */
void json_key_instant(struct json_writer *json, const char *name, int64_t at);
void json_key_raw(struct json_writer *json, const char *name, struct slice raw);
/* Writes null for the nil uuid. */
void json_key_id(struct json_writer *json, const char *name, const char *prefix, struct uuid uuid);
