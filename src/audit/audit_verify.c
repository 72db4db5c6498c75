#include "audit/audit_verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { PAGE_RECORDS = 4096 };

/* A record that broke the chain, kept beyond its row. */
struct suspect {
	int64_t sequence;
	const char *field; /* by the checksums */
	bool is_sealed;    /* its own hash fits its content */
	bool is_linked;    /* it names the hash of the record before it */
	bool fits_chain;   /* its hash fits once the right previous hash is put in: only previous_hash was altered */
	bool fits_sums;    /* its hash fits once the right checksums are put in: only field_sums was altered */
	struct sha256 hash, real_hash;
};

struct walk {
	int64_t expected;
	int64_t until;
	struct sha256 chain; /* hash of the record before the expected one */
	size_t taken;
	bool is_broken;
	struct suspect suspect;
};

static void examine(struct walk *walk, const struct audit_record *record, struct sha256 hash);
static enum status diagnose(struct sql *sql, const struct walk *walk, struct audit_finding *finding);
static void check_end(const struct audit_bounds *bounds, const struct walk *walk, struct audit_finding *finding);

static void find(struct audit_finding *finding, enum audit_fault fault, int64_t sequence, const char *field,
        const char *format, ...) __attribute__((format(printf, 5, 6)));

static void find(struct audit_finding *finding, enum audit_fault fault, int64_t sequence, const char *field,
        const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(finding->detail, sizeof finding->detail, format, args);
	va_end(args);
	finding->fault = fault;
	finding->sequence = sequence;
	finding->field = field;
}

static bool check_record(void *arg, const struct audit_record *record)
{
	struct walk *walk = arg;
	if (record->sequence > walk->until)
		return false;
	struct sha256 hash = audit_record_hash(record);
	walk->taken++;
	if (record->sequence != walk->expected || !sha256_equal(record->previous_hash, walk->chain) ||
	        !sha256_equal(record->hash, hash)) {
		examine(walk, record, hash);
		return false;
	}
	walk->chain = hash;
	walk->expected++;
	return true;
}

enum status audit_verify(struct sql *sql, struct audit_finding *ret_finding)
{
	struct audit_bounds bounds;
	TRY(audit_store_bounds(sql, &bounds));
	/* What is appended while we walk lies beyond the end that we saw. */
	struct walk walk = { .expected = 1, .until = bounds.last };
	do {
		walk.taken = 0;
		TRY(audit_store_stream(sql, walk.expected - 1, PAGE_RECORDS, check_record, &walk));
	} while (walk.taken == PAGE_RECORDS && !walk.is_broken);

	struct audit_finding finding = { .records = walk.expected - 1, .head = walk.chain, .field = "" };
	if (bounds.has_records && bounds.first < 1)
		find(&finding, AUDIT_ALTERED, bounds.first, "sequence",
		        "Record %" PRId64 " stands before the first: it was never written so.", bounds.first);
	else if (walk.is_broken)
		TRY(diagnose(sql, &walk, &finding));
	else
		check_end(&bounds, &walk, &finding);
	*ret_finding = finding;
	return STATUS_OK;
}

static void examine(struct walk *walk, const struct audit_record *record, struct sha256 hash)
{
	struct audit_record relinked = *record, resummed = *record;
	relinked.previous_hash = walk->chain;
	resummed.sums = audit_record_sums(record);
	walk->is_broken = true;
	walk->suspect = (struct suspect) {
		.sequence = record->sequence,
		.field = audit_field_altered(record),
		.is_sealed = sha256_equal(record->hash, hash),
		.is_linked = sha256_equal(record->previous_hash, walk->chain),
		.fits_chain = sha256_equal(record->hash, audit_record_hash(&relinked)),
		.fits_sums = sha256_equal(record->hash, audit_record_hash(&resummed)),
		.hash = record->hash,
		.real_hash = hash,
	};
}

/* The record stands in the right place but is not what was written there. */
static void diagnose_altered(const struct walk *walk, struct audit_finding *finding)
{
	const struct suspect *suspect = &walk->suspect;
	int64_t sequence = walk->expected;
	const char *field = suspect->fits_chain ? "previous_hash" : suspect->fits_sums ? "field_sums" : suspect->field;
	if (!suspect->is_sealed) {
		/* All checksums fit and it names the right record before it: what remains is the hash itself. */
		if (!*field && suspect->is_linked)
			field = "hash";
		find(finding, AUDIT_ALTERED, sequence, field, "Record %" PRId64 " was altered%s%s.", sequence,
		        *field ? ", in its field " : "", field);
	} else if (sequence == 1) {
		find(finding, AUDIT_ALTERED, 1, "previous_hash",
		        "Record 1 does not begin the trail: it was rewritten.");
	} else {
		find(finding, AUDIT_ALTERED, sequence - 1, "",
		        "Record %" PRId64 " was rewritten: its hash is not the one that record %" PRId64 " names.",
		        sequence - 1, sequence);
		finding->records--;
	}
}

static enum status diagnose(struct sql *sql, const struct walk *walk, struct audit_finding *finding)
{
	const struct suspect *suspect = &walk->suspect;
	int64_t sequence = walk->expected, elsewhere = 0;
	if (!suspect->is_linked)
		TRY(audit_store_successor(sql, walk->chain, sequence, &elsewhere));
	if (elsewhere)
		find(finding, AUDIT_REORDERED, sequence, "sequence",
		        "Record %" PRId64 " was moved: it stands at %" PRId64 ".", sequence, elsewhere);
	else if (suspect->sequence != sequence && suspect->is_linked)
		find(finding, AUDIT_REORDERED, sequence, "sequence",
		        "Record %" PRId64 " was moved: it stands at %" PRId64 ".", sequence, suspect->sequence);
	else if (suspect->sequence != sequence)
		find(finding, AUDIT_MISSING, sequence, "",
		        "Record %" PRId64 " is missing; the next one is %" PRId64 ".", sequence, suspect->sequence);
	else
		diagnose_altered(walk, finding);
	return STATUS_OK;
}

/* The chain holds to its last record; the head tells whether that is the end that was written. */
static void check_end(const struct audit_bounds *bounds, const struct walk *walk, struct audit_finding *finding)
{
	int64_t last = walk->expected - 1;
	if (!bounds->has_head) {
		if (last > 0)
			find(finding, AUDIT_MISSING, last + 1, "",
			        "The head of the trail is gone; records after %" PRId64 " may be missing.", last);
	} else if (bounds->head.sequence > last) {
		find(finding, AUDIT_MISSING, last + 1, "",
		        "Record %" PRId64 " and all after it up to %" PRId64 " are missing.", last + 1,
		        bounds->head.sequence);
	} else if (bounds->head.sequence < last) {
		find(finding, AUDIT_ALTERED, bounds->head.sequence + 1, "",
		        "Record %" PRId64 " was added by somebody else: the head of the trail does not know it.",
		        bounds->head.sequence + 1);
		finding->records = bounds->head.sequence;
	} else if (last > 0 && !sha256_equal(bounds->head.hash, walk->chain)) {
		find(finding, AUDIT_ALTERED, last, "", "Record %" PRId64 " was rewritten: the head names another hash.",
		        last);
		finding->records = last - 1;
	}
}

const char *audit_fault_name(enum audit_fault fault)
{
	static const char *const names[] = {
		[AUDIT_INTACT] = "intact",
		[AUDIT_ALTERED] = "altered",
		[AUDIT_MISSING] = "missing",
		[AUDIT_REORDERED] = "reordered",
	};
	return names[fault];
}
