#include "sandbox/sandbox_http.h"

#include "money/ids.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void write_payment(struct json_writer *json, const struct sandbox_payment *payment)
{
	json_object_open(json);
	json_key_id(json, "attempt_id", ID_PREFIX_attempt, payment->attempt);
	json_key_text(json, "rail", payment->rail);
	json_key_text(json, "status", payment->status);
	json_key_text_or_null(json, "code", payment->code);
	json_key_text(json, "amount", payment->amount);
	json_key_text(json, "currency", payment->currency);
	json_key_text(json, "network_reference", payment->network_reference);
	json_key_instant(json, "settles_at", payment->settles_at);
	json_key_i64(json, "times_taken", payment->times_taken);
	json_object_close(json);
}

static void answer_payment(
        struct http_request *request, struct http_response *response, int http, const struct sandbox_payment *payment)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	write_payment(&json, payment);
	http_response_json(response, http, &out);
}

static enum status read_attempt(const struct http_request *request, struct slice text, struct uuid *ret_attempt)
{
	struct attempt_id attempt;
	if (!attempt_id_parse(text, &attempt))
		return problem_set(request->problem, ERR_INVALID_ID, "attempt_id", "Expected att-<uuid>.");
	*ret_attempt = attempt.uuid;
	return STATUS_OK;
}

struct order_body {
	struct uuid attempt;
	struct slice amount, currency, reference, notify_url;
	const struct json *payee;
};

static const struct json_field order_fields[] = {
	{ .name = "attempt_id",
	        .kind = JSON_AS_ID,
	        .prefix = "att",
	        .is_required = true,
	        .offset = offsetof(struct order_body, attempt) },
	{ .name = "amount",
	        .kind = JSON_AS_DECIMAL,
	        .is_required = true,
	        .offset = offsetof(struct order_body, amount) },
	{ .name = "currency",
	        .kind = JSON_AS_TEXT,
	        .is_required = true,
	        .offset = offsetof(struct order_body, currency) },
	{ .name = "payee", .kind = JSON_AS_VALUE, .is_required = true, .offset = offsetof(struct order_body, payee) },
	{ .name = "reference", .kind = JSON_AS_TEXT, .offset = offsetof(struct order_body, reference) },
	{ .name = "notify_url", .kind = JSON_AS_TEXT, .max = 1024, .offset = offsetof(struct order_body, notify_url) },
};

static enum status handle_pay(void *service, struct http_request *request, struct http_response *response)
{
	struct order_body body = { .reference = SLICE_EMPTY, .notify_url = SLICE_EMPTY };
	struct sandbox_order order;
	struct sandbox_payment payment;
	struct money amount = { 0 };
	enum currency currency = CURRENCY_NONE;
	int http = 200;
	TRY(json_read(request->body, order_fields, COUNT(order_fields), &body, request->arena, request->problem));
	TRY(currency_parse(body.currency, &currency));
	TRY(money_parse(body.amount, currency, &amount));
	order = (struct sandbox_order) { .attempt = body.attempt,
		.rail = request->parameters[0],
		.amount = amount,
		.amount_text = body.amount,
		.payee = body.payee->raw,
		.reference = body.reference,
		.notify_url = body.notify_url };
	TRY(sandbox_pay(service, &order, request->arena, &http, &payment));
	if (http != 200) {
		response->status = http;
		response->body = SLICE("{\"error\":\"scripted\"}");
		return STATUS_OK;
	}
	answer_payment(request, response, 200, &payment);
	return STATUS_OK;
}

static enum status handle_find(void *service, struct http_request *request, struct http_response *response)
{
	struct uuid attempt;
	struct sandbox_payment payment;
	TRY(read_attempt(request, request->parameters[1], &attempt));
	TRY(sandbox_find(service, attempt, request->arena, &payment));
	answer_payment(request, response, 200, &payment);
	return STATUS_OK;
}

struct refund_body {
	struct slice refund_id, amount;
};

static const struct json_field refund_fields[] = {
	{ .name = "refund_id",
	        .kind = JSON_AS_TEXT,
	        .is_required = true,
	        .offset = offsetof(struct refund_body, refund_id) },
	{ .name = "amount",
	        .kind = JSON_AS_DECIMAL,
	        .is_required = true,
	        .offset = offsetof(struct refund_body, amount) },
};

static enum status handle_refund(void *service, struct http_request *request, struct http_response *response)
{
	struct refund_body body;
	struct uuid attempt;
	TRY(read_attempt(request, request->parameters[1], &attempt));
	TRY(json_read(request->body, refund_fields, COUNT(refund_fields), &body, request->arena, request->problem));
	TRY(sandbox_refund(service, attempt, body.refund_id, body.amount));
	response->body = SLICE("{\"status\":\"settled\"}");
	return STATUS_OK;
}

struct rule_body {
	struct slice what;
	int64_t times;
	const struct json *match;
};

static const struct json_field rule_fields[] = {
	{ .name = "do", .kind = JSON_AS_TEXT, .is_required = true, .offset = offsetof(struct rule_body, what) },
	{ .name = "times", .kind = JSON_AS_INTEGER, .offset = offsetof(struct rule_body, times) },
	{ .name = "match", .kind = JSON_AS_VALUE, .offset = offsetof(struct rule_body, match) },
};

struct match_body {
	struct slice payee_contains;
	int64_t amount_min_minor, amount_max_minor;
};

static const struct json_field match_fields[] = {
	{ .name = "payee_contains",
	        .kind = JSON_AS_TEXT,
	        .max = 63,
	        .offset = offsetof(struct match_body, payee_contains) },
	{ .name = "amount_min_minor",
	        .kind = JSON_AS_INTEGER,
	        .offset = offsetof(struct match_body, amount_min_minor) },
	{ .name = "amount_max_minor",
	        .kind = JSON_AS_INTEGER,
	        .offset = offsetof(struct match_body, amount_max_minor) },
};

static enum status read_rule(
        const struct json *json, struct slice rail, struct http_request *request, struct sandbox_rule *rule)
{
	struct rule_body body = { .times = -1 };
	struct match_body match = { .payee_contains = SLICE_EMPTY };
	TRY(json_bind(json, rule_fields, COUNT(rule_fields), &body, request->arena, request->problem));
	if (body.match)
		TRY(json_bind(body.match, match_fields, COUNT(match_fields), &match, request->arena, request->problem));
	*rule = (struct sandbox_rule) { .amount_min_minor = match.amount_min_minor,
		.amount_max_minor = match.amount_max_minor,
		.times_left = body.times };
	memcpy(rule->rail, rail.data, rail.size);
	memcpy(rule->payee_contains, match.payee_contains.data, match.payee_contains.size);
	if (sandbox_parse_words(body.what, &rule->behaviour) != STATUS_OK)
		return problem_set(request->problem, ERR_INVALID_FIELD, "do",
		        "Expected words such as decline=R03 or timeout_after.");
	return STATUS_OK;
}

struct script_body {
	struct slice rail;
	const struct json *rules;
};

static const struct json_field script_fields[] = {
	{ .name = "rail", .kind = JSON_AS_TEXT, .max = 15, .offset = offsetof(struct script_body, rail) },
	{ .name = "rules", .kind = JSON_AS_VALUE, .is_required = true, .offset = offsetof(struct script_body, rules) },
};

/* {"rail":"ach","rules":[{"match":{"payee_contains":"Acme"},"do":"decline=R01","times":2}]}; no rules clear the script.
 */
static enum status handle_script(void *service, struct http_request *request, struct http_response *response)
{
	struct script_body body = { .rail = SLICE_EMPTY };
	struct sandbox_rule rules[SANDBOX_RULES_MAX];
	size_t count = 0;
	TRY(json_read(request->body, script_fields, COUNT(script_fields), &body, request->arena, request->problem));
	if (body.rules->type != JSON_ARRAY || body.rules->count > SANDBOX_RULES_MAX)
		return problem_set(
		        request->problem, ERR_INVALID_FIELD, "rules", "Expected at most %d rules.", SANDBOX_RULES_MAX);
	for (const struct json *rule = body.rules->first; rule; rule = rule->next)
		TRY(read_rule(rule, body.rail, request, &rules[count++]));
	TRY(sandbox_script(service, rules, count));
	response->status = 204;
	return STATUS_OK;
}

static enum status handle_state(void *service, struct http_request *request, struct http_response *response)
{
	struct sandbox_payment *payments;
	size_t count;
	int64_t refunds;
	TRY(sandbox_list(service, request->arena, &payments, &count, &refunds));
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_i64(&json, "refunds", refunds);
	json_key(&json, "payments");
	json_array_open(&json);
	for (size_t i = 0; i < count; i++)
		write_payment(&json, &payments[i]);
	json_array_close(&json);
	json_object_close(&json);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

struct http_routes sandbox_http_routes(struct sandbox_service *service)
{
	static const struct http_route routes[] = {
		{ HTTP_POST, "/v1/{rail}/payments", handle_pay, 0, HTTP_ROUTE_NO_KEY },
		{ HTTP_GET, "/v1/{rail}/payments/{attempt_id}", handle_find, 0, 0 },
		{ HTTP_POST, "/v1/{rail}/payments/{attempt_id}/refund", handle_refund, 0, HTTP_ROUTE_NO_KEY },
		{ HTTP_POST, "/v1/script", handle_script, 0, HTTP_ROUTE_NO_KEY },
		{ HTTP_GET, "/v1/state", handle_state, 0, 0 },
	};
	return (struct http_routes) { .service = "sandbox", .rows = routes, .count = COUNT(routes), .self = service };
}
