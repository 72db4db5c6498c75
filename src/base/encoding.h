/* Hexadecimal, base64 (RFC 4648 section 4) and base64url without padding (section 5). Decoding is strict: no blanks,
 * no line ends, no wrong padding, no stray trailing bits. */
#pragma once

#include "base/slice.h"
#include "base/writer.h"

void write_base64(struct writer *writer, const void *data, size_t size);
void write_base64url(struct writer *writer, const void *data, size_t size);

/* The value of a hexadecimal digit in either letter case; -1 when it is none. */
int hex_digit(char c);

/* Decode into `buffer`; false when malformed or larger than `capacity`. */
bool base64_decode(struct slice text, void *buffer, size_t capacity, size_t *ret_size);
bool base64url_decode(struct slice text, void *buffer, size_t capacity, size_t *ret_size);
bool hex_decode(struct slice text, void *buffer, size_t capacity, size_t *ret_size);

/* application/x-www-form-urlencoded and URL percent-encoding. `+` becomes a blank only when `form`. */
bool percent_decode(struct slice text, bool form, struct arena *arena, struct slice *ret_text);
/* Percent-encodes all but unreserved characters (RFC 3986 section 2.3). */
void write_percent(struct writer *writer, struct slice text);

/* True when the bytes are well-formed UTF-8 (no overlong forms, no surrogates). */
bool utf8_is_valid(struct slice text);
