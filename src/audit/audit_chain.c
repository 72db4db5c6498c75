#include "audit/audit_chain.h"

#include <assert.h>
#include <endian.h>

enum field_kind { FIELD_INTEGER, FIELD_UUID, FIELD_TEXT };

#define FIELD(member, member_kind) \
	{ \
		.name = #member, .kind = (member_kind), .offset = offsetof(struct audit_record, member) \
	}

/* The hashed fields; the order is part of the format. */
static const struct {
	const char *name;
	enum field_kind kind;
	size_t offset;
} fields[AUDIT_FIELD_COUNT] = {
	FIELD(sequence, FIELD_INTEGER),
	FIELD(source_sequence, FIELD_INTEGER),
	FIELD(id, FIELD_UUID),
	FIELD(event_type, FIELD_TEXT),
	FIELD(entity_type, FIELD_TEXT),
	FIELD(entity_id, FIELD_UUID),
	FIELD(user_id, FIELD_UUID),
	FIELD(action, FIELD_TEXT),
	FIELD(actor, FIELD_TEXT),
	FIELD(ip_address, FIELD_TEXT),
	FIELD(user_agent, FIELD_TEXT),
	FIELD(trace_id, FIELD_TEXT),
	FIELD(old_values, FIELD_TEXT),
	FIELD(new_values, FIELD_TEXT),
	FIELD(body, FIELD_TEXT),
	FIELD(created_at, FIELD_INTEGER),
};

/* The fields as bytes; integers need a place to stand in big-endian order. */
struct encoded {
	uint64_t integers[AUDIT_FIELD_COUNT];
	struct slice bytes[AUDIT_FIELD_COUNT];
};

static void encode(const struct audit_record *record, struct encoded *ret)
{
	for (size_t i = 0; i < AUDIT_FIELD_COUNT; i++) {
		const char *at = (const char *)record + fields[i].offset;
		int64_t integer;
		switch (fields[i].kind) {
		case FIELD_INTEGER:
			memcpy(&integer, at, sizeof integer);
			ret->integers[i] = htobe64((uint64_t)integer);
			ret->bytes[i] = slice_make(&ret->integers[i], sizeof ret->integers[i]);
			break;
		case FIELD_UUID:
			ret->bytes[i] = slice_make(at, sizeof(struct uuid));
			break;
		case FIELD_TEXT:
			memcpy(&ret->bytes[i], at, sizeof ret->bytes[i]);
			break;
		}
	}
}

/* FNV-1a, eight bytes at a step: quick, and every single changed bit shows. */
static uint32_t checksum(struct slice bytes)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ bytes.size, word;
	for (; bytes.size >= sizeof word; bytes = slice_skip(bytes, sizeof word)) {
		memcpy(&word, bytes.data, sizeof word);
		hash = (hash ^ le64toh(word)) * UINT64_C(0x100000001b3);
		hash ^= hash >> 29;
	}
	for (size_t i = 0; i < bytes.size; i++)
		hash = (hash ^ (unsigned char)bytes.data[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ (hash >> 32));
}

static struct audit_sums sums_of(const struct encoded *encoded)
{
	struct audit_sums sums;
	for (size_t i = 0; i < AUDIT_FIELD_COUNT; i++) {
		uint32_t sum = htobe32(checksum(encoded->bytes[i]));
		memcpy(sums.bytes + 4 * i, &sum, sizeof sum);
	}
	return sums;
}

static struct sha256 hash_of(const struct audit_record *record, const struct encoded *encoded)
{
	enum { PARTS = 1 + 2 * AUDIT_FIELD_COUNT + 2 };
	uint64_t sizes[AUDIT_FIELD_COUNT];
	struct slice parts[PARTS];
	size_t count = 0;
	parts[count++] = SLICE("agentpay audit record 1");
	for (size_t i = 0; i < AUDIT_FIELD_COUNT; i++) {
		sizes[i] = htobe64(encoded->bytes[i].size);
		parts[count++] = slice_make(&sizes[i], sizeof sizes[i]);
		parts[count++] = encoded->bytes[i];
	}
	parts[count++] = slice_make(record->sums.bytes, sizeof record->sums.bytes);
	parts[count++] = slice_make(record->previous_hash.bytes, sizeof record->previous_hash.bytes);
	assert(count == PARTS);
	return sha256_parts(parts, count);
}

void audit_record_seal(struct audit_record *record)
{
	struct encoded encoded;
	encode(record, &encoded);
	record->sums = sums_of(&encoded);
	record->hash = hash_of(record, &encoded);
}

struct sha256 audit_record_hash(const struct audit_record *record)
{
	struct encoded encoded;
	encode(record, &encoded);
	return hash_of(record, &encoded);
}

struct audit_sums audit_record_sums(const struct audit_record *record)
{
	struct encoded encoded;
	encode(record, &encoded);
	return sums_of(&encoded);
}

const char *audit_field_altered(const struct audit_record *record)
{
	struct audit_sums sums = audit_record_sums(record);
	for (size_t i = 0; i < AUDIT_FIELD_COUNT; i++)
		if (memcmp(sums.bytes + 4 * i, record->sums.bytes + 4 * i, 4) != 0)
			return fields[i].name;
	return "";
}
