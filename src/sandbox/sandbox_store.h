/* The simulator's memory: the only file of it that knows SQL. */
#pragma once

#include "platform/sql.h"

extern const struct sql_migrations sandbox_migrations;

struct sandbox_payment {
	struct uuid attempt;
	struct slice rail, status, code, amount, currency, network_reference;
	int64_t settles_at;
	int64_t times_taken;
};

struct sandbox_notification {
	struct uuid id;
	struct uuid attempt;
	struct slice type, code, notify_url, network_reference;
	int64_t due_at;
	int64_t tries;
};

/* STATUS_OK, or ERR_NOT_FOUND. Texts live in the arena. */
enum status sandbox_store_get(
        struct sql *sql, struct uuid attempt, struct arena *arena, struct sandbox_payment *ret_payment);
enum status sandbox_store_insert(struct sql *sql, const struct sandbox_payment *payment, int64_t now);
/* Moves a hung payment on; `taken` is how much times_taken grows. */
enum status sandbox_store_take(struct sql *sql, const struct sandbox_payment *payment, int taken);
enum status sandbox_store_set_status(struct sql *sql, struct uuid attempt, struct slice status, struct slice code);
enum status sandbox_store_list(
        struct sql *sql, struct arena *arena, struct sandbox_payment **ret_payments, size_t *ret_count);

enum status sandbox_store_refund(
        struct sql *sql, struct slice refund_id, struct uuid attempt, struct slice amount, int64_t now);
enum status sandbox_store_refund_count(struct sql *sql, int64_t *ret_count);

enum status sandbox_store_notify(struct sql *sql, const struct sandbox_notification *notification);
enum status sandbox_store_due(
        struct sql *sql, int64_t now, struct arena *arena, struct sandbox_notification ret_rows[64], size_t *ret_count);
enum status sandbox_store_notified(struct sql *sql, struct uuid id, struct slice state, int64_t next_at);
