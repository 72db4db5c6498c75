/* The only file of audit that knows SQL; all of it in the audit database. */
#pragma once

#include "audit/audit_chain.h"
#include "platform/outbox.h"
#include "platform/page.h"
#include "platform/sql.h"

struct audit_head {
	int64_t sequence; /* of the newest record, 0: none */
	int64_t source_sequence;
	struct sha256 hash;
};

/* Makes the head of an empty trail; leaves every other as it is. */
enum status audit_store_prepare(struct sql *sql);

/* Inside a transaction: locks and reads the head. ERR_AUDIT_BROKEN when it is gone. */
enum status audit_store_head(struct sql *sql, struct audit_head *ret_head);
enum status audit_store_head_move(struct sql *sql, const struct audit_head *head);
enum status audit_store_append(struct sql *sql, const struct audit_record *record);
enum status audit_store_has(struct sql *sql, struct uuid event, bool *ret_has);

/* The head and both ends of the trail in one look. */
struct audit_bounds {
	bool has_head;
	struct audit_head head; /* source_sequence is not set */
	bool has_records;
	int64_t first, last; /* sequences; 0 when there is no record */
};
enum status audit_store_bounds(struct sql *sql, struct audit_bounds *ret_bounds);

/* What `take` gets lives during the call only; false stops. */
typedef bool audit_take(void *arg, const struct audit_record *record);

/* At most `limit` records with sequence > `after`, in order. */
enum status audit_store_stream(struct sql *sql, int64_t after, int64_t limit, audit_take *take, void *arg);

/* The sequence of a record other than `except` that names `hash` as the one before it; 0 when there is none. Reads
 * the whole trail. */
enum status audit_store_successor(struct sql *sql, struct sha256 hash, int64_t except, int64_t *ret_sequence);

struct audit_filter {
	struct slice event_type, entity_type, actor; /* "" = any */
	struct uuid entity_id;                       /* nil = any */
	int64_t from_at;                             /* 0 = any; the page's before_at is the other end */
};
/* Newest first, limit + 1 records of the page. */
enum status audit_store_page(
        struct sql *sql, const struct audit_filter *filter, const struct page *page, audit_take *take, void *arg);
