#include "platform/http_router.h"

#include <assert.h>
#include <stdlib.h>

struct row {
	const struct http_route *route;
	const struct http_routes *routes;
	struct slice segments[HTTP_SEGMENTS_MAX]; /* data == NULL: a parameter */
};

/* The rows of one segment count, most literal first. */
struct bucket {
	struct row *rows;
	size_t count;
};

struct http_router {
	struct bucket buckets[HTTP_SEGMENTS_MAX + 1];
};

static const char *const method_names[HTTP_METHOD_COUNT] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

const char *http_method_name(enum http_method method)
{
	return method_names[method];
}

static bool is_parameter(struct slice segment)
{
	return segment.size > 1 && segment.data[0] == '{';
}

static size_t split_path(const char *path, struct slice *ret_segments)
{
	struct slice rest = slice_from(path + 1), part;
	size_t count = 0, parameters = 0;
	assert(path[0] == '/');
	while (slice_split(&rest, '/', &part)) {
		assert(count < HTTP_SEGMENTS_MAX);
		parameters += is_parameter(part);
		ret_segments[count++] = is_parameter(part) ? (struct slice) { NULL, 0 } : part;
	}
	assert(parameters <= HTTP_PATH_PARAMETERS_MAX);
	return count;
}

static void add_row(struct http_router *router, const struct http_routes *routes, const struct http_route *route)
{
	struct row row = { .route = route, .routes = routes };
	struct bucket *bucket = &router->buckets[split_path(route->path, row.segments)];
	bucket->rows = memory_resize(bucket->rows, bucket->count + 1, sizeof row);
	bucket->rows[bucket->count++] = row;
}

/* By method, then literal before parameter from the left. */
static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	if (a->route->method != b->route->method)
		return a->route->method < b->route->method ? -1 : 1;
	for (size_t i = 0; i < HTTP_SEGMENTS_MAX; i++) {
		if (!a->segments[i].data != !b->segments[i].data)
			return a->segments[i].data ? -1 : 1;
		int order = a->segments[i].data ? slice_compare(a->segments[i], b->segments[i]) : 0;
		if (order)
			return order;
	}
	return 0;
}

struct http_router *http_router_new(const struct http_routes *services, size_t count)
{
	struct http_router *router = NEW(struct http_router);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < services[i].count; k++)
			add_row(router, &services[i], &services[i].rows[k]);
	for (size_t i = 0; i <= HTTP_SEGMENTS_MAX; i++) {
		struct bucket *bucket = &router->buckets[i];
		if (bucket->count)
			qsort(bucket->rows, bucket->count, sizeof *bucket->rows, compare_rows);
		for (size_t k = 1; k < bucket->count; k++)
			assert(compare_rows(&bucket->rows[k - 1], &bucket->rows[k]) != 0);
	}
	return router;
}

void http_router_free(struct http_router *router)
{
	if (!router)
		return;
	for (size_t i = 0; i <= HTTP_SEGMENTS_MAX; i++)
		memory_free(router->buckets[i].rows);
	memory_free(router);
}

static bool row_matches(const struct row *row, const struct http_segments *segments)
{
	for (size_t i = 0; i < segments->count; i++) {
		struct slice literal = row->segments[i];
		if (literal.data ? !slice_equal(literal, segments->items[i]) : !segments->items[i].size)
			return false;
	}
	return true;
}

static void take_row(const struct row *row, const struct http_segments *segments, struct http_request *request)
{
	size_t parameters = 0;
	request->route = row->route;
	for (size_t i = 0; i < segments->count; i++)
		if (!row->segments[i].data)
			request->parameters[parameters++] = segments->items[i];
}

enum status http_router_find(const struct http_router *router, const struct http_segments *segments,
        struct http_request *request, const struct http_routes **ret_routes)
{
	const struct bucket *bucket = &router->buckets[segments->count];
	for (size_t i = 0; i < bucket->count; i++) {
		const struct row *row = &bucket->rows[i];
		if (row->route->method != request->method || !row_matches(row, segments))
			continue;
		take_row(row, segments, request);
		*ret_routes = row->routes;
		return STATUS_OK;
	}
	return http_router_refuse(router, segments);
}

enum status http_router_refuse(const struct http_router *router, const struct http_segments *segments)
{
	const struct bucket *bucket = &router->buckets[segments->count];
	for (size_t i = 0; i < bucket->count; i++)
		if (row_matches(&bucket->rows[i], segments))
			return ERR_METHOD_NOT_ALLOWED;
	return ERR_NOT_FOUND;
}

void http_router_write_allow(const struct http_router *router, const struct http_segments *segments, struct writer *out)
{
	const struct bucket *bucket = &router->buckets[segments->count];
	unsigned written = 0;
	for (size_t i = 0; i < bucket->count; i++) {
		enum http_method method = bucket->rows[i].route->method;
		if (written & 1u << method || !row_matches(&bucket->rows[i], segments))
			continue;
		write_text(out, written ? ", " : "");
		write_text(out, method == HTTP_GET ? "GET, HEAD" : method_names[method]);
		written |= 1u << method;
	}
}
