/* Events: every state change stores its event in the same transaction (`outbox` table); consumers read them in order,
 * with stored offsets, at least once. The embedded bus is that table itself; an external bus is fed from it. */
#pragma once

#include "platform/committer.h"

/* What is stored with every event besides its flat JSON body. */
struct event {
	int64_t sequence; /* set by the outbox, increasing in commit order */
	struct uuid id;
	struct slice type;        /* "payment.initiated" */
	struct slice entity_type; /* "payment" */
	struct uuid entity_id;    /* the aggregate: events of one keep their order */
	struct slice actor;       /* who: "user-…", "agent-…" or "system" */
	struct slice ip_address;  /* from where; "" for the system itself */
	struct slice user_agent;
	struct slice trace_id;
	struct slice body;       /* flat JSON, schema in api/events/<type>.json */
	struct slice old_values; /* JSON before, "" when there was nothing */
	struct slice new_values; /* JSON after, "" when there is nothing */
	int64_t created_at;
};

/* Stores an event inside the caller's transaction. */
enum status outbox_add(struct sql *sql, const struct event *event);

/* Who acts, from where: set by the gate for each request, copied into events. Lives as long as the request. */
struct actor {
	struct slice name; /* "agent-…", "user-…", "system" */
	struct slice ip_address;
	struct slice user_agent;
	struct slice trace_id;
};
extern const struct actor actor_system;

struct outbox; /* the bus of this process */
struct outbox_consumer;

/* `committer` is woken-from: consumers look as soon as it has committed something, and every 250 ms for what other
 * processes stored. */
enum status outbox_start(
        struct slice database_url, struct committer *committer, struct outbox **ret_outbox, struct problem *problem);
/* Stops all consumers after the batch they are at. Accepts NULL. */
void outbox_stop(struct outbox *outbox);
/* To be called after a commit that stored events; cheap, never blocks. */
void outbox_wake(struct outbox *outbox);

enum { OUTBOX_BATCH_MAX = 1024 };

/* Handles `count` events (1 to OUTBOX_BATCH_MAX) in order. Must be idempotent by event id or sequence: after a crash
 * the same events come again. A failure is retried with back-off (50 ms to 5 s), for ever. */
typedef enum status outbox_handler(void *arg, const struct event *events, size_t count);

/* A named consumer with a thread and a stored offset (table `outbox_offsets`). A new name starts at the first event.
 * Handled events' offset is stored after the handler returned STATUS_OK. */
enum status outbox_subscribe(struct outbox *outbox, const char *name, outbox_handler *handler, void *arg);

/* Events with sequence > `after`, in order, at most `limit`, not older than `since_at` (0 = any): for rebuilding state
 * at start. Memory lives in the arena. */
enum status outbox_read(struct sql *sql, int64_t after, int64_t since_at, size_t limit, struct arena *arena,
        struct event **ret_events, size_t *ret_count);

/* How far each consumer of this process is behind, for /metrics and /readyz. */
size_t outbox_lag(struct outbox *outbox, const char **ret_names, int64_t *ret_lags, size_t capacity);

extern const struct sql_migrations outbox_migrations;
