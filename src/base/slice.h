/* A view of bytes that somebody else owns. Passed by value; never NUL-terminated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *data;
	size_t size;
};

/* For printf: printf("%.*s", SLICE_ARGS(s)). Sizes beyond INT_MAX never occur: every input is bounded. */
#define SLICE_ARGS(s) (int)(s).size, (s).data
/* A slice of a string literal, usable in initialisers. */
#define SLICE(literal) ((struct slice) { "" literal, sizeof(literal) - 1 })
#define SLICE_EMPTY ((struct slice) { "", 0 })

static inline struct slice slice_make(const void *data, size_t size)
{
	return (struct slice) { data, size };
}

/* NULL gives the empty slice. */
static inline struct slice slice_from(const char *text)
{
	return text ? (struct slice) { text, strlen(text) } : SLICE_EMPTY;
}

static inline bool slice_is_empty(struct slice s)
{
	return s.size == 0;
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_is(struct slice s, const char *text)
{
	return slice_equal(s, slice_from(text));
}

static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.size >= prefix.size && slice_equal((struct slice) { s.data, prefix.size }, prefix);
}

/* The rest after `count` bytes; empty when the slice is shorter. */
static inline struct slice slice_skip(struct slice s, size_t count)
{
	return count >= s.size ? (struct slice) { s.data + s.size, 0 }
	                       : (struct slice) { s.data + count, s.size - count };
}

/* Equal without regard to ASCII letter case, as HTTP field names are. */
bool slice_equal_ignore_case(struct slice a, struct slice b);

/* Orders bytewise, a prefix before its extensions; <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);

/* Cuts off and returns what stands before the first `separator`; the whole rest when there is none.
 * `rest` is advanced behind the separator. Returns false when `rest` was already exhausted (data == NULL). */
bool slice_split(struct slice *rest, char separator, struct slice *ret_part);

/* Without ASCII blanks, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice s);

/* Decimal digits only, no sign, no blank, no empty text; false when it does not fit. */
bool slice_to_u64(struct slice s, uint64_t *ret_value);
/* As slice_to_u64 with an optional leading '-'. */
bool slice_to_i64(struct slice s, int64_t *ret_value);
