#include "router/payment_groups.h"

#include <assert.h>

static struct slice uuid_slice(const struct uuid *uuid)
{
	return slice_make(uuid->bytes, sizeof uuid->bytes);
}

struct attempt_id attempt_id_of(struct payment_id payment, int ordinal)
{
	char digit = (char)('0' + ordinal);
	const struct slice parts[] = { SLICE("attempt"), uuid_slice(&payment.uuid), slice_make(&digit, 1) };
	return (struct attempt_id) { uuid_derive(parts, 3) };
}

/* Of a payment, an attempt or a refund: `what` names the transfer among those of its owner. The owner's identifier with
 * other last bytes, so that the transfers of one owner stand side by side in an index. */
static struct transfer_id transfer_of(const struct uuid *owner, const char *what)
{
	const struct slice parts[] = { SLICE("transfer"), uuid_slice(owner), slice_from(what) };
	const struct uuid derived = uuid_derive(parts, 3);
	struct transfer_id transfer = { *owner };
	memcpy(transfer.uuid.bytes + 10, derived.bytes + 10, 6);
	return transfer;
}

/* --- Accounts that are opened when they are first needed ------------------------------------------------------ */

static struct account_id common_account(const char *name, const char *rail, enum currency currency)
{
	const struct slice parts[] = { SLICE("account"), slice_from(name), slice_from(rail),
		slice_from(currency_code(currency)) };
	return (struct account_id) { uuid_derive(parts, 4) };
}

static struct account_id open_account(
        struct payment_group *group, const struct ledger_account *account, const char *name, const char *rail)
{
	assert(group->open_count < LEDGER_OPEN_MAX);
	struct writer text = writer_fixed(group->names[group->open_count], GROUP_NAMES_SIZE);
	writef(&text, "%s %s%s%s", name, rail, *rail ? " " : "", currency_code(account->currency));
	struct ledger_account *opened = &group->open[group->open_count++];
	*opened = *account;
	opened->name = writer_slice(&text);
	return opened->id;
}

enum common { COMMON_CLEARING, COMMON_FEES, COMMON_CASH, COMMON_SUSPENSE, COMMON_SPENT, COMMON_COUNT };

static const struct {
	const char *name;
	enum account_type type;
	enum ledger_book book;
	int64_t overdraft_minor;
	bool is_per_rail;
} commons[COMMON_COUNT] = {
	[COMMON_CLEARING] = { "Clearing", ACCOUNT_LIABILITY, BOOK_MONEY, 0, true },
	[COMMON_FEES] = { "Fees", ACCOUNT_REVENUE, BOOK_MONEY, 0, true },
	[COMMON_CASH] = { "Cash at bank", ACCOUNT_ASSET, BOOK_MONEY, INT64_MAX, false },
	[COMMON_SUSPENSE] = { "Suspense", ACCOUNT_ASSET, BOOK_MONEY, INT64_MAX, false },
	[COMMON_SPENT] = { "Budget spent", ACCOUNT_LIABILITY, BOOK_BUDGET, 0, false },
};

static struct account_id common_id(enum common which, enum rail rail, enum currency currency)
{
	return common_account(commons[which].name, commons[which].is_per_rail ? rail_name(rail) : "", currency);
}

static struct account_id open_common(
        struct payment_group *group, enum common which, enum rail rail, enum currency currency)
{
	const struct ledger_account account = {
		.id = common_id(which, rail, currency),
		.type = commons[which].type,
		.book = commons[which].book,
		.currency = currency,
		.overdraft_minor = commons[which].overdraft_minor,
	};
	return open_account(group, &account, commons[which].name, commons[which].is_per_rail ? rail_name(rail) : "");
}

bool account_is_of_groups(struct account_id account, enum currency currency)
{
	for (unsigned which = 0; which < COMMON_COUNT; which++)
		for (unsigned rail = 0; rail < RAIL_COUNT; rail++) {
			struct account_id common = common_id((enum common)which, (enum rail)rail, currency);
			if (uuid_equal(common.uuid, account.uuid))
				return true;
		}
	return false;
}

/* --- Transfers ------------------------------------------------------------------------------------------------ */

static void group_init(struct payment_group *group)
{
	group->open_count = group->count = 0;
}

static struct ledger_transfer *add_transfer(struct payment_group *group, const struct payment *payment,
        enum transfer_kind kind, struct transfer_id id, int64_t amount_minor)
{
	assert(group->count < LEDGER_GROUP_MAX);
	struct ledger_transfer *transfer = &group->transfers[group->count++];
	*transfer = (struct ledger_transfer) {
		.id = id,
		.kind = kind,
		.amount = { amount_minor, payment->amount.currency },
		.payment = payment->id,
		.description = payment->description,
	};
	return transfer;
}

static void add_move(struct payment_group *group, const struct payment *payment, enum transfer_kind kind,
        struct transfer_id id, int64_t amount_minor, struct account_id debit, struct account_id credit)
{
	struct ledger_transfer *transfer = add_transfer(group, payment, kind, id, amount_minor);
	transfer->debit = debit;
	transfer->credit = credit;
}

/* A POST, VOID or REVERSAL of what `reference` did. */
static void add_sequel(struct payment_group *group, const struct payment *payment, enum transfer_kind kind,
        struct transfer_id id, int64_t amount_minor, struct transfer_id reference)
{
	add_transfer(group, payment, kind, id, amount_minor)->reference = reference;
}

static const char *const budget_names[][4] = {
	[BUDGET_DAILY] = { "budget.daily", "budget.daily.post", "budget.daily.void", "budget.daily.return" },
	[BUDGET_MONTHLY] = { "budget.monthly", "budget.monthly.post", "budget.monthly.void", "budget.monthly.return" },
};
enum { BUDGET_TAKE, BUDGET_POST, BUDGET_VOID, BUDGET_RETURN };

static void take_budgets(struct payment_group *group, const struct payment *payment, enum transfer_kind kind)
{
	struct account_id spent = { { { 0 } } };
	if (payment->budget_count)
		spent = open_common(group, COMMON_SPENT, RAIL_BOOK, payment->amount.currency);
	for (size_t i = 0; i < payment->budget_count; i++) {
		const struct consent_budget *budget = &payment->budgets[i];
		const struct ledger_account account = {
			.id = budget->account,
			.type = ACCOUNT_LIABILITY,
			.book = BOOK_BUDGET,
			.currency = payment->amount.currency,
			.overdraft_minor = budget->limit_minor,
		};
		open_account(group, &account, "Budget", budget->period == BUDGET_DAILY ? "daily" : "monthly");
		add_move(group, payment, kind,
		        transfer_of(&payment->id.uuid, budget_names[budget->period][BUDGET_TAKE]),
		        payment->amount.minor_units, budget->account, spent);
	}
}

static void end_budgets(struct payment_group *group, const struct payment *payment, enum transfer_kind kind, int which)
{
	for (size_t i = 0; i < payment->budget_count; i++) {
		const char *const *names = budget_names[payment->budgets[i].period];
		add_sequel(group, payment, kind, transfer_of(&payment->id.uuid, names[which]),
		        payment->amount.minor_units, transfer_of(&payment->id.uuid, names[BUDGET_TAKE]));
	}
}

void group_book(struct payment_group *group, const struct payment *payment)
{
	group_init(group);
	add_move(group, payment, TRANSFER_SINGLE, transfer_of(&payment->id.uuid, "book"), payment->amount.minor_units,
	        payment->account, payment->payee.account);
	take_budgets(group, payment, TRANSFER_SINGLE);
}

static void hold_attempt(struct payment_group *group, const struct payment *payment, const struct attempt *attempt)
{
	enum currency currency = payment->amount.currency;
	add_move(group, payment, TRANSFER_HOLD, transfer_of(&attempt->id.uuid, "wallet"), payment->amount.minor_units,
	        payment->account, open_common(group, COMMON_CLEARING, attempt->rail, currency));
	if (attempt->fee_minor)
		add_move(group, payment, TRANSFER_HOLD, transfer_of(&attempt->id.uuid, "fee"), attempt->fee_minor,
		        payment->account, open_common(group, COMMON_FEES, attempt->rail, currency));
}

static void void_attempt(struct payment_group *group, const struct payment *payment, const struct attempt *attempt)
{
	add_sequel(group, payment, TRANSFER_VOID, transfer_of(&attempt->id.uuid, "wallet.void"),
	        payment->amount.minor_units, transfer_of(&attempt->id.uuid, "wallet"));
	if (attempt->fee_minor)
		add_sequel(group, payment, TRANSFER_VOID, transfer_of(&attempt->id.uuid, "fee.void"),
		        attempt->fee_minor, transfer_of(&attempt->id.uuid, "fee"));
}

void group_hold(struct payment_group *group, const struct payment *payment, const struct attempt *attempt)
{
	group_init(group);
	hold_attempt(group, payment, attempt);
	take_budgets(group, payment, TRANSFER_HOLD);
}

void group_rehold(struct payment_group *group, const struct payment *payment, const struct attempt *from,
        const struct attempt *to)
{
	group_init(group);
	void_attempt(group, payment, from);
	hold_attempt(group, payment, to);
}

void group_release(struct payment_group *group, const struct payment *payment, const struct attempt *attempt)
{
	group_init(group);
	void_attempt(group, payment, attempt);
	end_budgets(group, payment, TRANSFER_VOID, BUDGET_VOID);
}

void group_settle(struct payment_group *group, const struct payment *payment, const struct attempt *attempt)
{
	enum currency currency = payment->amount.currency;
	int64_t amount = payment->amount.minor_units;
	group_init(group);
	add_sequel(group, payment, TRANSFER_POST, transfer_of(&attempt->id.uuid, "wallet.post"), amount,
	        transfer_of(&attempt->id.uuid, "wallet"));
	if (attempt->fee_minor)
		add_sequel(group, payment, TRANSFER_POST, transfer_of(&attempt->id.uuid, "fee.post"),
		        attempt->fee_minor, transfer_of(&attempt->id.uuid, "fee"));
	add_move(group, payment, TRANSFER_SINGLE, transfer_of(&attempt->id.uuid, "cash"), amount,
	        common_id(COMMON_CLEARING, attempt->rail, currency),
	        open_common(group, COMMON_CASH, attempt->rail, currency));
	end_budgets(group, payment, TRANSFER_POST, BUDGET_POST);
}

/* What brought the money to the payee, back again: cash to clearing and clearing to wallet, or payee to wallet. */
static void give_back(struct payment_group *group, const struct payment *payment, const struct attempt *attempt,
        const struct uuid *owner, int64_t amount_minor)
{
	if (!attempt) {
		add_sequel(group, payment, TRANSFER_REVERSAL, transfer_of(owner, "book.back"), amount_minor,
		        transfer_of(&payment->id.uuid, "book"));
		return;
	}
	add_sequel(group, payment, TRANSFER_REVERSAL, transfer_of(owner, "cash.back"), amount_minor,
	        transfer_of(&attempt->id.uuid, "cash"));
	add_sequel(group, payment, TRANSFER_REVERSAL, transfer_of(owner, "wallet.back"), amount_minor,
	        transfer_of(&attempt->id.uuid, "wallet.post"));
}

void group_return(struct payment_group *group, const struct payment *payment, const struct attempt *attempt)
{
	group_init(group);
	give_back(group, payment, attempt, attempt ? &attempt->id.uuid : &payment->id.uuid,
	        payment->amount.minor_units - payment->refunded_minor);
	for (size_t i = 0; i < payment->budget_count; i++) {
		const char *const *names = budget_names[payment->budgets[i].period];
		add_sequel(group, payment, TRANSFER_REVERSAL, transfer_of(&payment->id.uuid, names[BUDGET_RETURN]),
		        payment->amount.minor_units,
		        transfer_of(&payment->id.uuid, names[attempt ? BUDGET_POST : BUDGET_TAKE]));
	}
}

void group_refund(struct payment_group *group, const struct payment *payment, const struct attempt *attempt,
        const struct refund *refund)
{
	group_init(group);
	give_back(group, payment, attempt, &refund->id.uuid, refund->amount_minor);
}

void group_suspense(struct payment_group *group, const struct payment *payment, const struct attempt *attempt)
{
	enum currency currency = payment->amount.currency;
	group_init(group);
	add_move(group, payment, TRANSFER_SINGLE, transfer_of(&attempt->id.uuid, "suspense"),
	        payment->amount.minor_units, open_common(group, COMMON_SUSPENSE, attempt->rail, currency),
	        open_common(group, COMMON_CASH, attempt->rail, currency));
}

struct ledger_group group_view(const struct payment_group *group)
{
	return (struct ledger_group) { .open = group->open,
		.open_count = group->open_count,
		.transfers = group->transfers,
		.count = group->count };
}

enum status group_refusal(
        const struct payment *payment, const struct payment_group *group, enum status status, size_t index)
{
	if (status != ERR_BUDGET_EXCEEDED || index >= group->count)
		return status;
	for (size_t i = 0; i < payment->budget_count; i++)
		if (uuid_equal(group->transfers[index].debit.uuid, payment->budgets[i].account.uuid))
			return payment->budgets[i].period == BUDGET_DAILY ? ERR_CONSENT_DAILY_LIMIT
			                                                  : ERR_CONSENT_MONTHLY_LIMIT;
	return status;
}
