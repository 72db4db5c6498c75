#include "notify/notify_http.h"

#include "identity/identity_api.h"

static struct notify_request request_of(const struct http_request *request)
{
	return (struct notify_request) { request->actor, request->arena, request->problem };
}

/* The members without the braces; the secret only where it was just made. */
static void write_webhook_members(struct json_writer *json, const struct webhook *webhook)
{
	json_key_id(json, "id", ID_PREFIX_webhook, webhook->id.uuid);
	json_key_text(json, "url", webhook->url);
	json_key_raw(json, "event_types", webhook->event_types);
	json_key_text(json, "status", slice_from(webhook->is_enabled ? "enabled" : "disabled"));
	json_key_text_or_null(json, "disabled_reason", webhook->disabled_reason);
	json_key_instant(json, "created_at", webhook->created_at);
}

static void write_delivery(struct json_writer *json, const struct delivery *delivery)
{
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_delivery, delivery->id.uuid);
	json_key_id(json, "webhook_id", ID_PREFIX_webhook, delivery->webhook.uuid);
	json_key_id(json, "event_id", ID_PREFIX_event, delivery->event.uuid);
	json_key_text(json, "event_type", delivery->event_type);
	json_key_text(json, "status", slice_from(delivery_status_name(delivery->status)));
	json_key_i64(json, "attempts", delivery->attempts);
	json_key_instant(json, "next_attempt_at", delivery->next_attempt_at);
	if (delivery->last_status)
		json_key_i64(json, "last_status", delivery->last_status);
	else
		json_key_raw(json, "last_status", SLICE("null"));
	json_key_text_or_null(json, "last_error", delivery->last_error);
	json_key_instant(json, "created_at", delivery->created_at);
	json_key_instant(json, "delivered_at", delivery->delivered_at);
	json_object_close(json);
}

static void answer_webhook(const struct http_request *request, const struct webhook *webhook, struct slice secret,
        int status, struct http_response *response)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	write_webhook_members(&json, webhook);
	if (secret.size)
		json_key_text(&json, "secret", secret);
	json_object_close(&json);
	response->status = status;
	response->body = writer_slice(&out);
}

static enum status read_webhook_id(const struct http_request *request, struct webhook_id *ret_id)
{
	if (webhook_id_parse(request->parameters[0], ret_id))
		return STATUS_OK;
	return problem_set(request->problem, ERR_INVALID_ID, "id", "Not a webhook's identifier.");
}

struct create_body {
	struct slice url;
	struct slice_list event_types;
};

static const struct json_field create_fields[] = {
	{ "url", JSON_AS_TEXT, true, offsetof(struct create_body, url), .max = 2048 },
	{ "event_types", JSON_AS_TEXT_LIST, true, offsetof(struct create_body, event_types),
	        .max = WEBHOOK_PATTERNS_MAX },
};

static enum status post_webhook(void *self, struct http_request *request, struct http_response *response)
{
	struct create_body body = { 0 };
	struct notify_request asked = request_of(request);
	struct webhook webhook;
	struct slice secret;
	TRY(json_read(request->body, create_fields, sizeof create_fields / sizeof *create_fields, &body, request->arena,
	        request->problem));
	TRY(notify_service_create(self, &asked, request->operation_id, body.url, &body.event_types, &webhook, &secret));
	answer_webhook(request, &webhook, secret, 201, response);
	return STATUS_OK;
}

static void take_webhook(void *arg, const struct webhook *webhook)
{
	struct page_writer *page = arg;
	if (!page_row(page, webhook->created_at, webhook->id.uuid))
		return;
	json_object_open(&page->json);
	write_webhook_members(&page->json, webhook);
	json_object_close(&page->json);
}

static enum status get_webhooks(void *self, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	TRY(page_read(request, &page));
	page_open(&writer, &page, request->arena);
	TRY(notify_service_list(self, &page, take_webhook, &writer));
	page_close(&writer, response);
	return STATUS_OK;
}

static enum status get_webhook(void *self, struct http_request *request, struct http_response *response)
{
	struct notify_request asked = request_of(request);
	struct webhook_id id;
	struct webhook webhook;
	TRY(read_webhook_id(request, &id));
	TRY(notify_service_get(self, &asked, id, &webhook));
	answer_webhook(request, &webhook, SLICE_EMPTY, 200, response);
	return STATUS_OK;
}

static enum status post_rotate(void *self, struct http_request *request, struct http_response *response)
{
	struct notify_request asked = request_of(request);
	struct webhook_id id;
	struct webhook webhook;
	struct slice secret;
	TRY(read_webhook_id(request, &id));
	TRY(json_read(request->body, NULL, 0, NULL, request->arena, request->problem));
	TRY(notify_service_rotate(self, &asked, id, request->operation_id, &webhook, &secret));
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "secret", secret);
	json_key_instant(&json, "previous_valid_until", webhook.previous_valid_until);
	json_object_close(&json);
	response->body = writer_slice(&out);
	return STATUS_OK;
}

static enum status set_enabled(
        void *self, struct http_request *request, struct http_response *response, bool is_enabled)
{
	struct notify_request asked = request_of(request);
	struct webhook_id id;
	struct webhook webhook;
	TRY(read_webhook_id(request, &id));
	TRY(json_read(request->body, NULL, 0, NULL, request->arena, request->problem));
	TRY(notify_service_enable(self, &asked, id, is_enabled, &webhook));
	answer_webhook(request, &webhook, SLICE_EMPTY, 200, response);
	return STATUS_OK;
}

static enum status post_disable(void *self, struct http_request *request, struct http_response *response)
{
	return set_enabled(self, request, response, false);
}

static enum status post_enable(void *self, struct http_request *request, struct http_response *response)
{
	return set_enabled(self, request, response, true);
}

static enum status delete_webhook(void *self, struct http_request *request, struct http_response *response)
{
	struct notify_request asked = request_of(request);
	struct webhook_id id;
	TRY(read_webhook_id(request, &id));
	TRY(notify_service_delete(self, &asked, id));
	response->status = 204;
	return STATUS_OK;
}

static void take_delivery(void *arg, const struct delivery *delivery)
{
	struct page_writer *page = arg;
	if (page_row(page, delivery->created_at, delivery->id.uuid))
		write_delivery(&page->json, delivery);
}

static enum status get_deliveries(void *self, struct http_request *request, struct http_response *response)
{
	struct notify_request asked = request_of(request);
	struct webhook_id id;
	struct page page;
	struct page_writer writer;
	TRY(read_webhook_id(request, &id));
	TRY(page_read(request, &page));
	page_open(&writer, &page, request->arena);
	TRY(notify_service_deliveries(self, &asked, id, &page, take_delivery, &writer));
	page_close(&writer, response);
	return STATUS_OK;
}

static enum status post_replay(void *self, struct http_request *request, struct http_response *response)
{
	struct notify_request asked = request_of(request);
	struct delivery_id id;
	struct delivery delivery;
	if (!delivery_id_parse(request->parameters[0], &id))
		return problem_set(request->problem, ERR_INVALID_ID, "id", "Not a delivery's identifier.");
	TRY(json_read(request->body, NULL, 0, NULL, request->arena, request->problem));
	TRY(notify_service_replay(self, &asked, id, &delivery));
	struct writer out = writer_growing(request->arena);
	write_delivery(&(struct json_writer) { .out = &out }, &delivery);
	response->body = writer_slice(&out);
	return STATUS_OK;
}

static const struct http_route routes[] = {
	{ HTTP_POST, "/v1/webhooks", post_webhook, PERMISSION_WEBHOOK_MANAGE, 0 },
	{ HTTP_GET, "/v1/webhooks", get_webhooks, PERMISSION_WEBHOOK_MANAGE, 0 },
	{ HTTP_GET, "/v1/webhooks/{id}", get_webhook, PERMISSION_WEBHOOK_MANAGE, 0 },
	{ HTTP_DELETE, "/v1/webhooks/{id}", delete_webhook, PERMISSION_WEBHOOK_MANAGE, 0 },
	{ HTTP_POST, "/v1/webhooks/{id}/rotate-secret", post_rotate, PERMISSION_WEBHOOK_MANAGE, 0 },
	{ HTTP_POST, "/v1/webhooks/{id}/disable", post_disable, PERMISSION_WEBHOOK_MANAGE, 0 },
	{ HTTP_POST, "/v1/webhooks/{id}/enable", post_enable, PERMISSION_WEBHOOK_MANAGE, 0 },
	{ HTTP_GET, "/v1/webhooks/{id}/deliveries", get_deliveries, PERMISSION_WEBHOOK_MANAGE, 0 },
	{ HTTP_POST, "/v1/webhooks/deliveries/{id}/replay", post_replay, PERMISSION_WEBHOOK_MANAGE, 0 },
};

struct http_routes notify_http_routes(struct notify_service *service)
{
	return (struct http_routes) { "notify", routes, sizeof routes / sizeof *routes, service };
}
