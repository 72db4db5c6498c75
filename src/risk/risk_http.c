#include "risk/risk_http.h"

#include "base/clock.h"
#include "identity/identity_api.h"
#include "risk/risk_json.h"

static void write_alert(struct json_writer *json, const struct risk_alert *alert)
{
	char amount[32];
	struct writer out = writer_fixed(amount, sizeof amount);
	write_money(&out, alert->amount);
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_alert, alert->id.uuid);
	json_key_id(json, "payment_id", ID_PREFIX_payment, alert->payment.uuid);
	json_key_id(json, "agent_id", ID_PREFIX_agent, alert->agent.uuid);
	json_key_i64(json, "risk_score", alert->score);
	json_key_text(json, "alert_type", alert->type);
	json_key_i64(json, "threshold", alert->threshold);
	json_key_text(json, "decision", alert->decision);
	json_key_raw(json, "reasons", alert->reasons);
	json_key_raw(json, "amount", writer_slice(&out));
	json_key_text(json, "currency", slice_from(currency_code(alert->amount.currency)));
	json_key_text(json, "status", alert->status);
	json_key_instant(json, "created_at", alert->created_at);
	json_object_close(json);
}

static void take_alert(void *arg, const struct risk_alert *alert)
{
	struct page_writer *page = arg;
	if (page_row(page, alert->created_at, alert->id.uuid))
		write_alert(&page->json, alert);
}

static enum status read_filter(const struct http_request *request, struct risk_alert_filter *ret_filter)
{
	struct slice payment = http_request_query(request, "payment_id");
	struct slice agent = http_request_query(request, "agent_id");
	if (payment.size && !payment_id_parse(payment, &ret_filter->payment))
		return problem_set(
		        request->problem, ERR_INVALID_PARAMETER, "payment_id", "Not a payment's identifier.");
	if (agent.size && !agent_id_parse(agent, &ret_filter->agent))
		return problem_set(request->problem, ERR_INVALID_PARAMETER, "agent_id", "Not an agent's identifier.");
	return STATUS_OK;
}

static enum status get_alerts(void *self, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	struct risk_alert_filter filter = { 0 };
	TRY(page_read(request, &page));
	TRY(read_filter(request, &filter));
	page_open(&writer, &page, request->arena);
	TRY(risk_service_alerts(self, request->actor, request->principal->id, &filter, &page, take_alert, &writer));
	page_close(&writer, response);
	return STATUS_OK;
}

struct assess_body {
	struct risk_question question;
	struct slice currency;
};

static const struct json_field assess_fields[] = {
	{ "payment_id", JSON_AS_ID, true, offsetof(struct assess_body, question.payment), .prefix = ID_PREFIX_payment },
	{ "agent_id", JSON_AS_ID, true, offsetof(struct assess_body, question.agent), .prefix = ID_PREFIX_agent },
	{ "amount", JSON_AS_INTEGER, true, offsetof(struct assess_body, question.amount.minor_units) },
	{ "currency", JSON_AS_TEXT, true, offsetof(struct assess_body, currency) },
	{ "payee", JSON_AS_TEXT, true, offsetof(struct assess_body, question.payee) },
	{ "ip_address", JSON_AS_TEXT, false, offsetof(struct assess_body, question.ip_address) },
	{ "at", JSON_AS_INTEGER, true, offsetof(struct assess_body, question.at) },
};

static enum status post_assess(void *self, struct http_request *request, struct http_response *response)
{
	struct assess_body body = { 0 };
	struct risk_verdict verdict;
	TRY(json_read(request->body, assess_fields, sizeof assess_fields / sizeof *assess_fields, &body, request->arena,
	        request->problem));
	TRY(currency_parse(body.currency, &body.question.amount.currency));
	if (body.question.amount.minor_units < 0)
		return problem_set(request->problem, ERR_INVALID_FIELD, "amount", "An amount is never negative.");
	struct risk_api risk = risk_service_api(self);
	TRY(risk.assess(risk.self, request->actor ? request->actor : &actor_system, &body.question, &verdict));
	struct writer out = writer_growing(request->arena);
	risk_verdict_write(&(struct json_writer) { .out = &out }, &verdict);
	response->body = writer_slice(&out);
	return STATUS_OK;
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/v1/risk/alerts", get_alerts, PERMISSION_ALERT_VIEW, 0 },
	{ HTTP_POST, RISK_ASSESS_PATH, post_assess, PERMISSION_PUBLIC, HTTP_ROUTE_INTERNAL | HTTP_ROUTE_NO_KEY },
};

struct http_routes risk_http_routes(struct risk_service *service)
{
	return (struct http_routes) { "risk", routes, sizeof routes / sizeof *routes, service };
}
