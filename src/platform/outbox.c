#include "platform/outbox.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "platform/metrics.h"
#include "platform/sql_engine.h"
#include "platform/thread.h"
#include "platform_sql.h"

enum {
	CONSUMERS_MAX = 32,
	NAME_MAX = 64,
	STORE_MS = 200, /* between two stores of an offset */
	POLL_MS = 250,
	GATHER_MS = 5, /* at most 200 looks a second: under load a look finds many events instead of a few */
	BACKOFF_FIRST_MS = 50,
	BACKOFF_LAST_MS = 5000,
};

struct outbox_consumer {
	struct outbox *outbox;
	char name[NAME_MAX];
	outbox_handler *handle;
	void *arg;
	struct sql *sql;
	struct thread *thread;
	struct arena arena;       /* one batch of events */
	_Atomic int64_t sequence; /* of the last event that was handled; -1 until the stored offset is known */
	int64_t stored;           /* the offset as it was last stored */
	int64_t stored_at;
};

struct outbox {
	struct committer *committer;
	struct slice url;
	struct arena arena;
	struct signal_bell bell;
	struct sql_pool *readers; /* for outbox_lag */
	pthread_mutex_t lock;     /* over the list */
	struct outbox_consumer *consumers[CONSUMERS_MAX];
	size_t count;
};

const struct actor actor_system = {
	.name = SLICE("system"), .ip_address = SLICE_EMPTY, .user_agent = SLICE_EMPTY, .trace_id = SLICE_EMPTY
};

const struct sql_migrations outbox_migrations = { platform_migration_rows, PLATFORM_MIGRATION_COUNT };

/* A sequence is drawn at the insert and seen at the commit. With one writer both orders are the same; PostgreSQL has
 * many, so the first insert of a transaction takes a lock that is held until its commit: a reader who has seen a
 * sequence has seen all smaller ones. */
static enum status take_turn(struct sql *sql)
{
	if (sql->events > 0 || sql->engine == SQL_SQLITE)
		return STATUS_OK;
	return sql_execute(sql, &outbox_lock, NULL, 0);
}

/* Counted where it is stored: one of a transaction that fails is counted too. */
static void count_event(struct slice type)
{
	char label[NAME_MAX];
	struct writer out = writer_fixed(label, sizeof label - 1);
	write_slice(&out, type);
	label[out.size] = 0;
	metric_add(METRIC_events_total, label, 1);
}

enum status outbox_add(struct sql *sql, const struct event *event)
{
	assert(sql->in_transaction);
	TRY(take_turn(sql));
	const struct sql_value row[] = {
		SQL_UUID(event->id),
		SQL_TEXT(event->type),
		SQL_TEXT(event->entity_type),
		SQL_UUID_OR_NULL(event->entity_id),
		SQL_TEXT(event->actor),
		SQL_TEXT_OR_NULL(event->ip_address),
		SQL_TEXT_OR_NULL(event->user_agent),
		SQL_TEXT_OR_NULL(event->trace_id),
		SQL_TEXT(event->body),
		SQL_TEXT_OR_NULL(event->old_values),
		SQL_TEXT_OR_NULL(event->new_values),
		SQL_INSTANT(event->created_at),
	};
	TRY(sql_execute(sql, &outbox_insert, row, sizeof row / sizeof *row));
	sql->events++;
	count_event(event->type);
	return STATUS_OK;
}

static struct event read_event(const struct sql_rows *rows, struct arena *arena)
{
	return (struct event) {
		.sequence = sql_column_integer(rows, 0),
		.id = sql_column_uuid(rows, 1),
		.type = sql_column_copy(rows, 2, arena),
		.entity_type = sql_column_copy(rows, 3, arena),
		.entity_id = sql_column_uuid(rows, 4),
		.actor = sql_column_copy(rows, 5, arena),
		.ip_address = sql_column_copy(rows, 6, arena),
		.user_agent = sql_column_copy(rows, 7, arena),
		.trace_id = sql_column_copy(rows, 8, arena),
		.body = sql_column_copy(rows, 9, arena),
		.old_values = sql_column_copy(rows, 10, arena),
		.new_values = sql_column_copy(rows, 11, arena),
		.created_at = sql_column_instant(rows, 12),
	};
}

enum status outbox_read(struct sql *sql, int64_t after, int64_t since_at, size_t limit, struct arena *arena,
        struct event **ret_events, size_t *ret_count)
{
	const struct sql_value range[] = { SQL_INTEGER(after), SQL_INSTANT(since_at), SQL_INTEGER(limit) };
	struct sql_rows *rows;
	struct event *events = ARENA_ARRAY(arena, struct event, limit);
	size_t count = 0;
	TRY(sql_select(sql, &outbox_select_after, range, 3, &rows));
	while (count < limit && sql_next(rows))
		events[count++] = read_event(rows, arena);
	TRY(sql_end(rows));
	*ret_events = events;
	*ret_count = count;
	return STATUS_OK;
}

/* One number; `fallback` when there is no row. */
static enum status select_number(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t count, int64_t fallback, int64_t *ret_number)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, query, values, count, &rows));
	int64_t number = sql_next(rows) ? sql_column_integer(rows, 0) : fallback;
	TRY(sql_end(rows));
	*ret_number = number;
	return STATUS_OK;
}

struct offset {
	const char *consumer;
	int64_t sequence;
};

static enum status store_offset(struct sql *sql, void *arg)
{
	const struct offset *offset = arg;
	const struct sql_value row[] = { SQL_TEXT(slice_from(offset->consumer)), SQL_INTEGER(offset->sequence) };
	return sql_execute(sql, &outbox_offset_store, row, 2);
}

static enum status load_offset(struct outbox_consumer *consumer)
{
	const struct sql_value name = SQL_TEXT(slice_from(consumer->name));
	int64_t sequence;
	TRY(select_number(consumer->sql, &outbox_offset_select, &name, 1, 0, &sequence));
	consumer->sequence = consumer->stored = sequence;
	return STATUS_OK;
}

/* The offset is stored a few times a second only: a commit for each batch would cost the payments theirs. After a crash
 * the events since come again. */
static enum status tick_off(struct outbox_consumer *consumer, bool is_last)
{
	struct offset offset = { consumer->name, consumer->sequence };
	int64_t now = clock_monotonic();
	if (consumer->sequence <= consumer->stored || (!is_last && now < consumer->stored_at + STORE_MS * 1000))
		return STATUS_OK;
	TRY(committer_run(consumer->outbox->committer, store_offset, &offset));
	consumer->stored = offset.sequence;
	consumer->stored_at = now;
	return STATUS_OK;
}

/* Reads, handles and ticks off one batch; `*ret_count` events. */
static enum status consume(struct outbox_consumer *consumer, size_t *ret_count)
{
	struct event *events;
	size_t count;
	TRY(outbox_read(consumer->sql, consumer->sequence, 0, OUTBOX_BATCH_MAX, &consumer->arena, &events, &count));
	if (count > 0) {
		TRY(consumer->handle(consumer->arg, events, count));
		consumer->sequence = events[count - 1].sequence;
	}
	*ret_count = count;
	return tick_off(consumer, false);
}

static enum status look(struct outbox_consumer *consumer, size_t *ret_count)
{
	if (consumer->sequence < 0)
		TRY(load_offset(consumer));
	enum status status = consume(consumer, ret_count);
	arena_clean_up(&consumer->arena);
	return status;
}

/* Sleeps through all rings. False when stopped. */
static bool rest(struct signal_bell *bell, uint64_t *seen, int64_t pause_ms)
{
	int64_t until = clock_monotonic() + pause_ms * 1000;
	for (int64_t left = pause_ms; left > 0; left = (until - clock_monotonic()) / 1000)
		if (!bell_wait(bell, seen, left))
			return false;
	return !bell_is_stopped(bell);
}

static int64_t longer(int64_t backoff_ms)
{
	if (backoff_ms == 0)
		return BACKOFF_FIRST_MS;
	return backoff_ms * 2 < BACKOFF_LAST_MS ? backoff_ms * 2 : BACKOFF_LAST_MS;
}

static void serve(void *arg)
{
	struct outbox_consumer *consumer = arg;
	struct signal_bell *bell = &consumer->outbox->bell;
	int64_t backoff_ms = 0;
	uint64_t seen = 0, ignored = 0;
	bool goes_on = !bell_is_stopped(bell);
	while (goes_on) {
		size_t count = 0;
		enum status status = look(consumer, &count);
		if (status != STATUS_OK) {
			backoff_ms = longer(backoff_ms);
			log_event(LOG_WARNING, "outbox", "consumer failed", LOG_TEXT("consumer", consumer->name),
			        LOG_STATUS(status), LOG_INT("after", consumer->sequence),
			        LOG_INT("retry_ms", backoff_ms));
			goes_on = rest(bell, &ignored, backoff_ms);
			continue;
		}
		backoff_ms = 0;
		if (count == OUTBOX_BATCH_MAX)
			goes_on = !bell_is_stopped(bell);
		else
			goes_on = rest(bell, &ignored, count ? GATHER_MS : 0) && bell_wait(bell, &seen, POLL_MS);
	}
	enum status status = tick_off(consumer, true);
	if (status != STATUS_OK) /* The next start sees the last events once more. */
		log_event(LOG_WARNING, "outbox", "offset not stored", LOG_TEXT("consumer", consumer->name),
		        LOG_STATUS(status));
}

static void ring(void *arg)
{
	struct outbox *outbox = arg;
	bell_ring(&outbox->bell);
}

enum status outbox_start(
        struct slice database_url, struct committer *committer, struct outbox **ret_outbox, struct problem *problem)
{
	struct sql_pool *readers;
	assert(committer);
	TRY(sql_pool_open(database_url, 1, &readers, problem));
	struct outbox *outbox = NEW(struct outbox);
	outbox->committer = committer;
	outbox->url = arena_copy(&outbox->arena, database_url);
	outbox->readers = readers;
	bell_init(&outbox->bell);
	pthread_mutex_init(&outbox->lock, NULL);
	committer_on_event(committer, ring, outbox);
	*ret_outbox = outbox;
	return STATUS_OK;
}

static void free_consumer(struct outbox_consumer *consumer)
{
	thread_join(consumer->thread);
	sql_close(consumer->sql);
	arena_clean_up(&consumer->arena);
	memory_free(consumer);
}

void outbox_stop(struct outbox *outbox)
{
	if (!outbox)
		return;
	committer_on_event(outbox->committer, NULL, NULL);
	bell_stop(&outbox->bell);
	for (size_t i = 0; i < outbox->count; i++)
		free_consumer(outbox->consumers[i]);
	sql_pool_close(outbox->readers);
	pthread_mutex_destroy(&outbox->lock);
	bell_clean_up(&outbox->bell);
	arena_clean_up(&outbox->arena);
	memory_free(outbox);
}

void outbox_wake(struct outbox *outbox)
{
	bell_ring(&outbox->bell);
}

/* Starts the consumer's thread if there is room for one more. */
static enum status list(struct outbox *outbox, struct outbox_consumer *consumer)
{
	enum status status = ERR_OVERLOADED;
	pthread_mutex_lock(&outbox->lock);
	if (outbox->count < CONSUMERS_MAX)
		status = thread_start(consumer->name, serve, consumer, &consumer->thread);
	if (status == STATUS_OK)
		outbox->consumers[outbox->count++] = consumer;
	pthread_mutex_unlock(&outbox->lock);
	return status;
}

enum status outbox_subscribe(struct outbox *outbox, const char *name, outbox_handler *handler, void *arg)
{
	struct sql *sql;
	assert(strlen(name) < NAME_MAX);
	TRY(sql_open(outbox->url, &sql, NULL));
	struct outbox_consumer *consumer = NEW(struct outbox_consumer);
	consumer->outbox = outbox;
	consumer->handle = handler;
	consumer->arg = arg;
	consumer->sql = sql;
	consumer->sequence = -1;
	snprintf(consumer->name, sizeof consumer->name, "%s", name);
	enum status status = list(outbox, consumer);
	if (status != STATUS_OK)
		free_consumer(consumer);
	return status;
}

size_t outbox_lag(struct outbox *outbox, const char **ret_names, int64_t *ret_lags, size_t capacity)
{
	struct sql *sql;
	int64_t last = 0;
	if (sql_pool_take(outbox->readers, &sql) == STATUS_OK) {
		if (select_number(sql, &outbox_select_last, NULL, 0, 0, &last) != STATUS_OK)
			last = 0; /* an unreachable database is told elsewhere; the lag then reads 0 */
		sql_pool_give(outbox->readers, sql);
	}
	pthread_mutex_lock(&outbox->lock);
	size_t count = outbox->count < capacity ? outbox->count : capacity;
	for (size_t i = 0; i < count; i++) {
		int64_t handled = outbox->consumers[i]->sequence;
		ret_names[i] = outbox->consumers[i]->name;
		ret_lags[i] = last > handled ? last - (handled < 0 ? 0 : handled) : 0;
	}
	pthread_mutex_unlock(&outbox->lock);
	return count;
}
