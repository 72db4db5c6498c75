/* SQL on SQLite or PostgreSQL behind one interface: named queries, typed parameters, typed columns. No SQL text is
 * ever assembled from data. A connection belongs to one thread at a time.
 *
 * Queries live in `<service>/sql/queries.sql`, each under a line `-- name: payment_insert`, with parameters $1, $2 ...
 * The build turns them into `static const struct sql_query payment_insert`. Where the engines must differ, the text
 * stands twice: `-- name: payment_search sqlite` and `-- name: payment_search postgres`; a fragment for PostgreSQL
 * alone stands in a comment: FROM accounts WHERE id = $1 / * postgres: FOR UPDATE * / (without the inner blanks). */
#pragma once

#include "base/arena.h"
#include "base/problem.h"
#include "base/slice.h"
#include "base/status.h"
#include "base/uuid.h"

enum { SQL_PARAMETERS_MAX = 40 };

struct sql_query {
	const char *name;
	const char *sqlite;
	const char *postgres;
};

struct sql_migration {
	int number;
	const char *service;
	const char *name;
	const char *sqlite;
	const char *postgres;
};

struct sql_migrations {
	const struct sql_migration *rows;
	size_t count;
};

/* A parameter. Bytes are read during the call only. */
struct sql_value {
	enum {
		SQL_IS_NULL,
		SQL_IS_INTEGER,
		SQL_IS_TEXT,
		SQL_IS_BLOB,
		SQL_IS_UUID,
		SQL_IS_INSTANT,
		SQL_IS_BOOLEAN
	} type;
	int64_t integer;
	struct slice bytes;
	struct uuid uuid;
};

#define SQL_NULL ((struct sql_value) { .type = SQL_IS_NULL })
#define SQL_INTEGER(value) ((struct sql_value) { .type = SQL_IS_INTEGER, .integer = (int64_t)(value) })
#define SQL_TEXT(value) ((struct sql_value) { .type = SQL_IS_TEXT, .bytes = (value) })
/* NULL for an empty slice */
#define SQL_TEXT_OR_NULL(value) \
	((struct sql_value) { .type = (value).size ? SQL_IS_TEXT : SQL_IS_NULL, .bytes = (value) })
#define SQL_BLOB(value) ((struct sql_value) { .type = SQL_IS_BLOB, .bytes = (value) })
#define SQL_UUID(value) ((struct sql_value) { .type = SQL_IS_UUID, .uuid = (value) })
/* NULL for the nil uuid */
#define SQL_UUID_OR_NULL(value) \
	((struct sql_value) { .type = uuid_is_nil(value) ? SQL_IS_NULL : SQL_IS_UUID, .uuid = (value) })
/* microseconds since 1970; TIMESTAMPTZ in PostgreSQL, INTEGER in SQLite */
#define SQL_INSTANT(value) ((struct sql_value) { .type = SQL_IS_INSTANT, .integer = (value) })
/* NULL for 0 */
#define SQL_INSTANT_OR_NULL(value) \
	((struct sql_value) { .type = (value) ? SQL_IS_INSTANT : SQL_IS_NULL, .integer = (value) })
#define SQL_BOOLEAN(value) ((struct sql_value) { .type = SQL_IS_BOOLEAN, .integer = (value) })

struct sql;      /* one connection */
struct sql_rows; /* the rows of one SELECT, read one after the other */

enum sql_engine { SQL_SQLITE, SQL_POSTGRES };

/* `url`: "sqlite:PATH" (made when absent, mode 0600, WAL, synchronous=FULL) or "postgres://..." / "postgresql://...".
 * ERR_DATABASE_UNAVAILABLE, ERR_DATABASE_CORRUPT, ERR_IO ... with a sentence for a person in the problem (no password
 * in it). */
enum status sql_open(struct slice url, struct sql **ret_sql, struct problem *problem);
/* Accepts NULL. */
void sql_close(struct sql *sql);
enum sql_engine sql_engine(const struct sql *sql);

/* Runs a statement that gives no rows. Inside a transaction PostgreSQL may report a failure only at a later call or
 * at the commit (statements are pipelined); the transaction is then lost as a whole. SQLite reports at once.
 * ERR_DATABASE_CONSTRAINT for a duplicate key, ERR_DATABASE_BUSY, ERR_DATABASE_FULL, ERR_DATABASE_UNAVAILABLE ... */
enum status sql_execute(struct sql *sql, const struct sql_query *query, const struct sql_value *values, size_t count);
/* The same, and how many rows were changed; costs PostgreSQL a round trip. */
enum status sql_execute_counted(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t count, int64_t *ret_changed);

/* Runs a query. `*ret_rows` must be ended with sql_end before the next statement on this connection. */
enum status sql_select(struct sql *sql, const struct sql_query *query, const struct sql_value *values, size_t count,
        struct sql_rows **ret_rows);
/* Steps to the next row; false at the end or on failure, which sql_end reports. */
bool sql_next(struct sql_rows *rows);
/* Ends the query; STATUS_OK or the failure that stopped sql_next. Accepts NULL. */
enum status sql_end(struct sql_rows *rows);

/* Columns of the current row, from 0. NULL reads as 0, empty, nil. Bytes live until the next sql_next. */
bool sql_column_is_null(const struct sql_rows *rows, int column);
int64_t sql_column_integer(const struct sql_rows *rows, int column);
struct slice sql_column_bytes(const struct sql_rows *rows, int column);
struct uuid sql_column_uuid(const struct sql_rows *rows, int column);
int64_t sql_column_instant(const struct sql_rows *rows, int column);
bool sql_column_boolean(const struct sql_rows *rows, int column);
/* A copy of the bytes that lives in the arena. */
struct slice sql_column_copy(const struct sql_rows *rows, int column, struct arena *arena);

/* One transaction. SQLite: BEGIN IMMEDIATE. After a failed commit nothing was changed, except on
 * ERR_DATABASE_UNAVAILABLE, when it is unknown. */
enum status sql_begin(struct sql *sql);
enum status sql_commit(struct sql *sql);
void sql_rollback(struct sql *sql);

/* How many statements that change data were run on this connection since it was opened. */
uint64_t sql_writes(const struct sql *sql);

/* Applies what is missing, in order, each in its transaction, under a lock, checking the checksum of what was applied
 * before. ERR_DATABASE_CORRUPT when an applied migration has another checksum. */
enum status sql_migrate(struct sql *sql, const struct sql_migrations *migrations, struct problem *problem);

/* Connections for readers: take one, use it, give it back. Bounded; waits for a free one at most `wait_ms`. A broken
 * connection is replaced. */
struct sql_pool;
enum status sql_pool_open(struct slice url, size_t size, struct sql_pool **ret_pool, struct problem *problem);
void sql_pool_close(struct sql_pool *pool);
enum status sql_pool_take(struct sql_pool *pool, struct sql **ret_sql); /* ERR_OVERLOADED after 5 s */
void sql_pool_give(struct sql_pool *pool, struct sql *sql);
