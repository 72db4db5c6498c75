#include "platform/sql.h"

#include <assert.h>

#include "base/log.h"
#include "platform/sql_engine.h"

static const struct slice sqlite_scheme = SLICE("sqlite:");

static bool is_postgres(struct slice url)
{
	return slice_starts_with(url, SLICE("postgres://")) || slice_starts_with(url, SLICE("postgresql://"));
}

enum status sql_open(struct slice url, struct sql **ret_sql, struct problem *problem)
{
	if (slice_starts_with(url, sqlite_scheme))
		return sqlite_open(slice_skip(url, sqlite_scheme.size), ret_sql, problem);
	if (is_postgres(url))
		return postgres_open(url, ret_sql, problem);
	return problem_set(problem, ERR_DATABASE_UNAVAILABLE, "",
	        "A database address starts with sqlite: or postgres:// or postgresql://.");
}

void sql_close(struct sql *sql)
{
	if (!sql)
		return;
	sql_rollback(sql);
	sql->driver->close(sql);
}

enum sql_engine sql_engine(const struct sql *sql)
{
	return sql->engine;
}

enum status sql_lose(struct sql *sql, enum status status)
{
	if (sql->in_transaction && sql->failure == STATUS_OK)
		sql->failure = status;
	return status;
}

/* Statements that are wrong in themselves are our fault, and the caller's status does not say which one it was. */
static enum status report(const struct sql *sql, const struct sql_query *query, enum status status)
{
	if (status == ERR_DATABASE || status == ERR_DATABASE_CORRUPT)
		log_event(LOG_ERROR, "sql", "statement failed", LOG_TEXT("query", query->name),
		        LOG_TEXT("reason", sql->sentence), LOG_STATUS(status));
	return status;
}

static enum status execute(struct sql *sql, const struct sql_query *query, const struct sql_value *values, size_t count,
        int64_t *ret_changed)
{
	assert(!sql->rows.is_open && count <= SQL_PARAMETERS_MAX);
	TRY(sql->failure);
	return report(sql, query, sql->driver->execute(sql, query, values, count, ret_changed));
}

enum status sql_execute(struct sql *sql, const struct sql_query *query, const struct sql_value *values, size_t count)
{
	return execute(sql, query, values, count, NULL);
}

enum status sql_execute_counted(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t count, int64_t *ret_changed)
{
	return execute(sql, query, values, count, ret_changed);
}

enum status sql_select(struct sql *sql, const struct sql_query *query, const struct sql_value *values, size_t count,
        struct sql_rows **ret_rows)
{
	assert(!sql->rows.is_open && count <= SQL_PARAMETERS_MAX);
	TRY(sql->failure);
	TRY(report(sql, query, sql->driver->select(sql, query, values, count)));
	sql->rows = (struct sql_rows) { .sql = sql, .is_open = true };
	*ret_rows = &sql->rows;
	return STATUS_OK;
}

bool sql_next(struct sql_rows *rows)
{
	assert(rows->is_open);
	return rows->status == STATUS_OK && rows->sql->driver->next(rows->sql);
}

enum status sql_end(struct sql_rows *rows)
{
	if (!rows)
		return STATUS_OK;
	assert(rows->is_open);
	rows->is_open = false;
	return rows->sql->driver->end(rows->sql);
}

bool sql_column_is_null(const struct sql_rows *rows, int column)
{
	return rows->sql->driver->is_null(rows->sql, column);
}

int64_t sql_column_integer(const struct sql_rows *rows, int column)
{
	return rows->sql->driver->integer(rows->sql, column);
}

struct slice sql_column_bytes(const struct sql_rows *rows, int column)
{
	return rows->sql->driver->bytes(rows->sql, column);
}

struct uuid sql_column_uuid(const struct sql_rows *rows, int column)
{
	return rows->sql->driver->uuid(rows->sql, column);
}

int64_t sql_column_instant(const struct sql_rows *rows, int column)
{
	return rows->sql->driver->instant(rows->sql, column);
}

bool sql_column_boolean(const struct sql_rows *rows, int column)
{
	return sql_column_integer(rows, column) != 0;
}

struct slice sql_column_copy(const struct sql_rows *rows, int column, struct arena *arena)
{
	return arena_copy(arena, sql_column_bytes(rows, column));
}

enum status sql_begin(struct sql *sql)
{
	assert(!sql->in_transaction && !sql->rows.is_open);
	sql->failure = STATUS_OK;
	sql->events = 0;
	TRY(sql->driver->begin(sql));
	sql->begun++;
	sql->in_transaction = true;
	return STATUS_OK;
}

enum status sql_commit(struct sql *sql)
{
	assert(sql->in_transaction && !sql->rows.is_open);
	enum status status = sql->failure;
	if (status == STATUS_OK)
		status = sql->driver->commit(sql);
	else
		sql->driver->rollback(sql);
	sql->in_transaction = false;
	sql->failure = STATUS_OK;
	return status;
}

void sql_rollback(struct sql *sql)
{
	if (sql->rows.is_open) {
		sql->rows.is_open = false;
		enum status ignored = sql->driver->end(sql);
		(void)ignored; /* what was read does not matter to a transaction that is given up */
	}
	if (!sql->in_transaction)
		return;
	sql->driver->rollback(sql);
	sql->in_transaction = false;
	sql->failure = STATUS_OK;
}

uint64_t sql_writes(const struct sql *sql)
{
	return sql->writes;
}
