/* What the tests of risk, audit and notify share: engines on a fresh database, and events by hand. */
#pragma once

#include "base/clock.h"
#include "database.h"
#include "events.h"
#include "money/ids.h"
#include "platform/engines.h"

struct watch {
	struct engines engines;
	struct database *database;
};

static inline void watch_migrate(const struct database *database, const struct sql_migrations *migrations)
{
	struct sql *sql = database_connect(database);
	struct problem problem = { 0 };
	if (sql_migrate(sql, &outbox_migrations, &problem) != STATUS_OK ||
	        sql_migrate(sql, migrations, &problem) != STATUS_OK)
		fail_msg("%s", problem.detail);
	sql_close(sql);
}

/* Committer and readers; no outbox thread: tests hand events to the handlers themselves unless they start one. */
static inline void watch_start(struct watch *watch, struct database *database, const struct sql_migrations *migrations)
{
	struct problem problem = { 0 };
	watch_migrate(database, migrations);
	*watch = (struct watch) { .database = database, .engines.database_url = database_url(database) };
	assert_status(committer_start(database_url(database), "test", &watch->engines.committer, &problem), STATUS_OK);
	assert_status(sql_pool_open(database_url(database), 4, &watch->engines.readers, &problem), STATUS_OK);
}

static inline void watch_stop(struct watch *watch)
{
	outbox_stop(watch->engines.outbox);
	committer_stop(watch->engines.committer);
	sql_pool_close(watch->engines.readers);
}

static inline enum status watch_store_event(struct sql *sql, void *arg)
{
	return outbox_add(sql, arg);
}

static inline void watch_publish(struct watch *watch, const struct event *event)
{
	struct event copy = *event;
	assert_status(committer_run(watch->engines.committer, watch_store_event, &copy), STATUS_OK);
	if (watch->engines.outbox)
		outbox_wake(watch->engines.outbox);
}

/* All events stored so far. */
static inline size_t watch_events(struct watch *watch, struct arena *arena, struct event **ret_events)
{
	struct sql *sql;
	size_t count;
	assert_status(sql_pool_take(watch->engines.readers, &sql), STATUS_OK);
	assert_status(outbox_read(sql, 0, 0, 100000, arena, ret_events, &count), STATUS_OK);
	sql_pool_give(watch->engines.readers, sql);
	for (size_t i = 0; i < count; i++)
		assert_event_follows_its_schema(&(*ret_events)[i]);
	return count;
}

/* An event of a payment, made of text that lives in the arena. */
static inline struct event watch_payment(struct arena *arena, const char *type, struct payment_id payment,
        struct agent_id agent, const char *amount, int64_t at)
{
	struct writer body = writer_growing(arena), agent_text = writer_growing(arena);
	write_agent_id(&agent_text, agent);
	writef(&body, "{\"event_type\":\"%s\",\"payment_id\":\"", type);
	write_payment_id(&body, payment);
	writef(&body, "\",\"agent_id\":\"%.*s\",\"amount\":%s,\"currency\":\"USD\",\"rail\":null,\"timestamp\":\"",
	        SLICE_ARGS(writer_slice(&agent_text)), amount);
	write_instant(&body, at);
	write_text(&body, "\"}");
	return (struct event) { .id = uuid_new(),
		.type = slice_from(type),
		.entity_type = SLICE("payment"),
		.entity_id = payment.uuid,
		.actor = writer_slice(&agent_text),
		.ip_address = SLICE("127.0.0.1"),
		.user_agent = SLICE("test"),
		.body = writer_slice(&body),
		.new_values = SLICE("{\"status\":\"created\"}"),
		.created_at = at };
}
