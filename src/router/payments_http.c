#include "router/router_http.h"

#include "audit/audit_api.h"
#include "base/clock.h"
#include "router/payment_json.h"
#include "router/router_internal.h"

#include <stdio.h>

/* --- Who may see what ------------------------------------------------------------------------------------------- */

static enum status find_payment(
        struct router_service *service, struct http_request *request, struct payment *ret_payment)
{
	struct payment_id id;
	struct payment payment;
	if (!payment_id_parse(request->parameters[0], &id))
		return ERR_NOT_FOUND;
	TRY(router_read_payment(service, id, request->arena, &payment));
	if (principal_is_agent(request->principal) &&
	        !uuid_equal(principal_agent(request->principal).uuid, payment.agent.uuid))
		return ERR_NOT_FOUND;
	*ret_payment = payment;
	return STATUS_OK;
}

/* Everybody but the paying agent sees account numbers masked. */
static bool is_masked_for(const struct http_request *request)
{
	return !principal_is_agent(request->principal);
}

struct access {
	const struct http_request *request;
	struct payment_id id;
	int64_t at;
};

static enum status write_access(struct sql *sql, void *arg)
{
	const struct access *access = arg;
	bool is_list = uuid_is_nil(access->id.uuid);
	const struct audit_access stored = {
		.user = { access->request->principal->id },
		.resource = "payment",
		.action = is_list ? "list" : "view",
		.entity = access->id.uuid,
		.at = access->at,
	};
	return audit_access_store(sql, access->request->actor, &stored);
}

/* A person's look at payments is itself an event; an agent's look at its own is not. */
static enum status record_access(
        struct router_service *service, const struct http_request *request, struct payment_id id)
{
	struct access access = { request, id, clock_now() };
	if (principal_is_agent(request->principal))
		return STATUS_OK;
	return router_commit(service, write_access, &access);
}

static void name_payment(struct http_request *request, const struct payment *payment)
{
	char text[64];
	struct writer out = writer_fixed(text, sizeof text);
	write_payment_id(&out, payment->id);
	struct slice id = writer_slice(&out);
	snprintf(
	        request->problem->members, sizeof request->problem->members, "\"payment_id\":\"%.*s\"", SLICE_ARGS(id));
}

static enum status answer_payment(
        struct http_request *request, struct http_response *response, int http_status, const struct payment *payment)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	write_payment_object(&json, payment, is_masked_for(request));
	http_response_json(response, http_status, &out);
	return STATUS_OK;
}

/* A declined payment is answered as the problem that declined it. One that a person declined has no such code. */
static enum status answer_outcome(
        struct http_request *request, struct http_response *response, int http_status, const struct payment *payment)
{
	enum status refusal = status_from_code(payment->decline_code.data, payment->decline_code.size);
	if (payment->status != PAYMENT_DECLINED || refusal == ERR_INTERNAL)
		return answer_payment(request, response, http_status, payment);
	name_payment(request, payment);
	return refusal;
}

/* --- Handlers --------------------------------------------------------------------------------------------------- */

enum status payments_post(void *arg, struct http_request *request, struct http_response *response)
{
	struct payment_order order;
	struct payment payment;
	bool is_replay = false;
	TRY(payment_order_read(request->body, request->arena, &order, request->problem));
	order.id.uuid = request->operation_id;
	order.agent = principal_agent(request->principal);
	order.body_hash = sha256(request->body);
	TRY(payment_create(arg, request->actor, &order, request->arena, request->problem, &payment, &is_replay));
	if (is_replay)
		http_response_header(response, "Idempotent-Replayed", SLICE("true"));
	return answer_outcome(request, response, order.is_dry_run ? 200 : 201, &payment);
}

struct listing {
	struct page_writer writer;
	bool is_masked;
};

static bool list_payment(void *arg, const struct payment *payment)
{
	struct listing *listing = arg;
	if (!page_row(&listing->writer, payment->created_at, payment->id.uuid))
		return false;
	write_payment_object(&listing->writer.json, payment, listing->is_masked);
	return true;
}

/* An agent lists its own, whatever it asks for. */
static enum status read_agent_filter(const struct http_request *request, struct agent_id *ret_agent)
{
	struct slice text = http_request_query(request, "agent_id");
	if (text.size && !agent_id_parse(text, ret_agent))
		return problem_set(request->problem, ERR_INVALID_PARAMETER, "agent_id", "Expected agent-<uuid>.");
	if (principal_is_agent(request->principal))
		*ret_agent = principal_agent(request->principal);
	return STATUS_OK;
}

enum status payments_get(void *arg, struct http_request *request, struct http_response *response)
{
	struct router_service *service = arg;
	struct listing *listing = ARENA_NEW(request->arena, struct listing);
	struct agent_id agent = { { { 0 } } };
	struct page page;
	struct sql *sql;
	enum payment_status known;
	struct slice status = http_request_query(request, "status");
	TRY(page_read(request, &page));
	TRY(read_agent_filter(request, &agent));
	if (status.size && !payment_status_parse(status, &known))
		return problem_set(request->problem, ERR_INVALID_PARAMETER, "status", "There is no such state.");
	TRY(record_access(service, request, (struct payment_id) { { { 0 } } }));
	page_open(&listing->writer, &page, request->arena);
	listing->is_masked = is_masked_for(request);
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status listed = payments_list_each(sql, &page, agent, status, request->arena, list_payment, listing);
	sql_pool_give(service->engines->readers, sql);
	TRY(listed);
	page_close(&listing->writer, response);
	return STATUS_OK;
}

struct detail {
	struct attempt attempts[ATTEMPTS_MAX];
	size_t attempt_count;
	struct history_row history[HISTORY_ROWS_MAX];
	size_t history_count;
};

static enum status load_detail(struct sql *sql, struct payment_id id, struct arena *arena, struct detail *detail)
{
	TRY(attempts_load(sql, id, arena, detail->attempts, &detail->attempt_count));
	return history_load(sql, id, arena, detail->history, HISTORY_ROWS_MAX, &detail->history_count);
}

enum status payment_get_one(void *arg, struct http_request *request, struct http_response *response)
{
	struct router_service *service = arg;
	struct detail *detail = ARENA_NEW(request->arena, struct detail);
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	struct payment payment;
	struct sql *sql;
	TRY(find_payment(service, request, &payment));
	TRY(record_access(service, request, payment.id));
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status loaded = load_detail(sql, payment.id, request->arena, detail);
	sql_pool_give(service->engines->readers, sql);
	TRY(loaded);
	json_object_open(&json);
	write_payment_members(&json, &payment, is_masked_for(request));
	json_key(&json, "attempts");
	write_attempts(&json, detail->attempts, detail->attempt_count);
	json_key(&json, "history");
	write_history(&json, &payment, detail->history, detail->history_count);
	json_object_close(&json);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

enum status payment_post_cancel(void *arg, struct http_request *request, struct http_response *response)
{
	struct payment payment;
	TRY(json_read(request->body, NULL, 0, NULL, request->arena, request->problem));
	TRY(find_payment(arg, request, &payment));
	TRY(payment_cancel(arg, request->actor, payment.id, request->arena, &payment));
	return answer_payment(request, response, 200, &payment);
}

struct approval_fields {
	struct slice decision, reason;
};

static const struct json_field approval_fields[] = {
	{ .name = "decision",
	        .kind = JSON_AS_TEXT,
	        .is_required = true,
	        .offset = offsetof(struct approval_fields, decision) },
	{ .name = "reason", .kind = JSON_AS_TEXT, .offset = offsetof(struct approval_fields, reason) },
};

enum status payment_post_approve(void *arg, struct http_request *request, struct http_response *response)
{
	struct approval_fields fields = { .reason = SLICE_EMPTY };
	struct payment payment;
	TRY(json_read(request->body, approval_fields, 2, &fields, request->arena, request->problem));
	TRY(find_payment(arg, request, &payment));
	if (slice_is(fields.decision, "decline")) {
		TRY(payment_disapprove(arg, request->actor, payment.id, fields.reason, request->arena, &payment));
		return answer_payment(request, response, 200, &payment);
	}
	if (!slice_is(fields.decision, "approve"))
		return problem_set(request->problem, ERR_INVALID_FIELD, "decision", "Expected approve or decline.");
	TRY(payment_approve(
	        arg, request->actor, payment.id, fields.reason, request->arena, request->problem, &payment));
	return answer_outcome(request, response, 200, &payment);
}

struct refund_fields {
	struct slice amount, reason;
};

static const struct json_field refund_fields[] = {
	{ .name = "amount", .kind = JSON_AS_DECIMAL, .offset = offsetof(struct refund_fields, amount) },
	{ .name = "reason", .kind = JSON_AS_TEXT, .offset = offsetof(struct refund_fields, reason) },
};

enum status payment_post_refund(void *arg, struct http_request *request, struct http_response *response)
{
	struct refund_fields fields = { .amount = SLICE_EMPTY, .reason = SLICE_EMPTY };
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	struct payment payment;
	struct refund refund;
	TRY(json_read(request->body, refund_fields, 2, &fields, request->arena, request->problem));
	TRY(find_payment(arg, request, &payment));
	struct money amount = { 0, payment.amount.currency };
	if (fields.amount.size) {
		enum status status = money_parse(fields.amount, amount.currency, &amount);
		if (status == STATUS_OK && amount.minor_units == 0)
			status = ERR_INVALID_AMOUNT;
		if (status != STATUS_OK)
			return problem_set(request->problem, status, "amount", "%s", status_sentence(status));
	}
	TRY(payment_refund(arg, request->actor, payment.id, (struct refund_id) { request->operation_id },
	        amount.minor_units, fields.reason, request->arena, &payment, &refund));
	write_refund(&json, &refund, payment.amount.currency);
	http_response_json(response, 201, &out);
	return STATUS_OK;
}
