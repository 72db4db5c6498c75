/* From method and path to a row of a route table. Built once; matching allocates nothing. */
#pragma once

#include "platform/http_request.h"

struct http_router;

/* The tables must outlive the router. Two rows with the same method and shape are our bug and stop the process. */
struct http_router *http_router_new(const struct http_routes *services, size_t count);
/* Accepts NULL. */
void http_router_free(struct http_router *router);

/* Fills `request->route` and its parameters, and the table the row belongs to. A literal segment wins over a {…} one; a
 * {…} never matches an empty segment. ERR_NOT_FOUND, or ERR_METHOD_NOT_ALLOWED when the path answers other methods. */
enum status http_router_find(const struct http_router *router, const struct http_segments *segments,
        struct http_request *request, const struct http_routes **ret_routes);
/* The same when the method is none of ours: never STATUS_OK. */
enum status http_router_refuse(const struct http_router *router, const struct http_segments *segments);
/* Writes the value of the Allow header for a path: "GET, HEAD, POST". */
void http_router_write_allow(
        const struct http_router *router, const struct http_segments *segments, struct writer *out);
