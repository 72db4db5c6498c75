#include "testing.h"

#include "audit/audit_chain.h"
#include "base/writer.h"

static struct audit_record example(void)
{
	struct audit_record record = {
		.sequence = 7,
		.source_sequence = 9,
		.event_type = SLICE("payment.initiated"),
		.entity_type = SLICE("payment"),
		.action = SLICE("initiated"),
		.actor = SLICE("agent-01890000-0000-7000-8000-000000000001"),
		.ip_address = SLICE("127.0.0.1"),
		.user_agent = SLICE("curl"),
		.trace_id = SLICE("0af7651916cd43dd8448eb211c80319c"),
		.old_values = SLICE("{\"a\":1}"),
		.new_values = SLICE("{\"a\":2}"),
		.body = SLICE("{\"event_type\":\"payment.initiated\"}"),
		.created_at = 1757246400000000,
	};
	for (unsigned char i = 0; i < 16; i++)
		record.id.bytes[i] = record.entity_id.bytes[15 - i] = record.user_id.bytes[i] = i;
	memset(record.previous_hash.bytes, 0xab, sizeof record.previous_hash.bytes);
	return record;
}

/* The format is a promise: trails written by this version must verify for ever. */
static void the_format_does_not_change(void **state)
{
	(void)state;
	struct audit_record record = example();
	audit_record_seal(&record);
	char text[2 * SHA256_SIZE];
	struct writer out = writer_fixed(text, sizeof text);
	write_hex(&out, record.hash.bytes, sizeof record.hash.bytes);
	assert_slice(writer_slice(&out), "80ad9e952099b0fcfced5f70c80df7ead5e1b604b43a00b72c5e255ebb06dc15");
}

#define TEXT(member) offsetof(struct audit_record, member), true
#define PLAIN(member) offsetof(struct audit_record, member), false

static void every_field_is_under_the_hash_and_named(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t offset;
		bool is_text;
	} rows[] = {
		{ "sequence", PLAIN(sequence) }, { "source_sequence", PLAIN(source_sequence) }, { "id", PLAIN(id) },
		{ "event_type", TEXT(event_type) }, { "entity_type", TEXT(entity_type) },
		{ "entity_id", PLAIN(entity_id) }, { "user_id", PLAIN(user_id) }, { "action", TEXT(action) },
		{ "actor", TEXT(actor) }, { "ip_address", TEXT(ip_address) }, { "user_agent", TEXT(user_agent) },
		{ "trace_id", TEXT(trace_id) }, { "old_values", TEXT(old_values) }, { "new_values", TEXT(new_values) },
		{ "body", TEXT(body) }, { "created_at", PLAIN(created_at) }, { "", PLAIN(previous_hash) },
		{ NULL, PLAIN(sums) }, /* some field is named, which one does not matter */
	};
	_Static_assert(sizeof rows / sizeof *rows == AUDIT_FIELD_COUNT + 2, "a row for each field");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct audit_record record = example();
		audit_record_seal(&record);
		assert_true(sha256_equal(audit_record_hash(&record), record.hash));
		assert_string_equal(audit_field_altered(&record), "");
		char altered[64];
		char *at = (char *)&record + rows[i].offset;
		if (rows[i].is_text) {
			struct slice *text = (struct slice *)(void *)at;
			memcpy(altered, text->data, text->size);
			text->data = altered;
			at = altered + text->size / 2;
		}
		*at ^= 0x10;
		assert_false(sha256_equal(audit_record_hash(&record), record.hash));
		if (rows[i].name)
			assert_string_equal(audit_field_altered(&record), rows[i].name);
		else
			assert_string_not_equal(audit_field_altered(&record), "");
	}
}

/* Moving bytes across a border between fields is an alteration too. */
static void borders_between_fields_count(void **state)
{
	(void)state;
	struct audit_record one = example(), other = example();
	one.old_values = SLICE("ab");
	one.new_values = SLICE("c");
	other.old_values = SLICE("a");
	other.new_values = SLICE("bc");
	one.sums = other.sums = (struct audit_sums) { 0 };
	assert_false(sha256_equal(audit_record_hash(&one), audit_record_hash(&other)));
}

static void the_checksum_shows_every_bit(void **state)
{
	(void)state;
	char body[41];
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)('a' + i % 26);
	struct audit_record record = example();
	for (size_t size = 1; size <= sizeof body; size++)
		for (size_t bit = 0; bit < size * 8; bit++) {
			record.body = slice_make(body, size);
			audit_record_seal(&record);
			body[bit / 8] = (char)(body[bit / 8] ^ (1 << bit % 8));
			assert_string_equal(audit_field_altered(&record), "body");
			body[bit / 8] = (char)(body[bit / 8] ^ (1 << bit % 8));
		}
}

TESTS(cmocka_unit_test(the_format_does_not_change), cmocka_unit_test(every_field_is_under_the_hash_and_named),
        cmocka_unit_test(borders_between_fields_count), cmocka_unit_test(the_checksum_shows_every_bit))
