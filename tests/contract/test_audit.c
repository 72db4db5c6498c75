#include "watch.h"

#include "audit/audit_service.h"
#include "base/json.h"
#include "base/writer.h"

static struct watch watch;
static struct audit_service *service;

static struct database *start(void **state)
{
	struct database *database = database_of(state);
	const struct audit_options options = { .engines = &watch.engines,
		.audit_database_url = database_url(database) };
	struct problem problem = { 0 };
	watch_start(&watch, database, &audit_migrations);
	assert_status(audit_service_start(&options, &service, &problem), STATUS_OK);
	return database;
}

static void stop(void)
{
	audit_service_stop(service);
	watch_stop(&watch);
}

/* Stores `count` events and lets the service record them in batches of seven. */
static void record(size_t count)
{
	struct arena arena = { 0 };
	struct event *events;
	int64_t now = clock_now();
	size_t before = watch_events(&watch, &arena, &events);
	for (size_t i = 0; i < count; i++) {
		struct event event = watch_payment(
		        &arena, "payment.initiated", payment_id_new(), agent_id_new(), "12.00", now + (int64_t)i);
		watch_publish(&watch, &event);
	}
	size_t all = watch_events(&watch, &arena, &events);
	for (size_t i = before; i < all; i += 7)
		assert_status(audit_service_handle(service, events + i, all - i < 7 ? all - i : 7), STATUS_OK);
	arena_clean_up(&arena);
}

static struct audit_finding verify(const struct database *database)
{
	struct sql *sql = database_connect(database);
	struct audit_finding finding;
	assert_status(audit_verify(sql, &finding), STATUS_OK);
	sql_close(sql);
	return finding;
}

static void an_empty_trail_is_intact(void **state)
{
	struct database *database = start(state);
	struct audit_finding finding = verify(database);
	assert_int_equal(finding.fault, AUDIT_INTACT);
	assert_int_equal(finding.records, 0);
	stop();
}

static void what_was_recorded_is_intact_and_recorded_once(void **state)
{
	struct database *database = start(state);
	struct arena arena = { 0 };
	struct event *events;
	record(50);
	size_t count = watch_events(&watch, &arena, &events);
	/* the same events come again, in other batches */
	assert_status(audit_service_handle(service, events, count), STATUS_OK);
	assert_status(audit_service_handle(service, events + count / 2, 3), STATUS_OK);
	struct audit_finding finding = verify(database);
	assert_int_equal(finding.fault, AUDIT_INTACT);
	assert_int_equal(finding.records, 50);
	arena_clean_up(&arena);
	stop();
}

/* As somebody would who owns the database file. */
static void lift_triggers(struct sql *sql)
{
	if (sql_engine(sql) == SQL_POSTGRES) {
		assert_status(database_execute(sql, "ALTER TABLE audit_events DISABLE TRIGGER ALL"), STATUS_OK);
		assert_status(database_execute(sql, "ALTER TABLE audit_head DISABLE TRIGGER ALL"), STATUS_OK);
		return;
	}
	assert_status(database_execute(sql, "DROP TRIGGER audit_events_no_update"), STATUS_OK);
	assert_status(database_execute(sql, "DROP TRIGGER audit_events_no_delete"), STATUS_OK);
	assert_status(database_execute(sql, "DROP TRIGGER audit_head_no_delete"), STATUS_OK);
}

#define COPY_COLUMNS \
	"source_sequence, event_type, entity_type, entity_id, user_id, action, actor, ip_address, user_agent, " \
	"trace_id, old_values, new_values, body, created_at, previous_hash, field_sums, hash"

static void every_tampering_is_named(void **state)
{
	static const struct {
		const char *tampering[3];
		enum audit_fault fault;
		int64_t sequence;
		const char *field;
		int64_t records;
	} rows[] = {
		{ { "UPDATE audit_events SET body = '{}' WHERE sequence = 9" }, AUDIT_ALTERED, 9, "body", 8 },
		{ { "UPDATE audit_events SET body = '{}' WHERE sequence = 9",
		          "UPDATE audit_events SET actor = 'x' WHERE sequence = 5" },
		        AUDIT_ALTERED, 5, "actor", 4 },
		{ { "UPDATE audit_events SET event_type = 'x' WHERE sequence = 1" }, AUDIT_ALTERED, 1, "event_type",
		        0 },
		{ { "UPDATE audit_events SET entity_type = 'x' WHERE sequence = 30" }, AUDIT_ALTERED, 30, "entity_type",
		        29 },
		{ { "UPDATE audit_events SET entity_id = id WHERE sequence = 3" }, AUDIT_ALTERED, 3, "entity_id", 2 },
		{ { "UPDATE audit_events SET user_id = id WHERE sequence = 3" }, AUDIT_ALTERED, 3, "user_id", 2 },
		{ { "UPDATE audit_events SET action = NULL WHERE sequence = 3" }, AUDIT_ALTERED, 3, "action", 2 },
		{ { "UPDATE audit_events SET ip_address = '::1' WHERE sequence = 3" }, AUDIT_ALTERED, 3, "ip_address",
		        2 },
		{ { "UPDATE audit_events SET user_agent = '' WHERE sequence = 3" }, AUDIT_ALTERED, 3, "user_agent", 2 },
		{ { "UPDATE audit_events SET trace_id = 'x' WHERE sequence = 3" }, AUDIT_ALTERED, 3, "trace_id", 2 },
		{ { "UPDATE audit_events SET old_values = 'x' WHERE sequence = 3" }, AUDIT_ALTERED, 3, "old_values",
		        2 },
		{ { "UPDATE audit_events SET new_values = NULL WHERE sequence = 3" }, AUDIT_ALTERED, 3, "new_values",
		        2 },
		{ { "UPDATE audit_events SET source_sequence = 77 WHERE sequence = 3" }, AUDIT_ALTERED, 3,
		        "source_sequence", 2 },
		{ { "UPDATE audit_events SET created_at = (SELECT created_at FROM audit_events WHERE sequence = 4) "
		    "WHERE sequence = 3" },
		        AUDIT_ALTERED, 3, "created_at", 2 },
		{ { "UPDATE audit_events SET hash = previous_hash WHERE sequence = 4" }, AUDIT_ALTERED, 4, "hash", 3 },
		{ { "UPDATE audit_events SET previous_hash = hash WHERE sequence = 4" }, AUDIT_ALTERED, 4,
		        "previous_hash", 3 },
		{ { "UPDATE audit_events SET previous_hash = hash WHERE sequence = 1" }, AUDIT_ALTERED, 1,
		        "previous_hash", 0 },
		{ { "UPDATE audit_events SET field_sums = (SELECT field_sums FROM audit_events WHERE sequence = 6) "
		    "WHERE sequence = 5" },
		        AUDIT_ALTERED, 5, "field_sums", 4 },
		{ { "DELETE FROM audit_events WHERE sequence = 9" }, AUDIT_MISSING, 9, "", 8 },
		{ { "DELETE FROM audit_events WHERE sequence = 1" }, AUDIT_MISSING, 1, "", 0 },
		{ { "DELETE FROM audit_events WHERE sequence BETWEEN 7 AND 12" }, AUDIT_MISSING, 7, "", 6 },
		{ { "DELETE FROM audit_events WHERE sequence = 30" }, AUDIT_MISSING, 30, "", 29 },
		{ { "DELETE FROM audit_events WHERE sequence > 20" }, AUDIT_MISSING, 21, "", 20 },
		{ { "DELETE FROM audit_events" }, AUDIT_MISSING, 1, "", 0 },
		{ { "DELETE FROM audit_head" }, AUDIT_MISSING, 31, "", 30 },
		{ { "UPDATE audit_head SET sequence = 29" }, AUDIT_ALTERED, 30, "", 29 },
		{ { "UPDATE audit_head SET hash = (SELECT hash FROM audit_events WHERE sequence = 3)" }, AUDIT_ALTERED,
		        30, "", 29 },
		/* two records change places */
		{ { "UPDATE audit_events SET sequence = 1000 WHERE sequence = 11",
		          "UPDATE audit_events SET sequence = 11 WHERE sequence = 14",
		          "UPDATE audit_events SET sequence = 14 WHERE sequence = 1000" },
		        AUDIT_REORDERED, 11, "sequence", 10 },
		/* one moves to the end */
		{ { "UPDATE audit_events SET sequence = 1000 WHERE sequence = 11" }, AUDIT_REORDERED, 11, "sequence",
		        10 },
		/* one moves before the first */
		{ { "UPDATE audit_events SET sequence = 0 WHERE sequence = 11" }, AUDIT_ALTERED, 0, "sequence", 10 },
		/* the gap of a deleted one is closed */
		{ { "DELETE FROM audit_events WHERE sequence = 9",
		          "UPDATE audit_events SET sequence = 9 WHERE sequence = 10" },
		        AUDIT_ALTERED, 9, "sequence", 8 },
		/* a copy is put in under another identifier */
		{ { "INSERT INTO audit_events (id, sequence, " COPY_COLUMNS ") SELECT entity_id, 31, " COPY_COLUMNS
		    " FROM audit_events WHERE sequence = 30" },
		        AUDIT_ALTERED, 31, "sequence", 30 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct database *database = start(state);
		struct sql *sql = database_connect(database);
		if (i == 0)
			lift_triggers(sql);
		record(30);
		assert_int_equal(verify(database).fault, AUDIT_INTACT);
		for (size_t j = 0; j < 3 && rows[i].tampering[j]; j++)
			assert_status(database_execute(sql, rows[i].tampering[j]), STATUS_OK);
		struct audit_finding finding = verify(database);
		print_message("# %s -> %s\n", rows[i].tampering[0], finding.detail);
		assert_string_equal(audit_fault_name(finding.fault), audit_fault_name(rows[i].fault));
		assert_int_equal(finding.sequence, rows[i].sequence);
		assert_string_equal(finding.field, rows[i].field);
		assert_int_equal(finding.records, rows[i].records);
		assert_true(strlen(finding.detail) > 0);
		assert_status(database_execute(sql, "DELETE FROM audit_events"), STATUS_OK);
		assert_status(database_execute(sql, "DELETE FROM audit_head"), STATUS_OK);
		sql_close(sql);
		stop();
	}
}

struct rewrite {
	struct sql *sql;
	struct audit_record record;
	struct arena arena;
};

static bool keep_record(void *arg, const struct audit_record *record)
{
	struct rewrite *rewrite = arg;
	rewrite->record = *record;
	rewrite->record.event_type = arena_copy(&rewrite->arena, record->event_type);
	rewrite->record.entity_type = arena_copy(&rewrite->arena, record->entity_type);
	rewrite->record.action = arena_copy(&rewrite->arena, record->action);
	rewrite->record.actor = arena_copy(&rewrite->arena, record->actor);
	rewrite->record.ip_address = arena_copy(&rewrite->arena, record->ip_address);
	rewrite->record.user_agent = arena_copy(&rewrite->arena, record->user_agent);
	rewrite->record.trace_id = arena_copy(&rewrite->arena, record->trace_id);
	rewrite->record.old_values = arena_copy(&rewrite->arena, record->old_values);
	rewrite->record.new_values = arena_copy(&rewrite->arena, record->new_values);
	return false;
}

/* Alters a record and computes its checksums and hash again, as the program would. */
static void rewrite_record(struct sql *sql, int64_t sequence)
{
	static const struct sql_query put = { .name = "put",
		.sqlite = "UPDATE audit_events SET body = '{}', field_sums = $2, hash = $3 WHERE sequence = $1",
		.postgres = "UPDATE audit_events SET body = '{}', field_sums = $2, hash = $3 WHERE sequence = $1" };
	struct rewrite rewrite = { .sql = sql };
	assert_status(audit_store_stream(sql, sequence - 1, 1, keep_record, &rewrite), STATUS_OK);
	rewrite.record.body = SLICE("{}");
	audit_record_seal(&rewrite.record);
	const struct sql_value values[] = { SQL_INTEGER(sequence),
		SQL_BLOB(slice_make(rewrite.record.sums.bytes, AUDIT_SUMS_SIZE)),
		SQL_BLOB(slice_make(rewrite.record.hash.bytes, SHA256_SIZE)) };
	assert_status(sql_execute(sql, &put, values, 3), STATUS_OK);
	arena_clean_up(&rewrite.arena);
}

/* The next record finds it out, and the head at the end. */
static void a_record_rewritten_with_its_hash_is_named(void **state)
{
	static const int64_t sequences[] = { 30, 12, 1 };
	struct database *database = start(state);
	struct sql *sql = database_connect(database);
	lift_triggers(sql);
	record(30);
	for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
		rewrite_record(sql, sequences[i]);
		struct audit_finding finding = verify(database);
		assert_string_equal(audit_fault_name(finding.fault), "altered");
		assert_int_equal(finding.sequence, sequences[i]);
		assert_int_equal(finding.records, sequences[i] - 1);
	}
	sql_close(sql);
	stop();
}

static bool count_records(void *arg, const struct audit_record *record)
{
	(void)record;
	++*(size_t *)arg;
	return true;
}

static void reading_the_trail_leaves_a_trace(void **state)
{
	start(state);
	record(10);
	struct user_id user = user_id_new();
	struct arena arena = { 0 };
	struct writer name = writer_growing(&arena);
	write_user_id(&name, user);
	struct actor actor = { .name = writer_slice(&name), .ip_address = SLICE("127.0.0.9") };
	struct page page = { .limit = 5, .before_at = INT64_MAX };
	memset(page.before_id.bytes, 0xff, sizeof page.before_id.bytes);
	struct audit_filter filter = { 0 };
	size_t seen = 0;
	assert_status(audit_service_list(service, &actor, user.uuid, &filter, &page, count_records, &seen), STATUS_OK);
	assert_int_equal(seen, 6);
	filter.event_type = SLICE("payment.settled");
	seen = 0;
	assert_status(audit_service_list(service, &actor, user.uuid, &filter, &page, count_records, &seen), STATUS_OK);
	assert_int_equal(seen, 0);
	struct audit_finding finding;
	assert_status(audit_service_verify(service, &actor, user.uuid, &finding), STATUS_OK);
	assert_int_equal(finding.fault, AUDIT_INTACT);

	struct event *events;
	size_t count = watch_events(&watch, &arena, &events);
	assert_int_equal(count, 13);
	for (size_t i = 10; i < count; i++) {
		const struct json *body;
		assert_slice(events[i].type, "audit.access");
		assert_status(json_parse(events[i].body, &arena, &body, NULL), STATUS_OK);
		assert_slice(json_member(body, "resource")->text, "audit_event");
		assert_slice(json_member(body, "action")->text, i < 12 ? "view" : "verify");
		assert_slice(json_member(body, "ip_address")->text, "127.0.0.9");
	}
	/* and those events become records with the user's identifier */
	assert_status(audit_service_handle(service, events + 10, 3), STATUS_OK);
	filter = (struct audit_filter) { .entity_type = SLICE("user"), .entity_id = user.uuid, .actor = actor.name };
	seen = 0;
	assert_status(audit_service_list(service, &actor, user.uuid, &filter, &page, count_records, &seen), STATUS_OK);
	assert_int_equal(seen, 3);
	arena_clean_up(&arena);
	stop();
}

static void the_outbox_feeds_the_trail(void **state)
{
	struct database *database = database_of(state);
	const struct audit_options options = { .engines = &watch.engines,
		.audit_database_url = database_url(database) };
	struct problem problem = { 0 };
	watch_start(&watch, database, &audit_migrations);
	assert_status(outbox_start(database_url(database), watch.engines.committer, &watch.engines.outbox, &problem),
	        STATUS_OK);
	assert_status(audit_service_start(&options, &service, &problem), STATUS_OK);
	struct arena arena = { 0 };
	for (int i = 0; i < 300; i++) {
		struct event event = watch_payment(
		        &arena, "payment.initiated", payment_id_new(), agent_id_new(), "1.00", clock_now());
		watch_publish(&watch, &event);
	}
	struct audit_finding finding = { 0 };
	for (int i = 0; i < 500 && finding.records < 300; i++) {
		usleep(20000);
		finding = verify(database);
		assert_int_equal(finding.fault, AUDIT_INTACT);
	}
	assert_int_equal(finding.records, 300);
	arena_clean_up(&arena);
	outbox_stop(watch.engines.outbox);
	watch.engines.outbox = NULL;
	stop();
}

static void the_trail_refuses_changes(void **state)
{
	struct database *database = start(state);
	record(3);
	struct sql *sql = database_connect(database);
	static const char *const changes[] = { "UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events",
		"DELETE FROM audit_head" };
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		assert_true(database_execute(sql, changes[i]) != STATUS_OK);
	sql_close(sql);
	assert_int_equal(verify(database).fault, AUDIT_INTACT);
	stop();
}

TESTS(ON_BOTH(an_empty_trail_is_intact), ON_BOTH(what_was_recorded_is_intact_and_recorded_once),
        ON_BOTH(every_tampering_is_named), ON_BOTH(a_record_rewritten_with_its_hash_is_named),
        ON_BOTH(reading_the_trail_leaves_a_trace), ON_BOTH(the_outbox_feeds_the_trail),
        ON_BOTH(the_trail_refuses_changes))
