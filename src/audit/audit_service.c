#include "audit/audit_service.h"

#include <stdatomic.h>

#include "audit/audit_api.h"
#include "audit_sql.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "money/ids.h"
#include "platform/metrics.h"

enum { CONNECTIONS = 4 };

const struct sql_migrations audit_migrations = { audit_migration_rows, AUDIT_MIGRATION_COUNT };

struct audit_service {
	const struct engines *engines;
	struct sql_pool *trail;
	atomic_flag is_verifying;
};

/* What was done: the last part of the event's type, or what the event says itself. */
static struct slice action_of(const struct event *event, struct arena *arena)
{
	struct slice rest = event->type, part = SLICE_EMPTY;
	const struct json *body;
	if (slice_is(event->type, "audit.access") && json_parse(event->body, arena, &body, NULL) == STATUS_OK) {
		const struct json *action = json_member(body, "action");
		if (action && action->type == JSON_STRING)
			return action->text;
	}
	while (slice_split(&rest, '.', &part))
		continue;
	return part;
}

static struct audit_record record_of(const struct event *event, const struct audit_head *head, struct arena *arena)
{
	struct user_id user = { 0 };
	struct audit_record record = {
		.sequence = head->sequence + 1,
		.source_sequence = event->sequence,
		.id = event->id,
		.event_type = event->type,
		.entity_type = event->entity_type,
		.entity_id = event->entity_id,
		.action = action_of(event, arena),
		.actor = event->actor,
		.ip_address = event->ip_address,
		.user_agent = event->user_agent,
		.trace_id = event->trace_id,
		.old_values = event->old_values,
		.new_values = event->new_values,
		.body = event->body,
		.created_at = event->created_at,
		.previous_hash = head->hash,
	};
	if (user_id_parse(event->actor, &user))
		record.user_id = user.uuid;
	audit_record_seal(&record);
	return record;
}

/* Appends what the trail does not have yet and moves the head. Sequences only grow, unless the same events come again
 * after a crash or the business database was replaced: then the event's own identifier decides. */
static enum status append_events(
        struct sql *sql, const struct event *events, size_t count, struct arena *arena, size_t *ret_appended)
{
	struct audit_head head;
	size_t appended = 0;
	TRY(audit_store_head(sql, &head));
	for (size_t i = 0; i < count; i++) {
		bool is_there = false;
		if (events[i].sequence <= head.source_sequence)
			TRY(audit_store_has(sql, events[i].id, &is_there));
		if (is_there)
			continue;
		struct audit_record record = record_of(&events[i], &head, arena);
		TRY(audit_store_append(sql, &record));
		head = (struct audit_head) { record.sequence, record.source_sequence, record.hash };
		appended++;
	}
	if (appended)
		TRY(audit_store_head_move(sql, &head));
	*ret_appended = appended;
	return STATUS_OK;
}

static enum status append_committed(struct sql *sql, const struct event *events, size_t count, size_t *ret_appended)
{
	struct arena arena = { 0 };
	TRY(sql_begin(sql));
	enum status status = append_events(sql, events, count, &arena, ret_appended);
	arena_clean_up(&arena);
	if (status != STATUS_OK) {
		sql_rollback(sql);
		return status;
	}
	return sql_commit(sql);
}

enum status audit_service_handle(void *arg, const struct event *events, size_t count)
{
	struct audit_service *service = arg;
	struct sql *sql;
	size_t appended = 0;
	TRY(sql_pool_take(service->trail, &sql));
	enum status status = append_committed(sql, events, count, &appended);
	sql_pool_give(service->trail, sql);
	if (status == STATUS_OK)
		metric_add(METRIC_audit_records_total, "", appended);
	else
		log_event(LOG_ERROR, "audit", "events not recorded yet", LOG_STATUS(status), LOG_INT("count", count));
	return status;
}

struct access_work {
	const struct actor *actor;
	struct uuid user;
	const char *action;
	int64_t at;
};

static enum status store_access(struct sql *sql, void *arg)
{
	const struct access_work *work = arg;
	const struct audit_access access = {
		.user = { work->user },
		.resource = "audit_event",
		.action = work->action,
		.entity_type = "user",
		.entity = work->user,
		.at = work->at,
	};
	return audit_access_store(sql, work->actor, &access);
}

static enum status note_access(
        struct audit_service *service, const struct actor *actor, struct uuid user, const char *action)
{
	struct access_work work = { actor, user, action, clock_now() };
	TRY(committer_run(service->engines->committer, store_access, &work));
	if (service->engines->outbox)
		outbox_wake(service->engines->outbox);
	return STATUS_OK;
}

enum status audit_service_list(struct audit_service *service, const struct actor *actor, struct uuid user,
        const struct audit_filter *filter, const struct page *page, audit_take *take, void *arg)
{
	struct sql *sql;
	TRY(note_access(service, actor, user, "view"));
	TRY(sql_pool_take(service->trail, &sql));
	enum status status = audit_store_page(sql, filter, page, take, arg);
	sql_pool_give(service->trail, sql);
	return status;
}

enum status audit_service_verify(
        struct audit_service *service, const struct actor *actor, struct uuid user, struct audit_finding *ret_finding)
{
	struct sql *sql;
	TRY(note_access(service, actor, user, "verify"));
	if (atomic_flag_test_and_set(&service->is_verifying))
		return ERR_OVERLOADED;
	enum status status = sql_pool_take(service->trail, &sql);
	if (status == STATUS_OK) {
		status = audit_verify(sql, ret_finding);
		sql_pool_give(service->trail, sql);
	}
	atomic_flag_clear(&service->is_verifying);
	return status;
}

static enum status prepare_trail(struct slice url, struct problem *problem)
{
	struct sql *sql;
	TRY(sql_open(url, &sql, problem));
	enum status status = sql_migrate(sql, &audit_migrations, problem);
	if (status == STATUS_OK)
		status = audit_store_prepare(sql);
	sql_close(sql);
	return status;
}

static enum status start(struct audit_service *service, const struct audit_options *options, struct problem *problem)
{
	TRY(prepare_trail(options->audit_database_url, problem));
	TRY(sql_pool_open(options->audit_database_url, CONNECTIONS, &service->trail, problem));
	if (!service->engines->outbox)
		return STATUS_OK;
	return outbox_subscribe(service->engines->outbox, "audit", audit_service_handle, service);
}

enum status audit_service_start(
        const struct audit_options *options, struct audit_service **ret_service, struct problem *problem)
{
	struct audit_service *service = NEW(struct audit_service);
	service->engines = options->engines;
	enum status status = start(service, options, problem);
	if (status == STATUS_OK)
		*ret_service = service;
	else
		audit_service_stop(service);
	return status;
}

void audit_service_stop(struct audit_service *service)
{
	if (!service)
		return;
	sql_pool_close(service->trail);
	memory_free(service);
}
