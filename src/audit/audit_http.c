#include "audit/audit_http.h"

#include "base/clock.h"
#include "identity/identity_api.h"

/* Which prefix the identifiers of an entity wear outside. */
static const struct {
	const char *entity;
	const char *prefix;
} prefixes[] = {
	{ "payment", ID_PREFIX_payment },
	{ "agent", ID_PREFIX_agent },
	{ "user", ID_PREFIX_user },
	{ "consent", ID_PREFIX_consent },
	{ "account", ID_PREFIX_account },
	{ "transaction", ID_PREFIX_transfer },
	{ "transfer", ID_PREFIX_transfer },
	{ "attempt", ID_PREFIX_attempt },
	{ "refund", ID_PREFIX_refund },
	{ "alert", ID_PREFIX_alert },
	{ "webhook", ID_PREFIX_webhook },
	{ "delivery", ID_PREFIX_delivery },
	{ "session", ID_PREFIX_session },
};

enum { PREFIX_COUNT = sizeof prefixes / sizeof *prefixes };

static void write_entity_id(struct json_writer *json, struct slice entity, struct uuid id)
{
	for (size_t i = 0; i < PREFIX_COUNT; i++)
		if (slice_is(entity, prefixes[i].entity)) {
			json_key_id(json, "entity_id", prefixes[i].prefix, id);
			return;
		}
	char text[UUID_TEXT_SIZE];
	struct writer out = writer_fixed(text, sizeof text);
	write_uuid(&out, id);
	json_key_text_or_null(json, "entity_id", uuid_is_nil(id) ? SLICE_EMPTY : writer_slice(&out));
}

static void write_hash(struct json_writer *json, const char *name, const struct sha256 *hash)
{
	char text[2 * SHA256_SIZE];
	struct writer out = writer_fixed(text, sizeof text);
	write_hex(&out, hash->bytes, sizeof hash->bytes);
	json_key_text(json, name, writer_slice(&out));
}

/* Stored JSON as it is, or null; as a text when it is no JSON, which only somebody else can have put there. */
static void write_stored(struct json_writer *json, const char *name, struct slice stored)
{
	struct arena arena = { 0 };
	const struct json *parsed;
	if (!stored.size)
		json_key_raw(json, name, SLICE("null"));
	else if (json_parse(stored, &arena, &parsed, NULL) == STATUS_OK)
		json_key_raw(json, name, stored);
	else
		json_key_text(json, name, stored);
	arena_clean_up(&arena);
}

static void write_record(struct json_writer *json, const struct audit_record *record)
{
	json_object_open(json);
	json_key_i64(json, "sequence", record->sequence);
	json_key_id(json, "id", ID_PREFIX_event, record->id);
	json_key_text(json, "event_type", record->event_type);
	json_key_text_or_null(json, "entity_type", record->entity_type);
	write_entity_id(json, record->entity_type, record->entity_id);
	json_key_id(json, "user_id", ID_PREFIX_user, record->user_id);
	json_key_text(json, "actor", record->actor);
	json_key_text_or_null(json, "action", record->action);
	write_stored(json, "old_values", record->old_values);
	write_stored(json, "new_values", record->new_values);
	json_key_text_or_null(json, "ip_address", record->ip_address);
	json_key_text_or_null(json, "user_agent", record->user_agent);
	json_key_text_or_null(json, "trace_id", record->trace_id);
	write_stored(json, "body", record->body);
	json_key_instant(json, "created_at", record->created_at);
	write_hash(json, "hash", &record->hash);
	write_hash(json, "previous_hash", &record->previous_hash);
	json_object_close(json);
}

static bool take_record(void *arg, const struct audit_record *record)
{
	struct page_writer *page = arg;
	if (page_row(page, record->created_at, record->id))
		write_record(&page->json, record);
	return true;
}

static enum status read_entity_id(struct http_request *request, struct uuid *ret_id)
{
	struct slice text = http_request_query(request, "entity_id");
	if (!text.size || uuid_parse(text, ret_id))
		return STATUS_OK;
	for (size_t i = 0; i < PREFIX_COUNT; i++)
		if (id_parse(text, prefixes[i].prefix, ret_id))
			return STATUS_OK;
	return problem_set(request->problem, ERR_INVALID_PARAMETER, "entity_id", "Not an identifier.");
}

static enum status read_instant(struct http_request *request, const char *name, int64_t *ret_at)
{
	struct slice text = http_request_query(request, name);
	if (!text.size || instant_parse(text, ret_at) || date_parse(text, ret_at))
		return STATUS_OK;
	return problem_set(request->problem, ERR_INVALID_PARAMETER, name, "Not an RFC 3339 date or date-time.");
}

/* `to` is the other end of the page: what is older than it and than the cursor. */
static enum status read_filter(struct http_request *request, struct audit_filter *ret_filter, struct page *page)
{
	int64_t to_at = INT64_MAX;
	ret_filter->event_type = http_request_query(request, "event_type");
	ret_filter->entity_type = http_request_query(request, "entity_type");
	ret_filter->actor = http_request_query(request, "actor");
	TRY(read_entity_id(request, &ret_filter->entity_id));
	TRY(read_instant(request, "from", &ret_filter->from_at));
	TRY(read_instant(request, "to", &to_at));
	if (to_at < page->before_at) {
		page->before_at = to_at;
		page->before_id = (struct uuid) { 0 };
	}
	return STATUS_OK;
}

static enum status get_events(void *self, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	struct audit_filter filter = { 0 };
	TRY(page_read(request, &page));
	TRY(read_filter(request, &filter, &page));
	page_open(&writer, &page, request->arena);
	TRY(audit_service_list(self, request->actor, request->principal->id, &filter, &page, take_record, &writer));
	page_close(&writer, response);
	return STATUS_OK;
}

static void write_bad(struct json_writer *json, const struct audit_finding *finding)
{
	json_object_open(json);
	json_key_i64(json, "sequence", finding->sequence);
	json_key_text(json, "fault", slice_from(audit_fault_name(finding->fault)));
	json_key_text_or_null(json, "field", slice_from(finding->field));
	json_key_text(json, "detail", slice_from(finding->detail));
	json_object_close(json);
}

static enum status get_verify(void *self, struct http_request *request, struct http_response *response)
{
	struct audit_finding finding;
	TRY(audit_service_verify(self, request->actor, request->principal->id, &finding));
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_boolean(&json, "intact", finding.fault == AUDIT_INTACT);
	json_key_i64(&json, "records", finding.records);
	write_hash(&json, "head", &finding.head);
	json_key(&json, "first_bad");
	if (finding.fault == AUDIT_INTACT)
		json_null(&json);
	else
		write_bad(&json, &finding);
	json_object_close(&json);
	response->body = writer_slice(&out);
	return STATUS_OK;
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/v1/audit/events", get_events, PERMISSION_AUDIT_VIEW, 0 },
	{ HTTP_GET, "/v1/audit/verify", get_verify, PERMISSION_AUDIT_VIEW, 0 },
};

struct http_routes audit_http_routes(struct audit_service *service)
{
	return (struct http_routes) { "audit", routes, sizeof routes / sizeof *routes, service };
}
