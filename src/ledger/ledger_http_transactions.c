#include "identity/identity_api.h"
#include "ledger/ledger_http.h"
#include "ledger/ledger_json.h"
#include "ledger/ledger_names.h"
#include "platform/page.h"

#define COUNT_OF(rows) (sizeof(rows) / sizeof *(rows))

struct create_body {
	struct account_id debit, credit;
	struct transfer_id reference;
	struct slice kind, amount, currency, description;
};

static const struct json_field create_fields[] = {
	{ "kind", JSON_AS_TEXT, false, offsetof(struct create_body, kind) },
	{ "debit_account_id", JSON_AS_ID, false, offsetof(struct create_body, debit), .prefix = ID_PREFIX_account },
	{ "credit_account_id", JSON_AS_ID, false, offsetof(struct create_body, credit), .prefix = ID_PREFIX_account },
	{ "amount", JSON_AS_DECIMAL, false, offsetof(struct create_body, amount) },
	{ "currency", JSON_AS_TEXT, false, offsetof(struct create_body, currency) },
	{ "description", JSON_AS_TEXT, false, offsetof(struct create_body, description) },
	{ "reference_id", JSON_AS_ID, false, offsetof(struct create_body, reference), .prefix = ID_PREFIX_transfer },
};

struct entry_call {
	struct transfer_id id;
	struct arena *arena;
	struct ledger_entry entry;
};

static enum status read_entry(struct sql *sql, void *arg)
{
	struct entry_call *call = arg;
	return ledger_store_entry_get(sql, call->id, call->arena, &call->entry);
}

static enum status missing(const struct http_request *request, const char *name)
{
	return problem_set(request->problem, ERR_MISSING_FIELD, name, "This kind of transaction needs it.");
}

static enum status unwanted(const struct http_request *request, const char *name)
{
	return problem_set(request->problem, ERR_INVALID_FIELD, name, "This kind of transaction does not take it.");
}

/* Which members a kind has: its own accounts, or those of what it refers to. */
static enum status check_members(
        const struct http_request *request, enum transfer_kind kind, const struct create_body *body)
{
	bool refers = transfer_has_reference(kind);
	bool has_debit = !uuid_is_nil(body->debit.uuid), has_credit = !uuid_is_nil(body->credit.uuid);
	if (has_debit == refers)
		return refers ? unwanted(request, "debit_account_id") : missing(request, "debit_account_id");
	if (has_credit == refers)
		return refers ? unwanted(request, "credit_account_id") : missing(request, "credit_account_id");
	if (uuid_is_nil(body->reference.uuid) == refers)
		return refers ? missing(request, "reference_id") : unwanted(request, "reference_id");
	if (kind == TRANSFER_VOID && body->amount.size)
		return unwanted(request, "amount");
	if (!refers && !body->amount.size)
		return missing(request, "amount");
	if (!refers && !body->currency.size)
		return missing(request, "currency");
	return STATUS_OK;
}

/* What is not said is taken from the transaction that is referred to: all of it, in its currency. */
static enum status complete(struct ledger_service *service, const struct http_request *request,
        const struct create_body *body, struct ledger_transfer *transfer)
{
	struct entry_call call = { .id = body->reference, .arena = request->arena };
	if (transfer_has_reference(transfer->kind)) {
		enum status status = ledger_service_read(service, read_entry, &call);
		if (status == ERR_NOT_FOUND)
			status = transfer->kind == TRANSFER_REVERSAL ? ERR_TRANSFER_NOT_FOUND : ERR_HOLD_NOT_FOUND;
		TRY(status);
		transfer->amount = call.entry.transfer.amount;
		transfer->payment = call.entry.transfer.payment;
	}
	if (body->currency.size && currency_parse(body->currency, &transfer->amount.currency) != STATUS_OK)
		return problem_set(request->problem, ERR_UNKNOWN_CURRENCY, "currency", "%s",
		        status_sentence(ERR_UNKNOWN_CURRENCY));
	if (!body->amount.size)
		return STATUS_OK;
	enum status status = money_parse(body->amount, transfer->amount.currency, &transfer->amount);
	return status == STATUS_OK ? STATUS_OK
	                           : problem_set(request->problem, status, "amount", "%s", status_sentence(status));
}

static enum status transfer_from(struct ledger_service *service, const struct http_request *request,
        const struct create_body *body, struct ledger_transfer *ret_transfer)
{
	struct ledger_transfer transfer = {
		.id = { request->operation_id },
		.debit = body->debit,
		.credit = body->credit,
		.reference = body->reference,
		.description = body->description,
	};
	if (body->kind.size && !transfer_kind_parse(body->kind, &transfer.kind))
		return problem_set(request->problem, ERR_INVALID_FIELD, "kind",
		        "It must be single, hold, post, void or reversal.");
	TRY(check_members(request, transfer.kind, body));
	TRY(complete(service, request, body, &transfer));
	*ret_transfer = transfer;
	return STATUS_OK;
}

static enum status answer_entry(struct ledger_service *service, struct http_request *request,
        struct http_response *response, int status, struct transfer_id id)
{
	struct entry_call call = { .id = id, .arena = request->arena };
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	TRY(ledger_service_read(service, read_entry, &call));
	ledger_json_public_entry(&json, &call.entry);
	http_response_json(response, status, &out);
	return STATUS_OK;
}

enum status ledger_transactions_create(void *self, struct http_request *request, struct http_response *response)
{
	struct create_body body = { 0 };
	struct ledger_transfer transfer;
	TRY(json_read(request->body, create_fields, COUNT_OF(create_fields), &body, request->arena, request->problem));
	TRY(transfer_from(self, request, &body, &transfer));
	const struct ledger_group group = { .transfers = &transfer, .count = 1 };
	TRY(ledger_service_post(self, request->actor, &group, NULL));
	return answer_entry(self, request, response, 201, transfer.id);
}

/* An agent sees a transaction of any of its accounts. */
static enum status check_visible(
        struct ledger_service *service, const struct http_request *request, struct transfer_id id)
{
	struct entry_call call = { .id = id, .arena = request->arena };
	struct ledger_account account;
	if (!principal_is_agent(request->principal))
		return STATUS_OK;
	TRY(ledger_service_read(service, read_entry, &call));
	enum status status = ledger_http_visible_account(service, request, call.entry.transfer.debit, &account);
	if (status == ERR_NOT_FOUND)
		status = ledger_http_visible_account(service, request, call.entry.transfer.credit, &account);
	return status;
}

enum status ledger_transactions_get(void *self, struct http_request *request, struct http_response *response)
{
	struct transfer_id id;
	if (!transfer_id_parse(request->parameters[0], &id))
		return problem_set(request->problem, ERR_INVALID_ID, "id", "It must be txn-<uuid>.");
	TRY(check_visible(self, request, id));
	return answer_entry(self, request, response, 200, id);
}

struct list_call {
	struct entries_query query;
	struct arena *arena;
	struct ledger_entry *entries;
	size_t count;
};

static enum status read_list(struct sql *sql, void *arg)
{
	struct list_call *call = arg;
	return ledger_store_entries_list(sql, &call->query, call->arena, &call->entries, &call->count);
}

static enum status read_filter(
        struct ledger_service *service, const struct http_request *request, struct entries_query *query)
{
	struct ledger_account account;
	TRY(ledger_http_id(request, "account_id", ID_PREFIX_account, &query->account.uuid));
	TRY(ledger_http_id(request, "payment_id", ID_PREFIX_payment, &query->payment.uuid));
	query->agent = principal_agent(request->principal);
	if (!uuid_is_nil(query->account.uuid))
		return ledger_http_visible_account(service, request, query->account, &account);
	return STATUS_OK;
}

enum status ledger_transactions_list(void *self, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	struct list_call call = { .arena = request->arena };
	TRY(page_read(request, &page));
	TRY(read_filter(self, request, &call.query));
	call.query.before_at = page.before_at;
	call.query.before_sequence = page.before_at == INT64_MAX ? INT64_MAX : ledger_http_sequence(page.before_id);
	call.query.limit = page.limit + 1;
	TRY(ledger_service_read(self, read_list, &call));
	page_open(&writer, &page, request->arena);
	for (size_t i = 0; i < call.count; i++)
		if (page_row(&writer, call.entries[i].created_at, ledger_http_cursor(call.entries[i].sequence)))
			ledger_json_public_entry(&writer.json, &call.entries[i]);
	page_close(&writer, response);
	return STATUS_OK;
}
