/* Where payments are kept. Reads take any connection; writes run inside a commit (payment_moves.h). */
#pragma once

#include "platform/page.h"
#include "platform/sql.h"
#include "router/payment.h"

extern const struct sql_migrations router_migrations;

/* ERR_NOT_FOUND when there is none. Texts live in the arena. */
enum status payment_load(struct sql *sql, struct payment_id id, struct arena *arena, struct payment *ret_payment);
/* As payment_load, and nobody else can change the row until the commit. */
enum status payment_load_locked(
        struct sql *sql, struct payment_id id, struct arena *arena, struct payment *ret_payment);

/* A new payment's row, made ready outside of the commit, where time is dear. Points into the payment and the arena. */
enum { PAYMENT_ROW_VALUES = 29 };
struct payment_row {
	struct sql_value values[PAYMENT_ROW_VALUES];
};
void payment_row_make(const struct payment *payment, struct arena *arena, struct payment_row *ret_row);
/* ERR_DATABASE_CONSTRAINT when the id exists already (on PostgreSQL perhaps only at the commit). */
enum status payment_row_store(struct sql *sql, const struct payment_row *row);
/* Writes back all that may change. */
enum status payment_store_change(struct sql *sql, const struct payment *payment);

/* Newest first; `agent` nil: of all agents; `status` "": any. Calls `each` for up to page->limit + 1 payments, while it
 * returns true. */
enum status payments_list_each(struct sql *sql, const struct page *page, struct agent_id agent, struct slice status,
        struct arena *arena, bool (*each)(void *arg, const struct payment *payment), void *arg);

struct history_row {
	struct slice status, reason;
	int64_t at;
};
enum { HISTORY_ROWS_MAX = 100 };
enum status history_store(struct sql *sql, const struct payment *payment, struct slice reason);
/* At most `capacity` rows, oldest first. */
enum status history_load(struct sql *sql, struct payment_id id, struct arena *arena, struct history_row *rows,
        size_t capacity, size_t *ret_count);

/* Payments that stand in this state (created or awaiting_approval) since before `before_at`, oldest first. */
enum status payments_waiting(struct sql *sql, enum payment_status status, int64_t before_at, struct payment_id *ids,
        size_t capacity, size_t *ret_count);

/* --- Attempts and refunds: attempt_store.c --------------------------------------------------------------------- */

enum status attempt_load(struct sql *sql, struct attempt_id id, struct arena *arena, struct attempt *ret_attempt);
enum status attempt_load_locked(
        struct sql *sql, struct attempt_id id, struct arena *arena, struct attempt *ret_attempt);
enum status attempts_load(struct sql *sql, struct payment_id payment, struct arena *arena,
        struct attempt attempts[ATTEMPTS_MAX], size_t *ret_count);
enum status attempt_store(struct sql *sql, const struct attempt *attempt);
enum status attempt_store_change(struct sql *sql, const struct attempt *attempt);
enum status attempts_due(struct sql *sql, int64_t now, struct attempt_id *ids, size_t capacity, size_t *ret_count);

const char *refund_status_name(enum refund_status status);
enum status refund_load(struct sql *sql, struct refund_id id, struct arena *arena, struct refund *ret_refund);
enum status refund_load_locked(struct sql *sql, struct refund_id id, struct arena *arena, struct refund *ret_refund);
enum status refund_store(struct sql *sql, const struct refund *refund);
enum status refund_store_change(struct sql *sql, const struct refund *refund);
enum status refunds_due(struct sql *sql, int64_t now, struct refund_id *ids, size_t capacity, size_t *ret_count);
