#include "platform/neighbour.h"

#include "base/encoding.h"
#include "base/log.h"
#include "platform/outbox.h"

enum { POST_TRIES = 2 };

struct neighbour {
	struct arena arena; /* of the texts */
	const char *name;
	struct slice url;
	struct slice service_key;
	struct http_client *client;
};

static _Thread_local const struct http_request *context;

void neighbour_context_set(const struct http_request *request)
{
	context = request;
}

struct neighbour *neighbour_new(const char *name, struct slice url, struct slice service_key)
{
	struct neighbour *neighbour = NEW(struct neighbour);
	while (url.size && url.data[url.size - 1] == '/')
		url.size--;
	neighbour->name = name;
	neighbour->url = arena_copy(&neighbour->arena, url);
	neighbour->service_key = arena_copy(&neighbour->arena, service_key);
	neighbour->client = http_client_new(&(struct http_client_options) { 0 });
	return neighbour;
}

void neighbour_free(struct neighbour *neighbour)
{
	if (!neighbour)
		return;
	http_client_free(neighbour->client);
	arena_clean_up(&neighbour->arena);
	memory_free(neighbour);
}

/* Leaves out what is empty. */
static void add_header(struct http_call *call, const char *name, struct slice value)
{
	if (value.size && call->header_count < HTTP_RESPONSE_HEADERS_MAX)
		call->headers[call->header_count++] = (struct http_header) { name, value };
}

static void add_context(struct http_call *call, const struct neighbour *neighbour, const struct http_request *request)
{
	add_header(call, NEIGHBOUR_KEY, neighbour->service_key);
	if (!request)
		return;
	add_header(call, "traceparent", request->traceparent);
	add_header(call, "X-Request-Id", request->request_id);
	add_header(call, NEIGHBOUR_ADDRESS, request->remote_address);
	if (request->actor) {
		add_header(call, NEIGHBOUR_ACTOR, request->actor->name);
		add_header(call, "User-Agent", request->actor->user_agent);
	}
}

static enum status call_logged(
        struct neighbour *neighbour, const struct http_call *call, struct arena *arena, struct http_answer *ret_answer)
{
	enum status status = http_client_call(neighbour->client, call, arena, ret_answer);
	if (status != STATUS_OK)
		log_event(LOG_WARNING, neighbour->name, "a neighbour does not answer", LOG_STATUS(status),
		        LOG_SLICE("url", call->url));
	return status;
}

/* The status that the other side named; its sentence and parameter go to the problem. */
static enum status read_problem(const struct json *document, const struct http_answer *answer, struct problem *problem)
{
	const struct json *code = json_member(document, "code");
	const struct json *detail = json_member(document, "detail");
	const struct json *param = json_member(document, "param");
	char name[sizeof problem->param] = "";
	if (!code || code->type != JSON_STRING)
		return problem_set(
		        problem, ERR_NEIGHBOUR_UNAVAILABLE, "", "A neighbouring service answered %d.", answer->status);
	if (param && param->type == JSON_STRING && param->text.size < sizeof name)
		memcpy(name, param->text.data, param->text.size);
	struct slice sentence = detail && detail->type == JSON_STRING ? detail->text : SLICE_EMPTY;
	return problem_set(
	        problem, status_from_code(code->text.data, code->text.size), name, "%.*s", SLICE_ARGS(sentence));
}

enum status neighbour_post(struct neighbour *neighbour, const char *path, struct slice body, struct arena *arena,
        const struct json **ret_answer, struct problem *problem)
{
	struct http_call call = { .method = HTTP_POST, .body = body };
	struct http_answer answer = { 0 };
	const struct json *document = NULL;
	enum status status = ERR_NEIGHBOUR_UNAVAILABLE;
	call.url = arena_format(arena, "%.*s%s", SLICE_ARGS(neighbour->url), path);
	add_header(&call, "Content-Type", SLICE("application/json"));
	add_context(&call, neighbour, context);
	for (int i = 0; i < POST_TRIES && status == ERR_NEIGHBOUR_UNAVAILABLE; i++)
		status = call_logged(neighbour, &call, arena, &answer);
	TRY(status);
	if (answer.body.size && json_parse(answer.body, arena, &document, NULL) != STATUS_OK)
		return problem_set(problem, ERR_NEIGHBOUR_UNAVAILABLE, "", "A neighbouring service answered no JSON.");
	if (answer.status < 200 || answer.status > 299)
		return read_problem(document, &answer, problem);
	*ret_answer = document;
	return STATUS_OK;
}

/* The route's path with the request's parameters in their written form, and the query as it came. */
static struct slice forward_url(const struct neighbour *neighbour, const struct http_request *request)
{
	struct writer out = writer_growing(request->arena);
	struct slice rest = slice_from(request->route->path), segment;
	size_t parameter = 0;
	write_slice(&out, neighbour->url);
	for (bool first = true; slice_split(&rest, '/', &segment); first = false) {
		if (!first)
			write_char(&out, '/');
		if (slice_starts_with(segment, SLICE("{")) && parameter < HTTP_PATH_PARAMETERS_MAX)
			write_percent(&out, request->parameters[parameter++]);
		else
			write_slice(&out, segment);
	}
	if (request->raw_query.size)
		writef(&out, "?%.*s", SLICE_ARGS(request->raw_query));
	return writer_slice(&out);
}

static void forward_request_headers(struct http_call *call, const struct http_request *request)
{
	static const char *const names[] = { "Authorization", "Content-Type", "Accept", "Idempotency-Key", "webhook-id",
		"webhook-timestamp", "webhook-signature" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		add_header(call, names[i], http_request_header(request, names[i]));
}

static void forward_answer_headers(const struct http_answer *answer, struct http_response *response)
{
	static const char *const names[] = { "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After",
		"Idempotent-Replayed", "Location", "WWW-Authenticate", "Cache-Control" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct slice value = http_answer_header(answer, names[i]);
		if (value.size)
			http_response_header(response, names[i], value);
	}
}

enum status neighbour_forward(
        struct neighbour *neighbour, const struct http_request *request, struct http_response *response)
{
	struct http_call call = { .method = request->method, .body = request->body };
	struct http_answer answer = { 0 };
	call.url = forward_url(neighbour, request);
	forward_request_headers(&call, request);
	add_context(&call, neighbour, request);
	TRY(call_logged(neighbour, &call, request->arena, &answer));
	forward_answer_headers(&answer, response);
	response->status = answer.status;
	response->content_type = arena_text(request->arena, answer.content_type);
	response->body = answer.body;
	return STATUS_OK;
}
