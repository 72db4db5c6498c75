#include "database.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "platform/thread.h"

#define QUERY(text) (&(const struct sql_query) { .name = "test", .sqlite = (text), .postgres = (text) })

static const char create_values[] = "CREATE TABLE kept (id BIGINT PRIMARY KEY, number BIGINT, words TEXT, bytes BYTEA,"
                                    " uuid UUID, at TIMESTAMPTZ, flag BOOLEAN, short VARCHAR(20), small INTEGER)";
static const char insert_values[] = "INSERT INTO kept (id, number, words, bytes, uuid, at, flag, short, small)"
                                    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
static const char select_values[] = "SELECT number, words, bytes, uuid, at, flag, short, small FROM kept WHERE id = $1";
static const char create_keys[] = "CREATE TABLE keys (id BIGINT PRIMARY KEY)";
static const char insert_key[] = "INSERT INTO keys (id) VALUES ($1)";
static const char count_keys[] = "SELECT COUNT(*) FROM keys";

static enum status insert(struct sql *sql, int64_t key)
{
	const struct sql_value id = SQL_INTEGER(key);
	return sql_execute(sql, QUERY(insert_key), &id, 1);
}

static struct sql *connect_with_keys(const struct database *database)
{
	struct sql *sql = database_connect(database);
	assert_status(database_execute(sql, create_keys), STATUS_OK);
	return sql;
}

static void values_come_back_as_they_went(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	static const char zeros[] = { 0, 1, 0, (char)0xff };
	const struct uuid uuid = { { 1, 2, 3, 4, 0, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255 } };
	static const struct {
		int64_t number, at;
		struct slice words, bytes;
		bool flag;
		int32_t small;
	} rows[] = {
		{ 0, 1, SLICE("h\xc3\xa4llo \"'\\ %s"), { zeros, sizeof zeros }, true, 7 },
		{ INT64_MAX, INT64_C(1757246400123456), SLICE("x"), SLICE("x"), false, INT32_MAX },
		{ INT64_MIN, -1, SLICE("\n"), SLICE("'"), true, INT32_MIN },
		{ -1, INT64_C(-62135596800000000), SLICE("1"), { zeros, 1 }, false, -1 },
		{ 1, INT64_C(253402300799999999), { "", 0 }, { NULL, 0 }, true, 0 },
	};
	assert_status(database_execute(sql, create_values), STATUS_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct sql_value values[] = { SQL_INTEGER(i), SQL_INTEGER(rows[i].number),
			SQL_TEXT(rows[i].words), SQL_BLOB(rows[i].bytes), SQL_UUID(uuid), SQL_INSTANT(rows[i].at),
			SQL_BOOLEAN(rows[i].flag), SQL_TEXT(SLICE("short")), SQL_INTEGER(rows[i].small) };
		assert_status(sql_execute(sql, QUERY(insert_values), values, 9), STATUS_OK);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sql_rows *read;
		const struct sql_value id = SQL_INTEGER(i);
		assert_status(sql_select(sql, QUERY(select_values), &id, 1, &read), STATUS_OK);
		assert_true(sql_next(read));
		assert_true(sql_column_integer(read, 0) == rows[i].number);
		assert_true(slice_equal(sql_column_bytes(read, 1), rows[i].words));
		assert_true(slice_equal(sql_column_bytes(read, 2), rows[i].bytes));
		assert_true(uuid_equal(sql_column_uuid(read, 3), uuid));
		assert_true(sql_column_instant(read, 4) == rows[i].at);
		assert_int_equal(sql_column_boolean(read, 5), rows[i].flag);
		assert_slice(sql_column_bytes(read, 6), "short");
		assert_int_equal(sql_column_integer(read, 7), rows[i].small);
		for (int column = 0; column < 8; column++)
			assert_false(sql_column_is_null(read, column)); /* an empty text is no NULL */
		assert_false(sql_next(read));
		assert_false(sql_next(read)); /* the end is the end */
		assert_status(sql_end(read), STATUS_OK);
	}
	sql_close(sql);
}

static void null_reads_as_nothing(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	const struct sql_value values[] = { SQL_INTEGER(1), SQL_NULL, SQL_TEXT_OR_NULL(SLICE_EMPTY), SQL_NULL,
		SQL_UUID_OR_NULL((struct uuid) { { 0 } }), SQL_INSTANT_OR_NULL(0), SQL_NULL, SQL_NULL, SQL_NULL };
	struct sql_rows *rows;
	assert_status(database_execute(sql, create_values), STATUS_OK);
	assert_status(sql_execute(sql, QUERY(insert_values), values, 9), STATUS_OK);
	assert_status(sql_select(sql, QUERY(select_values), values, 1, &rows), STATUS_OK);
	assert_true(sql_next(rows));
	for (int column = 0; column < 8; column++)
		assert_true(sql_column_is_null(rows, column));
	assert_int_equal(sql_column_integer(rows, 0), 0);
	assert_slice(sql_column_bytes(rows, 1), "");
	assert_slice(sql_column_bytes(rows, 2), "");
	assert_true(uuid_is_nil(sql_column_uuid(rows, 3)));
	assert_int_equal(sql_column_instant(rows, 4), 0);
	assert_false(sql_column_boolean(rows, 5));
	assert_status(sql_end(rows), STATUS_OK);
	sql_close(sql);
}

static void parameters_are_numbered_not_counted(void **state)
{
	struct sql *sql = connect_with_keys(database_of(state));
	const struct sql_value values[] = { SQL_INTEGER(3), SQL_INTEGER(10) };
	struct sql_rows *rows;
	static const char typed[] = "SELECT CAST($2 AS BIGINT) - CAST($1 AS BIGINT), CAST($1 AS BIGINT) FROM keys"
	                            " WHERE id = CAST($2 AS BIGINT) AND id > CAST($1 AS BIGINT)";
	assert_status(insert(sql, 10), STATUS_OK);
	assert_status(sql_select(sql, QUERY(typed), values, 2, &rows), STATUS_OK);
	assert_true(sql_next(rows));
	assert_int_equal(sql_column_integer(rows, 0), 7);
	assert_int_equal(sql_column_integer(rows, 1), 3);
	assert_status(sql_end(rows), STATUS_OK);
	sql_close(sql);
}

/* What a query was given may be gone when its rows are read. */
static void a_query_keeps_its_parameters(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	assert_status(database_execute(sql, "CREATE TABLE names (name TEXT)"), STATUS_OK);
	assert_status(database_execute(sql, "INSERT INTO names VALUES ('ada'), ('bob'), ('ada')"), STATUS_OK);
	char name[] = "ada";
	const struct sql_value value = SQL_TEXT(((struct slice) { name, 3 }));
	struct sql_rows *rows;
	assert_status(sql_select(sql, QUERY("SELECT name FROM names WHERE name = $1"), &value, 1, &rows), STATUS_OK);
	memset(name, 'x', 3);
	size_t count = 0;
	while (sql_next(rows))
		count++;
	assert_int_equal(count, 2);
	assert_status(sql_end(rows), STATUS_OK);
	sql_close(sql);
}

static void copies_outlive_the_row(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	struct arena arena = { 0 };
	struct slice names[2];
	size_t count = 0;
	struct sql_rows *rows;
	assert_status(database_execute(sql, "CREATE TABLE names (name TEXT)"), STATUS_OK);
	assert_status(database_execute(sql, "INSERT INTO names VALUES ('ada'), ('bob')"), STATUS_OK);
	assert_status(sql_select(sql, QUERY("SELECT name FROM names ORDER BY name"), NULL, 0, &rows), STATUS_OK);
	while (sql_next(rows))
		names[count++] = sql_column_copy(rows, 0, &arena);
	assert_status(sql_end(rows), STATUS_OK);
	sql_close(sql);
	assert_slice(names[0], "ada");
	assert_slice(names[1], "bob");
	arena_clean_up(&arena);
}

static void a_commit_is_seen_and_a_rollback_is_not(void **state)
{
	struct database *database = database_of(state);
	struct sql *sql = connect_with_keys(database), *other = database_connect(database);
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 1), STATUS_OK);
	assert_int_equal(database_number(sql, count_keys), 1);
	assert_int_equal(database_number(other, count_keys), 0);
	assert_status(sql_commit(sql), STATUS_OK);
	assert_int_equal(database_number(other, count_keys), 1);
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 2), STATUS_OK);
	sql_rollback(sql);
	sql_rollback(sql); /* nothing left to roll back */
	assert_int_equal(database_number(other, count_keys), 1);
	sql_close(other);
	sql_close(sql);
}

static void closing_gives_a_transaction_up(void **state)
{
	struct database *database = database_of(state);
	struct sql *sql = connect_with_keys(database);
	struct sql_rows *rows;
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 1), STATUS_OK);
	assert_status(sql_select(sql, QUERY("SELECT id FROM keys"), NULL, 0, &rows), STATUS_OK);
	assert_true(sql_next(rows));
	sql_close(sql);
	sql = database_connect(database);
	assert_int_equal(database_number(sql, count_keys), 0);
	sql_close(sql);
}

static void a_duplicate_is_a_constraint(void **state)
{
	struct sql *sql = connect_with_keys(database_of(state));
	assert_status(insert(sql, 1), STATUS_OK);
	assert_status(insert(sql, 1), ERR_DATABASE_CONSTRAINT);
	assert_status(insert(sql, 2), STATUS_OK); /* the connection is as good as before */
	assert_int_equal(database_number(sql, count_keys), 2);
	sql_close(sql);
}

/* SQLite tells at once and goes on, PostgreSQL tells at the latest at the commit and has lost the transaction. */
static void a_duplicate_in_a_transaction_is_told_by_its_end(void **state)
{
	struct database *database = database_of(state);
	struct sql *sql = connect_with_keys(database);
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 1), STATUS_OK);
	enum status status = insert(sql, 1), later = insert(sql, 2);
	enum status end = sql_commit(sql);
	if (database->engine == SQL_SQLITE) {
		assert_status(status, ERR_DATABASE_CONSTRAINT);
		assert_status(later, STATUS_OK);
		assert_status(end, STATUS_OK);
	} else {
		assert_status(end, ERR_DATABASE_CONSTRAINT);
	}
	assert_int_equal(database_number(sql, count_keys), database->engine == SQL_SQLITE ? 2 : 0);
	assert_status(insert(sql, 3), STATUS_OK);
	sql_close(sql);
}

static void a_lost_transaction_stays_lost(void **state)
{
	struct sql *sql = connect_with_keys(database_of(state));
	struct sql_rows *rows;
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 1), STATUS_OK);
	assert_status(sql_select(sql, QUERY("SELECT nothing FROM nowhere"), NULL, 0, &rows), ERR_DATABASE);
	assert_status(insert(sql, 2), ERR_DATABASE);
	assert_status(sql_commit(sql), ERR_DATABASE);
	assert_int_equal(database_number(sql, count_keys), 0);
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 3), STATUS_OK);
	assert_status(sql_commit(sql), STATUS_OK);
	assert_int_equal(database_number(sql, count_keys), 1);
	sql_close(sql);
}

static void changes_are_counted(void **state)
{
	struct sql *sql = connect_with_keys(database_of(state));
	struct sql_rows *rows;
	int64_t changed = -1;
	uint64_t writes = sql_writes(sql);
	for (int64_t key = 1; key <= 3; key++)
		assert_status(insert(sql, key), STATUS_OK);
	assert_int_equal(sql_writes(sql), writes + 3);
	assert_int_equal(database_number(sql, count_keys), 3);
	assert_int_equal(sql_writes(sql), writes + 3); /* reading writes nothing */
	static const char move[] = "UPDATE keys SET id = id + 10 WHERE id > $1";
	const struct sql_value least = SQL_INTEGER(1), greatest = SQL_INTEGER(100);
	assert_status(sql_execute_counted(sql, QUERY(move), &least, 1, &changed), STATUS_OK);
	assert_int_equal(changed, 2);
	assert_status(sql_execute_counted(sql, QUERY(move), &greatest, 1, &changed), STATUS_OK);
	assert_int_equal(changed, 0);
	writes = sql_writes(sql);
	static const char returning[] = "INSERT INTO keys (id) VALUES ($1) RETURNING id";
	assert_status(sql_select(sql, QUERY(returning), &greatest, 1, &rows), STATUS_OK);
	assert_true(sql_next(rows));
	assert_int_equal(sql_column_integer(rows, 0), 100);
	assert_status(sql_end(rows), STATUS_OK);
	assert_int_equal(sql_writes(sql), writes + 1);
	assert_int_equal(database_number(sql, count_keys), 4);
	sql_close(sql);
}

static const struct sql_migration steps[] = {
	{ 1, "test", "first", "CREATE TABLE one (id BIGINT); CREATE TABLE two (id BIGINT);",
	        "CREATE TABLE one (id BIGINT); CREATE TABLE two (id BIGINT);" },
	{ 2, "test", "second", "INSERT INTO one (id) VALUES (1);", "INSERT INTO one (id) VALUES (1);" },
};
static const struct sql_migrations migrations = { steps, 2 };

static void migrations_run_once(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	for (int round = 0; round < 3; round++)
		assert_status(sql_migrate(sql, &migrations, NULL), STATUS_OK);
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM one"), 1);
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM migrations WHERE service = 'test'"), 2);
	sql_close(sql);
}

static void an_edited_migration_is_refused(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	struct sql_migration edited[] = { steps[0], steps[1] };
	const struct sql_migrations other = { edited, 2 };
	struct problem problem = { 0 };
	assert_status(sql_migrate(sql, &migrations, NULL), STATUS_OK);
	edited[1].sqlite = edited[1].postgres = "INSERT INTO one (id) VALUES (2);";
	assert_status(sql_migrate(sql, &other, &problem), ERR_DATABASE_CORRUPT);
	assert_non_null(strstr(problem.detail, "Migration 2 (second)"));
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM one"), 1);
	sql_close(sql);
}

static void a_failing_migration_leaves_nothing(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	static const char bad[] = "CREATE TABLE three (id BIGINT); INSERT INTO nowhere VALUES (1);";
	const struct sql_migration failing[] = { steps[0], { 3, "test", "third", bad, bad } };
	const struct sql_migrations other = { failing, 2 };
	struct problem problem = { 0 };
	assert_status(sql_migrate(sql, &other, &problem), ERR_DATABASE);
	assert_non_null(strstr(problem.detail, "nowhere"));
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM migrations"), 1);
	assert_status(database_execute(sql, "CREATE TABLE three (id BIGINT)"), STATUS_OK);
	sql_close(sql);
}

struct migrator {
	const struct database *database;
	enum status status;
	struct thread *thread;
};

static void migrate(void *arg)
{
	struct migrator *migrator = arg;
	struct sql *sql;
	migrator->status = sql_open(database_url(migrator->database), &sql, NULL);
	if (migrator->status != STATUS_OK)
		return;
	migrator->status = sql_migrate(sql, &migrations, NULL);
	sql_close(sql);
}

static void migrators_wait_for_each_other(void **state)
{
	struct database *database = database_of(state);
	struct migrator migrators[8];
	for (size_t i = 0; i < 8; i++) {
		migrators[i] = (struct migrator) { .database = database };
		assert_status(thread_start("migrator", migrate, &migrators[i], &migrators[i].thread), STATUS_OK);
	}
	for (size_t i = 0; i < 8; i++) {
		thread_join(migrators[i].thread);
		assert_status(migrators[i].status, STATUS_OK);
	}
	struct sql *sql = database_connect(database);
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM one"), 1);
	sql_close(sql);
}

static void a_pool_is_bounded(void **state)
{
	struct database *database = database_of(state);
	struct sql_pool *pool;
	struct sql *first, *second, *third;
	assert_status(sql_pool_open(database_url(database), 2, &pool, NULL), STATUS_OK);
	assert_status(sql_pool_take(pool, &first), STATUS_OK);
	assert_status(sql_pool_take(pool, &second), STATUS_OK);
	assert_ptr_not_equal(first, second);
	int64_t started = clock_monotonic();
	assert_status(sql_pool_take(pool, &third), ERR_OVERLOADED);
	assert_in_range(clock_monotonic() - started, 4500000, 9000000);
	sql_pool_give(pool, first);
	assert_status(sql_pool_take(pool, &third), STATUS_OK);
	assert_ptr_equal(third, first);
	sql_pool_give(pool, third);
	sql_pool_give(pool, second);
	sql_pool_close(pool);
}

static void a_pool_ends_what_its_user_left_open(void **state)
{
	struct database *database = database_of(state);
	struct sql_pool *pool;
	struct sql *sql = connect_with_keys(database);
	sql_close(sql);
	assert_status(sql_pool_open(database_url(database), 1, &pool, NULL), STATUS_OK);
	assert_status(sql_pool_take(pool, &sql), STATUS_OK);
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 1), STATUS_OK);
	sql_pool_give(pool, sql);
	assert_status(sql_pool_take(pool, &sql), STATUS_OK);
	assert_int_equal(database_number(sql, count_keys), 0);
	assert_status(sql_begin(sql), STATUS_OK);
	sql_pool_give(pool, sql);
	sql_pool_close(pool);
}

static void a_file_is_private_and_durable(void **state)
{
	struct database *database = database_of(state);
	struct sql *sql = connect_with_keys(database);
	static const char *const endings[] = { "", "-wal", "-shm" };
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		struct stat file;
		snprintf(path, sizeof path, "%s/test.db%s", database->folder, endings[i]);
		assert_int_equal(stat(path, &file), 0);
		assert_int_equal(file.st_mode & 0777, 0600);
	}
	assert_int_equal(database_number(sql, "PRAGMA synchronous"), 2);
	assert_int_equal(database_number(sql, "PRAGMA foreign_keys"), 1);
	sql_close(sql);
}

static void a_locked_file_is_busy_in_bounded_time(void **state)
{
	struct database *database = database_of(state);
	struct sql *holder = connect_with_keys(database), *other = database_connect(database);
	assert_status(sql_begin(holder), STATUS_OK);
	int64_t started = clock_monotonic();
	assert_status(sql_begin(other), ERR_DATABASE_BUSY);
	assert_in_range(clock_monotonic() - started, 3000000, 10000000);
	assert_status(insert(holder, 1), STATUS_OK);
	assert_status(sql_commit(holder), STATUS_OK);
	assert_status(sql_begin(other), STATUS_OK);
	assert_status(insert(other, 2), STATUS_OK);
	assert_status(sql_commit(other), STATUS_OK);
	sql_close(other);
	sql_close(holder);
}

static void a_file_of_something_else_is_corrupt(void **state)
{
	struct database *database = database_of(state);
	char path[128], garbage[4096];
	snprintf(path, sizeof path, "%s/test.db", database->folder);
	memset(garbage, 'g', sizeof garbage);
	int file = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(file >= 0);
	assert_int_equal(write(file, garbage, sizeof garbage), sizeof garbage);
	close(file);
	struct sql *sql;
	struct problem problem = { 0 };
	assert_status(sql_open(database_url(database), &sql, &problem), ERR_DATABASE_CORRUPT);
	assert_non_null(strstr(problem.detail, path));
	assert_non_null(strstr(problem.detail, "restore it from a backup"));
}

/* A bound on the file's pages answers as a full disk does. */
static void a_full_disk_stores_nothing(void **state)
{
	struct database *database = database_of(state);
	struct sql *sql = database_connect(database);
	static const char fill[] = "INSERT INTO blobs (data) VALUES (zeroblob(40000))";
	static const char count[] = "SELECT COUNT(*) FROM blobs";
	assert_status(database_execute(sql, "CREATE TABLE blobs (data BLOB)"), STATUS_OK);
	assert_int_equal(database_number(sql, "PRAGMA max_page_count = 30"), 30);
	assert_status(sql_begin(sql), STATUS_OK);
	enum status status = STATUS_OK;
	for (int i = 0; i < 10 && status == STATUS_OK; i++)
		status = database_execute(sql, fill);
	assert_status(status, ERR_DATABASE_FULL);
	assert_status(sql_commit(sql), ERR_DATABASE_FULL);
	assert_int_equal(database_number(sql, count), 0);
	assert_true(database_number(sql, "PRAGMA max_page_count = 1000") == 1000);
	assert_status(database_execute(sql, fill), STATUS_OK);
	assert_int_equal(database_number(sql, count), 1);
	sql_close(sql);
}

/* More than twice the log's bound is written; it starts again from its beginning. */
static void a_log_does_not_grow_without_end(void **state)
{
	struct database *database = database_of(state);
	struct sql *sql = database_connect(database);
	char path[128];
	struct stat file;
	assert_status(database_execute(sql, "CREATE TABLE blobs (data BLOB)"), STATUS_OK);
	for (int i = 0; i < 128; i++)
		assert_status(database_execute(sql, "INSERT INTO blobs (data) VALUES (zeroblob(1000000))"), STATUS_OK);
	snprintf(path, sizeof path, "%s/test.db-wal", database->folder);
	assert_int_equal(stat(path, &file), 0);
	assert_in_range(file.st_size, 1, 60000000);
	sql_close(sql);
}

static void addresses_that_lead_nowhere(void **state)
{
	(void)state;
	static const struct {
		const char *url;
		enum status status;
		const char *sentence;
	} rows[] = {
		{ "mysql://localhost/x", ERR_DATABASE_UNAVAILABLE, "starts with sqlite:" },
		{ "", ERR_DATABASE_UNAVAILABLE, "starts with sqlite:" },
		{ "sqlite:", ERR_IO, "needs the path of a file" },
		{ "sqlite::memory:", ERR_IO, "needs the path of a file" },
		{ "sqlite:/nonexistent/folder/file.db", ERR_IO, "/nonexistent/folder/file.db" },
		{ "sqlite:/tmp", ERR_DATABASE_UNAVAILABLE, "/tmp" },
		{ "postgres://user:hunter2@127.0.0.1:1/x", ERR_DATABASE_UNAVAILABLE, "127.0.0.1" },
		{ "postgresql://user:hunter2@127.0.0.1:1/x?password=hunter2", ERR_DATABASE_UNAVAILABLE, "127.0.0.1" },
		{ "postgres://user:hun@hunter2@127.0.0.1:1/x", ERR_DATABASE_UNAVAILABLE, "malformed" },
		{ "postgres://user:hunter2/@127.0.0.1/x", ERR_DATABASE_UNAVAILABLE, "malformed" },
		{ "postgres://user:hunter2@127.0.0.1:1/x?unknown=hunter2", ERR_DATABASE_UNAVAILABLE, "malformed" },
		{ "postgres://user:hunter2/x", ERR_DATABASE_UNAVAILABLE, "no server can be reached" },
		{ "postgres://user@hunter2:y@127.0.0.1/x", ERR_DATABASE_UNAVAILABLE, "malformed" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sql *sql = NULL;
		struct problem problem = { 0 };
		assert_status(sql_open(slice_from(rows[i].url), &sql, &problem), rows[i].status);
		assert_null(sql);
		if (!strstr(problem.detail, rows[i].sentence) || strstr(problem.detail, "hunter2"))
			fail_msg("%s: %s", rows[i].url, problem.detail);
	}
}

static void postgres_types_read_as_ours(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	static const char create[] =
	        "CREATE TABLE typed (document JSONB, address INET, day DATE, total NUMERIC, plain JSON)";
	static const char insert_row[] = "INSERT INTO typed VALUES ($1, $2, $3, 0, $4)";
	const struct sql_value values[] = { SQL_TEXT(SLICE("{\"a\": 1}")), SQL_TEXT(SLICE("192.0.2.7")),
		SQL_INSTANT(INT64_C(1757246400000000)), SQL_TEXT(SLICE("[1,2]")) };
	struct sql_rows *rows;
	assert_status(database_execute(sql, create), STATUS_OK);
	assert_status(sql_execute(sql, QUERY(insert_row), values, 4), STATUS_OK);
	static const char read[] =
	        "SELECT document, address, day, plain, inet '2001:db8::1', inet '10.0.0.0/8',"
	        " 9223372036854775807::numeric, (-9223372036854775808)::numeric, 12345678.99::numeric,"
	        " 10000::numeric, '42'::text, 2.75::float8, -3::smallint, 1e30::numeric, 77::bigint"
	        " FROM typed WHERE day = $1";
	const struct sql_value day = SQL_TEXT(SLICE("2025-09-07"));
	assert_status(sql_select(sql, QUERY(read), &day, 1, &rows), STATUS_OK);
	assert_true(sql_next(rows));
	assert_slice(sql_column_bytes(rows, 0), "{\"a\": 1}");
	assert_slice(sql_column_bytes(rows, 1), "192.0.2.7");
	assert_true(sql_column_instant(rows, 2) == INT64_C(1757203200000000));
	assert_slice(sql_column_bytes(rows, 3), "[1,2]");
	assert_slice(sql_column_bytes(rows, 4), "2001:db8::1");
	assert_slice(sql_column_bytes(rows, 5), "10.0.0.0/8");
	assert_true(sql_column_integer(rows, 6) == INT64_MAX);
	assert_true(sql_column_integer(rows, 7) == INT64_MIN);
	assert_int_equal(sql_column_integer(rows, 8), 12345678);
	assert_int_equal(sql_column_integer(rows, 9), 10000);
	assert_int_equal(sql_column_integer(rows, 10), 42);
	assert_int_equal(sql_column_integer(rows, 11), 2);
	assert_int_equal(sql_column_integer(rows, 12), -3);
	assert_true(sql_column_integer(rows, 13) == INT64_MAX);
	assert_slice(sql_column_bytes(rows, 14), "77");
	assert_status(sql_end(rows), STATUS_OK);
	sql_close(sql);
}

static void a_number_that_does_not_fit_is_refused(void **state)
{
	struct sql *sql = database_connect(database_of(state));
	static const char text[] = "INSERT INTO narrow (id) VALUES ($1)";
	const struct sql_value wide = SQL_INTEGER(INT64_C(1) << 32), fits = SQL_INTEGER(7);
	assert_status(database_execute(sql, "CREATE TABLE narrow (id INTEGER)"), STATUS_OK);
	assert_status(sql_execute(sql, QUERY(text), &wide, 1), ERR_DATABASE);
	assert_status(sql_execute(sql, QUERY(text), &fits, 1), STATUS_OK);
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM narrow"), 1);
	sql_close(sql);
}

static void kill_connection(const struct database *database, struct sql *victim)
{
	struct sql *killer = database_connect(database);
	const struct sql_value pid = SQL_INTEGER(database_number(victim, "SELECT pg_backend_pid()"));
	assert_status(sql_execute(killer, QUERY("SELECT pg_terminate_backend($1)"), &pid, 1), STATUS_OK);
	sql_close(killer);
	usleep(100 * 1000);
}

static void a_lost_connection_comes_back(void **state)
{
	struct database *database = database_of(state);
	struct sql *sql = connect_with_keys(database);
	static const char who[] = "SELECT pg_backend_pid()";
	int64_t pid = database_number(sql, who);
	assert_int_equal(database_number(sql, who), pid); /* a good connection is kept */
	kill_connection(database, sql);
	assert_status(insert(sql, 1), STATUS_OK); /* noticed before anything is sent */
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 2), STATUS_OK);
	kill_connection(database, sql);
	assert_status(sql_commit(sql), ERR_DATABASE_UNAVAILABLE);
	assert_status(sql_begin(sql), STATUS_OK);
	assert_status(insert(sql, 3), STATUS_OK);
	assert_status(sql_commit(sql), STATUS_OK);
	assert_int_equal(database_number(sql, count_keys), 2);
	kill_connection(database, sql);
	assert_status(sql_begin(sql), STATUS_OK);
	kill_connection(database, sql);
	sql_rollback(sql);
	assert_int_equal(database_number(sql, count_keys), 2);
	sql_close(sql);
}

struct rival {
	struct sql *sql;
	int64_t first, second;
	enum status status;
	struct thread *thread;
	pthread_barrier_t *both;
};

static enum status lock_both(struct rival *rival)
{
	static const char text[] = "UPDATE keys SET id = id WHERE id = $1";
	const struct sql_value first = SQL_INTEGER(rival->first), second = SQL_INTEGER(rival->second);
	int64_t changed;
	TRY(sql_begin(rival->sql));
	enum status status = sql_execute_counted(rival->sql, QUERY(text), &first, 1, &changed);
	pthread_barrier_wait(rival->both);
	if (status == STATUS_OK)
		status = sql_execute(rival->sql, QUERY(text), &second, 1);
	enum status end = sql_commit(rival->sql);
	return status == STATUS_OK ? end : status;
}

static void run_rival(void *arg)
{
	struct rival *rival = arg;
	rival->status = lock_both(rival);
}

static void a_deadlock_is_busy(void **state)
{
	struct database *database = database_of(state);
	struct sql *sql = connect_with_keys(database);
	assert_status(insert(sql, 1), STATUS_OK);
	assert_status(insert(sql, 2), STATUS_OK);
	pthread_barrier_t both;
	pthread_barrier_init(&both, NULL, 2);
	struct rival rivals[] = { { .first = 1, .second = 2, .both = &both },
		{ .first = 2, .second = 1, .both = &both } };
	for (size_t i = 0; i < 2; i++) {
		rivals[i].sql = database_connect(database);
		assert_status(thread_start("rival", run_rival, &rivals[i], &rivals[i].thread), STATUS_OK);
	}
	size_t busy = 0;
	for (size_t i = 0; i < 2; i++) {
		thread_join(rivals[i].thread);
		busy += rivals[i].status == ERR_DATABASE_BUSY;
		assert_true(rivals[i].status == STATUS_OK || rivals[i].status == ERR_DATABASE_BUSY);
		sql_close(rivals[i].sql);
	}
	assert_int_equal(busy, 1);
	pthread_barrier_destroy(&both);
	sql_close(sql);
}

/* More statements than the pipeline holds, and answers that the server cannot send before they are read. */
static void a_long_transaction_is_pipelined(void **state)
{
	struct sql *sql = connect_with_keys(database_of(state));
	assert_status(sql_begin(sql), STATUS_OK);
	for (int64_t key = 0; key < 5000; key++)
		assert_status(insert(sql, key), STATUS_OK);
	assert_status(sql_commit(sql), STATUS_OK);
	assert_int_equal(database_number(sql, count_keys), 5000);
	sql_close(sql);
}

TESTS(ON_BOTH(values_come_back_as_they_went), ON_BOTH(null_reads_as_nothing),
        ON_BOTH(parameters_are_numbered_not_counted), ON_BOTH(a_query_keeps_its_parameters),
        ON_BOTH(copies_outlive_the_row), ON_BOTH(a_commit_is_seen_and_a_rollback_is_not),
        ON_BOTH(closing_gives_a_transaction_up), ON_BOTH(a_duplicate_is_a_constraint),
        ON_BOTH(a_duplicate_in_a_transaction_is_told_by_its_end), ON_BOTH(a_lost_transaction_stays_lost),
        ON_BOTH(changes_are_counted), ON_BOTH(migrations_run_once), ON_BOTH(an_edited_migration_is_refused),
        ON_BOTH(a_failing_migration_leaves_nothing), ON_BOTH(migrators_wait_for_each_other),
        ON_SQLITE(a_pool_is_bounded), ON_BOTH(a_pool_ends_what_its_user_left_open),
        ON_SQLITE(a_file_is_private_and_durable), ON_SQLITE(a_locked_file_is_busy_in_bounded_time),
        ON_SQLITE(a_file_of_something_else_is_corrupt), ON_SQLITE(a_full_disk_stores_nothing),
        ON_SQLITE(a_log_does_not_grow_without_end), cmocka_unit_test(addresses_that_lead_nowhere),
        ON_POSTGRES(postgres_types_read_as_ours), ON_POSTGRES(a_number_that_does_not_fit_is_refused),
        ON_POSTGRES(a_lost_connection_comes_back), ON_POSTGRES(a_deadlock_is_busy),
        ON_BOTH(a_long_transaction_is_pipelined))
