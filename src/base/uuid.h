/* 128-bit identifiers: version 7 (time-ordered, RFC 9562) and derived ones that are a pure function of their input. */
#pragma once

#include "base/slice.h"
#include "base/writer.h"

struct uuid {
	unsigned char bytes[16];
};

#define UUID_TEXT_SIZE 36

/* A new time-ordered identifier (RFC 9562 section 5.7); later ones of one process compare greater. */
struct uuid uuid_new(void);
/* An identifier from 16 bytes of a digest, marked version 8 (RFC 9562 section 5.8). */
struct uuid uuid_from_digest(const unsigned char *digest);

bool uuid_equal(struct uuid a, struct uuid b);
bool uuid_is_nil(struct uuid uuid);
/* <0, 0, >0 in byte order. */
int uuid_compare(struct uuid a, struct uuid b);
uint64_t uuid_hash(struct uuid uuid);
/* Milliseconds since 1970 in a version 7 identifier. */
int64_t uuid_milliseconds(struct uuid uuid);

/* 8-4-4-4-12 lower-case hexadecimal. */
void write_uuid(struct writer *writer, struct uuid uuid);
/* The same form, either letter case; false when malformed. */
bool uuid_parse(struct slice text, struct uuid *ret_uuid);
