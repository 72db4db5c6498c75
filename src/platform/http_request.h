/* The pure parts of reading a request: target, query, trace context, identifiers. No socket and no library here, so
 * that every function can be tested and fuzzed with plain bytes. */
#pragma once

#include "platform/http_server.h"

enum { HTTP_SEGMENTS_MAX = 12, HTTP_REQUEST_ID_MAX = 128 };

/* The decoded parts of a path between its slashes; "/" has one empty segment. */
struct http_segments {
	struct slice items[HTTP_SEGMENTS_MAX];
	size_t count;
};

/* Sets the request's path and raw_query from the target of the request line, in origin form ("/a?b") or absolute form
 * ("http://host/a?b", RFC 9112 section 3.2.2). Percent-encoding is decoded inside each segment, so an encoded slash
 * never splits one. False when malformed: other forms, more than HTTP_SEGMENTS_MAX segments, bad percent-encoding,
 * bytes outside visible ASCII, or a decoded path or query with control characters or ill-formed UTF-8. `target` must
 * live as long as the request. */
bool http_target_parse(struct slice target, struct http_request *request, struct http_segments *ret_segments);

/* Takes over a valid version 00 `traceparent` (W3C Trace Context) or begins a new trace; sets trace_id, a new span_id
 * and the traceparent to pass on. */
void http_trace_begin(struct http_request *request, struct slice traceparent);

/* The traceparent of a call that is made later in the behalf of that trace, with a span of its own; "" for "". */
struct slice http_traceparent(struct slice trace_id, struct arena *arena);

/* Takes over the client's identifier when it is 1-128 characters of [A-Za-z0-9._-], else makes a new one. */
void http_request_identify(struct http_request *request, struct slice given);

/* True when the name is a token and the value has no control character but the tab (RFC 9110 section 5). "Name : x" is
 * not: some readers take it for "Name: x", others do not. */
bool http_field_is_valid(struct slice name, struct slice value);

/* True for "application/json" with any parameters. */
bool http_media_type_is_json(struct slice content_type);
