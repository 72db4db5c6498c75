#include "base/writer.h"

#include <stdarg.h>
#include <stdio.h>

struct writer writer_fixed(char *buffer, size_t capacity)
{
	return (struct writer) { .data = buffer, .capacity = capacity };
}

struct writer writer_growing(struct arena *arena)
{
	return (struct writer) { .arena = arena };
}

/* Makes room for `size` more bytes, or marks the overflow. */
static bool reserve(struct writer *writer, size_t size)
{
	if (writer->overflowed)
		return false;
	if (size <= writer->capacity - writer->size)
		return true;
	if (!writer->arena) {
		writer->overflowed = true;
		return false;
	}
	size_t capacity = writer->capacity ? writer->capacity * 2 : 256;
	while (capacity - writer->size < size)
		capacity *= 2;
	char *data = arena_alloc(writer->arena, capacity);
	if (writer->size)
		memcpy(data, writer->data, writer->size);
	writer->data = data;
	writer->capacity = capacity;
	return true;
}

void write_bytes(struct writer *writer, const void *data, size_t size)
{
	if (!size || !reserve(writer, size))
		return;
	memcpy(writer->data + writer->size, data, size);
	writer->size += size;
}

void write_slice(struct writer *writer, struct slice s)
{
	write_bytes(writer, s.data, s.size);
}

void write_text(struct writer *writer, const char *text)
{
	write_slice(writer, slice_from(text));
}

void write_char(struct writer *writer, char c)
{
	write_bytes(writer, &c, 1);
}

void write_u64(struct writer *writer, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	write_bytes(writer, digits + at, sizeof digits - at);
}

void write_i64(struct writer *writer, int64_t value)
{
	if (value < 0)
		write_char(writer, '-');
	write_u64(writer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void write_hex(struct writer *writer, const void *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;
	for (size_t i = 0; i < size; i++) {
		write_char(writer, digits[bytes[i] >> 4]);
		write_char(writer, digits[bytes[i] & 15]);
	}
}

void writef(struct writer *writer, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	/* vsnprintf also writes a NUL, so one byte more is reserved than is kept. */
	if (size < 0 || !reserve(writer, (size_t)size + 1)) {
		writer->overflowed = true;
	} else {
		vsnprintf(writer->data + writer->size, (size_t)size + 1, format, again);
		writer->size += (size_t)size;
	}
	va_end(again);
}

struct slice writer_slice(const struct writer *writer)
{
	return (struct slice) { writer->data ? writer->data : "", writer->size };
}
