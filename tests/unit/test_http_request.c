#include "testing.h"

#include "platform/http_request.h"
#include "platform/http_response.h"
#include "platform/http_router.h"

static struct arena arena;

static int forget(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

static void reads_targets(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		size_t segments; /* 0 = refused */
		const char *path, *query;
	} rows[] = {
		{ "/", 1, "/", "" },
		{ "/a", 1, "/a", "" },
		{ "/a/", 2, "/a/", "" },
		{ "/a/b?", 2, "/a/b", "" },
		{ "/a?b=c?d", 1, "/a", "b=c?d" },
		{ "/a%2fb/c", 2, "/a/b/c", "" },
		{ "/%C3%A9", 1, "/\xc3\xa9", "" },
		{ "/a+b", 1, "/a+b", "" },
		{ "http://h/a?b", 1, "/a", "b" },
		{ "https://h:1/a/b", 2, "/a/b", "" },
		{ "/1/2/3/4/5/6/7/8/9/10/11/12", 12, "/1/2/3/4/5/6/7/8/9/10/11/12", "" },
		{ "/1/2/3/4/5/6/7/8/9/10/11/12/13", 0, NULL, NULL },
		{ "", 0, NULL, NULL },
		{ "*", 0, NULL, NULL },
		{ "a", 0, NULL, NULL },
		{ "h:1", 0, NULL, NULL },
		{ "http://h", 0, NULL, NULL },
		{ "ftp://h/a", 0, NULL, NULL },
		{ "/%", 0, NULL, NULL },
		{ "/%4", 0, NULL, NULL },
		{ "/%4g", 0, NULL, NULL },
		{ "/%00", 0, NULL, NULL },
		{ "/%0a", 0, NULL, NULL },
		{ "/%7f", 0, NULL, NULL },
		{ "/%c3", 0, NULL, NULL },
		{ "/%c3/%a9", 0, NULL, NULL },
		{ "/\xc3\xa9", 0, NULL, NULL },
		{ "/a\tb", 0, NULL, NULL },
		{ "/a?b\x7f", 0, NULL, NULL },
		{ "/a?b=%C3%A9+%25", 1, "/a", "b=%C3%A9+%25" },
		{ "/a?b=%zz", 0, NULL, NULL },
		{ "/a?b=%c", 0, NULL, NULL },
		{ "/a?b=%00", 0, NULL, NULL },
		{ "/a?b=%0d", 0, NULL, NULL },
		{ "/a?b=%ff", 0, NULL, NULL },
		{ "/a?b=%ed%a0%80", 0, NULL, NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_request request = { .arena = &arena };
		struct http_segments segments = { .count = 0 };
		bool is_good = http_target_parse(slice_from(rows[i].target), &request, &segments);
		if (is_good != (rows[i].segments > 0))
			print_error("%s\n", rows[i].target);
		assert_int_equal(is_good, rows[i].segments > 0);
		assert_int_equal(segments.count, rows[i].segments);
		if (!is_good)
			continue;
		assert_slice(request.path, rows[i].path);
		assert_slice(request.raw_query, rows[i].query);
	}
}

static void later_calls_are_in_the_trace(void **state)
{
	(void)state;
	struct slice trace = SLICE("0af7651916cd43dd8448eb211c80319c");
	struct slice first = http_traceparent(trace, &arena), second = http_traceparent(trace, &arena);
	struct http_request request = { .arena = &arena };
	http_trace_begin(&request, first);
	assert_true(slice_equal(request.trace_id, trace));
	assert_false(slice_equal(first, second));
	assert_slice(http_traceparent(SLICE_EMPTY, &arena), "");
}

static void reads_queries(void **state)
{
	(void)state;
	static const struct {
		const char *query, *name, *value;
	} rows[] = {
		{ "", "a", "" },
		{ "a=1", "a", "1" },
		{ "a=1", "b", "" },
		{ "a=1&a=2", "a", "1" },
		{ "aa=1&a=2", "a", "2" },
		{ "&&a=2", "a", "2" },
		{ "a", "a", "" },
		{ "a=", "a", "" },
		{ "a=b=c", "a", "b=c" },
		{ "a=x+y%2B", "a", "x y+" },
		{ "%61=1", "a", "1" },
		{ "a+b=1", "a b", "1" },
		{ "a=%zz", "a", "" },
		{ "%zz=1&a=2", "a", "2" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_request request = { .arena = &arena, .raw_query = slice_from(rows[i].query) };
		assert_slice(http_request_query(&request, rows[i].name), rows[i].value);
	}
}

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define ZEROS16 "0000000000000000"

static void continues_valid_traces(void **state)
{
	(void)state;
	static const struct {
		const char *given;
		bool is_taken_over;
	} rows[] = {
		{ "00-" TRACE "-" SPAN "-01", true },
		{ "00-" TRACE "-" SPAN "-00", true },
		{ "00-" TRACE "-" SPAN "-ff", true },
		{ "", false },
		{ "00-" TRACE "-" SPAN "-01-", false },
		{ "00-" TRACE "-" SPAN "-1", false },
		{ "01-" TRACE "-" SPAN "-01", false },
		{ "ff-" TRACE "-" SPAN "-01", false },
		{ "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", false },
		{ "00-" TRACE "-00F067AA0BA902B7-01", false },
		{ "00-" ZEROS16 ZEROS16 "-" SPAN "-01", false },
		{ "00-" TRACE "-" ZEROS16 "-01", false },
		{ "00-" TRACE "x" SPAN "-01", false },
		{ "00-" TRACE "-" SPAN "x01", false },
		{ "00-" TRACE "-" SPAN "-0x", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_request request = { .arena = &arena };
		http_trace_begin(&request, slice_from(rows[i].given));
		assert_int_equal(slice_is(request.trace_id, TRACE), rows[i].is_taken_over);
		assert_int_equal(request.traceparent.size, 55);
		assert_memory_equal(request.traceparent.data + 3, request.trace_id.data, 32);
		assert_memory_equal(request.traceparent.data + 36, request.span_id.data, 16);
		assert_false(slice_is(request.span_id, SPAN));
		if (rows[i].is_taken_over)
			assert_memory_equal(request.traceparent.data + 53, rows[i].given + 53, 2);
	}
}

static void takes_safe_identifiers(void **state)
{
	(void)state;
	char longest[HTTP_REQUEST_ID_MAX + 2];
	struct http_request request = { .arena = &arena };
	memset(longest, 'a', sizeof longest);
	http_request_identify(&request, slice_make(longest, HTTP_REQUEST_ID_MAX));
	assert_int_equal(request.request_id.size, HTTP_REQUEST_ID_MAX);
	http_request_identify(&request, slice_make(longest, HTTP_REQUEST_ID_MAX + 1));
	assert_int_equal(request.request_id.size, 40);
	static const char *const wrong[] = { "", "a b", "a\"b", "a/b", "\xc3\xa9", "a\n" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		http_request_identify(&request, slice_from(wrong[i]));
		assert_true(slice_starts_with(request.request_id, SLICE("req-")));
		assert_int_equal(request.request_id.size, 40);
	}
	http_request_identify(&request, SLICE("Az09._-"));
	assert_slice(request.request_id, "Az09._-");
}

static void knows_valid_fields(void **state)
{
	(void)state;
	static const struct {
		const char *name, *value;
		bool is_valid;
	} rows[] = {
		{ "Host", "x", true },
		{ "x-!#$%&'*+.^_`|~9", "a\tb \xff", true },
		{ "", "x", false },
		{ "Host ", "x", false },
		{ "Ho st", "x", false },
		{ "Ho\tst", "x", false },
		{ "Ho(st", "x", false },
		{ "H\xc3\xb6st", "x", false },
		{ "Host", "a\rb", false },
		{ "Host", "a\nb", false },
		{ "Host", "a\x01", false },
		{ "Host", "a\x7f", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(
		        http_field_is_valid(slice_from(rows[i].name), slice_from(rows[i].value)), rows[i].is_valid);
	assert_false(http_field_is_valid(SLICE("Host"), SLICE("a\0b")));
}

static const struct http_route rows_of_one[] = {
	{ HTTP_GET, "/a/{x}", NULL },
	{ HTTP_GET, "/a/b", NULL },
	{ HTTP_GET, "/{x}/{y}", NULL },
	{ HTTP_POST, "/a/b", NULL },
};
static const struct http_route rows_of_two[] = {
	{ HTTP_PUT, "/a/{x}/c/{y}", NULL },
	{ HTTP_GET, "/", NULL },
};
static const struct http_routes services[] = {
	{ "one", rows_of_one, 4, NULL },
	{ "two", rows_of_two, 2, NULL },
};

static void finds_the_most_literal_route(void **state)
{
	(void)state;
	static const struct {
		enum http_method method;
		const char *target;
		enum status status;
		const struct http_route *route;
		const char *first, *allow;
	} rows[] = {
		{ HTTP_GET, "/a/b", STATUS_OK, &rows_of_one[1], "", "GET, HEAD, POST" },
		{ HTTP_GET, "/a/c", STATUS_OK, &rows_of_one[0], "c", "GET, HEAD" },
		{ HTTP_GET, "/b/b", STATUS_OK, &rows_of_one[2], "b", "GET, HEAD" },
		{ HTTP_POST, "/a/b", STATUS_OK, &rows_of_one[3], "", "GET, HEAD, POST" },
		{ HTTP_POST, "/a/c", ERR_METHOD_NOT_ALLOWED, NULL, "", "GET, HEAD" },
		{ HTTP_DELETE, "/a/b", ERR_METHOD_NOT_ALLOWED, NULL, "", "GET, HEAD, POST" },
		{ HTTP_PUT, "/a/1/c/2", STATUS_OK, &rows_of_two[0], "1", "PUT" },
		{ HTTP_PUT, "/a//c/2", ERR_NOT_FOUND, NULL, "", "" },
		{ HTTP_PUT, "/a/1/d/2", ERR_NOT_FOUND, NULL, "", "" },
		{ HTTP_GET, "/a/", ERR_NOT_FOUND, NULL, "", "" },
		{ HTTP_GET, "/", STATUS_OK, &rows_of_two[1], "", "GET, HEAD" },
		{ HTTP_GET, "/1/2/3/4/5/6/7/8/9/10/11/12", ERR_NOT_FOUND, NULL, "", "" },
	};
	struct http_router *router = http_router_new(services, 2);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_request request = {
			.arena = &arena, .method = rows[i].method, .parameters = { SLICE_EMPTY }
		};
		struct http_segments segments;
		const struct http_routes *found = NULL;
		struct writer allow = writer_growing(&arena);
		assert_true(http_target_parse(slice_from(rows[i].target), &request, &segments));
		assert_status(http_router_find(router, &segments, &request, &found), rows[i].status);
		assert_ptr_equal(request.route, rows[i].route);
		assert_slice(request.parameters[0], rows[i].first);
		http_router_write_allow(router, &segments, &allow);
		assert_slice(writer_slice(&allow), rows[i].allow);
		if (found)
			assert_string_equal(found->service, found->rows == rows_of_one ? "one" : "two");
	}
	http_router_free(router);
	http_router_free(NULL);
}

static void encodes_the_instance(void **state)
{
	(void)state;
	struct http_request request = { .arena = &arena, .path = SLICE("/a b/\"c\"/d-1"), .request_id = SLICE("r") };
	struct http_response response = { 0 };
	http_response_header(&response, "Retry-After", SLICE("9"));
	http_response_header(&response, "X-Bad", SLICE("a\nb"));
	http_response_problem(&response, &request, ERR_TOO_MANY_REQUESTS);
	assert_int_equal(response.status, 429);
	assert_int_equal(response.header_count, 1);
	assert_slice(response.headers[0].value, "9");
	assert_slice(response.body,
	        "{\"type\":\"urn:agentpay:problem:too_many_requests\",\"title\":\"Too many requests; slow "
	        "down.\","
	        "\"status\":429,\"detail\":\"Too many requests; slow down.\",\"instance\":\"/a%20b/%22c%22/d-1\","
	        "\"code\":\"too_many_requests\",\"retryable\":true,\"request_id\":\"r\"}");
}

/* What the requests of one connection rely on: zeroed memory again, and no growth. */
static void arenas_can_be_used_again(void **state)
{
	(void)state;
	struct arena reused = { 0 };
	arena_reset(&reused);
	char *first = arena_alloc(&reused, 100);
	memset(first, 'x', 100);
	arena_reset(&reused);
	char *again = arena_alloc(&reused, 100);
	assert_ptr_equal(first, again);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(again[i], 0);
	memset(again, 'x', 100);
	memset(arena_alloc(&reused, 8000), 'y', 8000);
	memset(arena_alloc(&reused, 100000), 'z', 100000);
	arena_reset(&reused);
	for (int round = 0; round < 3; round++) {
		char *all = arena_alloc(&reused, 8000);
		for (size_t i = 0; i < 8000; i++)
			assert_int_equal(all[i], 0);
		memset(all, 'x', 8000);
		arena_alloc(&reused, 1000);
		arena_reset(&reused);
	}
	arena_clean_up(&reused);
}

TESTS(cmocka_unit_test_teardown(reads_targets, forget), cmocka_unit_test_teardown(reads_queries, forget),
        cmocka_unit_test_teardown(later_calls_are_in_the_trace, forget),
        cmocka_unit_test_teardown(continues_valid_traces, forget),
        cmocka_unit_test_teardown(takes_safe_identifiers, forget), cmocka_unit_test(knows_valid_fields),
        cmocka_unit_test_teardown(finds_the_most_literal_route, forget),
        cmocka_unit_test_teardown(encodes_the_instance, forget), cmocka_unit_test(arenas_can_be_used_again))
