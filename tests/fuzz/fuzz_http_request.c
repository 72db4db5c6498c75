/* The pure parts of reading a request: first line of the input = target, second = traceparent and identifier, rest = a
 * query parameter's name and a header. */
#include <assert.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "platform/http_router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_route rows[] = {
	{ HTTP_GET, "/", NULL },
	{ HTTP_GET, "/v1/payments", NULL },
	{ HTTP_POST, "/v1/payments", NULL },
	{ HTTP_GET, "/v1/payments/{id}", NULL },
	{ HTTP_POST, "/v1/payments/{id}/cancel", NULL },
	{ HTTP_GET, "/v1/payments/search", NULL },
	{ HTTP_DELETE, "/v1/{a}/{b}/{c}/{d}", NULL },
};
static const struct http_routes routes = { "fuzz", rows, sizeof rows / sizeof *rows, NULL };

static void check_route(const struct http_request *request, const struct http_segments *segments)
{
	size_t parameters = 0;
	for (const char *at = request->route->path; *at; at++)
		parameters += *at == '{';
	for (size_t i = 0; i < parameters; i++)
		assert(request->parameters[i].size > 0);
	assert(segments->count > 0 && request->path.size > 0 && request->path.data[0] == '/');
}

static void read_target(struct http_request *request, struct slice target)
{
	static struct http_router *router;
	struct http_segments segments;
	const struct http_routes *found;
	char allow[64];
	struct writer out = writer_fixed(allow, sizeof allow);
	if (!router)
		router = http_router_new(&routes, 1);
	if (!http_target_parse(target, request, &segments))
		return;
	assert(utf8_is_valid(request->path));
	for (request->method = 0; request->method < HTTP_METHOD_COUNT; request->method++)
		if (http_router_find(router, &segments, request, &found) == STATUS_OK)
			check_route(request, &segments);
	http_router_write_allow(router, &segments, &out);
	assert(!out.overflowed);
}

static void read_identifiers(struct http_request *request, struct slice text)
{
	http_trace_begin(request, text);
	assert(request->traceparent.size == 55 && request->trace_id.size == 32 && request->span_id.size == 16);
	http_request_identify(request, text);
	assert(request->request_id.size > 0 && request->request_id.size <= HTTP_REQUEST_ID_MAX);
	assert(request->request_id.data[request->request_id.size] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct problem problem = { 0 };
	struct http_response response = { 0 };
	struct http_request request = { .arena = &arena, .problem = &problem, .raw_query = SLICE_EMPTY };
	struct slice rest = slice_make(size ? (const char *)data : "", size), target, second = SLICE_EMPTY;
	slice_split(&rest, '\n', &target);
	read_target(&request, target);
	if (slice_split(&rest, '\n', &second))
		read_identifiers(&request, second);
	http_request_query(&request, rest.data ? arena_text(&arena, rest) : "limit");
	http_media_type_is_json(second);
	http_field_is_valid(second, target);
	http_response_header(&response, "X-Any", target);
	http_response_problem(&response, &request, ERR_NOT_FOUND);
	assert(utf8_is_valid(response.body));
	arena_clean_up(&arena);
	return 0;
}
