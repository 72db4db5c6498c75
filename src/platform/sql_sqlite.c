/* SQLite behind sql.h. One writer at a time (BEGIN IMMEDIATE), readers beside it (WAL), nothing is reported as stored
 * before it is on the disk (synchronous=FULL). */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "platform/sql_engine.h"
#include "platform/sql_sqlite_wal.h"

/* 12 MiB, 50 MiB. A page that changed often is moved once, so that fewer moves are cheaper; the committer's own follows
 * closely on the other thread's, which leaves it little to do. */
enum { TIDY_PAGES = 3000, CHECKPOINT_PAGES = 4 * TIDY_PAGES + 500 };
enum { BUSY_TIMEOUT_MS = 5000, OPEN_PATIENCE_MICROSECONDS = 6000000, OPEN_PAUSE_MICROSECONDS = 20000 };

struct sqlite {
	struct sql sql;
	sqlite3 *handle;
	struct sql_statements statements;
	struct prepared *running; /* the open query */
	int log_pages;            /* after the last commit */
	char path[];
};

struct prepared {
	sqlite3_stmt *handle;
	bool is_reading;
	/* $1 is a name to SQLite: what its number is here, 0 when the text does not use it */
	unsigned char numbers[SQL_PARAMETERS_MAX];
};

static const struct sql_query begin_immediate = { .name = "begin", .sqlite = "BEGIN IMMEDIATE" };
static const struct sql_query commit = { .name = "commit", .sqlite = "COMMIT" };
static const struct sql_query rollback = { .name = "rollback", .sqlite = "ROLLBACK" };

static struct sqlite *sqlite_of(struct sql *sql)
{
	return (struct sqlite *)sql;
}

static bool is_disk_full(sqlite3 *handle)
{
	int error = sqlite3_system_errno(handle);
	return error == ENOSPC || error == EDQUOT;
}

static enum status status_of(sqlite3 *handle)
{
	switch (sqlite3_extended_errcode(handle) & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return STATUS_OK;
	case SQLITE_FULL:
		return ERR_DATABASE_FULL;
	case SQLITE_IOERR:
		return is_disk_full(handle) ? ERR_DATABASE_FULL : ERR_IO;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return ERR_IO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_DATABASE_CORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_DATABASE_BUSY;
	case SQLITE_CONSTRAINT:
		return ERR_DATABASE_CONSTRAINT;
	case SQLITE_CANTOPEN:
		return is_disk_full(handle) ? ERR_DATABASE_FULL : ERR_DATABASE_UNAVAILABLE;
	default:
		return ERR_DATABASE;
	}
}

/* A refused duplicate undoes its own statement and no more; after anything else the transaction is not to be trusted.
 */
static enum status fail(struct sqlite *sqlite)
{
	enum status status = status_of(sqlite->handle);
	snprintf(sqlite->sql.sentence, sizeof sqlite->sql.sentence, "%s", sqlite3_errmsg(sqlite->handle));
	return status == ERR_DATABASE_CONSTRAINT ? status : sql_lose(&sqlite->sql, status);
}

static void find_numbers(struct prepared *prepared)
{
	for (int i = 0; i < SQL_PARAMETERS_MAX; i++) {
		char name[8];
		snprintf(name, sizeof name, "$%d", i + 1);
		prepared->numbers[i] = (unsigned char)sqlite3_bind_parameter_index(prepared->handle, name);
	}
}

static enum status prepare(struct sqlite *sqlite, const struct sql_query *query, struct prepared **ret_prepared)
{
	struct prepared *prepared = sql_statements_find(&sqlite->statements, query->sqlite);
	if (!prepared) {
		sqlite3_stmt *handle;
		if (sqlite3_prepare_v3(sqlite->handle, query->sqlite, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL) !=
		        SQLITE_OK)
			return fail(sqlite);
		prepared = NEW(struct prepared);
		prepared->handle = handle;
		prepared->is_reading = sqlite3_stmt_readonly(handle);
		find_numbers(prepared);
		sql_statements_add(&sqlite->statements, query->sqlite, prepared);
	}
	*ret_prepared = prepared;
	return STATUS_OK;
}

static void forget(void *memory)
{
	struct prepared *prepared = memory;
	sqlite3_finalize(prepared->handle);
	memory_free(prepared);
}

/* A NULL pointer would store NULL instead of an empty text. */
static const char *data_of(struct slice bytes)
{
	return bytes.size ? bytes.data : "";
}

static int bind_one(sqlite3_stmt *handle, int number, const struct sql_value *value, sqlite3_destructor_type lifetime)
{
	switch (value->type) {
	case SQL_IS_NULL:
		return sqlite3_bind_null(handle, number);
	case SQL_IS_INTEGER:
	case SQL_IS_INSTANT:
		return sqlite3_bind_int64(handle, number, value->integer);
	case SQL_IS_BOOLEAN:
		return sqlite3_bind_int64(handle, number, value->integer != 0);
	case SQL_IS_TEXT:
		return sqlite3_bind_text64(
		        handle, number, data_of(value->bytes), value->bytes.size, lifetime, SQLITE_UTF8);
	case SQL_IS_BLOB:
		return sqlite3_bind_blob64(handle, number, data_of(value->bytes), value->bytes.size, lifetime);
	case SQL_IS_UUID:
		return sqlite3_bind_blob64(handle, number, value->uuid.bytes, sizeof value->uuid.bytes, lifetime);
	}
	return SQLITE_MISUSE; /* A parameter without a type. */
}

/* `lifetime`: SQLITE_STATIC when the statement ends inside the call, SQLITE_TRANSIENT when it is stepped later. */
static enum status bind(struct sqlite *sqlite, struct prepared *prepared, const struct sql_value *values, size_t count,
        sqlite3_destructor_type lifetime)
{
	for (size_t i = 0; i < count; i++)
		if (prepared->numbers[i] &&
		        bind_one(prepared->handle, prepared->numbers[i], &values[i], lifetime) != SQLITE_OK)
			return fail(sqlite);
	return STATUS_OK;
}

static enum status step_to_end(struct sqlite *sqlite, struct prepared *prepared)
{
	int code;
	do
		code = sqlite3_step(prepared->handle);
	while (code == SQLITE_ROW);
	if (code != SQLITE_DONE)
		return fail(sqlite);
	if (!prepared->is_reading)
		sqlite->sql.writes++;
	return STATUS_OK;
}

static enum status sqlite_execute(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t count, int64_t *ret_changed)
{
	struct sqlite *sqlite = sqlite_of(sql);
	struct prepared *prepared;
	TRY(prepare(sqlite, query, &prepared));
	enum status status = bind(sqlite, prepared, values, count, SQLITE_STATIC);
	if (status == STATUS_OK)
		status = step_to_end(sqlite, prepared);
	if (status == STATUS_OK && ret_changed)
		*ret_changed = sqlite3_changes64(sqlite->handle);
	sqlite3_reset(prepared->handle);
	return status;
}

static enum status sqlite_select(
        struct sql *sql, const struct sql_query *query, const struct sql_value *values, size_t count)
{
	struct sqlite *sqlite = sqlite_of(sql);
	struct prepared *prepared;
	TRY(prepare(sqlite, query, &prepared));
	TRY(bind(sqlite, prepared, values, count, SQLITE_TRANSIENT));
	sqlite->running = prepared;
	return STATUS_OK;
}

static bool sqlite_next(struct sql *sql)
{
	struct sqlite *sqlite = sqlite_of(sql);
	if (!sqlite->running)
		return false;
	int code = sqlite3_step(sqlite->running->handle);
	if (code == SQLITE_ROW)
		return true;
	if (code == SQLITE_DONE) {
		if (!sqlite->running->is_reading)
			sql->writes++;
	} else {
		sql->rows.status = fail(sqlite);
	}
	sqlite3_reset(sqlite->running->handle);
	sqlite->running = NULL; /* a further step would start the query again */
	return false;
}

static enum status sqlite_end(struct sql *sql)
{
	struct sqlite *sqlite = sqlite_of(sql);
	struct prepared *prepared = sqlite->running;
	sqlite->running = NULL;
	if (!prepared)
		return sql->rows.status;
	/* INSERT ... RETURNING is only complete, its constraints checked, at its end. */
	enum status status = prepared->is_reading ? STATUS_OK : step_to_end(sqlite, prepared);
	sqlite3_reset(prepared->handle);
	return status;
}

static sqlite3_stmt *row_of(const struct sql *sql)
{
	const struct sqlite *sqlite = (const struct sqlite *)sql;
	assert(sqlite->running);
	return sqlite->running->handle;
}

static bool sqlite_is_null(const struct sql *sql, int column)
{
	return sqlite3_column_type(row_of(sql), column) == SQLITE_NULL;
}

static int64_t sqlite_integer(const struct sql *sql, int column)
{
	return sqlite3_column_int64(row_of(sql), column);
}

static struct slice sqlite_bytes(const struct sql *sql, int column)
{
	sqlite3_stmt *row = row_of(sql);
	const void *data = sqlite3_column_blob(row, column);
	return data ? slice_make(data, (size_t)sqlite3_column_bytes(row, column)) : SLICE_EMPTY;
}

static struct uuid sqlite_uuid(const struct sql *sql, int column)
{
	struct slice bytes = sqlite_bytes(sql, column);
	struct uuid uuid = { 0 };
	if (bytes.size == sizeof uuid.bytes)
		memcpy(uuid.bytes, bytes.data, sizeof uuid.bytes);
	return uuid;
}

static enum status sqlite_begin(struct sql *sql)
{
	return sqlite_execute(sql, &begin_immediate, NULL, 0, NULL);
}

static void sqlite_rollback(struct sql *sql)
{
	struct sqlite *sqlite = sqlite_of(sql);
	/* Some failures roll back by themselves. */
	if (sqlite3_get_autocommit(sqlite->handle))
		return;
	enum status ignored = sqlite_execute(sql, &rollback, NULL, 0, NULL);
	(void)ignored; /* SQLite's ROLLBACK ends the transaction even when it reports an error */
}

static enum status sqlite_commit(struct sql *sql)
{
	sqlite3 *handle = sqlite_of(sql)->handle;
	wal_gather(handle);
	enum status status = sqlite_execute(sql, &commit, NULL, 0, NULL);
	wal_release(handle);
	if (status != STATUS_OK)
		sqlite_rollback(sql);
	return status;
}

static enum status sqlite_script(struct sql *sql, const char *text)
{
	struct sqlite *sqlite = sqlite_of(sql);
	return sqlite3_exec(sqlite->handle, text, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK : fail(sqlite);
}

/* Moves what is committed from the log to the file, as far as no reader needs it where it is. */
static void sqlite_tidy(struct sql *sql)
{
	sqlite3_wal_checkpoint_v2(sqlite_of(sql)->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* The log starts again from its beginning only after all of it was moved, which a busy writer never lets happen: if
 * another thread has moved most of it, the rest costs this one little. */
static int hear_commit(void *arg, sqlite3 *handle, const char *name, int pages)
{
	struct sqlite *sqlite = arg;
	(void)handle;
	(void)name;
	sqlite->sql.is_untidy = pages / TIDY_PAGES > sqlite->log_pages / TIDY_PAGES;
	sqlite->log_pages = pages;
	if (pages >= CHECKPOINT_PAGES)
		sqlite_tidy(&sqlite->sql);
	return SQLITE_OK;
}

static void sqlite_close(struct sql *sql)
{
	struct sqlite *sqlite = sqlite_of(sql);
	sql_statements_clear(&sqlite->statements, forget);
	sqlite3_close_v2(sqlite->handle);
	memory_free(sqlite);
}

static const struct sql_driver driver = {
	.execute = sqlite_execute,
	.select = sqlite_select,
	.next = sqlite_next,
	.end = sqlite_end,
	.is_null = sqlite_is_null,
	.integer = sqlite_integer,
	.bytes = sqlite_bytes,
	.uuid = sqlite_uuid,
	.instant = sqlite_integer,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.script = sqlite_script,
	.tidy = sqlite_tidy,
	.close = sqlite_close,
};

/* Counting every allocation under one lock would cost all connections; nobody reads the count. */
static void configure_once(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* SQLite would make the file readable for the group; its WAL and index take over the file's mode. An existing file is
 * not opened here, because closing it would drop the locks of this process' other connections. */
static enum status create_private(const char *path, struct problem *problem)
{
	int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file >= 0) {
		close(file);
		return STATUS_OK;
	}
	if (errno == EEXIST)
		return STATUS_OK;
	enum status status = errno == ENOSPC || errno == EDQUOT ? ERR_DATABASE_FULL : ERR_IO;
	return problem_set(problem, status, "", "The database file %s cannot be made: %s.", path, strerror(errno));
}

/* Turning a new file to WAL takes an exclusive lock for which SQLite does not always wait; another process may be doing
 * the same at this moment. */
static enum status configure(struct sqlite *sqlite)
{
	static const char settings[] = "PRAGMA synchronous = FULL;"
	                               "PRAGMA journal_mode = WAL;"
	                               "PRAGMA foreign_keys = ON;"
	                               "PRAGMA journal_size_limit = 67108864;"
	                               "PRAGMA cache_size = -16384;";
	int64_t until = clock_monotonic() + OPEN_PATIENCE_MICROSECONDS;
	for (;;) {
		enum status status = sqlite_script(&sqlite->sql, settings);
		if (status != ERR_DATABASE_BUSY || clock_monotonic() > until)
			return status;
		usleep(OPEN_PAUSE_MICROSECONDS);
	}
}

static enum status open_problem(const struct sqlite *sqlite, enum status status, struct problem *problem)
{
	if (status == ERR_DATABASE_CORRUPT)
		return problem_set(problem, status, "",
		        "The file %s is not a SQLite database or is damaged; restore it from a backup.", sqlite->path);
	if (status == ERR_DATABASE_BUSY)
		return problem_set(
		        problem, status, "", "The database file %s is held by another program.", sqlite->path);
	return problem_set(problem, status, "", "The database file %s cannot be used: %s.", sqlite->path,
	        sqlite3_errmsg(sqlite->handle));
}

static enum status connect_file(struct sqlite *sqlite, struct problem *problem)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	if (sqlite3_open_v2(sqlite->path, &sqlite->handle, flags, wal_vfs()) != SQLITE_OK)
		return open_problem(sqlite, fail(sqlite), problem);
	sqlite3_busy_timeout(sqlite->handle, BUSY_TIMEOUT_MS);
	sqlite3_wal_hook(sqlite->handle, hear_commit, sqlite);
	enum status status = configure(sqlite);
	return status == STATUS_OK ? STATUS_OK : open_problem(sqlite, status, problem);
}

enum status sqlite_open(struct slice path, struct sql **ret_sql, struct problem *problem)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, configure_once);
	if (!path.size || slice_is(path, ":memory:"))
		return problem_set(
		        problem, ERR_IO, "", "sqlite: needs the path of a file, which outlives the process.");
	struct sqlite *sqlite = memory_new(1, sizeof *sqlite + path.size + 1);
	sqlite->sql = (struct sql) { .driver = &driver, .engine = SQL_SQLITE };
	memcpy(sqlite->path, path.data, path.size);
	enum status status = create_private(sqlite->path, problem);
	if (status == STATUS_OK)
		status = connect_file(sqlite, problem);
	if (status != STATUS_OK) {
		sqlite_close(&sqlite->sql);
		return status;
	}
	*ret_sql = &sqlite->sql;
	return STATUS_OK;
}
