#include "router/router_worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "platform/thread.h"
#include "router/attempt_work.h"
#include "router/payment_decisions.h"
#include "router/refund_work.h"

enum { QUEUE_MAX = 64 };

/* --- The kinds of work: a row each ---------------------------------------------------------------------------------
 */

static enum status list_attempts(struct sql *sql, int64_t now, struct uuid *ids, size_t capacity, size_t *ret_count)
{
	struct attempt_id found[QUEUE_MAX];
	TRY(attempts_due(sql, now, found, capacity, ret_count));
	for (size_t i = 0; i < *ret_count; i++)
		ids[i] = found[i].uuid;
	return STATUS_OK;
}

static enum status list_refunds(struct sql *sql, int64_t now, struct uuid *ids, size_t capacity, size_t *ret_count)
{
	struct refund_id found[QUEUE_MAX];
	TRY(refunds_due(sql, now, found, capacity, ret_count));
	for (size_t i = 0; i < *ret_count; i++)
		ids[i] = found[i].uuid;
	return STATUS_OK;
}

static enum status list_waiting(struct sql *sql, enum payment_status status, int64_t before_at, struct uuid *ids,
        size_t capacity, size_t *ret_count)
{
	struct payment_id found[QUEUE_MAX];
	TRY(payments_waiting(sql, status, before_at, found, capacity, ret_count));
	for (size_t i = 0; i < *ret_count; i++)
		ids[i] = found[i].uuid;
	return STATUS_OK;
}

static enum status list_created(struct sql *sql, int64_t now, struct uuid *ids, size_t capacity, size_t *ret_count)
{
	int64_t before = now - CREATED_RESUME_SECONDS * MICROSECONDS_PER_SECOND;
	return list_waiting(sql, PAYMENT_CREATED, before, ids, capacity, ret_count);
}

static enum status list_expired(struct sql *sql, int64_t now, struct uuid *ids, size_t capacity, size_t *ret_count)
{
	int64_t before = now - APPROVAL_HOURS * 3600 * MICROSECONDS_PER_SECOND;
	return list_waiting(sql, PAYMENT_AWAITING_APPROVAL, before, ids, capacity, ret_count);
}

static enum status run_attempt(struct router_service *service, struct uuid id)
{
	return attempt_run(service, &actor_system, (struct attempt_id) { id });
}

static enum status run_refund(struct router_service *service, struct uuid id)
{
	return refund_run(service, (struct refund_id) { id });
}

static enum status run_created(struct router_service *service, struct uuid id)
{
	return payment_resume(service, (struct payment_id) { id });
}

static enum status run_expired(struct router_service *service, struct uuid id)
{
	return payment_expire(service, (struct payment_id) { id });
}

static const struct work_kind {
	const char *name;
	enum status (*list)(struct sql *sql, int64_t now, struct uuid *ids, size_t capacity, size_t *ret_count);
	enum status (*run)(struct router_service *service, struct uuid id);
	bool is_slow; /* looked for now and then, not at every ring */
} kinds[] = {
	{ .name = "attempt", .list = list_attempts, .run = run_attempt },
	{ .name = "refund", .list = list_refunds, .run = run_refund },
	{ .name = "created", .list = list_created, .run = run_created, .is_slow = true },
	{ .name = "expired", .list = list_expired, .run = run_expired, .is_slow = true },
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

/* --- A queue that one thread fills for all ---------------------------------------------------------------------------
 */

struct work_item {
	const struct work_kind *kind;
	struct uuid id;
};

struct router_worker {
	struct router_service *service;
	struct signal_bell bell;
	pthread_mutex_t lock; /* of what follows */
	struct work_item queue[KIND_COUNT * QUEUE_MAX];
	size_t count;
	uint64_t filled_rings; /* the rings that the last filling had seen */
	int64_t filled_at, swept_at;
	struct thread *threads[WORKER_THREADS];
};

static bool list_kind(struct router_worker *worker, struct sql *sql, const struct work_kind *kind, int64_t now)
{
	struct uuid ids[QUEUE_MAX];
	size_t count = 0;
	enum status status = kind->list(sql, now, ids, QUEUE_MAX, &count);
	if (status != STATUS_OK) {
		log_event(LOG_WARNING, "router", "cannot list what is due", LOG_TEXT("kind", kind->name),
		        LOG_STATUS(status));
		return false;
	}
	for (size_t i = 0; i < count; i++)
		worker->queue[worker->count++] = (struct work_item) { kind, ids[i] };
	return true;
}

/* With the lock held. Two fillings may list the same row; its claim decides. */
static void fill(struct router_worker *worker, uint64_t rings)
{
	struct sql *sql;
	int64_t now = clock_now();
	bool is_sweep = now - worker->swept_at >= SWEEP_SECONDS * MICROSECONDS_PER_SECOND;
	worker->filled_rings = rings;
	worker->filled_at = now;
	if (sql_pool_take(worker->service->engines->readers, &sql) != STATUS_OK)
		return;
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!kinds[i].is_slow || is_sweep)
			if (!list_kind(worker, sql, &kinds[i], now))
				break;
	if (is_sweep)
		worker->swept_at = now;
	sql_pool_give(worker->service->engines->readers, sql);
}

static bool take(struct router_worker *worker, uint64_t rings, struct work_item *ret_item)
{
	pthread_mutex_lock(&worker->lock);
	bool is_stale =
	        rings != worker->filled_rings || clock_now() - worker->filled_at >= (int64_t)WORKER_POLL_MS * 1000;
	if (!worker->count && is_stale)
		fill(worker, rings);
	bool is_found = worker->count > 0;
	if (is_found)
		*ret_item = worker->queue[--worker->count];
	pthread_mutex_unlock(&worker->lock);
	return is_found;
}

static void run_item(struct router_worker *worker, const struct work_item *item)
{
	enum status status = item->kind->run(worker->service, item->id);
	if (status != STATUS_OK && status != ERR_SHUTTING_DOWN)
		log_event(LOG_WARNING, "router", "work failed, it stays due", LOG_TEXT("kind", item->kind->name),
		        LOG_ID("id", "", item->id), LOG_STATUS(status));
}

static void work(void *arg)
{
	struct router_worker *worker = arg;
	uint64_t rings = 0;
	do {
		struct work_item item;
		while (!bell_is_stopped(&worker->bell) && take(worker, rings, &item))
			run_item(worker, &item);
	} while (bell_wait(&worker->bell, &rings, WORKER_POLL_MS));
}

enum status router_worker_start(struct router_service *service, struct router_worker **ret_worker)
{
	struct router_worker *worker = NEW(struct router_worker);
	worker->service = service;
	bell_init(&worker->bell);
	pthread_mutex_init(&worker->lock, NULL);
	for (int i = 0; i < WORKER_THREADS; i++) {
		enum status status = thread_start("router", work, worker, &worker->threads[i]);
		if (status != STATUS_OK) {
			router_worker_stop(worker);
			return status;
		}
	}
	*ret_worker = worker;
	return STATUS_OK;
}

void router_worker_stop(struct router_worker *worker)
{
	if (!worker)
		return;
	bell_stop(&worker->bell);
	for (int i = 0; i < WORKER_THREADS; i++)
		thread_join(worker->threads[i]);
	bell_clean_up(&worker->bell);
	pthread_mutex_destroy(&worker->lock);
	memory_free(worker);
}

void router_worker_ring(struct router_worker *worker)
{
	if (worker)
		bell_ring(&worker->bell);
}
