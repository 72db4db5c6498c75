#include "platform/committer.h"

#include <assert.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "platform/metrics.h"
#include "platform/sql_engine.h"
#include "platform/thread.h"

/* After a conflict a work is tried again, but nobody waits longer than this for it. */
enum { ATTEMPTS = 5, PAUSE_MICROSECONDS = 2000, RETRY_SECONDS = 10 };
enum { TIDY_POLL_MS = 1000 };

/* A waiting work; lives on its caller's stack until `is_done`. */
struct work {
	commit_fn *run;
	void *arg;
	struct work *next;
	enum status status;
	_Atomic uint32_t is_done;
};

/* Tidies the database beside the committer, which would otherwise make its writers wait. */
struct tidier {
	struct sql *sql;
	struct thread *thread;
	struct signal_bell bell;
};

struct committer {
	struct sql *sql;
	struct thread *thread;
	struct tidier tidier;
	pthread_mutex_t lock;
	pthread_cond_t queued;
	struct work *first, **last;
	_Atomic size_t count; /* changed under the lock */
	bool is_stopping, is_asleep;
	committer_listener *listener;
	void *listener_arg;
	char name[16];
	_Atomic uint64_t commits, works, retries;
	_Atomic int64_t commit_microseconds;
};

/* A work may be gone as soon as `is_done` is set. The kernel then wakes nobody, or somebody who looks and sleeps on. */
static void wake(struct work *work)
{
	_Atomic uint32_t *word = &work->is_done;
	atomic_store_explicit(word, 1, memory_order_release);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_until_done(struct work *work)
{
	while (!atomic_load_explicit(&work->is_done, memory_order_acquire))
		syscall(SYS_futex, &work->is_done, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void answer(struct work *batch)
{
	while (batch) {
		struct work *next = batch->next;
		wake(batch);
		batch = next;
	}
}

static void answer_all(struct work *batch, enum status status)
{
	for (struct work *work = batch; work; work = work->next)
		work->status = status;
}

/* Runs one work inside the open transaction. False when it spoilt the transaction for the others. */
static bool run_work(struct committer *committer, struct work *work)
{
	uint64_t writes = sql_writes(committer->sql);
	work->status = work->run(committer->sql, work->arg);
	if (committer->sql->failure != STATUS_OK || work->status == ERR_DATABASE_BUSY)
		return false;
	return work->status == STATUS_OK || sql_writes(committer->sql) == writes;
}

static void tell_listener(struct committer *committer)
{
	pthread_mutex_lock(&committer->lock);
	if (committer->listener)
		committer->listener(committer->listener_arg);
	pthread_mutex_unlock(&committer->lock);
}

static enum status commit(struct committer *committer, size_t works)
{
	uint64_t events = committer->sql->events;
	int64_t started = clock_monotonic();
	TRY(sql_commit(committer->sql));
	int64_t duration = clock_monotonic() - started;
	atomic_fetch_add_explicit(&committer->commits, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&committer->works, works, memory_order_relaxed);
	atomic_fetch_add_explicit(&committer->commit_microseconds, duration, memory_order_relaxed);
	metric_add(METRIC_commits_total, committer->name, 1);
	metric_add(METRIC_commit_works_total, committer->name, works);
	metric_observe(METRIC_commit_seconds, committer->name, duration);
	if (committer->sql->is_untidy)
		bell_ring(&committer->tidier.bell);
	if (events)
		tell_listener(committer);
	return STATUS_OK;
}

/* One work in a transaction of its own: its status is its own refusal, or why it could not be stored. */
static enum status run_once(struct committer *committer, struct work *work)
{
	TRY(sql_begin(committer->sql));
	bool is_sound = run_work(committer, work);
	enum status failure = committer->sql->failure;
	if (work->status == STATUS_OK && is_sound)
		return commit(committer, 1);
	sql_rollback(committer->sql);
	/* A work may give a duplicate a name of its own; it cannot know better why the database failed. */
	bool is_refusal = failure == STATUS_OK || (failure == ERR_DATABASE_CONSTRAINT && work->status != STATUS_OK);
	return is_refusal ? work->status : failure;
}

static void run_alone(struct committer *committer, struct work *work, int64_t deadline)
{
	for (int attempt = 0;; attempt++) {
		work->status = run_once(committer, work);
		if (work->status != ERR_DATABASE_BUSY || attempt + 1 == ATTEMPTS || clock_monotonic() > deadline)
			return;
		atomic_fetch_add_explicit(&committer->retries, 1, memory_order_relaxed);
		usleep((useconds_t)(PAUSE_MICROSECONDS << attempt));
	}
}

static void run_each_alone(struct committer *committer, struct work *batch)
{
	int64_t deadline = clock_monotonic() + RETRY_SECONDS * MICROSECONDS_PER_SECOND;
	for (struct work *work = batch; work; work = work->next) {
		if (clock_monotonic() > deadline) {
			answer_all(work, ERR_DATABASE_BUSY);
			return;
		}
		run_alone(committer, work, deadline);
	}
}

/* A work that found its rows in somebody else's hands has written nothing; it is tried again by itself. */
static void retry_busy(struct committer *committer, struct work *batch)
{
	int64_t deadline = clock_monotonic() + RETRY_SECONDS * MICROSECONDS_PER_SECOND;
	for (struct work *work = batch; work; work = work->next) {
		if (work->status != ERR_DATABASE_BUSY || clock_monotonic() > deadline)
			continue;
		atomic_fetch_add_explicit(&committer->retries, 1, memory_order_relaxed);
		run_alone(committer, work, deadline);
	}
}

/* Whether works that failed together may do better one by one. Not when the disk or the connection failed: that would
 * fail each of them as well, and an unavailable database may have stored the batch. */
static bool is_worth_isolating(enum status status)
{
	return status != ERR_DATABASE_UNAVAILABLE && status != ERR_IO && status != ERR_DATABASE_CORRUPT;
}

/* Cuts at most `most` works off the queue. */
static struct work *take_waiting(struct committer *committer, size_t most, size_t *ret_count)
{
	struct work *taken = committer->first, **end = &taken;
	size_t count = 0;
	while (*end && count < most) {
		end = &(*end)->next;
		count++;
	}
	committer->first = *end;
	*end = NULL;
	if (!committer->first)
		committer->last = &committer->first;
	committer->count -= count;
	*ret_count = count;
	return taken;
}

/* What has arrived since the batch was taken. */
static struct work *take_late(struct committer *committer, size_t most, size_t *ret_count)
{
	pthread_mutex_lock(&committer->lock);
	struct work *taken = take_waiting(committer, most, ret_count);
	pthread_mutex_unlock(&committer->lock);
	return taken;
}

/* Runs all in the open transaction, and what arrives meanwhile, then commits: the first to come back after a commit
 * would otherwise have the next one to themselves. ERR_CONFLICT when a work was refused after it had written. */
static enum status run_together(struct committer *committer, struct work *batch, size_t count)
{
	for (struct work *work = batch; work; work = work->next) {
		size_t late = 0;
		if (!run_work(committer, work)) {
			enum status failure = committer->sql->failure;
			sql_rollback(committer->sql);
			return failure != STATUS_OK ? failure : ERR_CONFLICT;
		}
		if (!work->next)
			work->next = take_late(committer, COMMITTER_BATCH_MAX - count, &late);
		count += late;
	}
	return commit(committer, count);
}

static void run_batch(struct committer *committer, struct work *batch, size_t count)
{
	enum status status = sql_begin(committer->sql);
	if (status != STATUS_OK) {
		answer_all(batch, status);
		return;
	}
	status = run_together(committer, batch, count);
	if (status == STATUS_OK) {
		retry_busy(committer, batch);
		return;
	}
	if (!is_worth_isolating(status)) {
		answer_all(batch, status);
		return;
	}
	atomic_fetch_add_explicit(&committer->retries, 1, memory_order_relaxed);
	run_each_alone(committer, batch);
}

/* Cuts at most a batch off the queue; 0 when stopping and nothing is left. */
static size_t take_batch(struct committer *committer, struct work **ret_batch)
{
	pthread_mutex_lock(&committer->lock);
	while (!committer->first && !committer->is_stopping) {
		committer->is_asleep = true;
		pthread_cond_wait(&committer->queued, &committer->lock);
		committer->is_asleep = false;
	}
	size_t count;
	*ret_batch = take_waiting(committer, COMMITTER_BATCH_MAX, &count);
	pthread_mutex_unlock(&committer->lock);
	return count;
}

static void serve(void *arg)
{
	struct committer *committer = arg;
	struct work *batch;
	for (size_t count = take_batch(committer, &batch); count; count = take_batch(committer, &batch)) {
		run_batch(committer, batch, count);
		answer(batch);
	}
}

static void tidy(void *arg)
{
	struct tidier *tidier = arg;
	uint64_t seen = 0, done = 0;
	while (bell_wait(&tidier->bell, &seen, TIDY_POLL_MS)) {
		if (seen != done)
			tidier->sql->driver->tidy(tidier->sql);
		done = seen;
	}
}

static enum status start_tidier(struct tidier *tidier, struct slice url, struct problem *problem)
{
	TRY(sql_open(url, &tidier->sql, problem));
	return thread_start("tidier", tidy, tidier, &tidier->thread);
}

static void stop_tidier(struct tidier *tidier)
{
	bell_stop(&tidier->bell);
	thread_join(tidier->thread);
	sql_close(tidier->sql);
	bell_clean_up(&tidier->bell);
}

static void clean_up(struct committer *committer)
{
	stop_tidier(&committer->tidier);
	sql_close(committer->sql);
	pthread_cond_destroy(&committer->queued);
	pthread_mutex_destroy(&committer->lock);
	memory_free(committer);
}

static enum status start_threads(struct committer *committer, struct slice url, struct problem *problem)
{
	if (committer->sql->driver->tidy)
		TRY(start_tidier(&committer->tidier, url, problem));
	return thread_start(committer->name, serve, committer, &committer->thread);
}

enum status committer_start(
        struct slice url, const char *name, struct committer **ret_committer, struct problem *problem)
{
	struct sql *sql;
	TRY(sql_open(url, &sql, problem));
	struct committer *committer = NEW(struct committer);
	committer->sql = sql;
	committer->last = &committer->first;
	snprintf(committer->name, sizeof committer->name, "%s", name);
	pthread_mutex_init(&committer->lock, NULL);
	pthread_cond_init(&committer->queued, NULL);
	bell_init(&committer->tidier.bell);
	enum status status = start_threads(committer, url, problem);
	if (status != STATUS_OK) {
		clean_up(committer);
		return status;
	}
	*ret_committer = committer;
	return STATUS_OK;
}

void committer_stop(struct committer *committer)
{
	if (!committer)
		return;
	pthread_mutex_lock(&committer->lock);
	committer->is_stopping = true;
	pthread_cond_signal(&committer->queued);
	pthread_mutex_unlock(&committer->lock);
	thread_join(committer->thread);
	clean_up(committer);
}

static enum status enqueue(struct committer *committer, struct work *work)
{
	enum status status = STATUS_OK;
	pthread_mutex_lock(&committer->lock);
	if (committer->is_stopping)
		status = ERR_SHUTTING_DOWN;
	else if (committer->count == COMMITTER_QUEUE_MAX)
		status = ERR_OVERLOADED;
	if (status == STATUS_OK) {
		*committer->last = work;
		committer->last = &work->next;
		committer->count++;
		if (committer->is_asleep)
			pthread_cond_signal(&committer->queued);
	}
	pthread_mutex_unlock(&committer->lock);
	return status;
}

enum status committer_run(struct committer *committer, commit_fn *run, void *arg)
{
	struct work work = { .run = run, .arg = arg };
	TRY(enqueue(committer, &work));
	wait_until_done(&work);
	return work.status;
}

void committer_on_event(struct committer *committer, committer_listener *listener, void *arg)
{
	pthread_mutex_lock(&committer->lock);
	committer->listener = listener;
	committer->listener_arg = arg;
	pthread_mutex_unlock(&committer->lock);
}

struct committer_figures committer_figures(const struct committer *committer)
{
	return (struct committer_figures) {
		.commits = atomic_load_explicit(&committer->commits, memory_order_relaxed),
		.works = atomic_load_explicit(&committer->works, memory_order_relaxed),
		.retries = atomic_load_explicit(&committer->retries, memory_order_relaxed),
		.commit_microseconds = atomic_load_explicit(&committer->commit_microseconds, memory_order_relaxed),
		.waiting = atomic_load_explicit(&committer->count, memory_order_relaxed),
	};
}
