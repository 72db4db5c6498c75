#include "base/clock.h"
#include "identity/identity_api.h"
#include "ledger/ledger_http.h"
#include "ledger/ledger_json.h"
#include "ledger/ledger_names.h"
#include "platform/page.h"

#define COUNT_OF(rows) (sizeof(rows) / sizeof *(rows))

struct create_body {
	struct agent_id agent;
	struct slice type, currency, name;
	bool allow_negative;
};

static const struct json_field create_fields[] = {
	{ "type", JSON_AS_TEXT, true, offsetof(struct create_body, type) },
	{ "currency", JSON_AS_TEXT, true, offsetof(struct create_body, currency) },
	{ "name", JSON_AS_TEXT, true, offsetof(struct create_body, name) },
	{ "agent_id", JSON_AS_ID, false, offsetof(struct create_body, agent), .prefix = ID_PREFIX_agent },
	{ "allow_negative", JSON_AS_BOOLEAN, false, offsetof(struct create_body, allow_negative) },
};

static enum status account_from(
        const struct http_request *request, const struct create_body *body, struct ledger_account *ret_account)
{
	struct ledger_account account = {
		.id = { request->operation_id },
		.agent = body->agent,
		.overdraft_minor = body->allow_negative ? INT64_MAX : 0,
		.name = slice_trim(body->name),
	};
	if (!account_type_parse(body->type, &account.type))
		return problem_set(request->problem, ERR_INVALID_FIELD, "type",
		        "It must be asset, liability, equity, revenue or expense.");
	if (currency_parse(body->currency, &account.currency) != STATUS_OK)
		return problem_set(request->problem, ERR_UNKNOWN_CURRENCY, "currency", "%s",
		        status_sentence(ERR_UNKNOWN_CURRENCY));
	if (!account.name.size)
		return problem_set(request->problem, ERR_INVALID_FIELD, "name", "An account has a name.");
	*ret_account = account;
	return STATUS_OK;
}

static void answer_account(
        struct http_request *request, struct http_response *response, int status, const struct ledger_account *account)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	ledger_json_public_account(&json, account);
	http_response_json(response, status, &out);
}

enum status ledger_accounts_create(void *self, struct http_request *request, struct http_response *response)
{
	struct create_body body = { 0 };
	struct ledger_account account;
	TRY(json_read(request->body, create_fields, COUNT_OF(create_fields), &body, request->arena, request->problem));
	TRY(account_from(request, &body, &account));
	const struct ledger_group group = { .open = &account, .open_count = 1 };
	TRY(ledger_service_post(self, request->actor, &group, NULL));
	TRY(ledger_http_visible_account(self, request, account.id, &account));
	answer_account(request, response, 201, &account);
	return STATUS_OK;
}

struct list_call {
	struct accounts_query query;
	struct arena *arena;
	struct ledger_account *accounts;
	size_t count;
};

static enum status read_list(struct sql *sql, void *arg)
{
	struct list_call *call = arg;
	return ledger_store_accounts_list(sql, &call->query, call->arena, &call->accounts, &call->count);
}

/* An agent's own, whatever it asks for. */
static enum status read_filter(const struct http_request *request, struct accounts_query *query)
{
	TRY(ledger_http_id(request, "agent_id", ID_PREFIX_agent, &query->agent.uuid));
	TRY(ledger_http_currency(request, &query->currency));
	if (!principal_is_agent(request->principal))
		return STATUS_OK;
	if (!uuid_is_nil(query->agent.uuid) && !uuid_equal(query->agent.uuid, request->principal->id))
		return ERR_NOT_FOUND;
	query->agent = principal_agent(request->principal);
	return STATUS_OK;
}

enum status ledger_accounts_list(void *self, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	struct list_call call = { .arena = request->arena };
	TRY(page_read(request, &page));
	TRY(read_filter(request, &call.query));
	call.query.before_at = page.before_at;
	call.query.before_id = page.before_id;
	call.query.limit = page.limit + 1;
	TRY(ledger_service_read(self, read_list, &call));
	page_open(&writer, &page, request->arena);
	for (size_t i = 0; i < call.count; i++)
		if (page_row(&writer, call.accounts[i].created_at, call.accounts[i].id.uuid))
			ledger_json_public_account(&writer.json, &call.accounts[i]);
	page_close(&writer, response);
	return STATUS_OK;
}

static enum status path_account(
        struct ledger_service *service, const struct http_request *request, struct ledger_account *ret_account)
{
	struct account_id id;
	if (!account_id_parse(request->parameters[0], &id))
		return problem_set(request->problem, ERR_INVALID_ID, "id", "It must be acct-<uuid>.");
	return ledger_http_visible_account(service, request, id, ret_account);
}

enum status ledger_accounts_get(void *self, struct http_request *request, struct http_response *response)
{
	struct ledger_account account;
	TRY(path_account(self, request, &account));
	answer_account(request, response, 200, &account);
	return STATUS_OK;
}

/* --- Statement ------------------------------------------------------------------------------------------------- */

struct statement_call {
	struct statement_query query;
	struct arena *arena;
	struct statement_line *lines;
	size_t count;
	int64_t opening_minor, closing_minor;
};

static enum status read_statement(struct sql *sql, void *arg)
{
	struct statement_call *call = arg;
	struct account_id account = call->query.account;
	TRY(ledger_store_balance_before(sql, account, call->query.from, &call->opening_minor));
	TRY(ledger_store_balance_before(sql, account, call->query.to, &call->closing_minor));
	return ledger_store_statement(sql, &call->query, call->arena, &call->lines, &call->count);
}

/* A time or a date, which is its midnight UTC. */
static enum status read_instant(const struct http_request *request, const char *name, int64_t *ret_at)
{
	struct slice text = http_request_query(request, name);
	if (text.size && !instant_parse(text, ret_at) && !date_parse(text, ret_at))
		return problem_set(
		        request->problem, ERR_INVALID_PARAMETER, name, "It must be an RFC 3339 time or a date.");
	return STATUS_OK;
}

static void write_line(struct json_writer *json, const struct statement_line *line, enum currency currency)
{
	struct money amount = { line->amount_minor, currency };
	json_object_open(json);
	json_key_id(json, "transaction_id", ID_PREFIX_transfer, line->id.uuid);
	json_key_text(json, "kind", slice_from(transfer_kind_name(line->kind)));
	ledger_json_amount(json, line->is_debit ? "debit" : "credit", amount);
	json_key(json, line->is_debit ? "credit" : "debit");
	json_null(json);
	ledger_json_amount(json, "amount", amount);
	ledger_json_amount(json, "balance", (struct money) { line->balance_minor, currency });
	json_key_text_or_null(json, "description", line->description);
	json_key_id(json, "payment_id", ID_PREFIX_payment, line->payment.uuid);
	json_key_instant(json, "created_at", line->created_at);
	json_object_close(json);
}

/* The page's object with the account and its balances put in front. */
static void answer_statement(struct http_request *request, struct http_response *response,
        const struct ledger_account *account, const struct statement_call *call)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key(&json, "account");
	ledger_json_public_account(&json, account);
	ledger_json_amount(&json, "opening_balance", (struct money) { call->opening_minor, account->currency });
	ledger_json_amount(&json, "closing_balance", (struct money) { call->closing_minor, account->currency });
	write_char(&out, ',');
	write_slice(&out, slice_skip(response->body, 1));
	http_response_json(response, 200, &out);
}

static enum status read_statement_query(const struct http_request *request, const struct page *page,
        struct account_id account, struct statement_query *query)
{
	*query = (struct statement_query) { .account = account, .to = INT64_MAX, .limit = page->limit + 1 };
	TRY(read_instant(request, "from", &query->from));
	TRY(read_instant(request, "to", &query->to));
	if (page->before_at != INT64_MAX) {
		query->after_at = page->before_at;
		query->after_sequence = ledger_http_sequence(page->before_id);
	}
	return STATUS_OK;
}

enum status ledger_accounts_statement(void *self, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	struct statement_call call = { .arena = request->arena };
	struct ledger_account account;
	TRY(page_read(request, &page));
	TRY(path_account(self, request, &account));
	TRY(read_statement_query(request, &page, account.id, &call.query));
	TRY(ledger_service_read(self, read_statement, &call));
	if (!principal_is_agent(request->principal))
		TRY(ledger_service_viewed(
		        self, request->actor, (struct user_id) { request->principal->id }, account.id));
	page_open(&writer, &page, request->arena);
	for (size_t i = 0; i < call.count; i++)
		if (page_row(&writer, call.lines[i].created_at, ledger_http_cursor(call.lines[i].sequence)))
			write_line(&writer.json, &call.lines[i], account.currency);
	page_close(&writer, response);
	answer_statement(request, response, &account, &call);
	return STATUS_OK;
}
