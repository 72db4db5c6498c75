#include "platform/sql.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "platform/sql_engine.h"
#include "platform_sql.h"

/* Another process may be migrating; each of its steps holds the lock for one migration. */
enum { LOCK_ATTEMPTS = 2, CHECKSUM_SIZE = 16 };

static const char *text_for(const struct sql *sql, const struct sql_migration *migration)
{
	return sql->engine == SQL_POSTGRES ? migration->postgres : migration->sqlite;
}

/* FNV-1a over the text that this engine runs: shows an edited migration, guards against no attacker. */
static void write_checksum(const struct sql *sql, const struct sql_migration *migration, char *ret_text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (const char *at = text_for(sql, migration); *at; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	snprintf(ret_text, CHECKSUM_SIZE + 1, "%016" PRIx64, hash);
}

/* What a migration does may take longer than a statement in daily work. SQLite's lock is its BEGIN IMMEDIATE. */
static enum status take_lock(struct sql *sql)
{
	if (sql->engine == SQL_POSTGRES)
		TRY(sql->driver->script(sql, "SET LOCAL statement_timeout = 0;"
		                             "SET LOCAL lock_timeout = '120s';"
		                             "SELECT pg_advisory_xact_lock(4702394921427289929);"));
	return sql->driver->script(sql, "CREATE TABLE IF NOT EXISTS migrations ("
	                                "service VARCHAR(50) NOT NULL, number INTEGER NOT NULL,"
	                                "name VARCHAR(255) NOT NULL, checksum VARCHAR(16) NOT NULL,"
	                                "applied_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (service, number));");
}

static enum status begin_locked(struct sql *sql)
{
	enum status status = ERR_DATABASE_BUSY;
	for (int attempt = 0; attempt < LOCK_ATTEMPTS && status == ERR_DATABASE_BUSY; attempt++) {
		status = sql_begin(sql);
		if (status == STATUS_OK)
			status = take_lock(sql);
		if (status != STATUS_OK)
			sql_rollback(sql);
	}
	return status;
}

struct state {
	bool is_applied, is_same;
};

static enum status read_state(
        struct sql *sql, const struct sql_migration *migration, const char *checksum, struct state *ret_state)
{
	const struct sql_value key[] = { SQL_TEXT(slice_from(migration->service)), SQL_INTEGER(migration->number) };
	struct sql_rows *rows;
	TRY(sql_select(sql, &migration_checksum, key, 2, &rows));
	struct state state = { .is_applied = sql_next(rows) };
	if (state.is_applied)
		state.is_same = slice_is(sql_column_bytes(rows, 0), checksum);
	TRY(sql_end(rows));
	*ret_state = state;
	return STATUS_OK;
}

static enum status run(struct sql *sql, const struct sql_migration *migration, const char *checksum)
{
	TRY(sql->driver->script(sql, text_for(sql, migration)));
	const struct sql_value row[] = { SQL_TEXT(slice_from(migration->service)), SQL_INTEGER(migration->number),
		SQL_TEXT(slice_from(migration->name)), SQL_TEXT(slice_from(checksum)), SQL_INSTANT(clock_now()) };
	return sql_execute(sql, &migration_insert, row, 5);
}

static enum status apply_locked(struct sql *sql, const struct sql_migration *migration, bool *ret_ran)
{
	char checksum[CHECKSUM_SIZE + 1];
	write_checksum(sql, migration, checksum);
	struct state state;
	TRY(read_state(sql, migration, checksum, &state));
	if (state.is_applied && !state.is_same)
		return ERR_DATABASE_CORRUPT;
	if (!state.is_applied)
		TRY(run(sql, migration, checksum));
	*ret_ran = !state.is_applied;
	return STATUS_OK;
}

static enum status apply(struct sql *sql, const struct sql_migration *migration)
{
	bool ran = false;
	TRY(begin_locked(sql));
	enum status status = apply_locked(sql, migration, &ran);
	if (status != STATUS_OK) {
		sql_rollback(sql);
		return status;
	}
	TRY(sql_commit(sql));
	if (ran)
		log_event(LOG_INFO, "sql", "migration applied", LOG_TEXT("of", migration->service),
		        LOG_INT("number", migration->number), LOG_TEXT("name", migration->name));
	return STATUS_OK;
}

static enum status explain(
        const struct sql *sql, const struct sql_migration *migration, enum status status, struct problem *problem)
{
	if (status == ERR_DATABASE_CORRUPT && !sql->sentence[0])
		return problem_set(problem, status, "",
		        "Migration %d (%s) was applied with another text; this program and the database do not match.",
		        migration->number, migration->name);
	return problem_set(problem, status, "", "Migration %d (%s) failed: %s", migration->number, migration->name,
	        sql->sentence[0] ? sql->sentence : status_sentence(status));
}

enum status sql_migrate(struct sql *sql, const struct sql_migrations *migrations, struct problem *problem)
{
	for (size_t i = 0; i < migrations->count; i++) {
		sql->sentence[0] = 0;
		enum status status = apply(sql, &migrations->rows[i]);
		if (status != STATUS_OK)
			return explain(sql, &migrations->rows[i], status, problem);
	}
	return STATUS_OK;
}
