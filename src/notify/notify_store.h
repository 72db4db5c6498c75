/* The only file of notify that knows SQL: endpoints and deliveries. */
#pragma once

#include "money/ids.h"
#include "platform/crypto.h"
#include "platform/page.h"
#include "platform/sql.h"
#include "platform/webhook_signature.h"

/* A secret as it is stored. */
enum { SEALED_SECRET_SIZE = WEBHOOK_SECRET_SIZE + CRYPTO_SEAL_OVERHEAD };

struct webhook {
	struct webhook_id id;
	struct slice url;
	struct slice event_types; /* JSON list of patterns */
	bool is_enabled;
	struct slice disabled_reason;
	struct slice secret;          /* sealed */
	struct slice previous_secret; /* sealed; "" when there is none */
	int64_t previous_valid_until;
	struct uuid rotation; /* operation that made the present secret; nil: the first one */
	int64_t created_at;
};

enum delivery_status { DELIVERY_PENDING, DELIVERY_DELIVERED, DELIVERY_FAILED };
const char *delivery_status_name(enum delivery_status status);

struct delivery {
	struct delivery_id id;
	struct webhook_id webhook;
	struct event_id event;
	struct slice event_type;
	struct slice body;
	enum delivery_status status;
	int attempts;
	int64_t next_attempt_at; /* 0 unless pending */
	int last_status;         /* HTTP; 0: none */
	struct slice last_error; /* a status_code; "": none */
	struct slice trace_id;   /* of the event; "": none */
	int64_t created_at;
	int64_t delivered_at;
};

/* False in `ret_inserted` when the identifier is there already. */
enum status notify_store_webhook_add(struct sql *sql, const struct webhook *webhook, bool *ret_inserted);
/* ERR_NOT_FOUND. Texts live in the arena. */
enum status notify_store_webhook(
        struct sql *sql, struct webhook_id id, struct arena *arena, struct webhook *ret_webhook);
enum status notify_store_webhook_count(struct sql *sql, int64_t *ret_count);
/* Newest first, limit + 1; what `take` gets lives during the call. */
enum status notify_store_webhooks(
        struct sql *sql, const struct page *page, void (*take)(void *arg, const struct webhook *webhook), void *arg);
/* All that are enabled, in the arena, at most `capacity`. */
enum status notify_store_enabled(
        struct sql *sql, struct arena *arena, struct webhook *webhooks, size_t capacity, size_t *ret_count);

enum status notify_store_rotate(struct sql *sql, struct webhook_id id, struct slice sealed_secret,
        int64_t previous_valid_until, struct uuid rotation);
/* False in `ret_changed` when it was so already. */
enum status notify_store_enable(
        struct sql *sql, struct webhook_id id, bool is_enabled, struct slice reason, bool *ret_changed);
/* With its deliveries. */
enum status notify_store_delete(struct sql *sql, struct webhook_id id);

/* Does nothing when the endpoint has one for that event. */
enum status notify_store_delivery_add(struct sql *sql, const struct delivery *delivery);
/* ERR_NOT_FOUND. */
enum status notify_store_delivery(
        struct sql *sql, struct delivery_id id, struct arena *arena, struct delivery *ret_delivery);
enum status notify_store_deliveries(struct sql *sql, struct webhook_id webhook, const struct page *page,
        void (*take)(void *arg, const struct delivery *delivery), void *arg);

/* An enabled endpoint that has something due, other than the `busy` ones; nil when there is none. */
enum { NOTIFY_BUSY_MAX = 4 };
enum status notify_store_due_webhook(
        struct sql *sql, int64_t now, const struct webhook_id busy[NOTIFY_BUSY_MAX], struct webhook_id *ret_webhook);
/* Takes what is due for the endpoint, oldest first, so that nobody else does before `lease_until`. */
enum status notify_store_take_due(struct sql *sql, struct webhook_id webhook, int64_t now, int64_t lease_until,
        struct arena *arena, struct delivery *deliveries, size_t capacity, size_t *ret_count);
/* Gives a taken one back untried. */
enum status notify_store_give_back(struct sql *sql, struct delivery_id id, int64_t now);
/* Stores status, attempts, next_attempt_at, last_status, last_error and delivered_at. */
enum status notify_store_outcome(struct sql *sql, const struct delivery *delivery);
/* Pending again from the first attempt on. */
enum status notify_store_replay(struct sql *sql, struct delivery_id id, int64_t now);
