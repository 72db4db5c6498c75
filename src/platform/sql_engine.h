/* What the engines behind sql.h implement; private to platform/. An engine embeds `struct sql` as its first member. */
#pragma once

#include "platform/sql.h"

enum { SQL_SENTENCE_SIZE = 160 };

/* The open query of a connection; there is at most one. */
struct sql_rows {
	struct sql *sql;
	enum status status; /* why stepping stopped */
	bool is_open;
};

struct sql_driver {
	/* `ret_changed` may be NULL: nobody asks, so the engine need not wait for an answer inside a transaction. */
	enum status (*execute)(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
	        size_t count, int64_t *ret_changed);
	enum status (*select)(
	        struct sql *sql, const struct sql_query *query, const struct sql_value *values, size_t count);
	bool (*next)(struct sql *sql);
	/* Called once after a select that returned STATUS_OK. */
	enum status (*end)(struct sql *sql);
	bool (*is_null)(const struct sql *sql, int column);
	int64_t (*integer)(const struct sql *sql, int column);
	struct slice (*bytes)(const struct sql *sql, int column);
	struct uuid (*uuid)(const struct sql *sql, int column);
	int64_t (*instant)(const struct sql *sql, int column);
	enum status (*begin)(struct sql *sql);
	/* A failed commit leaves no transaction behind. */
	enum status (*commit)(struct sql *sql);
	void (*rollback)(struct sql *sql);
	/* Several statements without parameters, inside a transaction. */
	enum status (*script)(struct sql *sql, const char *text);
	/* Work that another connection may do while this one writes on; NULL when there is none. */
	void (*tidy)(struct sql *sql);
	void (*close)(struct sql *sql);
};

struct sql {
	const struct sql_driver *driver;
	enum sql_engine engine;
	struct sql_rows rows;
	bool in_transaction;
	bool is_broken;      /* the connection is gone; the next use outside a transaction opens it again */
	enum status failure; /* the transaction is lost for this reason */
	uint64_t writes;     /* statements that changed data */
	uint64_t events;     /* added to the outbox in this transaction */
	uint64_t begun;      /* transactions */
	bool is_untidy;      /* it is time for a `tidy` */
	char sentence[SQL_SENTENCE_SIZE]; /* the engine's last complaint; names of tables, never data */
};

/* Remembers that the transaction is lost, if there is one, and returns `status`. */
enum status sql_lose(struct sql *sql, enum status status);

enum status sqlite_open(struct slice path, struct sql **ret_sql, struct problem *problem);
enum status postgres_open(struct slice url, struct sql **ret_sql, struct problem *problem);

/* Prepared statements of one connection, found by the address of their text. */
struct sql_statements {
	struct sql_statement {
		const char *text;
		void *prepared;
	} * slots;
	size_t capacity, count;
};
/* NULL when not prepared yet. */
void *sql_statements_find(const struct sql_statements *statements, const char *text);
void sql_statements_add(struct sql_statements *statements, const char *text, void *prepared);
/* Calls `forget` for each and is empty again. */
void sql_statements_clear(struct sql_statements *statements, void (*forget)(void *prepared));
