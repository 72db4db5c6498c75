/* The log of SQLite as platform/sql_sqlite_wal.c writes it: nothing that was committed is lost or mixed up, whoever
 * else writes and whenever the writer dies. */
#include "database.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A transaction is larger than what is gathered at once (31 pages) and than a cache of 10 pages. */
enum { ROWS = 20, KILLS = 50, TRANSACTIONS_EACH = 40, WRITERS = 3 };

static const char create_rows[] = "CREATE TABLE rows (writer BIGINT, data BLOB)";
static const char create_index[] = "CREATE INDEX rows_by_data ON rows (data)";
static const char insert_row[] = "INSERT INTO rows (writer, data) VALUES ($1, randomblob(7000))";
static const char count_rows[] = "SELECT COUNT(*) FROM rows";
static const char small_cache[] = "PRAGMA cache_size = 10";
static const char checkpoint[] = "PRAGMA wal_checkpoint(PASSIVE)";
static const char check_integrity[] = "SELECT integrity_check = 'ok' FROM pragma_integrity_check";
static const char count_torn[] =
        "SELECT COUNT(*) FROM (SELECT writer FROM rows GROUP BY writer HAVING COUNT(*) % 20 > 0)";

static void create(const struct database *database)
{
	struct sql *sql = database_connect(database);
	assert_status(database_execute(sql, create_rows), STATUS_OK);
	assert_status(database_execute(sql, create_index), STATUS_OK);
	sql_close(sql);
}

static enum status insert_rows(struct sql *sql, int64_t writer)
{
	static const struct sql_query insert = { .name = "test", .sqlite = insert_row };
	const struct sql_value values[] = { SQL_INTEGER(writer) };
	for (int i = 0; i < ROWS; i++)
		TRY(sql_execute(sql, &insert, values, 1));
	return STATUS_OK;
}

static enum status write_transaction(struct sql *sql, int64_t writer)
{
	TRY(sql_begin(sql));
	enum status status = insert_rows(sql, writer);
	if (status == STATUS_OK)
		return sql_commit(sql);
	sql_rollback(sql);
	return status;
}

static void assert_sound(struct sql *sql)
{
	assert_int_equal(database_number(sql, check_integrity), 1);
	assert_int_equal(database_number(sql, count_torn), 0);
}

static void a_commit_is_seen_as_a_whole(void **state)
{
	struct database *database = database_of(state);
	create(database);
	struct sql *writer = database_connect(database), *reader = database_connect(database);
	for (int i = 0; i < 10; i++) {
		assert_status(sql_begin(writer), STATUS_OK);
		assert_status(insert_rows(writer, 1), STATUS_OK);
		assert_int_equal(database_number(reader, count_rows), i * ROWS);
		assert_status(sql_commit(writer), STATUS_OK);
		assert_int_equal(database_number(reader, count_rows), (i + 1) * ROWS);
	}
	assert_sound(reader);
	sql_close(reader);
	sql_close(writer);
}

/* What was written ahead of the commit because the cache was full is dead after a rollback; another connection writes
 * over it. */
static void a_rollback_leaves_nothing_behind(void **state)
{
	struct database *database = database_of(state);
	create(database);
	struct sql *first = database_connect(database), *second = database_connect(database);
	assert_status(database_execute(first, small_cache), STATUS_OK);
	for (int i = 0; i < 5; i++) {
		assert_status(sql_begin(first), STATUS_OK);
		assert_status(insert_rows(first, 1), STATUS_OK);
		sql_rollback(first);
		assert_status(write_transaction(second, 2), STATUS_OK);
		assert_int_equal(database_number(first, count_rows), (2 * i + 1) * ROWS);
		assert_status(write_transaction(first, 1), STATUS_OK);
		assert_sound(second);
	}
	sql_close(second);
	sql_close(first);
}

static void bound_files(rlim_t size)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* At every place of the log where the disk can be full. */
static void a_log_that_cannot_be_written_fails_the_commit(void **state)
{
	struct database *database = database_of(state);
	create(database);
	struct sql *sql = database_connect(database), *other = database_connect(database);
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	for (rlim_t size = 20000; size < 400000; size += 50000) {
		int64_t rows = database_number(other, count_rows);
		assert_status(sql_begin(sql), STATUS_OK);
		assert_status(insert_rows(sql, 1), STATUS_OK);
		bound_files(size);
		enum status status = sql_commit(sql);
		bound_files(RLIM_INFINITY);
		assert_int_not_equal(status, STATUS_OK);
		assert_int_equal(database_number(sql, count_rows), rows);
		assert_status(write_transaction(other, 2), STATUS_OK);
		assert_int_equal(database_number(sql, count_rows), rows + ROWS);
		assert_sound(sql);
		while (database_number(other, checkpoint) != 0)
			;
	}
	signal(SIGXFSZ, before);
	sql_close(other);
	sql_close(sql);
}

static bool write_all(const struct database *database, int64_t writer, int transactions, int tell)
{
	struct sql *sql;
	if (sql_open(database_url(database), &sql, NULL) != STATUS_OK)
		return false;
	if (writer % 2 && database_execute(sql, small_cache) != STATUS_OK)
		return false;
	for (int i = 0; i < transactions; i++) {
		if (write_transaction(sql, writer) != STATUS_OK || write(tell, "x", 1) != 1)
			return false;
		if (i % 16 == 0 && database_execute(sql, checkpoint) != STATUS_OK)
			return false;
	}
	return true;
}

/* The child writes until it is done or killed, and says so after each commit. */
static pid_t start_writer(const struct database *database, int64_t writer, int transactions, int tell)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child > 0)
		return child;
	_exit(write_all(database, writer, transactions, tell) ? 0 : 1);
}

static int told(int hear)
{
	char bytes[64];
	int count = 0;
	for (ssize_t size = read(hear, bytes, sizeof bytes); size > 0; size = read(hear, bytes, sizeof bytes))
		count += (int)size;
	return count;
}

static void processes_write_side_by_side(void **state)
{
	struct database *database = database_of(state);
	pid_t children[WRITERS];
	int ends[2], outcome;
	create(database);
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < WRITERS; i++)
		children[i] = start_writer(database, i, TRANSACTIONS_EACH, ends[1]);
	struct sql *sql = database_connect(database);
	for (int i = 0; i < 20; i++)
		assert_int_equal(database_number(sql, count_rows) % ROWS, 0);
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(children[i], &outcome, 0), children[i]);
		assert_true(WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0);
	}
	close(ends[1]);
	assert_int_equal(told(ends[0]), WRITERS * TRANSACTIONS_EACH);
	close(ends[0]);
	assert_int_equal(database_number(sql, count_rows), WRITERS * TRANSACTIONS_EACH * ROWS);
	assert_sound(sql);
	sql_close(sql);
}

static void what_was_committed_outlives_its_writer(void **state)
{
	struct database *database = database_of(state);
	int64_t committed = 0;
	create(database);
	for (int i = 0; i < KILLS; i++) {
		unsigned char pause;
		int ends[2];
		char first;
		assert_int_equal(pipe(ends), 0);
		pid_t child = start_writer(database, i, 1000, ends[1]);
		close(ends[1]);
		assert_int_equal(read(ends[0], &first, 1), 1);
		random_bytes(&pause, sizeof pause);
		usleep(pause * 100U);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		committed += (1 + told(ends[0])) * ROWS;
		close(ends[0]);
		struct sql *sql = database_connect(database);
		int64_t found = database_number(sql, count_rows);
		/* The last commit may be there before it was told. */
		assert_true(found == committed || found == committed + ROWS);
		committed = found;
		assert_sound(sql);
		sql_close(sql);
	}
}

TESTS(ON_SQLITE(a_commit_is_seen_as_a_whole), ON_SQLITE(a_rollback_leaves_nothing_behind),
        ON_SQLITE(a_log_that_cannot_be_written_fails_the_commit), ON_SQLITE(processes_write_side_by_side),
        ON_SQLITE(what_was_committed_outlives_its_writer))
