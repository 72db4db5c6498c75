/* Walks the whole trail, computes every hash again, and names the first record that is not as it was written. Only
 * reads; works on a database that is being written. */
#pragma once

#include "audit/audit_store.h"

enum audit_fault {
	AUDIT_INTACT,
	AUDIT_ALTERED,   /* the record's content changed after it was written, or it never was written by us */
	AUDIT_MISSING,   /* the record is gone */
	AUDIT_REORDERED, /* another record stands in its place; the record itself stands elsewhere */
};
/* "intact", "altered", "missing", "reordered" */
const char *audit_fault_name(enum audit_fault fault);

struct audit_finding {
	enum audit_fault fault;
	int64_t records;    /* that were found as they were written, from the first on */
	struct sha256 head; /* hash of the last of them */
	int64_t sequence;   /* of the first bad record; 0 when intact */
	const char *field;  /* which of its fields was altered; "" when that cannot be told */
	char detail[160];   /* a sentence for a person */
};

/* ERR_DATABASE... when the trail cannot be read; a trail that is not intact is STATUS_OK with a finding. */
enum status audit_verify(struct sql *sql, struct audit_finding *ret_finding);
