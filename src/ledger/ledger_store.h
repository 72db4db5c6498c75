/* Accounts and the journal in the database: the only file of the ledger that knows SQL. Everything takes the
 * connection; whether it is a reader's or the committer's is the caller's business. */
#pragma once

#include "ledger/ledger_rules.h"
#include "platform/sql.h"

enum {
	STORE_ACCOUNTS_MAX = LEDGER_OPEN_MAX + 2 * LEDGER_GROUP_MAX,
	STORE_RECORDS_MAX = 2 * LEDGER_GROUP_MAX,
};

/* An account that a group touches. */
struct stored_account {
	struct ledger_account account;
	int64_t updated_at; /* of its last posting */
	int64_t row;        /* SQLite's number of the row; 0 elsewhere */
	bool is_found;
	bool is_new;     /* to be inserted */
	bool is_changed; /* its sums are to be updated */
};

/* A transfer that a group makes or refers to. */
struct stored_record {
	struct ledger_record record;
	bool is_found;
};

/* A line of the journal. */
struct ledger_entry {
	struct ledger_transfer transfer;
	int64_t created_at;
	int64_t sequence;
};

/* A line of an account's statement. */
struct statement_line {
	struct transfer_id id;
	enum transfer_kind kind;
	bool is_debit;
	int64_t amount_minor;
	int64_t balance_minor; /* after it */
	struct slice description;
	struct payment_id payment;
	int64_t created_at;
	int64_t sequence;
};

/* An account in the trial balance: the journal's sums, and whether the account's own agree with them. */
struct trial_line {
	struct account_id account;
	struct slice name;
	enum account_type type;
	enum currency currency;
	int64_t debits_posted, credits_posted;
	bool agrees;
	int64_t sequence; /* of the last transfer that the report has seen */
};

/* Reads what is stored of these accounts (by their ids, which are in ascending order) and keeps it from others until
 * the transaction ends. Names and agents are not read. */
enum status ledger_store_accounts_lock(struct sql *sql, struct stored_account *accounts, size_t count);
/* Reads what is stored of these transfers, by their ids. */
enum status ledger_store_records_get(struct sql *sql, struct stored_record *records, size_t count, struct arena *arena);
enum status ledger_store_account_insert(struct sql *sql, const struct ledger_account *account);
/* Of an account that ledger_store_accounts_lock has read. */
enum status ledger_store_account_update(struct sql *sql, const struct stored_account *stored, int64_t at);

/* A new line of the journal with what only the moment of posting knows. */
struct journal_insert {
	const struct ledger_transfer *transfer; /* with the accounts and the amount that it really has */
	enum ledger_book book;
	int64_t released_minor;
	int64_t debit_balance, credit_balance;
	int64_t at;
};
enum status ledger_store_transaction_insert(struct sql *sql, const struct journal_insert *insert);

/* ERR_ACCOUNT_NOT_FOUND. */
enum status ledger_store_account_get(
        struct sql *sql, struct account_id id, struct arena *arena, struct ledger_account *ret_account);
enum status ledger_store_account_of_agent(
        struct sql *sql, struct agent_id agent, enum currency currency, struct account_id *ret_account);
/* Money accounts, newest first, before (at, id). Agent nil: all; CURRENCY_NONE: all. */
struct accounts_query {
	struct agent_id agent;
	enum currency currency;
	int64_t before_at;
	struct uuid before_id;
	size_t limit;
};
enum status ledger_store_accounts_list(struct sql *sql, const struct accounts_query *query, struct arena *arena,
        struct ledger_account **ret_accounts, size_t *ret_count);

/* ERR_NOT_FOUND. */
enum status ledger_store_entry_get(
        struct sql *sql, struct transfer_id id, struct arena *arena, struct ledger_entry *ret_entry);
/* Transfers of the money book, newest first, before (at, sequence), of one account, payment and agent; nil: of any. An
 * account's agent is not looked at. */
struct entries_query {
	struct account_id account;
	struct payment_id payment;
	struct agent_id agent;
	int64_t before_at, before_sequence;
	size_t limit;
};
enum status ledger_store_entries_list(struct sql *sql, const struct entries_query *query, struct arena *arena,
        struct ledger_entry **ret_entries, size_t *ret_count);

/* Money moved on an account with from <= created_at < to, oldest first, behind (after_at, after_sequence). */
struct statement_query {
	struct account_id account;
	int64_t from, to;
	int64_t after_at, after_sequence;
	size_t limit;
};
enum status ledger_store_statement(struct sql *sql, const struct statement_query *query, struct arena *arena,
        struct statement_line **ret_lines, size_t *ret_count);
/* The posted balance on the account's normal side just before an instant. */
enum status ledger_store_balance_before(
        struct sql *sql, struct account_id account, int64_t at, int64_t *ret_balance_minor);

/* Sorted by currency; CURRENCY_NONE: all. */
enum status ledger_store_trial_balance(
        struct sql *sql, enum currency currency, struct arena *arena, struct trial_line **ret_lines, size_t *ret_count);
