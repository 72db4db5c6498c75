/* Random transfers against a simple model of a ledger: the rules alone, then whole groups through the store. A run is
 * repeated with AGENTPAY_SEED, lengthened with AGENTPAY_OPERATIONS. */
#include "base/random.h"
#include "ledger_house.h"

enum { ACCOUNTS = 14, IDS = 512, OPERATIONS = 200000, GROUPS = 3000, FAR_ACCOUNT = 13 };

/* --- The model ------------------------------------------------------------------------------------------------ */

struct model_account {
	bool exists, closed, unlimited, debit_normal;
	enum ledger_book book;
	enum currency currency;
	int64_t overdraft;
	__int128 net;               /* posted debits less credits */
	__int128 in[2], pending[2]; /* debits, credits: posted and held */
};

struct model_transfer {
	bool exists;
	enum transfer_kind kind;
	size_t debit, credit, reference, payment;
	int64_t amount;
	enum currency currency;
	bool posted, voided;
	int64_t reversed;
};

struct model {
	struct model_account accounts[ACCOUNTS];
	struct model_transfer transfers[IDS];
};

struct operation {
	size_t id;
	struct model_transfer said; /* debit, credit, kind, amount, currency, reference, payment */
};

static bool refers(enum transfer_kind kind)
{
	return kind != TRANSFER_SINGLE && kind != TRANSFER_HOLD;
}

static bool says_the_same(const struct model_transfer *a, const struct model_transfer *b)
{
	if (a->kind != b->kind || a->payment != b->payment)
		return false;
	if (a->kind != TRANSFER_VOID && (a->amount != b->amount || a->currency != b->currency))
		return false;
	return refers(a->kind) ? a->reference == b->reference : a->debit == b->debit && a->credit == b->credit;
}

static bool model_is_short(const struct model_account *account, size_t side, __int128 amount)
{
	/* side 0: debited. A debit takes from an account with a credit balance, and the other way round. */
	bool takes = account->debit_normal == (side == 1);
	__int128 balance = account->debit_normal ? account->net : -account->net;
	return takes && !account->unlimited &&
	       balance - account->pending[side] - amount < -(__int128)account->overdraft;
}

/* Every fault that the operation has, whatever else is wrong with it. */
static void model_faults(const struct model *model, const struct operation *operation, bool faults[STATUS_COUNT])
{
	const struct model_transfer *said = &operation->said;
	const struct model_transfer *reference = refers(said->kind) ? &model->transfers[said->reference] : NULL;
	bool is_void = said->kind == TRANSFER_VOID, is_end = is_void || said->kind == TRANSFER_POST;
	bool is_reversal = said->kind == TRANSFER_REVERSAL;
	faults[ERR_TRANSFER_AMOUNT_ZERO] = !is_void && said->amount <= 0;
	faults[ERR_TRANSFER_SAME_ACCOUNT] = !reference && said->debit == said->credit;
	faults[ERR_TRANSFER_EXISTS_DIFFERENT] = model->transfers[operation->id].exists;
	bool is_hold = reference && reference->exists && reference->kind == TRANSFER_HOLD;
	bool is_moved = reference && reference->exists &&
	                (reference->kind == TRANSFER_SINGLE || reference->kind == TRANSFER_POST);
	faults[ERR_HOLD_NOT_FOUND] = is_end && !is_hold;
	faults[ERR_HOLD_ALREADY_POSTED] = is_end && is_hold && reference->posted;
	faults[ERR_HOLD_ALREADY_VOIDED] = is_end && is_hold && reference->voided;
	faults[ERR_HOLD_EXCEEDED] = is_end && !is_void && is_hold && said->amount > reference->amount;
	faults[ERR_TRANSFER_NOT_FOUND] = is_reversal && !is_moved;
	faults[ERR_REVERSAL_EXCEEDED] =
	        is_reversal && is_moved && said->amount > reference->amount - reference->reversed;
	if (reference && !reference->exists)
		return;
	size_t debit = !reference ? said->debit : is_reversal ? reference->credit : reference->debit;
	size_t credit = !reference ? said->credit : is_reversal ? reference->debit : reference->credit;
	const struct model_account *sides[2] = { &model->accounts[debit], &model->accounts[credit] };
	faults[ERR_ACCOUNT_NOT_FOUND] = !sides[0]->exists || !sides[1]->exists;
	faults[ERR_ACCOUNT_CLOSED] = !is_void && (sides[0]->closed || sides[1]->closed);
	faults[ERR_CURRENCY_MISMATCH] =
	        sides[0]->currency != sides[1]->currency || (!is_void && said->currency != sides[0]->currency);
	faults[ERR_BOOK_MISMATCH] = sides[0]->book != sides[1]->book;
	for (size_t side = 0; side < 2 && !is_end; side++) {
		bool is_short = model_is_short(sides[side], side, said->amount);
		faults[ERR_BUDGET_EXCEEDED] |= is_short && sides[side]->book == BOOK_BUDGET;
		faults[ERR_INSUFFICIENT_FUNDS] |= is_short && sides[side]->book == BOOK_MONEY;
		faults[ERR_BALANCE_OVERFLOW] |=
		        sides[side]->in[side] + sides[side]->pending[side] + said->amount > INT64_MAX;
	}
}

static void model_effect(struct model *model, const struct operation *operation)
{
	struct model_transfer *stored = &model->transfers[operation->id];
	struct model_transfer *reference = &model->transfers[operation->said.reference];
	*stored = operation->said;
	stored->exists = true;
	stored->posted = stored->voided = false;
	stored->reversed = 0;
	if (refers(stored->kind)) {
		bool is_reversal = stored->kind == TRANSFER_REVERSAL;
		stored->debit = is_reversal ? reference->credit : reference->debit;
		stored->credit = is_reversal ? reference->debit : reference->credit;
	}
	struct model_account *debit = &model->accounts[stored->debit], *credit = &model->accounts[stored->credit];
	bool is_end = stored->kind == TRANSFER_POST || stored->kind == TRANSFER_VOID;
	__int128 held = stored->kind == TRANSFER_HOLD ? stored->amount : is_end ? -(__int128)reference->amount : 0;
	__int128 moved = stored->kind == TRANSFER_HOLD || stored->kind == TRANSFER_VOID ? 0 : stored->amount;
	debit->pending[0] += held;
	credit->pending[1] += held;
	debit->in[0] += moved;
	credit->in[1] += moved;
	debit->net += moved;
	credit->net -= moved;
	if (stored->kind == TRANSFER_VOID)
		stored->amount = reference->amount;
	reference->posted |= stored->kind == TRANSFER_POST;
	reference->voided |= stored->kind == TRANSFER_VOID;
	reference->reversed += stored->kind == TRANSFER_REVERSAL ? stored->amount : 0;
}

/* The first of the faults in the registry's order; without any, the effect. */
static enum status model_apply(struct model *model, const struct operation *operation)
{
	bool faults[STATUS_COUNT] = { false };
	if (model->transfers[operation->id].exists && says_the_same(&operation->said, &model->transfers[operation->id]))
		return STATUS_OK;
	model_faults(model, operation, faults);
	for (int status = 1; status < STATUS_COUNT; status++)
		if (faults[status])
			return (enum status)status;
	model_effect(model, operation);
	return STATUS_OK;
}

/* --- What is tried -------------------------------------------------------------------------------------------- */

static uint64_t seed_of(uint64_t fallback)
{
	const char *seed = getenv("AGENTPAY_SEED");
	uint64_t value = seed ? strtoull(seed, NULL, 10) : fallback;
	print_message("# AGENTPAY_SEED=%llu\n", (unsigned long long)value);
	return value;
}

static uint64_t count_of(uint64_t fallback)
{
	const char *count = getenv("AGENTPAY_OPERATIONS");
	return count ? strtoull(count, NULL, 10) : fallback;
}

/* Two currencies, every type, budgets, accounts with and without limits, a missing one; the last moves huge amounts. */
static void model_init(struct model *model)
{
	*model = (struct model) { 0 };
	for (size_t i = 0; i < ACCOUNTS; i++) {
		struct model_account *account = &model->accounts[i];
		account->exists = i != 11;
		account->debit_normal = i % 3 == 0;
		account->currency = i == 4 || i == 5 ? CURRENCY_JPY : CURRENCY_USD;
		account->book = i >= 8 && i < 11 ? BOOK_BUDGET : BOOK_MONEY;
		account->unlimited = i < 2 || i == 4 || i >= 12;
		account->overdraft = account->unlimited ? INT64_MAX
		                     : i == 8 || i == 9 ? 5000
		                     : i == 10          ? 0
		                     : i == 7           ? 100
		                                        : 0;
	}
}

static size_t random_account(struct seeded *seeded)
{
	return (size_t)seeded_below(seeded, 12);
}

/* Old identifiers come up again and again: as repeats, as references, and with other content. */
static struct operation random_operation(struct seeded *seeded, const struct model *model)
{
	struct operation operation = { .id = (size_t)seeded_below(seeded, IDS) };
	struct model_transfer *said = &operation.said;
	if (model->transfers[operation.id].exists && seeded_below(seeded, 3) == 0) {
		*said = model->transfers[operation.id];
		return operation;
	}
	said->kind = (enum transfer_kind)seeded_below(seeded, 5);
	said->debit = random_account(seeded);
	said->credit = random_account(seeded);
	said->reference = (size_t)seeded_below(seeded, IDS);
	said->payment = (size_t)seeded_below(seeded, 2);
	said->amount = (int64_t)seeded_below(seeded, 300) - 2;
	said->currency = seeded_below(seeded, 50) ? model->accounts[said->debit].currency : CURRENCY_EUR;
	if (refers(said->kind)) {
		said->currency = model->transfers[said->reference].currency;
	} else if (seeded_below(seeded, 40) == 0) {
		said->debit = 12;
		said->credit = FAR_ACCOUNT;
		said->currency = CURRENCY_USD;
		said->amount = (int64_t)(seeded_next(seeded) >> (1 + seeded_below(seeded, 8)));
	}
	return operation;
}

static struct account_id account_id_of(size_t account)
{
	return (struct account_id) { { { [0] = 0xa0, [15] = (unsigned char)account } } };
}

static struct transfer_id transfer_id_of(size_t id)
{
	return (struct transfer_id) { { { [0] = 0x70, [14] = (unsigned char)(id >> 8), [15] = (unsigned char)id } } };
}

static struct ledger_account account_of(const struct model *model, size_t at)
{
	const struct model_account *account = &model->accounts[at];
	return (struct ledger_account) {
		.id = account_id_of(at),
		.type = account->debit_normal ? at % 2 ? ACCOUNT_ASSET : ACCOUNT_EXPENSE
		                              : (enum account_type)(ACCOUNT_LIABILITY + at % 3),
		.book = account->book,
		.currency = account->currency,
		.overdraft_minor = account->overdraft,
		.name = SLICE("account of a test"),
	};
}

static struct ledger_transfer transfer_of(const struct operation *operation)
{
	const struct model_transfer *said = &operation->said;
	struct ledger_transfer transfer = {
		.id = transfer_id_of(operation->id),
		.kind = said->kind,
		.debit = account_id_of(said->debit),
		.credit = account_id_of(said->credit),
		.amount = { said->amount, said->currency },
		.payment = { { { [0] = (unsigned char)(said->payment ? 0x50 : 0) } } },
	};
	if (refers(said->kind))
		transfer.reference = transfer_id_of(said->reference);
	return transfer;
}

/* --- What must hold ------------------------------------------------------------------------------------------- */

static void assert_account(const struct model_account *expected, const struct ledger_account *account)
{
	assert_true(account->debits_posted == (int64_t)expected->in[0]);
	assert_true(account->credits_posted == (int64_t)expected->in[1]);
	assert_true(account->debits_pending == (int64_t)expected->pending[0]);
	assert_true(account->credits_pending == (int64_t)expected->pending[1]);
	assert_true(account_balance(account) == (int64_t)(expected->debit_normal ? expected->net : -expected->net));
	if (!expected->unlimited)
		assert_true(account_available(account) >= -account->overdraft_minor);
}

/* Per currency: debits = credits, posted and pending. */
static void assert_conserved(const struct ledger_account *accounts, size_t count)
{
	__int128 posted[CURRENCY_COUNT] = { 0 }, pending[CURRENCY_COUNT] = { 0 };
	for (size_t i = 0; i < count; i++) {
		posted[accounts[i].currency] += (__int128)accounts[i].debits_posted - accounts[i].credits_posted;
		pending[accounts[i].currency] += (__int128)accounts[i].debits_pending - accounts[i].credits_pending;
	}
	for (size_t currency = 0; currency < CURRENCY_COUNT; currency++)
		assert_true(posted[currency] == 0 && pending[currency] == 0);
}

/* --- The rules alone ------------------------------------------------------------------------------------------ */

static void the_rules_agree_with_the_model(void **state)
{
	(void)state;
	static struct model model;
	static struct ledger_record records[IDS];
	static bool is_stored[IDS];
	struct ledger_account accounts[ACCOUNTS], before[ACCOUNTS];
	struct seeded seeded = { seed_of(20260907) };
	uint64_t count = count_of(OPERATIONS), accepted = 0;
	model_init(&model);
	for (size_t i = 0; i < ACCOUNTS; i++)
		accounts[i] = account_of(&model, i);
	for (uint64_t i = 0; i < count; i++) {
		if (seeded_below(&seeded, 500) == 0) {
			size_t closing = random_account(&seeded);
			model.accounts[closing].closed = !model.accounts[closing].closed;
			accounts[closing].state = model.accounts[closing].closed ? ACCOUNT_CLOSED : ACCOUNT_OPEN;
		}
		/* Now and then all identifiers are forgotten, so that there are always new ones. */
		if (i % 4000 == 3999) {
			memset(model.transfers, 0, sizeof model.transfers);
			memset(is_stored, 0, sizeof is_stored);
			for (size_t j = 0; j < ACCOUNTS; j++) {
				model.accounts[j].pending[0] = model.accounts[j].pending[1] = 0;
				accounts[j].debits_pending = accounts[j].credits_pending = 0;
			}
		}
		struct operation operation = random_operation(&seeded, &model);
		struct ledger_transfer transfer = transfer_of(&operation);
		size_t at = operation.said.reference;
		struct ledger_record *reference = refers(transfer.kind) && is_stored[at] ? &records[at] : NULL;
		struct account_id ids[2];
		ledger_rules_accounts(&transfer, reference, &ids[0], &ids[1]);
		struct ledger_account *sides[2];
		for (size_t side = 0; side < 2; side++) {
			size_t index = ids[side].uuid.bytes[15];
			bool is_known = !uuid_is_nil(ids[side].uuid) && model.accounts[index].exists;
			sides[side] = is_known ? &accounts[index] : NULL;
		}
		memcpy(before, accounts, sizeof before);
		struct ledger_record *existing = is_stored[operation.id] ? &records[operation.id] : NULL;
		enum status status = ledger_rules_apply(&transfer, existing, reference, sides[0], sides[1]);
		enum status expected = model_apply(&model, &operation);
		if (status != expected)
			fail_msg("operation %llu: %s instead of %s", (unsigned long long)i, status_code(status),
			        status_code(expected));
		if (status != STATUS_OK)
			assert_memory_equal(before, accounts, sizeof before);
		if (status == STATUS_OK && !existing) {
			transfer.debit = ids[0];
			transfer.credit = ids[1];
			records[operation.id] = (struct ledger_record) { .transfer = transfer };
			is_stored[operation.id] = true;
			accepted++;
		}
		for (size_t j = 0; j < ACCOUNTS; j++)
			assert_account(&model.accounts[j], &accounts[j]);
		assert_conserved(accounts, ACCOUNTS);
	}
	assert_true(accepted > count / 100);
}

/* --- Groups through the store --------------------------------------------------------------------------------- */

static void open_accounts(const struct ledger_house *house, const struct model *model)
{
	for (size_t i = 0; i < ACCOUNTS; i++) {
		const struct ledger_account account = account_of(model, i);
		const struct ledger_group group = { .open = &account, .open_count = 1 };
		if (model->accounts[i].exists)
			assert_status(house->api.post(house->api.self, &actor_system, &group, NULL, NULL), STATUS_OK);
	}
}

static void assert_stored(const struct ledger_house *house, const struct model *model)
{
	struct arena arena = { 0 };
	struct ledger_account accounts[ACCOUNTS];
	for (size_t i = 0; i < ACCOUNTS; i++) {
		accounts[i] = account_of(model, i);
		if (!model->accounts[i].exists)
			continue;
		assert_status(
		        house->api.account_get(house->api.self, account_id_of(i), &arena, &accounts[i]), STATUS_OK);
		assert_account(&model->accounts[i], &accounts[i]);
	}
	assert_conserved(accounts, ACCOUNTS);
	arena_clean_up(&arena);
}

/* All or nothing: the model is put back when one is refused. */
static enum status model_group(struct model *model, const struct operation *operations, size_t count, size_t *ret_index)
{
	static struct model before;
	before = *model;
	for (size_t i = 0; i < count; i++) {
		enum status status = model_apply(model, &operations[i]);
		if (status != STATUS_OK) {
			*model = before;
			*ret_index = i;
			return status;
		}
	}
	return STATUS_OK;
}

static size_t random_group(struct seeded *seeded, struct model *model, struct operation *operations)
{
	static struct model ahead;
	size_t count = 1 + (size_t)seeded_below(seeded, 4);
	ahead = *model;
	for (size_t i = 0; i < count; i++) {
		operations[i] = random_operation(seeded, &ahead);
		/* Mostly what can succeed, sometimes not; later ones may refer to earlier ones of the group. */
		for (int attempt = 0; attempt < 20 && seeded_below(seeded, 40); attempt++) {
			if (model_apply(&ahead, &operations[i]) == STATUS_OK)
				break;
			operations[i] = random_operation(seeded, &ahead);
		}
	}
	return count;
}

static enum status read_trial(struct sql *sql, void *arg)
{
	struct arena *arena = arg;
	struct trial_line *lines;
	size_t count;
	__int128 difference[CURRENCY_COUNT] = { 0 };
	TRY(ledger_store_trial_balance(sql, CURRENCY_NONE, arena, &lines, &count));
	for (size_t i = 0; i < count; i++) {
		assert_true(lines[i].agrees);
		difference[lines[i].currency] += (__int128)lines[i].debits_posted - lines[i].credits_posted;
	}
	for (size_t currency = 0; currency < CURRENCY_COUNT; currency++)
		assert_true(difference[currency] == 0);
	return count == 10 ? STATUS_OK : ERR_INTERNAL; /* budgets and the missing one are not in it */
}

static void groups_through_the_store_agree_with_the_model(void **state)
{
	static struct model model;
	struct ledger_house house;
	struct seeded seeded = { seed_of(42) };
	struct arena arena = { 0 };
	uint64_t count = getenv("AGENTPAY_OPERATIONS") ? count_of(0) / 50 : GROUPS, accepted = 0;
	model_init(&model);
	ledger_house_open(&house, database_of(state));
	open_accounts(&house, &model);
	for (uint64_t i = 0; i < count; i++) {
		struct operation operations[4];
		struct ledger_transfer transfers[4];
		size_t size = random_group(&seeded, &model, operations), index = 0;
		for (size_t j = 0; j < size; j++)
			transfers[j] = transfer_of(&operations[j]);
		const struct ledger_group group = { .transfers = transfers, .count = size };
		struct ledger_refusal refusal = { 0 };
		enum status expected = model_group(&model, operations, size, &index);
		for (int repeat = 0; repeat < (expected == STATUS_OK ? 2 : 1); repeat++) {
			enum status status = house.api.post(house.api.self, &actor_system, &group, NULL, &refusal);
			if (status != expected || (status != STATUS_OK && refusal.index != index))
				fail_msg("group %llu: %s at %zu instead of %s at %zu", (unsigned long long)i,
				        status_code(status), refusal.index, status_code(expected), index);
		}
		accepted += expected == STATUS_OK;
		if (i % 16 == 0 || expected != STATUS_OK)
			assert_stored(&house, &model);
	}
	assert_stored(&house, &model);
	assert_true(accepted > count / 4);
	assert_status(ledger_service_read(house.service, read_trial, &arena), STATUS_OK);
	arena_clean_up(&arena);
	ledger_house_close(&house);
}

TESTS(cmocka_unit_test(the_rules_agree_with_the_model), ON_SQLITE(groups_through_the_store_agree_with_the_model))
