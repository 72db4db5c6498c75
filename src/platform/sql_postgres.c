/* PostgreSQL behind sql.h. The connection stays in pipeline mode: statements of a transaction are sent without waiting,
 * a query or the commit reads all their answers. A statement is prepared once a connection. */
#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "platform/sql_engine.h"
#include "platform/sql_postgres_value.h"

/* So many statements are sent before their answers are read, so that neither side's buffers grow without bound. */
enum { PIPELINE_MAX = 1000 };

struct postgres {
	struct sql sql;
	PGconn *connection;
	struct sql_statements statements;
	unsigned statement_count; /* makes names unique */
	int pending;              /* statements whose answers were not read */
	PGresult *result;         /* the open query's */
	int row;
	struct arena arena;        /* parameters of the statement being sent */
	struct arena column_arena; /* texts made from columns of the current row */
	char url[];
};

struct prepared {
	char name[64]; /* PostgreSQL's own limit */
	bool is_reading;
	int parameter_count;
	unsigned types[SQL_PARAMETERS_MAX];
};

static struct postgres *postgres_of(struct sql *sql)
{
	return (struct postgres *)sql;
}

/* By SQLSTATE: a whole code before its class. */
static enum status status_from_state(const char *state)
{
	static const struct {
		const char *prefix;
		enum status status;
	} rows[] = {
		{ "40", ERR_DATABASE_BUSY },    /* serialization failure, deadlock */
		{ "55P03", ERR_DATABASE_BUSY }, /* lock not available */
		{ "57014", ERR_DATABASE_BUSY }, /* statement timeout */
		{ "23", ERR_DATABASE_CONSTRAINT },
		{ "53100", ERR_DATABASE_FULL },
		{ "53", ERR_DATABASE_UNAVAILABLE },  /* out of memory, of connections */
		{ "57P", ERR_DATABASE_UNAVAILABLE }, /* shut down, starting up */
		{ "08", ERR_DATABASE_UNAVAILABLE },
		{ "25006", ERR_DATABASE_UNAVAILABLE }, /* a standby, which only reads */
		{ "58030", ERR_IO },
		{ "XX001", ERR_DATABASE_CORRUPT },
		{ "XX002", ERR_DATABASE_CORRUPT },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) == 0)
			return rows[i].status;
	return ERR_DATABASE;
}

static enum status lose_connection(struct postgres *postgres)
{
	postgres->sql.is_broken = true;
	postgres->pending = 0;
	snprintf(postgres->sql.sentence, sizeof postgres->sql.sentence, "the connection was lost");
	return sql_lose(&postgres->sql, ERR_DATABASE_UNAVAILABLE);
}

/* Class 22 complains about a value and quotes it, which is nobody's business in a log. */
static void keep_sentence(struct postgres *postgres, const PGresult *result, const char *state)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	snprintf(postgres->sql.sentence, sizeof postgres->sql.sentence, "%s %s", state,
	        message && strncmp(state, "22", 2) != 0 ? message : "a value was refused");
}

static enum status status_of(struct postgres *postgres, const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_EMPTY_QUERY:
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		return STATUS_OK;
	case PGRES_FATAL_ERROR:
	case PGRES_BAD_RESPONSE:
	case PGRES_NONFATAL_ERROR:
	case PGRES_PIPELINE_ABORTED:
	case PGRES_PIPELINE_SYNC:
	case PGRES_COPY_OUT:
	case PGRES_COPY_IN:
	case PGRES_COPY_BOTH:
	case PGRES_SINGLE_TUPLE:
		break;
	}
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (!state)
		return PQstatus(postgres->connection) == CONNECTION_OK ? ERR_DATABASE : lose_connection(postgres);
	enum status status = status_from_state(state);
	keep_sentence(postgres, result, state);
	return sql_lose(&postgres->sql, status);
}

/* Reads the answers of all pending statements up to the synchronisation point. The first failure counts, what follows
 * it was skipped. The last result is the caller's to clear. */
static enum status read_answers(struct postgres *postgres, PGresult **ret_last)
{
	enum status status = STATUS_OK;
	PGresult *last = NULL;
	for (int ends = 0; ends < 2;) {
		PGresult *result = PQgetResult(postgres->connection);
		ends = result ? 0
		              : ends + 1; /* one NULL ends a statement's answer, a second one comes from no server */
		if (!result)
			continue;
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			postgres->pending = 0;
			*ret_last = last;
			return status;
		}
		if (status == STATUS_OK)
			status = status_of(postgres, result);
		PQclear(last);
		last = result;
	}
	PQclear(last);
	*ret_last = NULL;
	return lose_connection(postgres);
}

/* Sends the synchronisation point and waits for everything before it. */
static enum status synchronise(struct postgres *postgres, PGresult **ret_last)
{
	*ret_last = NULL;
	if (!PQpipelineSync(postgres->connection))
		return lose_connection(postgres);
	return read_answers(postgres, ret_last);
}

static enum status settle(struct postgres *postgres)
{
	PGresult *last;
	enum status status = synchronise(postgres, &last);
	PQclear(last);
	return status;
}

static bool starts_with_word(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word)) == 0;
}

/* Only asked to tell the group commit whether a refused work has written: a doubt counts as a write. */
static bool is_reading(const char *text)
{
	static const char *const changes[] = { "INSERT INTO", "UPDATE ", "DELETE FROM" };
	if (!starts_with_word(text, "WITH"))
		return starts_with_word(text, "SELECT");
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		if (strcasestr(text, changes[i]))
			return false;
	return true;
}

static enum status describe(struct postgres *postgres, struct prepared *prepared, const char *text)
{
	if (!PQsendPrepare(postgres->connection, prepared->name, text, 0, NULL) ||
	        !PQsendDescribePrepared(postgres->connection, prepared->name))
		return lose_connection(postgres);
	PGresult *description;
	enum status status = synchronise(postgres, &description);
	if (status == STATUS_OK) {
		prepared->parameter_count = PQnparams(description);
		assert(prepared->parameter_count <= SQL_PARAMETERS_MAX);
		for (int i = 0; i < prepared->parameter_count; i++)
			prepared->types[i] = PQparamtype(description, i);
	}
	PQclear(description);
	return status;
}

static enum status prepare(struct postgres *postgres, const struct sql_query *query, struct prepared **ret_prepared)
{
	struct prepared *prepared = sql_statements_find(&postgres->statements, query->postgres);
	if (!prepared) {
		prepared = NEW(struct prepared);
		snprintf(prepared->name, sizeof prepared->name, "%u_%s", ++postgres->statement_count, query->name);
		prepared->is_reading = is_reading(query->postgres);
		enum status status = describe(postgres, prepared, query->postgres);
		if (status != STATUS_OK) {
			memory_free(prepared);
			return status;
		}
		sql_statements_add(&postgres->statements, query->postgres, prepared);
	}
	*ret_prepared = prepared;
	return STATUS_OK;
}

static enum status refuse_value(struct postgres *postgres, size_t index)
{
	snprintf(postgres->sql.sentence, sizeof postgres->sql.sentence, "parameter $%zu does not fit its type",
	        index + 1);
	return sql_lose(&postgres->sql, ERR_DATABASE);
}

static enum status send_values(
        struct postgres *postgres, const struct prepared *prepared, const struct sql_value *values, size_t count)
{
	const char *data[SQL_PARAMETERS_MAX];
	int sizes[SQL_PARAMETERS_MAX], formats[SQL_PARAMETERS_MAX];
	assert((size_t)prepared->parameter_count <= count);
	count = (size_t)prepared->parameter_count; /* a text for one engine may leave the last ones out */
	for (size_t i = 0; i < count; i++) {
		struct postgres_parameter parameter;
		if (!postgres_encode(prepared->types[i], &values[i], &postgres->arena, &parameter))
			return refuse_value(postgres, i);
		data[i] = parameter.bytes.data;
		sizes[i] = (int)parameter.bytes.size;
		formats[i] = parameter.is_binary;
	}
	if (!PQsendQueryPrepared(postgres->connection, prepared->name, (int)count, data, sizes, formats, 1))
		return lose_connection(postgres);
	postgres->pending++;
	return STATUS_OK;
}

static enum status connect_server(struct postgres *postgres);

/* What an idle connection received is the server's farewell, if anything; looking at it calls hear_notice. */
static bool is_connected(struct postgres *postgres)
{
	return !postgres->sql.is_broken && PQconsumeInput(postgres->connection) && !PQisBusy(postgres->connection) &&
	       !postgres->sql.is_broken && PQstatus(postgres->connection) == CONNECTION_OK;
}

/* Outside a transaction a lost connection costs nothing but opening it again. */
static enum status ensure_connection(struct postgres *postgres)
{
	return postgres->sql.in_transaction || is_connected(postgres) ? STATUS_OK : connect_server(postgres);
}

static enum status send_query(
        struct postgres *postgres, const struct sql_query *query, const struct sql_value *values, size_t count)
{
	struct prepared *prepared;
	TRY(ensure_connection(postgres));
	TRY(prepare(postgres, query, &prepared));
	enum status status = send_values(postgres, prepared, values, count);
	arena_clean_up(&postgres->arena);
	if (status == STATUS_OK && !prepared->is_reading)
		postgres->sql.writes++;
	return status;
}

static enum status postgres_execute(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t count, int64_t *ret_changed)
{
	struct postgres *postgres = postgres_of(sql);
	TRY(send_query(postgres, query, values, count));
	if (sql->in_transaction && !ret_changed && postgres->pending < PIPELINE_MAX)
		return STATUS_OK;
	PGresult *result;
	enum status status = synchronise(postgres, &result);
	if (status == STATUS_OK && ret_changed)
		*ret_changed = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return status;
}

static enum status postgres_select(
        struct sql *sql, const struct sql_query *query, const struct sql_value *values, size_t count)
{
	struct postgres *postgres = postgres_of(sql);
	TRY(send_query(postgres, query, values, count));
	PGresult *result;
	enum status status = synchronise(postgres, &result);
	if (status != STATUS_OK) {
		PQclear(result);
		return status;
	}
	postgres->result = result;
	postgres->row = -1;
	return STATUS_OK;
}

static bool postgres_next(struct sql *sql)
{
	struct postgres *postgres = postgres_of(sql);
	arena_clean_up(&postgres->column_arena);
	return ++postgres->row < PQntuples(postgres->result);
}

static enum status postgres_end(struct sql *sql)
{
	struct postgres *postgres = postgres_of(sql);
	arena_clean_up(&postgres->column_arena);
	PQclear(postgres->result);
	postgres->result = NULL;
	return STATUS_OK;
}

static struct slice raw_column(const struct postgres *postgres, int column)
{
	return slice_make(PQgetvalue(postgres->result, postgres->row, column),
	        (size_t)PQgetlength(postgres->result, postgres->row, column));
}

static bool postgres_is_null(const struct sql *sql, int column)
{
	const struct postgres *postgres = (const struct postgres *)sql;
	return PQgetisnull(postgres->result, postgres->row, column);
}

static int64_t postgres_integer_column(const struct sql *sql, int column)
{
	const struct postgres *postgres = (const struct postgres *)sql;
	return postgres_is_null(sql, column)
	               ? 0
	               : postgres_integer(PQftype(postgres->result, column), raw_column(postgres, column));
}

static struct slice postgres_bytes_column(const struct sql *sql, int column)
{
	/* Texts that are made for the caller live in the connection until the next row. */
	struct postgres *postgres = postgres_of((struct sql *)(uintptr_t)sql);
	return postgres_is_null(sql, column) ? SLICE_EMPTY
	                                     : postgres_bytes(PQftype(postgres->result, column),
	                                               raw_column(postgres, column), &postgres->column_arena);
}

static struct uuid postgres_uuid_column(const struct sql *sql, int column)
{
	const struct postgres *postgres = (const struct postgres *)sql;
	return postgres_uuid(PQftype(postgres->result, column), raw_column(postgres, column));
}

static int64_t postgres_instant_column(const struct sql *sql, int column)
{
	const struct postgres *postgres = (const struct postgres *)sql;
	return postgres_is_null(sql, column)
	               ? 0
	               : postgres_instant(PQftype(postgres->result, column), raw_column(postgres, column));
}

static const struct sql_query begin = { .name = "begin", .postgres = "BEGIN" };
static const struct sql_query commit = { .name = "commit", .postgres = "COMMIT" };
static const struct sql_query rollback = { .name = "rollback", .postgres = "ROLLBACK" };

static enum status postgres_begin(struct sql *sql)
{
	uint64_t writes = sql->writes;
	enum status status = send_query(postgres_of(sql), &begin, NULL, 0);
	sql->writes = writes;
	return status;
}

static void postgres_rollback(struct sql *sql)
{
	struct postgres *postgres = postgres_of(sql);
	PGresult *result = NULL;
	if (sql->is_broken || PQstatus(postgres->connection) != CONNECTION_OK)
		return;
	/* After a failure the server skips what was sent until the next synchronisation point. */
	if (postgres->pending && settle(postgres) != STATUS_OK && sql->is_broken)
		return;
	enum status status = send_query(postgres, &rollback, NULL, 0);
	if (status == STATUS_OK)
		status = synchronise(postgres, &result);
	PQclear(result);
	if (status != STATUS_OK)
		sql->is_broken = true; /* a fresh connection has no transaction */
}

/* The server answers a COMMIT of a failed transaction with ROLLBACK, and calls that a success. */
static enum status postgres_commit(struct sql *sql)
{
	struct postgres *postgres = postgres_of(sql);
	PGresult *result = NULL;
	enum status status = send_query(postgres, &commit, NULL, 0);
	if (status == STATUS_OK)
		status = synchronise(postgres, &result);
	if (status == STATUS_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0)
		status = ERR_DATABASE;
	PQclear(result);
	if (status != STATUS_OK && !sql->is_broken && PQtransactionStatus(postgres->connection) != PQTRANS_IDLE)
		postgres_rollback(sql);
	return status;
}

/* Several statements in one text need the simple protocol, which a pipeline does not speak. */
static enum status postgres_script(struct sql *sql, const char *text)
{
	struct postgres *postgres = postgres_of(sql);
	TRY(settle(postgres));
	if (!PQexitPipelineMode(postgres->connection))
		return lose_connection(postgres);
	PGresult *result = PQexec(postgres->connection, text);
	enum status status = status_of(postgres, result);
	PQclear(result);
	if (!PQenterPipelineMode(postgres->connection))
		return lose_connection(postgres);
	return status;
}

static void disconnect(struct postgres *postgres)
{
	sql_statements_clear(&postgres->statements, memory_free);
	PQfinish(postgres->connection);
	postgres->connection = NULL;
	postgres->pending = 0;
}

static void postgres_close(struct sql *sql)
{
	struct postgres *postgres = postgres_of(sql);
	disconnect(postgres);
	arena_clean_up(&postgres->arena);
	arena_clean_up(&postgres->column_arena);
	memory_free(postgres);
}

static const struct sql_driver driver = {
	.execute = postgres_execute,
	.select = postgres_select,
	.next = postgres_next,
	.end = postgres_end,
	.is_null = postgres_is_null,
	.integer = postgres_integer_column,
	.bytes = postgres_bytes_column,
	.uuid = postgres_uuid_column,
	.instant = postgres_instant_column,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.script = postgres_script,
	.close = postgres_close,
};

/* Notices are for a terminal, but a server that stops says so in one to a connection that is idle. */
static void hear_notice(void *arg, const PGresult *result)
{
	struct postgres *postgres = arg;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (state && status_from_state(state) == ERR_DATABASE_UNAVAILABLE)
		postgres->sql.is_broken = true;
}

/* The first line of the library's complaint when it names host and port. Others may quote pieces of the address, and
 * none that holds the password is kept. */
static void keep_connect_sentence(struct postgres *postgres)
{
	static const char *const harmless[] = { "connection to server", "could not translate host name" };
	const char *message = PQerrorMessage(postgres->connection), *password = PQpass(postgres->connection);
	bool is_harmless = false;
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
		is_harmless |= starts_with_word(message, harmless[i]);
	if (!is_harmless || (password && *password && strstr(message, password)))
		message = "no server can be reached at this address";
	snprintf(postgres->sql.sentence, sizeof postgres->sql.sentence, "%.*s", (int)strcspn(message, "\n"), message);
}

static enum status connect_server(struct postgres *postgres)
{
	/* Before the address, so that it may say otherwise: a silent network is noticed within about 20 seconds. */
	static const char *const names[] = { "connect_timeout", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "client_encoding", "application_name", "dbname", NULL };
	const char *values[] = { "5", "10", "3", "3", "20000", "UTF8", "agentpay", postgres->url, NULL };
	disconnect(postgres);
	postgres->connection = PQconnectdbParams(names, values, 1);
	postgres->sql.is_broken = true;
	if (PQstatus(postgres->connection) != CONNECTION_OK) {
		keep_connect_sentence(postgres);
		return ERR_DATABASE_UNAVAILABLE;
	}
	PQsetNoticeReceiver(postgres->connection, hear_notice, postgres);
	PGresult *result = PQexec(postgres->connection, "SET statement_timeout = '10s'; SET lock_timeout = '10s';"
	                                                "SET client_min_messages = warning; SET timezone = 'UTC'");
	enum status status = status_of(postgres, result);
	PQclear(result);
	TRY(status);
	postgres->sql.is_broken = !PQenterPipelineMode(postgres->connection);
	return postgres->sql.is_broken ? ERR_DATABASE_UNAVAILABLE : STATUS_OK;
}

/* An unescaped @ or / in the password would make a piece of it a host or port name, which complaints quote. */
static bool is_well_formed(const char *url)
{
	const char *authority = strstr(url, "://") + 3;
	size_t size = strcspn(authority, "/?"), before_query = strcspn(authority, "?");
	const char *at = memchr(authority, '@', before_query);
	if (at && ((size_t)(at - authority) > size || memchr(at + 1, '@', before_query - (size_t)(at + 1 - authority))))
		return false;
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	PQconninfoFree(options);
	return options != NULL;
}

enum status postgres_open(struct slice url, struct sql **ret_sql, struct problem *problem)
{
	struct postgres *postgres = memory_new(1, sizeof *postgres + url.size + 1);
	postgres->sql = (struct sql) { .driver = &driver, .engine = SQL_POSTGRES };
	memcpy(postgres->url, url.data, url.size);
	if (!is_well_formed(postgres->url)) {
		postgres_close(&postgres->sql);
		return problem_set(problem, ERR_DATABASE_UNAVAILABLE, "",
		        "The PostgreSQL address is malformed; special characters in user and password are "
		        "percent-encoded.");
	}
	enum status status = connect_server(postgres);
	if (status != STATUS_OK) {
		status = problem_set(problem, status, "", "PostgreSQL cannot be used: %s", postgres->sql.sentence);
		postgres_close(&postgres->sql);
		return status;
	}
	*ret_sql = &postgres->sql;
	return STATUS_OK;
}
