#include "platform/http_response.h"

#include <assert.h>

#include "base/encoding.h"

void http_response_header(struct http_response *response, const char *name, struct slice value)
{
	for (size_t i = 0; i < value.size; i++)
		if (((unsigned char)value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f)
			return;
	assert(response->header_count < HTTP_RESPONSE_HEADERS_MAX);
	response->headers[response->header_count++] = (struct http_header) { name, value };
}

bool http_response_has_header(const struct http_response *response, const char *name)
{
	for (size_t i = 0; i < response->header_count; i++)
		if (slice_equal_ignore_case(slice_from(response->headers[i].name), slice_from(name)))
			return true;
	return false;
}

void http_response_json(struct http_response *response, int status, const struct writer *body)
{
	assert(!body->overflowed);
	response->status = status;
	response->content_type = "application/json";
	response->body = writer_slice(body);
}

/* The path as a URI reference: what was decoded is encoded again, slashes stay. */
static void write_instance(struct writer *out, struct slice path)
{
	struct slice part;
	for (size_t i = 0; slice_split(&path, '/', &part); i++) {
		if (i)
			write_char(out, '/');
		write_percent(out, part);
	}
}

static struct slice problem_type(enum status status, struct arena *arena)
{
	return arena_format(arena, "urn:agentpay:problem:%s", status_code(status));
}

void http_response_problem(struct http_response *response, const struct http_request *request, enum status status)
{
	const struct problem *problem = request->problem;
	struct writer body = writer_growing(request->arena), instance = writer_growing(request->arena);
	struct json_writer json = { .out = &body };
	write_instance(&instance, request->path.data ? request->path : SLICE_EMPTY);
	json_object_open(&json);
	json_key_text(&json, "type", problem_type(status, request->arena));
	json_key_text(&json, "title", slice_from(status_sentence(status)));
	json_key_i64(&json, "status", status_http(status));
	json_key_text(
	        &json, "detail", slice_from(problem && problem->detail[0] ? problem->detail : status_sentence(status)));
	if (instance.size)
		json_key_text(&json, "instance", writer_slice(&instance));
	json_key_text(&json, "code", slice_from(status_code(status)));
	if (problem && problem->param[0])
		json_key_text(&json, "param", slice_from(problem->param));
	json_key_boolean(&json, "retryable", status_retry(status) == RETRY_LATER);
	json_key_text(&json, "request_id", request->request_id.data ? request->request_id : SLICE_EMPTY);
	if (problem && problem->members[0]) {
		write_char(&body, ',');
		write_text(&body, problem->members);
	}
	json_object_close(&json);

	http_response_json(response, status_http(status), &body);
	response->content_type = "application/problem+json";
	bool asks_to_wait = response->status == 429 || response->status == 503;
	if (asks_to_wait && !http_response_has_header(response, "Retry-After"))
		http_response_header(response, "Retry-After", SLICE("1"));
	if (response->status == 401 && !http_response_has_header(response, "WWW-Authenticate"))
		http_response_header(response, "WWW-Authenticate", SLICE("Bearer"));
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{ 400, "Bad Request" },
		{ 408, "Request Timeout" },
		{ 413, "Content Too Large" },
		{ 431, "Request Header Fields Too Large" },
		{ 503, "Service Unavailable" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return "";
}
