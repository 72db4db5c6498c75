#include "testing.h"

#include "ledger/ledger_rules.h"

/* Accounts, transfers and payments of these tables are known by one byte. */
#define ACCOUNT(n) \
	{ \
		{ \
			{ \
				[15] = (n) \
			} \
		} \
	}
#define TRANSFER(n) \
	{ \
		{ \
			{ \
				[0] = 0x70, [15] = (n) \
			} \
		} \
	}
#define PAYMENT(n) \
	{ \
		{ \
			{ \
				[0] = 0x50, [15] = (n) \
			} \
		} \
	}
#define USD(amount) \
	{ \
		(amount), CURRENCY_USD \
	}

enum { CASH = 1, ALICE = 2, BOB = 3, LIMIT = 4, COUNTER = 5 };

struct sums {
	int64_t debits_pending, debits_posted, credits_pending, credits_posted;
};

struct row {
	const char *name;
	struct ledger_transfer transfer;
	const struct ledger_record *existing, *reference;
	struct ledger_account debit, credit;
	bool lacks_debit, lacks_credit;
	enum status status;
	struct sums debit_after, credit_after; /* when STATUS_OK; otherwise nothing may have changed */
	enum hold_phase phase_after;
	int64_t reversed_after;
};

#define OF(n, type_, ...) \
	{ \
		.id = ACCOUNT(n), .type = ACCOUNT_##type_, __VA_ARGS__ \
	}
#define ASSET(...) OF(CASH, ASSET, .currency = CURRENCY_USD, __VA_ARGS__)
#define LIABILITY(n, ...) OF(n, LIABILITY, .currency = CURRENCY_USD, __VA_ARGS__)
#define EUROS(n) OF(n, LIABILITY, .currency = CURRENCY_EUR)
#define BUDGET(n, ...) \
	{ \
		.id = ACCOUNT(n), .type = ACCOUNT_LIABILITY, .book = BOOK_BUDGET, .currency = CURRENCY_USD, \
		__VA_ARGS__ \
	}
#define MOVE(kind_, from, to, amount_) \
	{ \
		.id = TRANSFER(1), .kind = (kind_), .debit = ACCOUNT(from), .credit = ACCOUNT(to), \
		.amount = USD(amount_) \
	}
#define REFER(kind_, amount_) \
	{ \
		.id = TRANSFER(1), .kind = (kind_), .reference = TRANSFER(9), .amount = USD(amount_) \
	}

static const struct ledger_record hold_100 = { .transfer = { .id = TRANSFER(9),
	                                               .kind = TRANSFER_HOLD,
	                                               .debit = ACCOUNT(ALICE),
	                                               .credit = ACCOUNT(BOB),
	                                               .amount = { 100, CURRENCY_USD } } };
static const struct ledger_record hold_posted = { .transfer = { .id = TRANSFER(9),
	                                                  .kind = TRANSFER_HOLD,
	                                                  .debit = ACCOUNT(ALICE),
	                                                  .credit = ACCOUNT(BOB),
	                                                  .amount = { 100, CURRENCY_USD } },
	.phase = HOLD_POSTED };
static const struct ledger_record hold_voided = { .transfer = { .id = TRANSFER(9),
	                                                  .kind = TRANSFER_HOLD,
	                                                  .debit = ACCOUNT(ALICE),
	                                                  .credit = ACCOUNT(BOB),
	                                                  .amount = { 100, CURRENCY_USD } },
	.phase = HOLD_VOIDED };
static const struct ledger_record moved_100 = { .transfer = { .id = TRANSFER(9),
	                                                .kind = TRANSFER_SINGLE,
	                                                .debit = ACCOUNT(ALICE),
	                                                .credit = ACCOUNT(BOB),
	                                                .amount = { 100, CURRENCY_USD } } };
static const struct ledger_record posted_100_back_60 = { .transfer = { .id = TRANSFER(9),
	                                                         .kind = TRANSFER_POST,
	                                                         .debit = ACCOUNT(ALICE),
	                                                         .credit = ACCOUNT(BOB),
	                                                         .amount = { 100, CURRENCY_USD } },
	.reversed_minor = 60 };
static const struct ledger_record reversal_100 = { .transfer = { .id = TRANSFER(9),
	                                                   .kind = TRANSFER_REVERSAL,
	                                                   .debit = ACCOUNT(ALICE),
	                                                   .credit = ACCOUNT(BOB),
	                                                   .amount = { 100, CURRENCY_USD } } };

static const struct row rows[] = {
	/* shape */
	{ "an amount of zero", MOVE(TRANSFER_SINGLE, ALICE, BOB, 0), .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_TRANSFER_AMOUNT_ZERO },
	{ "a negative amount", MOVE(TRANSFER_SINGLE, ALICE, BOB, -1), .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_TRANSFER_AMOUNT_ZERO },
	{ "a hold of zero", MOVE(TRANSFER_HOLD, ALICE, BOB, 0), .debit = LIABILITY(ALICE), .credit = LIABILITY(BOB),
	        .status = ERR_TRANSFER_AMOUNT_ZERO },
	{ "posting zero", REFER(TRANSFER_POST, 0), .reference = &hold_100, .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_TRANSFER_AMOUNT_ZERO },
	{ "zero is named before the same account", MOVE(TRANSFER_SINGLE, ALICE, ALICE, 0), .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(ALICE), .status = ERR_TRANSFER_AMOUNT_ZERO },
	{ "the same account", MOVE(TRANSFER_SINGLE, ALICE, ALICE, 1), .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(ALICE), .status = ERR_TRANSFER_SAME_ACCOUNT },

	/* accounts */
	{ "no debit account", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1), .lacks_debit = true, .credit = LIABILITY(BOB),
	        .status = ERR_ACCOUNT_NOT_FOUND },
	{ "no credit account", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1), .lacks_credit = true, .debit = LIABILITY(ALICE),
	        .status = ERR_ACCOUNT_NOT_FOUND },
	{ "a closed debit account", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1),
	        .debit = LIABILITY(ALICE, .state = ACCOUNT_CLOSED), .credit = LIABILITY(BOB),
	        .status = ERR_ACCOUNT_CLOSED },
	{ "a closed credit account", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1), .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB, .state = ACCOUNT_CLOSED), .status = ERR_ACCOUNT_CLOSED },
	{ "closed is named before the currency", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1),
	        .debit = LIABILITY(ALICE, .state = ACCOUNT_CLOSED), .credit = EUROS(BOB),
	        .status = ERR_ACCOUNT_CLOSED },
	{ "posting into a closed account", REFER(TRANSFER_POST, 100), .reference = &hold_100,
	        .debit = LIABILITY(ALICE, .debits_pending = 100),
	        .credit = LIABILITY(BOB, .credits_pending = 100, .state = ACCOUNT_CLOSED),
	        .status = ERR_ACCOUNT_CLOSED },
	{ "voiding on a closed account gives back", REFER(TRANSFER_VOID, 0), .reference = &hold_100,
	        .debit = LIABILITY(ALICE, .debits_pending = 100, .state = ACCOUNT_CLOSED),
	        .credit = LIABILITY(BOB, .credits_pending = 100), .phase_after = HOLD_VOIDED },
	{ "accounts of two currencies", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1), .debit = LIABILITY(ALICE),
	        .credit = EUROS(BOB), .status = ERR_CURRENCY_MISMATCH },
	{ "an amount of another currency", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1), .debit = EUROS(ALICE),
	        .credit = EUROS(BOB), .status = ERR_CURRENCY_MISMATCH },
	{ "posting in another currency", REFER(TRANSFER_POST, 100), .reference = &hold_100, .debit = EUROS(ALICE),
	        .credit = EUROS(BOB), .status = ERR_CURRENCY_MISMATCH },
	{ "money into a budget", MOVE(TRANSFER_SINGLE, ALICE, LIMIT, 1), .debit = LIABILITY(ALICE, .credits_posted = 9),
	        .credit = BUDGET(LIMIT), .status = ERR_BOOK_MISMATCH },

	/* repeats */
	{ "the same again has no effect", MOVE(TRANSFER_SINGLE, ALICE, BOB, 5),
	        .existing = &(struct ledger_record) { MOVE(TRANSFER_SINGLE, ALICE, BOB, 5) },
	        .debit = LIABILITY(ALICE, .debits_posted = 5), .credit = LIABILITY(BOB, .credits_posted = 5),
	        .debit_after = { .debits_posted = 5 }, .credit_after = { .credits_posted = 5 } },
	{ "the same again after an account was closed", MOVE(TRANSFER_SINGLE, ALICE, BOB, 5),
	        .existing = &(struct ledger_record) { MOVE(TRANSFER_SINGLE, ALICE, BOB, 5) },
	        .debit = LIABILITY(ALICE, .state = ACCOUNT_CLOSED), .credit = LIABILITY(BOB) },
	{ "another kind", MOVE(TRANSFER_HOLD, ALICE, BOB, 5),
	        .existing = &(struct ledger_record) { MOVE(TRANSFER_SINGLE, ALICE, BOB, 5) }, .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_TRANSFER_EXISTS_DIFFERENT },
	{ "another amount", MOVE(TRANSFER_SINGLE, ALICE, BOB, 6),
	        .existing = &(struct ledger_record) { MOVE(TRANSFER_SINGLE, ALICE, BOB, 5) }, .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_TRANSFER_EXISTS_DIFFERENT },
	{ "another currency than stored", MOVE(TRANSFER_SINGLE, ALICE, BOB, 5),
	        .existing = &(struct ledger_record) { { .id = TRANSFER(1),
	                .debit = ACCOUNT(ALICE),
	                .credit = ACCOUNT(BOB),
	                .amount = { 5, CURRENCY_EUR } } },
	        .debit = LIABILITY(ALICE), .credit = LIABILITY(BOB), .status = ERR_TRANSFER_EXISTS_DIFFERENT },
	{ "another debit account", MOVE(TRANSFER_SINGLE, ALICE, BOB, 5),
	        .existing = &(struct ledger_record) { MOVE(TRANSFER_SINGLE, CASH, BOB, 5) }, .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_TRANSFER_EXISTS_DIFFERENT },
	{ "another credit account", MOVE(TRANSFER_SINGLE, ALICE, BOB, 5),
	        .existing = &(struct ledger_record) { MOVE(TRANSFER_SINGLE, ALICE, CASH, 5) },
	        .debit = LIABILITY(ALICE), .credit = LIABILITY(BOB), .status = ERR_TRANSFER_EXISTS_DIFFERENT },
	{ "another payment", MOVE(TRANSFER_SINGLE, ALICE, BOB, 5),
	        .existing = &(struct ledger_record) { { .id = TRANSFER(1),
	                .debit = ACCOUNT(ALICE),
	                .credit = ACCOUNT(BOB),
	                .amount = USD(5),
	                .payment = PAYMENT(1) } },
	        .debit = LIABILITY(ALICE), .credit = LIABILITY(BOB), .status = ERR_TRANSFER_EXISTS_DIFFERENT },
	{ "another description", MOVE(TRANSFER_SINGLE, ALICE, BOB, 5),
	        .existing = &(struct ledger_record) { { .id = TRANSFER(1),
	                .debit = ACCOUNT(ALICE),
	                .credit = ACCOUNT(BOB),
	                .amount = USD(5),
	                .description = { "rent", 4 } } },
	        .debit = LIABILITY(ALICE), .credit = LIABILITY(BOB), .status = ERR_TRANSFER_EXISTS_DIFFERENT },
	{ "the same post again, though the hold has ended", REFER(TRANSFER_POST, 100),
	        .existing = &(struct ledger_record) { { .id = TRANSFER(1),
	                .kind = TRANSFER_POST,
	                .reference = TRANSFER(9),
	                .debit = ACCOUNT(ALICE),
	                .credit = ACCOUNT(BOB),
	                .amount = USD(100) } },
	        .reference = &hold_posted, .debit = LIABILITY(ALICE), .credit = LIABILITY(BOB),
	        .phase_after = HOLD_POSTED },
	{ "a post of another hold", REFER(TRANSFER_POST, 100),
	        .existing = &(struct ledger_record) { { .id = TRANSFER(1),
	                .kind = TRANSFER_POST,
	                .reference = TRANSFER(8),
	                .debit = ACCOUNT(ALICE),
	                .credit = ACCOUNT(BOB),
	                .amount = USD(100) } },
	        .reference = &hold_100, .debit = LIABILITY(ALICE), .credit = LIABILITY(BOB),
	        .status = ERR_TRANSFER_EXISTS_DIFFERENT },
	{ "the same void again, whatever amount is named", REFER(TRANSFER_VOID, 7),
	        .existing = &(struct ledger_record) { { .id = TRANSFER(1),
	                .kind = TRANSFER_VOID,
	                .reference = TRANSFER(9),
	                .debit = ACCOUNT(ALICE),
	                .credit = ACCOUNT(BOB),
	                .amount = USD(100) } },
	        .reference = &hold_voided, .debit = LIABILITY(ALICE), .credit = LIABILITY(BOB),
	        .phase_after = HOLD_VOIDED },
	{ "a repeat that differs is named before the missing hold", REFER(TRANSFER_POST, 100),
	        .existing = &(struct ledger_record) { MOVE(TRANSFER_SINGLE, ALICE, BOB, 100) }, .lacks_debit = true,
	        .lacks_credit = true, .status = ERR_TRANSFER_EXISTS_DIFFERENT },

	/* references */
	{ "posting no hold", REFER(TRANSFER_POST, 1), .lacks_debit = true, .lacks_credit = true,
	        .status = ERR_HOLD_NOT_FOUND },
	{ "voiding no hold", REFER(TRANSFER_VOID, 0), .lacks_debit = true, .lacks_credit = true,
	        .status = ERR_HOLD_NOT_FOUND },
	{ "posting what is no hold", REFER(TRANSFER_POST, 1), .reference = &moved_100, .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_HOLD_NOT_FOUND },
	{ "posting a posted hold", REFER(TRANSFER_POST, 1), .reference = &hold_posted, .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_HOLD_ALREADY_POSTED, .phase_after = HOLD_POSTED },
	{ "voiding a posted hold", REFER(TRANSFER_VOID, 1), .reference = &hold_posted, .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_HOLD_ALREADY_POSTED, .phase_after = HOLD_POSTED },
	{ "posting a voided hold", REFER(TRANSFER_POST, 1), .reference = &hold_voided, .debit = LIABILITY(ALICE),
	        .credit = LIABILITY(BOB), .status = ERR_HOLD_ALREADY_VOIDED, .phase_after = HOLD_VOIDED },
	{ "posting more than is held", REFER(TRANSFER_POST, 101), .reference = &hold_100,
	        .debit = LIABILITY(ALICE, .debits_pending = 100), .credit = LIABILITY(BOB, .credits_pending = 100),
	        .status = ERR_HOLD_EXCEEDED },
	{ "reversing nothing", REFER(TRANSFER_REVERSAL, 1), .lacks_debit = true, .lacks_credit = true,
	        .status = ERR_TRANSFER_NOT_FOUND },
	{ "reversing a hold", REFER(TRANSFER_REVERSAL, 1), .reference = &hold_100, .debit = LIABILITY(BOB),
	        .credit = LIABILITY(ALICE), .status = ERR_TRANSFER_NOT_FOUND },
	{ "reversing a reversal", REFER(TRANSFER_REVERSAL, 1), .reference = &reversal_100, .debit = LIABILITY(BOB),
	        .credit = LIABILITY(ALICE), .status = ERR_TRANSFER_NOT_FOUND },
	{ "reversing more than is left", REFER(TRANSFER_REVERSAL, 41), .reference = &posted_100_back_60,
	        .debit = LIABILITY(BOB, .credits_posted = 100), .credit = LIABILITY(ALICE),
	        .status = ERR_REVERSAL_EXCEEDED, .reversed_after = 60 },
	{ "missing funds are named before a reversal too many", REFER(TRANSFER_REVERSAL, 41),
	        .reference = &posted_100_back_60, .debit = LIABILITY(BOB), .credit = LIABILITY(ALICE),
	        .status = ERR_INSUFFICIENT_FUNDS, .reversed_after = 60 },

	/* cover: a debit lowers a liability, a credit lowers an asset */
	{ "a liability pays what it has", MOVE(TRANSFER_SINGLE, ALICE, BOB, 10),
	        .debit = LIABILITY(ALICE, .credits_posted = 10), .credit = LIABILITY(BOB),
	        .debit_after = { .debits_posted = 10, .credits_posted = 10 },
	        .credit_after = { .credits_posted = 10 } },
	{ "a liability does not pay more", MOVE(TRANSFER_SINGLE, ALICE, BOB, 11),
	        .debit = LIABILITY(ALICE, .credits_posted = 10), .credit = LIABILITY(BOB),
	        .status = ERR_INSUFFICIENT_FUNDS },
	{ "pending credits are not yet its own", MOVE(TRANSFER_SINGLE, ALICE, BOB, 11),
	        .debit = LIABILITY(ALICE, .credits_posted = 10, .credits_pending = 5), .credit = LIABILITY(BOB),
	        .status = ERR_INSUFFICIENT_FUNDS },
	{ "what is held cannot be paid", MOVE(TRANSFER_SINGLE, ALICE, BOB, 7),
	        .debit = LIABILITY(ALICE, .credits_posted = 10, .debits_pending = 4), .credit = LIABILITY(BOB),
	        .status = ERR_INSUFFICIENT_FUNDS },
	{ "what is held cannot be held again", MOVE(TRANSFER_HOLD, ALICE, BOB, 7),
	        .debit = LIABILITY(ALICE, .credits_posted = 10, .debits_pending = 4), .credit = LIABILITY(BOB),
	        .status = ERR_INSUFFICIENT_FUNDS },
	{ "an overdraft as far as it goes", MOVE(TRANSFER_SINGLE, ALICE, BOB, 15),
	        .debit = LIABILITY(ALICE, .credits_posted = 10, .overdraft_minor = 5), .credit = LIABILITY(BOB),
	        .debit_after = { .debits_posted = 15, .credits_posted = 10 },
	        .credit_after = { .credits_posted = 15 } },
	{ "and no further", MOVE(TRANSFER_SINGLE, ALICE, BOB, 16),
	        .debit = LIABILITY(ALICE, .credits_posted = 10, .overdraft_minor = 5), .credit = LIABILITY(BOB),
	        .status = ERR_INSUFFICIENT_FUNDS },
	{ "an account without limit", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1000000),
	        .debit = LIABILITY(ALICE, .overdraft_minor = INT64_MAX), .credit = LIABILITY(BOB),
	        .debit_after = { .debits_posted = 1000000 }, .credit_after = { .credits_posted = 1000000 } },
	{ "an asset gives what it has", MOVE(TRANSFER_SINGLE, ALICE, CASH, 10),
	        .debit = LIABILITY(ALICE, .credits_posted = 10), .credit = ASSET(.debits_posted = 10),
	        .debit_after = { .debits_posted = 10, .credits_posted = 10 },
	        .credit_after = { .debits_posted = 10, .credits_posted = 10 } },
	{ "an asset does not give more", MOVE(TRANSFER_SINGLE, ALICE, CASH, 11),
	        .debit = LIABILITY(ALICE, .credits_posted = 11), .credit = ASSET(.debits_posted = 10),
	        .status = ERR_INSUFFICIENT_FUNDS },
	{ "an asset's pending credits are held", MOVE(TRANSFER_SINGLE, ALICE, CASH, 7),
	        .debit = LIABILITY(ALICE, .credits_posted = 11),
	        .credit = ASSET(.debits_posted = 10, .credits_pending = 4), .status = ERR_INSUFFICIENT_FUNDS },
	{ "money comes in: both sides grow", MOVE(TRANSFER_SINGLE, CASH, ALICE, 10), .debit = ASSET(.debits_posted = 1),
	        .credit = LIABILITY(ALICE), .debit_after = { .debits_posted = 11 },
	        .credit_after = { .credits_posted = 10 } },
	{ "an expense has a debit balance", MOVE(TRANSFER_SINGLE, CASH, ALICE, 3),
	        .debit = OF(CASH, EXPENSE, .currency = CURRENCY_USD),
	        .credit = OF(ALICE, REVENUE, .currency = CURRENCY_USD), .debit_after = { .debits_posted = 3 },
	        .credit_after = { .credits_posted = 3 } },
	{ "equity has a credit balance", MOVE(TRANSFER_SINGLE, ALICE, BOB, 3),
	        .debit = OF(ALICE, EQUITY, .currency = CURRENCY_USD), .credit = LIABILITY(BOB),
	        .status = ERR_INSUFFICIENT_FUNDS },
	{ "a budget to its limit", MOVE(TRANSFER_SINGLE, LIMIT, COUNTER, 50),
	        .debit = BUDGET(LIMIT, .debits_posted = 50, .overdraft_minor = 100), .credit = BUDGET(COUNTER),
	        .debit_after = { .debits_posted = 100 }, .credit_after = { .credits_posted = 50 } },
	{ "a budget beyond its limit", MOVE(TRANSFER_SINGLE, LIMIT, COUNTER, 51),
	        .debit = BUDGET(LIMIT, .debits_posted = 50, .overdraft_minor = 100), .credit = BUDGET(COUNTER),
	        .status = ERR_BUDGET_EXCEEDED },

	/* overflow */
	{ "debits overflow", MOVE(TRANSFER_SINGLE, CASH, ALICE, 1), .debit = ASSET(.debits_posted = INT64_MAX),
	        .credit = LIABILITY(ALICE), .status = ERR_BALANCE_OVERFLOW },
	{ "without a limit the end is where the sums end", MOVE(TRANSFER_SINGLE, ALICE, BOB, 1),
	        .debit = LIABILITY(ALICE, .debits_posted = INT64_MAX, .overdraft_minor = INT64_MAX),
	        .credit = LIABILITY(BOB), .status = ERR_BALANCE_OVERFLOW },
	{ "credits overflow", MOVE(TRANSFER_SINGLE, CASH, ALICE, 1), .debit = ASSET(.debits_posted = 0),
	        .credit = LIABILITY(ALICE, .credits_posted = INT64_MAX), .status = ERR_BALANCE_OVERFLOW },
	{ "pending and posted overflow together", MOVE(TRANSFER_HOLD, CASH, ALICE, 2),
	        .debit = ASSET(.debits_posted = INT64_MAX - 10, .debits_pending = 9), .credit = LIABILITY(ALICE),
	        .status = ERR_BALANCE_OVERFLOW },
	{ "up to the last unit", MOVE(TRANSFER_SINGLE, CASH, ALICE, 1),
	        .debit = ASSET(.debits_posted = INT64_MAX - 10, .debits_pending = 9), .credit = LIABILITY(ALICE),
	        .debit_after = { .debits_posted = INT64_MAX - 9, .debits_pending = 9 },
	        .credit_after = { .credits_posted = 1 } },
	{ "an enormous overdraft does not wrap", MOVE(TRANSFER_SINGLE, ALICE, BOB, INT64_MAX),
	        .debit = LIABILITY(ALICE, .debits_posted = 1, .overdraft_minor = INT64_MAX - 1),
	        .credit = LIABILITY(BOB), .status = ERR_INSUFFICIENT_FUNDS },

	/* holds and reversals */
	{ "a hold is pending on both", MOVE(TRANSFER_HOLD, ALICE, BOB, 6),
	        .debit = LIABILITY(ALICE, .credits_posted = 10), .credit = LIABILITY(BOB),
	        .debit_after = { .debits_pending = 6, .credits_posted = 10 },
	        .credit_after = { .credits_pending = 6 } },
	{ "a post in full", REFER(TRANSFER_POST, 100), .reference = &hold_100,
	        .debit = LIABILITY(ALICE, .debits_pending = 100, .credits_posted = 100),
	        .credit = LIABILITY(BOB, .credits_pending = 100),
	        .debit_after = { .debits_posted = 100, .credits_posted = 100 },
	        .credit_after = { .credits_posted = 100 }, .phase_after = HOLD_POSTED },
	{ "a post in part releases the rest", REFER(TRANSFER_POST, 40), .reference = &hold_100,
	        .debit = LIABILITY(ALICE, .debits_pending = 130, .credits_posted = 130),
	        .credit = LIABILITY(BOB, .credits_pending = 130),
	        .debit_after = { .debits_pending = 30, .debits_posted = 40, .credits_posted = 130 },
	        .credit_after = { .credits_pending = 30, .credits_posted = 40 }, .phase_after = HOLD_POSTED },
	{ "a void releases all", REFER(TRANSFER_VOID, 0), .reference = &hold_100,
	        .debit = LIABILITY(ALICE, .debits_pending = 100, .credits_posted = 100),
	        .credit = LIABILITY(BOB, .credits_pending = 100), .debit_after = { .credits_posted = 100 },
	        .phase_after = HOLD_VOIDED },
	{ "a reversal of what is left", REFER(TRANSFER_REVERSAL, 40), .reference = &posted_100_back_60,
	        .debit = LIABILITY(BOB, .credits_posted = 40), .credit = LIABILITY(ALICE),
	        .debit_after = { .debits_posted = 40, .credits_posted = 40 }, .credit_after = { .credits_posted = 40 },
	        .reversed_after = 100 },
	{ "a reversal of a single transfer", REFER(TRANSFER_REVERSAL, 30), .reference = &moved_100,
	        .debit = LIABILITY(BOB, .credits_posted = 100), .credit = LIABILITY(ALICE),
	        .debit_after = { .debits_posted = 30, .credits_posted = 100 }, .credit_after = { .credits_posted = 30 },
	        .reversed_after = 30 },
};

static void assert_sums(const char *name, const struct ledger_account *account, const struct sums *expected)
{
	if (account->debits_pending == expected->debits_pending && account->debits_posted == expected->debits_posted &&
	        account->credits_pending == expected->credits_pending &&
	        account->credits_posted == expected->credits_posted)
		return;
	fail_msg("%s: account %d has debits %lld+%lld, credits %lld+%lld", name, account->id.uuid.bytes[15],
	        (long long)account->debits_pending, (long long)account->debits_posted,
	        (long long)account->credits_pending, (long long)account->credits_posted);
}

static struct sums sums_of(const struct ledger_account *account)
{
	return (struct sums) { account->debits_pending, account->debits_posted, account->credits_pending,
		account->credits_posted };
}

static void every_branch_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		struct ledger_account debit = row->debit, credit = row->credit;
		struct ledger_record reference = row->reference ? *row->reference : (struct ledger_record) { 0 };
		struct sums debit_before = sums_of(&debit), credit_before = sums_of(&credit);
		enum status status =
		        ledger_rules_apply(&row->transfer, row->existing, row->reference ? &reference : NULL,
		                row->lacks_debit ? NULL : &debit, row->lacks_credit ? NULL : &credit);
		if (status != row->status)
			fail_msg("%s: %s instead of %s", row->name, status_code(status), status_code(row->status));
		bool is_changed = status == STATUS_OK;
		assert_sums(row->name, &debit, is_changed ? &row->debit_after : &debit_before);
		assert_sums(row->name, &credit, is_changed ? &row->credit_after : &credit_before);
		if (reference.phase != row->phase_after || reference.reversed_minor != row->reversed_after)
			fail_msg("%s: the reference is in another state", row->name);
	}
}

static void accounts_come_from_where_they_are_said(void **state)
{
	(void)state;
	static const struct {
		enum transfer_kind kind;
		bool is_known;
		int debit, credit;
	} kinds[] = {
		{ TRANSFER_SINGLE, true, CASH, COUNTER },
		{ TRANSFER_HOLD, true, CASH, COUNTER },
		{ TRANSFER_POST, true, ALICE, BOB },
		{ TRANSFER_VOID, true, ALICE, BOB },
		{ TRANSFER_REVERSAL, true, BOB, ALICE },
		{ TRANSFER_POST, false, 0, 0 },
		{ TRANSFER_REVERSAL, false, 0, 0 },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct ledger_transfer transfer = MOVE(kinds[i].kind, CASH, COUNTER, 1);
		struct account_id debit, credit;
		ledger_rules_accounts(&transfer, kinds[i].is_known ? &hold_100 : NULL, &debit, &credit);
		assert_int_equal(debit.uuid.bytes[15], kinds[i].debit);
		assert_int_equal(credit.uuid.bytes[15], kinds[i].credit);
	}
}

static void balances_stand_on_the_normal_side(void **state)
{
	(void)state;
	struct ledger_account account = {
		.debits_posted = 70, .credits_posted = 100, .debits_pending = 8, .credits_pending = 9
	};
	static const struct {
		enum account_type type;
		int64_t balance, held, available;
	} types[] = {
		{ ACCOUNT_ASSET, -30, 9, -39 },
		{ ACCOUNT_LIABILITY, 30, 8, 22 },
		{ ACCOUNT_EQUITY, 30, 8, 22 },
		{ ACCOUNT_REVENUE, 30, 8, 22 },
		{ ACCOUNT_EXPENSE, -30, 9, -39 },
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		account.type = types[i].type;
		assert_int_equal(account_balance(&account), types[i].balance);
		assert_int_equal(account_held(&account), types[i].held);
		assert_int_equal(account_available(&account), types[i].available);
	}
}

TESTS(cmocka_unit_test(every_branch_has_a_row), cmocka_unit_test(accounts_come_from_where_they_are_said),
        cmocka_unit_test(balances_stand_on_the_normal_side))
