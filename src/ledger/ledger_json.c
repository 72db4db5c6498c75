#include "ledger/ledger_json.h"

#include "ledger/ledger_names.h"

#define COUNT_OF(rows) (sizeof(rows) / sizeof *(rows))

struct wire_account {
	struct ledger_account account;
	struct slice type, book, currency, state;
};

static const struct json_field account_fields[] = {
	{ "id", JSON_AS_ID, true, offsetof(struct wire_account, account.id), .prefix = ID_PREFIX_account },
	{ "agent_id", JSON_AS_ID, false, offsetof(struct wire_account, account.agent), .prefix = ID_PREFIX_agent },
	{ "type", JSON_AS_TEXT, true, offsetof(struct wire_account, type) },
	{ "book", JSON_AS_TEXT, true, offsetof(struct wire_account, book) },
	{ "currency", JSON_AS_TEXT, true, offsetof(struct wire_account, currency) },
	{ "state", JSON_AS_TEXT, true, offsetof(struct wire_account, state) },
	{ "overdraft", JSON_AS_INTEGER, true, offsetof(struct wire_account, account.overdraft_minor) },
	{ "name", JSON_AS_TEXT, true, offsetof(struct wire_account, account.name) },
	{ "debits_pending", JSON_AS_INTEGER, false, offsetof(struct wire_account, account.debits_pending) },
	{ "debits_posted", JSON_AS_INTEGER, false, offsetof(struct wire_account, account.debits_posted) },
	{ "credits_pending", JSON_AS_INTEGER, false, offsetof(struct wire_account, account.credits_pending) },
	{ "credits_posted", JSON_AS_INTEGER, false, offsetof(struct wire_account, account.credits_posted) },
	{ "created_at", JSON_AS_INTEGER, false, offsetof(struct wire_account, account.created_at) },
};

struct wire_transfer {
	struct ledger_transfer transfer;
	struct slice kind, currency;
};

static const struct json_field transfer_fields[] = {
	{ "id", JSON_AS_ID, true, offsetof(struct wire_transfer, transfer.id), .prefix = ID_PREFIX_transfer },
	{ "kind", JSON_AS_TEXT, true, offsetof(struct wire_transfer, kind) },
	{ "debit", JSON_AS_ID, false, offsetof(struct wire_transfer, transfer.debit), .prefix = ID_PREFIX_account },
	{ "credit", JSON_AS_ID, false, offsetof(struct wire_transfer, transfer.credit), .prefix = ID_PREFIX_account },
	{ "amount", JSON_AS_INTEGER, true, offsetof(struct wire_transfer, transfer.amount.minor_units) },
	{ "currency", JSON_AS_TEXT, false, offsetof(struct wire_transfer, currency) },
	{ "reference", JSON_AS_ID, false, offsetof(struct wire_transfer, transfer.reference),
	        .prefix = ID_PREFIX_transfer },
	{ "payment", JSON_AS_ID, false, offsetof(struct wire_transfer, transfer.payment), .prefix = ID_PREFIX_payment },
	{ "description", JSON_AS_TEXT, false, offsetof(struct wire_transfer, transfer.description) },
};

struct wire_group {
	const struct json *open, *transfers;
};

static const struct json_field group_fields[] = {
	{ "open", JSON_AS_VALUE, true, offsetof(struct wire_group, open) },
	{ "transfers", JSON_AS_VALUE, true, offsetof(struct wire_group, transfers) },
};

static void write_account(struct json_writer *json, const struct ledger_account *account)
{
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_account, account->id.uuid);
	json_key_id(json, "agent_id", ID_PREFIX_agent, account->agent.uuid);
	json_key_text(json, "type", slice_from(account_type_name(account->type)));
	json_key_text(json, "book", slice_from(ledger_book_name(account->book)));
	json_key_text(json, "currency", slice_from(currency_code(account->currency)));
	json_key_text(json, "state", slice_from(account_state_name(account->state)));
	json_key_i64(json, "overdraft", account->overdraft_minor);
	json_key_text(json, "name", account->name);
	json_key_i64(json, "debits_pending", account->debits_pending);
	json_key_i64(json, "debits_posted", account->debits_posted);
	json_key_i64(json, "credits_pending", account->credits_pending);
	json_key_i64(json, "credits_posted", account->credits_posted);
	json_key_i64(json, "created_at", account->created_at);
	json_object_close(json);
}

static void write_transfer(struct json_writer *json, const struct ledger_transfer *transfer)
{
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_transfer, transfer->id.uuid);
	json_key_text(json, "kind", slice_from(transfer_kind_name(transfer->kind)));
	json_key_id(json, "debit", ID_PREFIX_account, transfer->debit.uuid);
	json_key_id(json, "credit", ID_PREFIX_account, transfer->credit.uuid);
	json_key_i64(json, "amount", transfer->amount.minor_units);
	json_key_text_or_null(json, "currency", slice_from(currency_code(transfer->amount.currency)));
	json_key_id(json, "reference", ID_PREFIX_transfer, transfer->reference.uuid);
	json_key_id(json, "payment", ID_PREFIX_payment, transfer->payment.uuid);
	json_key_text_or_null(json, "description", transfer->description);
	json_object_close(json);
}

void ledger_json_group(struct writer *out, const struct ledger_group *group)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key(&json, "open");
	json_array_open(&json);
	for (size_t i = 0; i < group->open_count; i++)
		write_account(&json, &group->open[i]);
	json_array_close(&json);
	json_key(&json, "transfers");
	json_array_open(&json);
	for (size_t i = 0; i < group->count; i++)
		write_transfer(&json, &group->transfers[i]);
	json_array_close(&json);
	json_object_close(&json);
}

static enum status read_account(
        const struct json *json, struct arena *arena, struct ledger_account *ret_account, struct problem *problem)
{
	struct wire_account wire = { 0 };
	TRY(json_bind(json, account_fields, COUNT_OF(account_fields), &wire, arena, problem));
	if (!account_type_parse(wire.type, &wire.account.type))
		return problem_set(problem, ERR_INVALID_FIELD, "type", "Not a type of account.");
	if (!ledger_book_parse(wire.book, &wire.account.book))
		return problem_set(problem, ERR_INVALID_FIELD, "book", "Not a book.");
	if (!account_state_parse(wire.state, &wire.account.state))
		return problem_set(problem, ERR_INVALID_FIELD, "state", "Not a state of an account.");
	if (wire.account.overdraft_minor < 0)
		return problem_set(problem, ERR_INVALID_FIELD, "overdraft", "An overdraft is not negative.");
	TRY(currency_parse(wire.currency, &wire.account.currency));
	*ret_account = wire.account;
	return STATUS_OK;
}

static enum status read_transfer(
        const struct json *json, struct arena *arena, struct ledger_transfer *ret_transfer, struct problem *problem)
{
	struct wire_transfer wire = { 0 };
	TRY(json_bind(json, transfer_fields, COUNT_OF(transfer_fields), &wire, arena, problem));
	if (!transfer_kind_parse(wire.kind, &wire.transfer.kind))
		return problem_set(problem, ERR_INVALID_FIELD, "kind", "Not a kind of transfer.");
	if (wire.currency.size)
		TRY(currency_parse(wire.currency, &wire.transfer.amount.currency));
	*ret_transfer = wire.transfer;
	return STATUS_OK;
}

enum status ledger_json_read_group(
        struct slice body, struct arena *arena, struct ledger_group *ret_group, struct problem *problem)
{
	struct wire_group wire = { 0 };
	TRY(json_read(body, group_fields, COUNT_OF(group_fields), &wire, arena, problem));
	if (wire.open->type != JSON_ARRAY || wire.open->count > LEDGER_OPEN_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, "open", "An array of at most %d.", LEDGER_OPEN_MAX);
	if (wire.transfers->type != JSON_ARRAY || wire.transfers->count > LEDGER_GROUP_MAX)
		return problem_set(
		        problem, ERR_INVALID_FIELD, "transfers", "An array of at most %d.", LEDGER_GROUP_MAX);
	struct ledger_account *open = ARENA_ARRAY(arena, struct ledger_account, wire.open->count);
	struct ledger_transfer *transfers = ARENA_ARRAY(arena, struct ledger_transfer, wire.transfers->count);
	size_t count = 0;
	for (const struct json *item = wire.open->first; item; item = item->next)
		TRY(read_account(item, arena, &open[count++], problem));
	count = 0;
	for (const struct json *item = wire.transfers->first; item; item = item->next)
		TRY(read_transfer(item, arena, &transfers[count++], problem));
	*ret_group = (struct ledger_group) { open, wire.open->count, transfers, wire.transfers->count };
	return STATUS_OK;
}

void ledger_json_account(struct writer *out, const struct ledger_account *account)
{
	struct json_writer json = { .out = out };
	write_account(&json, account);
}

enum status ledger_json_read_account(const struct json *json, struct arena *arena, struct ledger_account *ret_account)
{
	bool is_account = json && read_account(json, arena, ret_account, NULL) == STATUS_OK;
	return is_account ? STATUS_OK : ERR_NEIGHBOUR_UNAVAILABLE;
}

void ledger_json_amount(struct json_writer *json, const char *name, struct money amount)
{
	char text[40];
	struct writer out = writer_fixed(text, sizeof text);
	write_money(&out, amount);
	json_key_raw(json, name, writer_slice(&out));
}

void ledger_json_public_account(struct json_writer *json, const struct ledger_account *account)
{
	enum currency currency = account->currency;
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_account, account->id.uuid);
	json_key_id(json, "agent_id", ID_PREFIX_agent, account->agent.uuid);
	json_key_text(json, "type", slice_from(account_type_name(account->type)));
	json_key_text(json, "currency", slice_from(currency_code(currency)));
	json_key_text(json, "name", account->name);
	json_key_text(json, "status", slice_from(account_state_name(account->state)));
	json_key_boolean(json, "allow_negative", account->overdraft_minor != 0);
	ledger_json_amount(json, "balance", (struct money) { account_balance(account), currency });
	ledger_json_amount(json, "held", (struct money) { account_held(account), currency });
	ledger_json_amount(json, "available", (struct money) { account_available(account), currency });
	ledger_json_amount(json, "debits_pending", (struct money) { account->debits_pending, currency });
	ledger_json_amount(json, "debits_posted", (struct money) { account->debits_posted, currency });
	ledger_json_amount(json, "credits_pending", (struct money) { account->credits_pending, currency });
	ledger_json_amount(json, "credits_posted", (struct money) { account->credits_posted, currency });
	json_key_instant(json, "created_at", account->created_at);
	json_object_close(json);
}

void ledger_json_public_entry(struct json_writer *json, const struct ledger_entry *entry)
{
	const struct ledger_transfer *transfer = &entry->transfer;
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_transfer, transfer->id.uuid);
	json_key_text(json, "kind", slice_from(transfer_kind_name(transfer->kind)));
	json_key_id(json, "debit_account_id", ID_PREFIX_account, transfer->debit.uuid);
	json_key_id(json, "credit_account_id", ID_PREFIX_account, transfer->credit.uuid);
	ledger_json_amount(json, "amount", transfer->amount);
	json_key_text(json, "currency", slice_from(currency_code(transfer->amount.currency)));
	json_key_id(json, "reference_id", ID_PREFIX_transfer, transfer->reference.uuid);
	json_key_id(json, "payment_id", ID_PREFIX_payment, transfer->payment.uuid);
	json_key_text_or_null(json, "description", transfer->description);
	json_key_instant(json, "created_at", entry->created_at);
	json_object_close(json);
}
