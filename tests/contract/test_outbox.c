#include "database.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "platform/outbox.h"
#include "platform/thread.h"

enum { WAIT_MS = 20000, SEEN_MAX = 20000 };

/* A database with the outbox's tables, and what a process starts on it. */
struct bus {
	const struct database *database;
	struct committer *committer;
	struct outbox *outbox;
};

static struct bus bus_start(const struct database *database)
{
	struct bus bus = { .database = database };
	struct problem problem = { 0 };
	struct sql *sql = database_connect(database);
	if (sql_migrate(sql, &outbox_migrations, &problem) != STATUS_OK)
		fail_msg("%s", problem.detail);
	sql_close(sql);
	assert_status(committer_start(database_url(database), "test", &bus.committer, NULL), STATUS_OK);
	assert_status(outbox_start(database_url(database), bus.committer, &bus.outbox, NULL), STATUS_OK);
	return bus;
}

static void bus_stop(struct bus *bus)
{
	outbox_stop(bus->outbox);
	committer_stop(bus->committer);
}

static struct event event_of(int64_t number)
{
	return (struct event) { .id = uuid_new(),
		.type = SLICE("test.happened"),
		.entity_type = SLICE("test"),
		.entity_id = uuid_new(),
		.actor = actor_system.name,
		.ip_address = actor_system.ip_address,
		.body = SLICE("{}"),
		.created_at = number };
}

/* Events carry their number as their time. */
static enum status add_number(struct sql *sql, void *arg)
{
	const int64_t *number = arg;
	struct event event = event_of(*number);
	return outbox_add(sql, &event);
}

static void publish(struct bus *bus, int64_t first, int64_t last)
{
	for (int64_t number = first; number <= last; number++)
		assert_status(committer_run(bus->committer, add_number, &number), STATUS_OK);
}

/* What a consumer saw. */
struct seen {
	_Atomic size_t count;
	int64_t numbers[SEEN_MAX], sequences[SEEN_MAX];
	_Atomic int failures_left; /* so often the handler fails before it looks */
	_Atomic size_t calls;
};

static enum status see(void *arg, const struct event *events, size_t count)
{
	struct seen *seen = arg;
	seen->calls++;
	if (seen->failures_left > 0) {
		seen->failures_left--;
		return ERR_NEIGHBOUR_UNAVAILABLE;
	}
	assert_in_range(count, 1, OUTBOX_BATCH_MAX);
	for (size_t i = 0; i < count && seen->count < SEEN_MAX; i++) {
		seen->numbers[seen->count] = events[i].created_at;
		seen->sequences[seen->count] = events[i].sequence;
		seen->count++;
	}
	return STATUS_OK;
}

static void wait_for(const struct seen *seen, size_t count)
{
	for (int waited = 0; seen->count < count && waited < WAIT_MS; waited++)
		usleep(1000);
	assert_int_equal(seen->count, count);
}

static void assert_in_order(const struct seen *seen, int64_t first)
{
	for (size_t i = 0; i < seen->count; i++) {
		assert_int_equal(seen->numbers[i], first + (int64_t)i);
		assert_true(i == 0 || seen->sequences[i] > seen->sequences[i - 1]);
	}
}

static void an_event_comes_back_whole(void **state)
{
	struct bus bus = bus_start(database_of(state));
	struct sql *sql = database_connect(bus.database);
	struct arena arena = { 0 };
	const struct event full = { .id = uuid_new(),
		.type = SLICE("payment.initiated"),
		.entity_type = SLICE("payment"),
		.entity_id = uuid_new(),
		.actor = SLICE("agent-1"),
		.ip_address = SLICE("192.0.2.1"),
		.user_agent = SLICE("curl/8"),
		.trace_id = SLICE("4bf92f3577b34da6a3ce929d0e0e4736"),
		.body = SLICE("{\"a\":1}"),
		.old_values = SLICE("{\"old\":1}"),
		.new_values = SLICE("{\"new\":1}"),
		.created_at = INT64_C(1757246400123456) };
	const struct event bare = event_of(7);
	struct event *events;
	size_t count;
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(outbox_add(sql, &full), STATUS_OK);
	assert_status(outbox_add(sql, &bare), STATUS_OK);
	assert_status(sql_commit(sql), STATUS_OK);
	assert_status(outbox_read(sql, 0, 0, 10, &arena, &events, &count), STATUS_OK);
	assert_int_equal(count, 2);
	assert_true(events[0].sequence > 0 && events[1].sequence > events[0].sequence);
	assert_true(uuid_equal(events[0].id, full.id) && uuid_equal(events[0].entity_id, full.entity_id));
	assert_slice(events[0].type, "payment.initiated");
	assert_slice(events[0].entity_type, "payment");
	assert_slice(events[0].actor, "agent-1");
	assert_slice(events[0].ip_address, "192.0.2.1");
	assert_slice(events[0].user_agent, "curl/8");
	assert_slice(events[0].trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_slice(events[0].body, "{\"a\":1}");
	assert_slice(events[0].old_values, "{\"old\":1}");
	assert_slice(events[0].new_values, "{\"new\":1}");
	assert_true(events[0].created_at == full.created_at);
	assert_slice(events[1].actor, "system");
	assert_slice(events[1].ip_address, "");
	assert_slice(events[1].old_values, "");
	arena_clean_up(&arena);
	sql_close(sql);
	bus_stop(&bus);
}

static void reading_is_bounded_by_place_time_and_count(void **state)
{
	struct bus bus = bus_start(database_of(state));
	struct sql *sql = database_connect(bus.database);
	struct arena arena = { 0 };
	struct event *events;
	size_t count;
	publish(&bus, 1, 20);
	assert_status(outbox_read(sql, 0, 0, 5, &arena, &events, &count), STATUS_OK);
	assert_int_equal(count, 5);
	int64_t fifth = events[4].sequence;
	assert_status(outbox_read(sql, fifth, 0, 100, &arena, &events, &count), STATUS_OK);
	assert_int_equal(count, 15);
	assert_int_equal(events[0].created_at, 6);
	assert_status(outbox_read(sql, fifth, 11, 100, &arena, &events, &count), STATUS_OK);
	assert_int_equal(count, 10);
	assert_int_equal(events[0].created_at, 11);
	arena_clean_up(&arena);
	sql_close(sql);
	bus_stop(&bus);
}

static void a_rolled_back_event_never_was(void **state)
{
	struct bus bus = bus_start(database_of(state));
	struct sql *sql = database_connect(bus.database);
	const struct event event = event_of(1);
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(outbox_add(sql, &event), STATUS_OK);
	sql_rollback(sql);
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM outbox"), 0);
	sql_close(sql);
	bus_stop(&bus);
}

static void consumers_see_all_in_order(void **state)
{
	struct bus bus = bus_start(database_of(state));
	static struct seen first, second;
	memset(&first, 0, sizeof first);
	memset(&second, 0, sizeof second);
	publish(&bus, 1, 300); /* a new name starts at the first event */
	assert_status(outbox_subscribe(bus.outbox, "first", see, &first), STATUS_OK);
	assert_status(outbox_subscribe(bus.outbox, "second", see, &second), STATUS_OK);
	publish(&bus, 301, 600);
	wait_for(&first, 600);
	wait_for(&second, 600);
	assert_in_order(&first, 1);
	assert_in_order(&second, 1);
	bus_stop(&bus);
}

static void an_event_is_seen_soon(void **state)
{
	struct bus bus = bus_start(database_of(state));
	static struct seen seen;
	memset(&seen, 0, sizeof seen);
	assert_status(outbox_subscribe(bus.outbox, "soon", see, &seen), STATUS_OK);
	publish(&bus, 1, 1);
	wait_for(&seen, 1);
	int64_t fastest = INT64_MAX;
	for (int64_t number = 2; number < 12; number++) {
		usleep(20 * 1000);
		int64_t started = clock_monotonic();
		publish(&bus, number, number);
		wait_for(&seen, (size_t)number);
		int64_t took = clock_monotonic() - started;
		fastest = took < fastest ? took : fastest;
	}
	assert_in_range(fastest, 0, 100000); /* well below the time between two polls */
	bus_stop(&bus);
}

static void events_of_other_processes_are_found(void **state)
{
	struct bus bus = bus_start(database_of(state));
	static struct seen seen;
	memset(&seen, 0, sizeof seen);
	struct sql *other = database_connect(bus.database);
	assert_status(outbox_subscribe(bus.outbox, "other", see, &seen), STATUS_OK);
	usleep(50 * 1000);
	const struct event event = event_of(1);
	assert_status(sql_begin(other), STATUS_OK);
	assert_status(outbox_add(other, &event), STATUS_OK);
	assert_status(sql_commit(other), STATUS_OK);
	wait_for(&seen, 1);
	sql_close(other);
	bus_stop(&bus);
}

static void an_offset_survives(void **state)
{
	struct database *database = database_of(state);
	static struct seen before, after;
	memset(&before, 0, sizeof before);
	memset(&after, 0, sizeof after);
	struct bus bus = bus_start(database);
	assert_status(outbox_subscribe(bus.outbox, "durable", see, &before), STATUS_OK);
	publish(&bus, 1, 10);
	wait_for(&before, 10);
	bus_stop(&bus);
	bus = bus_start(database);
	publish(&bus, 11, 15);
	assert_status(outbox_subscribe(bus.outbox, "durable", see, &after), STATUS_OK);
	wait_for(&after, 5);
	assert_in_order(&after, 11);
	bus_stop(&bus);
}

static void a_failing_handler_sees_the_same_again(void **state)
{
	struct bus bus = bus_start(database_of(state));
	static struct seen seen;
	memset(&seen, 0, sizeof seen);
	seen.failures_left = 3;
	assert_status(outbox_subscribe(bus.outbox, "failing", see, &seen), STATUS_OK);
	publish(&bus, 1, 5);
	wait_for(&seen, 5);
	assert_in_order(&seen, 1);
	assert_true(seen.calls >= 4);
	bus_stop(&bus);
}

static void stopping_does_not_wait_for_a_failing_handler(void **state)
{
	struct bus bus = bus_start(database_of(state));
	static struct seen seen;
	memset(&seen, 0, sizeof seen);
	seen.failures_left = INT32_MAX;
	assert_status(outbox_subscribe(bus.outbox, "failing", see, &seen), STATUS_OK);
	publish(&bus, 1, 1);
	for (int waited = 0; seen.calls < 4 && waited < WAIT_MS; waited++)
		usleep(1000);
	assert_in_range(seen.calls, 4, 6); /* 50, 100, 200 ms … lie between the calls */
	int64_t started = clock_monotonic();
	bus_stop(&bus);
	assert_in_range(clock_monotonic() - started, 0, 300000);
	assert_int_equal(seen.count, 0);
}

static void the_lag_is_known(void **state)
{
	struct bus bus = bus_start(database_of(state));
	static struct seen seen, stuck;
	const char *names[4];
	int64_t lags[4] = { -1, -1, -1, -1 };
	memset(&seen, 0, sizeof seen);
	memset(&stuck, 0, sizeof stuck);
	stuck.failures_left = INT32_MAX;
	assert_int_equal(outbox_lag(bus.outbox, names, lags, 4), 0);
	publish(&bus, 1, 10);
	assert_status(outbox_subscribe(bus.outbox, "good", see, &seen), STATUS_OK);
	assert_status(outbox_subscribe(bus.outbox, "stuck", see, &stuck), STATUS_OK);
	wait_for(&seen, 10);
	for (int waited = 0; lags[0] != 0 && waited < WAIT_MS; waited++) {
		assert_int_equal(outbox_lag(bus.outbox, names, lags, 4), 2);
		usleep(1000);
	}
	assert_string_equal(names[0], "good");
	assert_int_equal(lags[0], 0);
	assert_string_equal(names[1], "stuck");
	assert_int_equal(lags[1], 10);
	assert_int_equal(outbox_lag(bus.outbox, names, lags, 1), 1);
	bus_stop(&bus);
}

/* Two writers: the one that came second may not show its event before the first has shown its own. */
struct second_writer {
	struct sql *sql;
	_Atomic bool is_done;
	struct thread *thread;
};

static void write_second(void *arg)
{
	struct second_writer *writer = arg;
	const struct event event = event_of(2);
	if (sql_begin(writer->sql) == STATUS_OK && outbox_add(writer->sql, &event) == STATUS_OK &&
	        sql_commit(writer->sql) == STATUS_OK)
		writer->is_done = true;
}

static void no_event_overtakes_another(void **state)
{
	struct bus bus = bus_start(database_of(state));
	struct sql *first = database_connect(bus.database), *reader = database_connect(bus.database);
	struct second_writer second = { .sql = database_connect(bus.database) };
	const struct event event = event_of(1);
	struct arena arena = { 0 };
	struct event *events;
	size_t count;
	assert_status(sql_begin(first), STATUS_OK);
	assert_status(outbox_add(first, &event), STATUS_OK);
	assert_int_equal(database_number(first, "SELECT COUNT(*) FROM outbox"), 1); /* the sequence is drawn */
	assert_status(thread_start("second", write_second, &second, &second.thread), STATUS_OK);
	usleep(300 * 1000);
	assert_false(second.is_done);
	assert_status(outbox_read(reader, 0, 0, 10, &arena, &events, &count), STATUS_OK);
	assert_int_equal(count, 0);
	assert_status(sql_commit(first), STATUS_OK);
	thread_join(second.thread);
	assert_true(second.is_done);
	assert_status(outbox_read(reader, 0, 0, 10, &arena, &events, &count), STATUS_OK);
	assert_int_equal(count, 2);
	assert_int_equal(events[0].created_at, 1);
	assert_int_equal(events[1].created_at, 2);
	arena_clean_up(&arena);
	sql_close(second.sql);
	sql_close(first);
	sql_close(reader);
	bus_stop(&bus);
}

TESTS(ON_BOTH(an_event_comes_back_whole), ON_BOTH(reading_is_bounded_by_place_time_and_count),
        ON_BOTH(a_rolled_back_event_never_was), ON_BOTH(consumers_see_all_in_order), ON_BOTH(an_event_is_seen_soon),
        ON_BOTH(events_of_other_processes_are_found), ON_BOTH(an_offset_survives),
        ON_BOTH(a_failing_handler_sees_the_same_again), ON_BOTH(stopping_does_not_wait_for_a_failing_handler),
        ON_BOTH(the_lag_is_known), ON_BOTH(no_event_overtakes_another))
