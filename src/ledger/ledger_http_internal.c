/* The functions of ledger_api.h for other processes. */
#include "ledger/ledger_http.h"
#include "ledger/ledger_json.h"

struct get_body {
	struct account_id account;
};

static const struct json_field get_fields[] = {
	{ "account_id", JSON_AS_ID, true, offsetof(struct get_body, account), .prefix = ID_PREFIX_account },
};

struct of_agent_body {
	struct agent_id agent;
	struct slice currency;
};

static const struct json_field of_agent_fields[] = {
	{ "agent_id", JSON_AS_ID, true, offsetof(struct of_agent_body, agent), .prefix = ID_PREFIX_agent },
	{ "currency", JSON_AS_TEXT, true, offsetof(struct of_agent_body, currency) },
};

enum status ledger_internal_post(void *self, struct http_request *request, struct http_response *response)
{
	struct ledger_api api = ledger_service_api(self);
	struct ledger_group group;
	struct ledger_refusal refusal = { 0 };
	struct writer out = writer_growing(request->arena);
	char param[32];
	struct writer name = writer_fixed(param, sizeof param - 1);
	TRY(ledger_json_read_group(request->body, request->arena, &group, request->problem));
	enum status status = api.post(api.self, request->actor, &group, NULL, &refusal);
	if (status != STATUS_OK) {
		writef(&name, "transfers[%zu]", refusal.index);
		param[name.size] = 0;
		return problem_set(request->problem, status, param, "%s", status_sentence(status));
	}
	write_text(&out, "{}");
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

enum status ledger_internal_account_get(void *self, struct http_request *request, struct http_response *response)
{
	struct ledger_api api = ledger_service_api(self);
	struct get_body body = { 0 };
	struct ledger_account account;
	struct writer out = writer_growing(request->arena);
	TRY(json_read(request->body, get_fields, sizeof get_fields / sizeof *get_fields, &body, request->arena,
	        request->problem));
	TRY(api.account_get(api.self, body.account, request->arena, &account));
	ledger_json_account(&out, &account);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

enum status ledger_internal_account_of_agent(void *self, struct http_request *request, struct http_response *response)
{
	struct ledger_api api = ledger_service_api(self);
	struct of_agent_body body = { 0 };
	enum currency currency;
	struct account_id account;
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	TRY(json_read(request->body, of_agent_fields, sizeof of_agent_fields / sizeof *of_agent_fields, &body,
	        request->arena, request->problem));
	TRY(currency_parse(body.currency, &currency));
	TRY(api.account_of_agent(api.self, body.agent, currency, &account));
	json_object_open(&json);
	json_key_id(&json, "account_id", ID_PREFIX_account, account.uuid);
	json_object_close(&json);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}
