#include "ledger/ledger_http.h"

#include "base/clock.h"
#include "identity/identity_api.h"
#include "ledger/ledger_json.h"
#include "ledger/ledger_names.h"

enum { INTERNAL = HTTP_ROUTE_INTERNAL | HTTP_ROUTE_NO_KEY };

static const struct http_route routes[] = {
	{ HTTP_POST, "/v1/accounts", ledger_accounts_create, PERMISSION_ACCOUNT_MANAGE, 0 },
	{ HTTP_GET, "/v1/accounts", ledger_accounts_list, PERMISSION_ACCOUNT_VIEW, 0 },
	{ HTTP_GET, "/v1/accounts/{id}", ledger_accounts_get, PERMISSION_ACCOUNT_VIEW, 0 },
	{ HTTP_GET, "/v1/accounts/{id}/statement", ledger_accounts_statement, PERMISSION_ACCOUNT_VIEW, 0 },
	{ HTTP_POST, "/v1/transactions", ledger_transactions_create, PERMISSION_TRANSACTION_CREATE, 0 },
	{ HTTP_GET, "/v1/transactions", ledger_transactions_list, PERMISSION_TRANSACTION_VIEW, 0 },
	{ HTTP_GET, "/v1/transactions/{id}", ledger_transactions_get, PERMISSION_TRANSACTION_VIEW, 0 },
	{ HTTP_GET, "/v1/reports/trial-balance", ledger_trial_balance_get, PERMISSION_REPORT_VIEW, 0 },
	{ HTTP_POST, "/internal/v1/ledger/post", ledger_internal_post, PERMISSION_PUBLIC, INTERNAL },
	{ HTTP_POST, "/internal/v1/ledger/account_get", ledger_internal_account_get, PERMISSION_PUBLIC, INTERNAL },
	{ HTTP_POST, "/internal/v1/ledger/account_of_agent", ledger_internal_account_of_agent, PERMISSION_PUBLIC,
	        INTERNAL },
};

struct http_routes ledger_http_routes(struct ledger_service *service)
{
	return (struct http_routes) {
		.service = "ledger",
		.rows = routes,
		.count = sizeof routes / sizeof *routes,
		.self = service,
	};
}

enum status ledger_http_visible_account(struct ledger_service *service, const struct http_request *request,
        struct account_id id, struct ledger_account *ret_account)
{
	struct ledger_api api = ledger_service_api(service);
	struct ledger_account account;
	enum status status = api.account_get(api.self, id, request->arena, &account);
	if (status == ERR_ACCOUNT_NOT_FOUND)
		return ERR_NOT_FOUND;
	TRY(status);
	if (principal_is_agent(request->principal) && !uuid_equal(account.agent.uuid, request->principal->id))
		return ERR_NOT_FOUND;
	*ret_account = account;
	return STATUS_OK;
}

enum status ledger_http_id(
        const struct http_request *request, const char *name, const char *prefix, struct uuid *ret_id)
{
	struct slice text = http_request_query(request, name);
	if (text.size && !id_parse(text, prefix, ret_id))
		return problem_set(request->problem, ERR_INVALID_PARAMETER, name, "It must be %s-<uuid>.", prefix);
	return STATUS_OK;
}

enum status ledger_http_currency(const struct http_request *request, enum currency *ret_currency)
{
	struct slice text = http_request_query(request, "currency");
	if (text.size && currency_parse(text, ret_currency) != STATUS_OK)
		return problem_set(request->problem, ERR_INVALID_PARAMETER, "currency", "This currency is not known.");
	return STATUS_OK;
}

struct uuid ledger_http_cursor(int64_t sequence)
{
	struct uuid cursor = { 0 };
	for (int i = 0; i < 8; i++)
		cursor.bytes[8 + i] = (unsigned char)((uint64_t)sequence >> (56 - 8 * i));
	return cursor;
}

int64_t ledger_http_sequence(struct uuid cursor)
{
	uint64_t sequence = 0;
	for (int i = 0; i < 8; i++)
		sequence = sequence << 8 | cursor.bytes[8 + i];
	return (int64_t)sequence;
}

/* --- Trial balance --------------------------------------------------------------------------------------------- */

struct trial {
	enum currency currency;
	struct arena *arena;
	struct trial_line *lines;
	size_t count;
};

static enum status read_trial(struct sql *sql, void *arg)
{
	struct trial *trial = arg;
	return ledger_store_trial_balance(sql, trial->currency, trial->arena, &trial->lines, &trial->count);
}

static void write_trial_line(struct json_writer *json, const struct trial_line *line)
{
	int64_t difference = line->debits_posted - line->credits_posted;
	int64_t balance = account_is_debit_normal(line->type) ? difference : -difference;
	json_object_open(json);
	json_key_id(json, "account_id", ID_PREFIX_account, line->account.uuid);
	json_key_text(json, "name", line->name);
	json_key_text(json, "type", slice_from(account_type_name(line->type)));
	ledger_json_amount(json, "debits", (struct money) { line->debits_posted, line->currency });
	ledger_json_amount(json, "credits", (struct money) { line->credits_posted, line->currency });
	ledger_json_amount(json, "balance", (struct money) { balance, line->currency });
	json_object_close(json);
}

/* The lines of one currency. Balanced: debits equal credits, and every account's own sums are the journal's. */
static enum status write_trial_currency(struct json_writer *json, const struct trial_line *lines, size_t count)
{
	struct money debits = { 0, lines->currency }, credits = debits;
	bool agree = true;
	for (size_t i = 0; i < count; i++) {
		TRY(money_add(debits, (struct money) { lines[i].debits_posted, lines->currency }, &debits));
		TRY(money_add(credits, (struct money) { lines[i].credits_posted, lines->currency }, &credits));
		agree = agree && lines[i].agrees;
	}
	json_object_open(json);
	json_key_text(json, "currency", slice_from(currency_code(lines->currency)));
	ledger_json_amount(json, "debits", debits);
	ledger_json_amount(json, "credits", credits);
	json_key_boolean(json, "balanced", agree && debits.minor_units == credits.minor_units);
	json_key(json, "accounts");
	json_array_open(json);
	for (size_t i = 0; i < count; i++)
		write_trial_line(json, &lines[i]);
	json_array_close(json);
	json_object_close(json);
	return STATUS_OK;
}

static enum status write_trial(struct json_writer *json, const struct trial *trial, int64_t at)
{
	json_object_open(json);
	json_key_instant(json, "as_of", at);
	json_key_i64(json, "sequence", trial->count ? trial->lines->sequence : 0);
	json_key(json, "currencies");
	json_array_open(json);
	for (size_t from = 0, to; from < trial->count; from = to) {
		for (to = from; to < trial->count && trial->lines[to].currency == trial->lines[from].currency;)
			to++;
		TRY(write_trial_currency(json, trial->lines + from, to - from));
	}
	json_array_close(json);
	json_object_close(json);
	return STATUS_OK;
}

enum status ledger_trial_balance_get(void *self, struct http_request *request, struct http_response *response)
{
	struct trial trial = { .arena = request->arena };
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	TRY(ledger_http_currency(request, &trial.currency));
	TRY(ledger_service_read(self, read_trial, &trial));
	TRY(write_trial(&json, &trial, clock_now()));
	http_response_json(response, 200, &out);
	return STATUS_OK;
}
