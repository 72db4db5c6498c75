#include "base/uuid.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/random.h"

struct uuid uuid_new(void)
{
	/* 48 bits of milliseconds and 12 of sub-millisecond order (RFC 9562 section 6.2, method 3), advanced by one
	 * when two identifiers fall into the same tick. */
	static _Atomic uint64_t last;
	int64_t now = clock_now();
	uint64_t tick = ((uint64_t)(now / 1000) << 12) | (uint64_t)(now % 1000 * 4096 / 1000);
	uint64_t previous = atomic_load_explicit(&last, memory_order_relaxed);
	uint64_t next;
	do {
		next = tick > previous ? tick : previous + 1;
	} while (!atomic_compare_exchange_weak(&last, &previous, next));

	struct uuid uuid;
	for (int i = 0; i < 6; i++)
		uuid.bytes[i] = (unsigned char)(next >> (52 - 8 * i));
	uuid.bytes[6] = (unsigned char)(0x70 | ((next >> 8) & 0x0f));
	uuid.bytes[7] = (unsigned char)next;
	random_bytes(uuid.bytes + 8, 8);
	uuid.bytes[8] = (unsigned char)(0x80 | (uuid.bytes[8] & 0x3f));
	return uuid;
}

struct uuid uuid_from_digest(const unsigned char *digest)
{
	struct uuid uuid;
	memcpy(uuid.bytes, digest, sizeof uuid.bytes);
	uuid.bytes[6] = (unsigned char)(0x80 | (uuid.bytes[6] & 0x0f));
	uuid.bytes[8] = (unsigned char)(0x80 | (uuid.bytes[8] & 0x3f));
	return uuid;
}

int uuid_compare(struct uuid a, struct uuid b)
{
	return memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

bool uuid_equal(struct uuid a, struct uuid b)
{
	return uuid_compare(a, b) == 0;
}

bool uuid_is_nil(struct uuid uuid)
{
	return uuid_equal(uuid, (struct uuid) { { 0 } });
}

uint64_t uuid_hash(struct uuid uuid)
{
	uint64_t high, low;
	memcpy(&high, uuid.bytes, 8);
	memcpy(&low, uuid.bytes + 8, 8);
	uint64_t z = (high ^ (low * UINT64_C(0x9e3779b97f4a7c15)));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	return z ^ (z >> 31);
}

int64_t uuid_milliseconds(struct uuid uuid)
{
	int64_t value = 0;
	for (int i = 0; i < 6; i++)
		value = value << 8 | uuid.bytes[i];
	return value;
}

static bool dash_before(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void write_uuid(struct writer *writer, struct uuid uuid)
{
	static const char digits[] = "0123456789abcdef";
	char text[UUID_TEXT_SIZE];
	size_t at = 0;
	for (int i = 0; i < 16; i++) {
		if (dash_before(i))
			text[at++] = '-';
		text[at++] = digits[uuid.bytes[i] >> 4];
		text[at++] = digits[uuid.bytes[i] & 15];
	}
	write_bytes(writer, text, sizeof text);
}

bool uuid_parse(struct slice text, struct uuid *ret_uuid)
{
	struct uuid uuid;
	size_t at = 0;
	if (text.size != UUID_TEXT_SIZE)
		return false;
	for (int i = 0; i < 16; i++) {
		if (dash_before(i) && text.data[at++] != '-')
			return false;
		int high = hex_digit(text.data[at++]), low = hex_digit(text.data[at++]);
		if (high < 0 || low < 0)
			return false;
		uuid.bytes[i] = (unsigned char)(high << 4 | low);
	}
	*ret_uuid = uuid;
	return true;
}
