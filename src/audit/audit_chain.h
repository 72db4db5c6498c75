/* A record of the trail, and the hash that chains it to the one before. Pure.
 *
 * hash = SHA-256 over "agentpay audit record 1", each field as its 64-bit big-endian size and its bytes (integers as
 * 64-bit big-endian, identifiers as their 16 bytes, absent values as size 0), the field sums, and the hash before.
 * The field sums are a 32-bit checksum of each field: no protection, they only tell which field was altered. */
#pragma once

#include "base/uuid.h"
#include "platform/crypto.h"

enum { AUDIT_FIELD_COUNT = 16, AUDIT_SUMS_SIZE = 4 * AUDIT_FIELD_COUNT };

struct audit_sums {
	unsigned char bytes[AUDIT_SUMS_SIZE];
};

struct audit_record {
	int64_t sequence;        /* from 1, without gaps */
	int64_t source_sequence; /* of the event in the outbox */
	struct uuid id;          /* of the event */
	struct slice event_type;
	struct slice entity_type;
	struct uuid entity_id;
	struct uuid user_id; /* nil unless a user acted */
	struct slice action;
	struct slice actor;
	struct slice ip_address;
	struct slice user_agent;
	struct slice trace_id;
	struct slice old_values;
	struct slice new_values;
	struct slice body;
	int64_t created_at;
	struct sha256 previous_hash; /* all zero in the first record */
	struct audit_sums sums;
	struct sha256 hash;
};

/* Sets sums and hash from the rest. */
void audit_record_seal(struct audit_record *record);

/* The hash that the record should have, by the fields, sums and previous hash that it has. */
struct sha256 audit_record_hash(const struct audit_record *record);
struct audit_sums audit_record_sums(const struct audit_record *record);

/* The name of the first field whose checksum is not the one in the record; "" when all fit. */
const char *audit_field_altered(const struct audit_record *record);

static inline bool sha256_equal(struct sha256 a, struct sha256 b)
{
	return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}
