/* A group of transfers on its way into the journal: read what it touches, decide in memory, then write. One commit
 * work; nothing is written before all of it is decided. */
#pragma once

#include "ledger/ledger_store.h"

/* What became of a transfer of the group. */
struct posting_line {
	struct account_id debit, credit; /* that it touches; nil when its reference is unknown */
	struct ledger_transfer stored;   /* as it goes into the journal */
	enum ledger_book book;
	int64_t released_minor;
	int64_t debit_balance, credit_balance;
	bool is_repeat;
};

struct posting {
	/* set by the caller */
	const struct ledger_group *group;
	const struct actor *actor;
	const struct commit_rider *rider; /* NULL: none */
	bool announces;                   /* an event for each transfer that is new */
	/* the outcome */
	struct ledger_refusal refusal;
	/* the working set */
	struct arena arena;
	int64_t at;
	struct stored_account accounts[STORE_ACCOUNTS_MAX]; /* by id, ascending */
	size_t account_count;
	struct stored_record records[STORE_RECORDS_MAX];
	size_t record_count;
	struct posting_line lines[LEDGER_GROUP_MAX];
};

/* A commit_fn; `arg` is a struct posting. May run more than once. */
enum status posting_run(struct sql *sql, void *arg);
/* Frees what the runs took. */
void posting_clean_up(struct posting *posting);
