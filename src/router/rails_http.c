#include "router/router_http.h"

#include "base/clock.h"
#include "router/payment_json.h"
#include "router/router_internal.h"

/* A quote asks as an order does; what an order says beyond it is not looked at, but must be absent. */
enum status quotes_post(void *arg, struct http_request *request, struct http_response *response)
{
	const struct router_service *service = arg;
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	struct payment_order order;
	TRY(quote_order_read(request->body, request->arena, &order, request->problem));
	const struct route_question question = {
		.amount = order.amount,
		.payee = order.payee.kind,
		.at = clock_now(),
		.deadline_at = order.deadline_at,
		.available = service->rails_available,
		.consented = RAILS_ALL,
		.requested = RAILS_ALL,
	};
	struct route_choice choice = route_choose(&question);
	write_quotes(&json, order.amount, &choice);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

enum status rails_get(void *arg, struct http_request *request, struct http_response *response)
{
	const struct router_service *service = arg;
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key(&json, "data");
	json_array_open(&json);
	for (unsigned rail = 0; rail < RAIL_COUNT; rail++)
		write_rail(&json, (enum rail)rail, service->rails_available & 1u << rail);
	json_array_close(&json);
	json_object_close(&json);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

struct notification {
	struct slice type, network_reference, code;
	struct uuid attempt;
	const struct json *at;
};

static const struct json_field notification_fields[] = {
	{ .name = "type", .kind = JSON_AS_TEXT, .is_required = true, .offset = offsetof(struct notification, type) },
	{ .name = "attempt_id",
	        .kind = JSON_AS_ID,
	        .is_required = true,
	        .offset = offsetof(struct notification, attempt),
	        .prefix = ID_PREFIX_attempt },
	{ .name = "network_reference",
	        .kind = JSON_AS_TEXT,
	        .offset = offsetof(struct notification, network_reference) },
	{ .name = "code", .kind = JSON_AS_TEXT, .offset = offsetof(struct notification, code), .max = 32 },
	{ .name = "at", .kind = JSON_AS_VALUE, .offset = offsetof(struct notification, at) },
};

static const struct {
	const char *type;
	enum rail_answer answer;
} notification_types[] = {
	{ "payment.accepted", ANSWER_ACCEPTED },
	{ "payment.settled", ANSWER_SETTLED },
	{ "payment.declined", ANSWER_DECLINED },
	{ "payment.returned", ANSWER_RETURNED },
};

static enum status check_signature(const struct router_service *service, const struct http_request *request)
{
	const struct webhook_message message = {
		.id = http_request_header(request, "webhook-id"),
		.timestamp = http_request_header(request, "webhook-timestamp"),
		.signatures = http_request_header(request, "webhook-signature"),
		.body = request->body,
	};
	if (!service->has_rails_secret)
		return ERR_SIGNATURE_INVALID;
	return webhook_verify(&service->rails_secret, &message, clock_now() / MICROSECONDS_PER_SECOND);
}

enum status rail_notifications_post(void *arg, struct http_request *request, struct http_response *response)
{
	struct notification notification = { .network_reference = SLICE_EMPTY, .code = SLICE_EMPTY };
	TRY(check_signature(arg, request));
	TRY(json_read(request->body, notification_fields, sizeof notification_fields / sizeof *notification_fields,
	        &notification, request->arena, request->problem));
	for (size_t i = 0; i < sizeof notification_types / sizeof *notification_types; i++) {
		if (!slice_is(notification.type, notification_types[i].type))
			continue;
		const struct rail_report report = { notification_types[i].answer, notification.network_reference,
			notification.code };
		TRY(attempt_report(arg, (struct attempt_id) { notification.attempt }, &report));
		response->status = 204;
		return STATUS_OK;
	}
	return problem_set(request->problem, ERR_INVALID_FIELD, "type", "There is no such notification.");
}
