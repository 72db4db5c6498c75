/* A fresh database for a test, on the engine that the test's state names: `sqlite` in a temporary folder, `postgres`
 * as a schema of its own in the database of AGENTPAY_TEST_POSTGRES. Cases are listed once and run on both:
 * TESTS(ON_BOTH(case_a), ON_BOTH(case_b)). */
#pragma once

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "platform/outbox.h"
#include "platform/sql.h"
#include "testing.h"

struct database {
	enum sql_engine engine;
	char folder[64], schema[40], url[512];
};

static inline struct slice database_url(const struct database *database)
{
	return slice_from(database->url);
}

static inline void database_name(char *name, size_t size)
{
	unsigned char bytes[8];
	random_bytes(bytes, sizeof bytes);
	struct writer writer = writer_fixed(name, size - 1);
	write_text(&writer, "test_");
	write_hex(&writer, bytes, sizeof bytes);
	name[writer.size] = 0;
}

static inline int database_open_sqlite(void **state)
{
	static struct database database;
	database = (struct database) { .engine = SQL_SQLITE };
	snprintf(database.folder, sizeof database.folder, "/tmp/agentpay-test-XXXXXX");
	if (!mkdtemp(database.folder))
		return -1;
	snprintf(database.url, sizeof database.url, "sqlite:%s/test.db", database.folder);
	*state = &database;
	return 0;
}

static inline int database_close_sqlite(void **state)
{
	const struct database *database = *state;
	static const char *const names[] = { "test.db", "test.db-wal", "test.db-shm" };
	char path[128];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", database->folder, names[i]);
		unlink(path);
	}
	return rmdir(database->folder);
}

/* NULL when the tests are to do without PostgreSQL. */
static inline const char *database_server(void)
{
	const char *server = getenv("AGENTPAY_TEST_POSTGRES");
	return server && *server ? server : NULL;
}

/* Schemas are made and dropped by a statement of the test's own, as no query of the product does that. */
static inline int database_run(const char *text)
{
	const struct sql_query query = { .name = "test_schema", .sqlite = text, .postgres = text };
	struct sql *sql;
	struct problem problem = { 0 };
	if (sql_open(slice_from(database_server()), &sql, &problem) != STATUS_OK) {
		print_error("%s\n", problem.detail);
		return -1;
	}
	enum status status = sql_execute(sql, &query, NULL, 0);
	sql_close(sql);
	return status == STATUS_OK ? 0 : -1;
}

static inline int database_open_postgres(void **state)
{
	static struct database database;
	database = (struct database) { .engine = SQL_POSTGRES };
	*state = &database;
	if (!database_server()) {
		const char *ci = getenv("CI");
		if (ci && strcmp(ci, "true") == 0)
			print_error("AGENTPAY_TEST_POSTGRES is not set\n");
		return ci && strcmp(ci, "true") == 0 ? -1 : 0;
	}
	database_name(database.schema, sizeof database.schema);
	char text[128];
	snprintf(text, sizeof text, "CREATE SCHEMA %s", database.schema);
	const char *server = database_server();
	snprintf(database.url, sizeof database.url, "%s%coptions=-csearch_path%%3D%s", server,
	        strchr(server, '?') ? '&' : '?', database.schema);
	return database_run(text);
}

static inline int database_close_postgres(void **state)
{
	const struct database *database = *state;
	if (!database_server())
		return 0;
	char text[128];
	snprintf(text, sizeof text, "DROP SCHEMA %s CASCADE", database->schema);
	return database_run(text);
}

/* The first line of each case: a case that cannot run is shown as skipped. */
static inline struct database *database_of(void **state)
{
	struct database *database = *state;
	if (database->engine == SQL_POSTGRES && !database_server())
		skip();
	return database;
}

/* A connection to the case's database. */
static inline struct sql *database_connect(const struct database *database)
{
	struct sql *sql = NULL;
	struct problem problem = { 0 };
	if (sql_open(database_url(database), &sql, &problem) != STATUS_OK)
		fail_msg("%s", problem.detail);
	return sql;
}

/* Runs a test's own text on both engines; it must outlive the connection, which remembers it by its address. */
static inline enum status database_execute(struct sql *sql, const char *text)
{
	const struct sql_query query = { .name = "test", .sqlite = text, .postgres = text };
	return sql_execute(sql, &query, NULL, 0);
}

static inline int64_t database_number(struct sql *sql, const char *text)
{
	const struct sql_query query = { .name = "test", .sqlite = text, .postgres = text };
	struct sql_rows *rows;
	assert_status(sql_select(sql, &query, NULL, 0, &rows), STATUS_OK);
	assert_true(sql_next(rows));
	int64_t number = sql_column_integer(rows, 0);
	assert_status(sql_end(rows), STATUS_OK);
	return number;
}

#define ON_SQLITE(function) \
	{ \
#function "/sqlite", function, database_open_sqlite, database_close_sqlite, NULL \
	}
#define ON_POSTGRES(function) \
	{ \
#function "/postgres", function, database_open_postgres, database_close_postgres, NULL \
	}
#define ON_BOTH(function) ON_SQLITE(function), ON_POSTGRES(function)
