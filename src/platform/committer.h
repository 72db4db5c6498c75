/* Group commit: one thread decides and stores everything that is waiting in one transaction, then wakes the writers.
 * No timer: while one commit runs, the next batch gathers. A call returns only when its work is durable, or refused. */
#pragma once

#include "platform/sql.h"

enum { COMMITTER_QUEUE_MAX = 4096, COMMITTER_BATCH_MAX = 1024 };

struct committer;

/* A piece of work inside the shared transaction. It reads, decides, then stores. Contract:
 * - a status other than STATUS_OK refuses this work alone; it should then have written nothing (if it did write, the
 *   committer rolls the batch back and runs each work in a transaction of its own, so the others still do not suffer);
 * - it may run more than once (after a conflict or a rollback), so it sets its results afresh each time;
 * - it never waits for anything but the database. */
typedef enum status commit_fn(struct sql *sql, void *arg);

/* Opens its own connection and starts the thread. */
enum status committer_start(
        struct slice url, const char *name, struct committer **ret_committer, struct problem *problem);
/* Finishes what is queued, then stops. Accepts NULL. */
void committer_stop(struct committer *committer);

/* Queues the work and waits until it is durable: STATUS_OK, the work's own refusal, or a database failure, after which
 * nothing of it is stored (ERR_DATABASE_UNAVAILABLE: unknown; repeat with the same identifiers). ERR_OVERLOADED when
 * the queue is full, ERR_SHUTTING_DOWN while stopping. */
enum status committer_run(struct committer *committer, commit_fn *work, void *arg);

/* Called on the committer's thread after each commit that stored events; must be short and never call back. One
 * listener, NULL for none; after the call the one before is not called any more. For the outbox. */
typedef void committer_listener(void *arg);
void committer_on_event(struct committer *committer, committer_listener *listener, void *arg);

/* Writes that a caller wants durable together with something a neighbour stores; see ledger_api.h. */
struct commit_rider {
	commit_fn *write; /* NULL: none */
	void *arg;
};

/* How many commits and how many works were done: the mean batch is works / commits. */
struct committer_figures {
	uint64_t commits, works, retries;
	int64_t commit_microseconds; /* total time in COMMIT */
	size_t waiting;              /* works in the queue now */
};
struct committer_figures committer_figures(const struct committer *committer);
