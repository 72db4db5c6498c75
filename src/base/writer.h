/* Text built into a buffer. Overflow is sticky: write freely, ask once at the end. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"

struct writer {
	char *data;
	size_t size;
	size_t capacity;
	struct arena *arena; /* NULL: fixed buffer */
	bool overflowed;
};

/* Writes into the caller's buffer and never beyond it. */
struct writer writer_fixed(char *buffer, size_t capacity);
/* Grows inside the arena without bound. */
struct writer writer_growing(struct arena *arena);

void write_bytes(struct writer *writer, const void *data, size_t size);
void write_slice(struct writer *writer, struct slice s);
void write_text(struct writer *writer, const char *text);
void write_char(struct writer *writer, char c);
void write_i64(struct writer *writer, int64_t value);
void write_u64(struct writer *writer, uint64_t value);
void write_hex(struct writer *writer, const void *data, size_t size);
void writef(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What was written so far; meaningless when it overflowed. */
struct slice writer_slice(const struct writer *writer);
