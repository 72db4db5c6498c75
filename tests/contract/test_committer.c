#include "database.h"

#include <pthread.h>
#include <stdatomic.h>

#include "platform/committer.h"
#include "platform/thread.h"

static const struct sql_query insert = { .name = "insert",
	.sqlite = "INSERT INTO works (id) VALUES ($1)",
	.postgres = "INSERT INTO works (id) VALUES ($1)" };
static const char create_table[] = "CREATE TABLE works (id BIGINT PRIMARY KEY)";
static const char count_rows[] = "SELECT COUNT(*) FROM works";

struct job {
	int64_t id;
	enum status refusal;      /* what the work answers by itself */
	bool refuses_after_write; /* or before it */
	int busy_runs;            /* so many runs find the database busy */
	int runs;
};

static enum status do_job(struct sql *sql, void *arg)
{
	struct job *job = arg;
	const struct sql_value id = SQL_INTEGER(job->id);
	if (job->runs++ < job->busy_runs)
		return ERR_DATABASE_BUSY;
	if (job->refusal != STATUS_OK && !job->refuses_after_write)
		return job->refusal;
	TRY(sql_execute(sql, &insert, &id, 1));
	return job->refusal;
}

static struct committer *start(const struct database *database)
{
	struct sql *sql = database_connect(database);
	assert_status(database_execute(sql, create_table), STATUS_OK);
	sql_close(sql);
	struct committer *committer;
	struct problem problem = { 0 };
	if (committer_start(database_url(database), "test", &committer, &problem) != STATUS_OK)
		fail_msg("%s", problem.detail);
	return committer;
}

static int64_t stored(const struct database *database)
{
	struct sql *sql = database_connect(database);
	int64_t count = database_number(sql, count_rows);
	sql_close(sql);
	return count;
}

/* Holds the committer inside a work until told, so that a test decides what waits in the queue. */
struct gate {
	_Atomic bool is_reached, is_open;
};

static enum status wait_at_gate(struct sql *sql, void *arg)
{
	struct gate *gate = arg;
	(void)sql;
	gate->is_reached = true;
	while (!gate->is_open)
		usleep(500);
	return STATUS_OK;
}

static void wait_for_queue(const struct committer *committer, size_t waiting)
{
	while (committer_figures(committer).waiting < waiting)
		usleep(500);
}

struct caller {
	struct committer *committer;
	commit_fn *run;
	void *arg;
	_Atomic enum status status;
	struct thread *thread;
};

static void call(void *arg)
{
	struct caller *caller = arg;
	caller->status = committer_run(caller->committer, caller->run, caller->arg);
}

static void start_call(struct caller *caller, struct committer *committer, commit_fn *run, void *arg)
{
	*caller = (struct caller) { .committer = committer, .run = run, .arg = arg };
	assert_status(thread_start("caller", call, caller, &caller->thread), STATUS_OK);
}

static void close_gate(struct gate *gate, struct caller *caller, struct committer *committer)
{
	start_call(caller, committer, wait_at_gate, gate);
	while (!gate->is_reached)
		usleep(500);
}

/* All jobs in one batch, behind the gate. */
static void run_together(struct committer *committer, struct job *jobs, enum status *ret_statuses, size_t count)
{
	struct gate gate = { 0 };
	struct caller first, callers[16];
	assert_in_range(count, 1, 16);
	close_gate(&gate, &first, committer);
	for (size_t i = 0; i < count; i++)
		start_call(&callers[i], committer, do_job, &jobs[i]);
	wait_for_queue(committer, count);
	gate.is_open = true;
	thread_join(first.thread);
	for (size_t i = 0; i < count; i++) {
		thread_join(callers[i].thread);
		ret_statuses[i] = callers[i].status;
	}
}

static void a_refusal_is_its_own(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	struct job jobs[] = { { .id = 1 }, { .id = 2, .refusal = ERR_INSUFFICIENT_FUNDS }, { .id = 3 } };
	enum status statuses[3];
	run_together(committer, jobs, statuses, 3);
	assert_status(statuses[0], STATUS_OK);
	assert_status(statuses[1], ERR_INSUFFICIENT_FUNDS);
	assert_status(statuses[2], STATUS_OK);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(jobs[i].runs, 1);
	struct committer_figures figures = committer_figures(committer);
	assert_int_equal(figures.commits, 1); /* the gate's, which took along what had arrived */
	assert_int_equal(figures.retries, 0);
	committer_stop(committer);
	assert_int_equal(stored(database), 2);
}

static void a_refusal_after_a_write_leaves_nothing(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	struct job jobs[] = { { .id = 1 }, { .id = 2, .refusal = ERR_INSUFFICIENT_FUNDS, .refuses_after_write = true },
		{ .id = 3 } };
	enum status statuses[3];
	run_together(committer, jobs, statuses, 3);
	assert_status(statuses[0], STATUS_OK);
	assert_status(statuses[1], ERR_INSUFFICIENT_FUNDS);
	assert_status(statuses[2], STATUS_OK);
	committer_stop(committer);
	assert_int_equal(stored(database), 2);
}

static void a_refusal_after_a_write_leaves_nothing_alone(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	struct job job = { .id = 2, .refusal = ERR_INSUFFICIENT_FUNDS, .refuses_after_write = true };
	assert_status(committer_run(committer, do_job, &job), ERR_INSUFFICIENT_FUNDS);
	committer_stop(committer);
	assert_int_equal(stored(database), 0);
}

static void a_duplicate_fails_alone(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	struct job first = { .id = 7 };
	assert_status(committer_run(committer, do_job, &first), STATUS_OK);
	struct job jobs[] = { { .id = 1 }, { .id = 7 }, { .id = 3 }, { .id = 4 } };
	enum status statuses[4];
	run_together(committer, jobs, statuses, 4);
	for (size_t i = 0; i < 4; i++)
		assert_status(statuses[i], i == 1 ? ERR_DATABASE_CONSTRAINT : STATUS_OK);
	committer_stop(committer);
	assert_int_equal(stored(database), 4);
}

static void a_conflict_is_tried_again_but_not_for_ever(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	struct job lucky = { .id = 1, .busy_runs = 3 }, unlucky = { .id = 2, .busy_runs = INT32_MAX };
	assert_status(committer_run(committer, do_job, &lucky), STATUS_OK);
	assert_int_equal(lucky.runs, 4);
	assert_status(committer_run(committer, do_job, &unlucky), ERR_DATABASE_BUSY);
	assert_in_range(unlucky.runs, 2, 10);
	assert_true(committer_figures(committer).retries >= 3);
	committer_stop(committer);
	assert_int_equal(stored(database), 1);
}

/* An application name for a duplicate is the work's own answer on both engines. */
static enum status do_named_job(struct sql *sql, void *arg)
{
	int64_t changed;
	const struct sql_value id = SQL_INTEGER(*(const int64_t *)arg);
	enum status status = sql_execute_counted(sql, &insert, &id, 1, &changed);
	return status == ERR_DATABASE_CONSTRAINT ? ERR_ALREADY_EXISTS : status;
}

static void a_work_may_name_a_duplicate(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	int64_t id = 5;
	assert_status(committer_run(committer, do_named_job, &id), STATUS_OK);
	assert_status(committer_run(committer, do_named_job, &id), ERR_ALREADY_EXISTS);
	committer_stop(committer);
	assert_int_equal(stored(database), 1);
}

enum { WRITERS = 64, WORKS_EACH = 200 };

struct writer_arg {
	struct committer *committer;
	int64_t first;
	int failures;
	struct thread *thread;
};

static void write_many(void *arg)
{
	struct writer_arg *writer = arg;
	for (int64_t i = 0; i < WORKS_EACH; i++) {
		struct job job = { .id = writer->first + i };
		if (committer_run(writer->committer, do_job, &job) != STATUS_OK)
			writer->failures++;
	}
}

static void many_writers_lose_nothing(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	static struct writer_arg writers[WRITERS];
	for (size_t i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer_arg) { .committer = committer, .first = (int64_t)i * WORKS_EACH };
		assert_status(thread_start("writer", write_many, &writers[i], &writers[i].thread), STATUS_OK);
	}
	for (size_t i = 0; i < WRITERS; i++) {
		thread_join(writers[i].thread);
		assert_int_equal(writers[i].failures, 0);
	}
	struct committer_figures figures = committer_figures(committer);
	assert_int_equal(figures.works, WRITERS * WORKS_EACH);
	assert_true(figures.commits < figures.works); /* they did gather */
	assert_int_equal(stored(database), WRITERS * WORKS_EACH);
	committer_stop(committer);
}

static void a_full_queue_refuses(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	static struct caller callers[COMMITTER_QUEUE_MAX];
	static struct job jobs[COMMITTER_QUEUE_MAX];
	struct gate gate = { 0 };
	struct caller first;
	close_gate(&gate, &first, committer);
	for (size_t i = 0; i < COMMITTER_QUEUE_MAX; i++) {
		jobs[i] = (struct job) { .id = (int64_t)i };
		start_call(&callers[i], committer, do_job, &jobs[i]);
	}
	wait_for_queue(committer, COMMITTER_QUEUE_MAX);
	struct job late = { .id = -1 };
	assert_status(committer_run(committer, do_job, &late), ERR_OVERLOADED);
	assert_int_equal(late.runs, 0);
	gate.is_open = true;
	thread_join(first.thread);
	for (size_t i = 0; i < COMMITTER_QUEUE_MAX; i++) {
		thread_join(callers[i].thread);
		assert_status(callers[i].status, STATUS_OK);
	}
	committer_stop(committer);
	assert_int_equal(stored(database), COMMITTER_QUEUE_MAX);
}

static void stop(void *arg)
{
	committer_stop(arg);
}

/* Calls that come before the stop are queued and done like the others; sooner or later one is refused. */
enum { LATE_CALLS = 1000 };

static void stopping_finishes_what_is_queued(void **state)
{
	struct database *database = database_of(state);
	struct committer *committer = start(database);
	static struct caller late[LATE_CALLS];
	static struct job jobs[LATE_CALLS];
	struct gate gate = { 0 };
	struct caller first, second;
	struct job queued = { .id = -1 };
	struct thread *stopper;
	close_gate(&gate, &first, committer);
	start_call(&second, committer, do_job, &queued);
	wait_for_queue(committer, 1);
	assert_status(thread_start("stopper", stop, committer, &stopper), STATUS_OK);
	size_t count = 0;
	do {
		jobs[count] = (struct job) { .id = (int64_t)count };
		start_call(&late[count], committer, do_job, &jobs[count]);
		usleep(20 * 1000);
	} while (late[count++].status == STATUS_OK && count < LATE_CALLS);
	gate.is_open = true;
	thread_join(first.thread);
	thread_join(second.thread);
	assert_status(second.status, STATUS_OK);
	int64_t done = 1;
	for (size_t i = 0; i < count; i++) {
		thread_join(late[i].thread);
		done += late[i].status == STATUS_OK;
	}
	assert_status(late[count - 1].status, ERR_SHUTTING_DOWN);
	thread_join(stopper);
	assert_int_equal(stored(database), done);
}

TESTS(ON_BOTH(a_refusal_is_its_own), ON_BOTH(a_refusal_after_a_write_leaves_nothing),
        ON_BOTH(a_refusal_after_a_write_leaves_nothing_alone), ON_BOTH(a_duplicate_fails_alone),
        ON_BOTH(a_conflict_is_tried_again_but_not_for_ever), ON_BOTH(a_work_may_name_a_duplicate),
        ON_BOTH(many_writers_lose_nothing), ON_SQLITE(a_full_queue_refuses), ON_BOTH(stopping_finishes_what_is_queued))
