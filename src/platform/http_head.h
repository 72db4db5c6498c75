/* What the header fields of a request say about where its body ends and who is meant: checked before anything else,
 * because a proxy in front of us must never read another request out of the same bytes than we do. Pure. */
#pragma once

#include "base/problem.h"
#include "base/slice.h"

/* Fields that may stand only once. */
enum http_single_field {
	HTTP_FIELD_CONTENT_LENGTH,
	HTTP_FIELD_TRANSFER_ENCODING,
	HTTP_FIELD_HOST,
	HTTP_FIELD_AUTHORIZATION,
	HTTP_FIELD_CONTENT_TYPE,
	HTTP_FIELD_IDEMPOTENCY_KEY,
	HTTP_SINGLE_FIELD_COUNT
};

/* Empty at first: `struct http_head head = { 0 };`, then one http_head_note per field. */
struct http_head {
	bool has_bad_field;
	size_t size;
	unsigned count[HTTP_SINGLE_FIELD_COUNT];
	struct slice value[HTTP_SINGLE_FIELD_COUNT];
};

void http_head_note(struct http_head *head, struct slice name, struct slice value);

/* ERR_HEADERS_TOO_LARGE, ERR_MALFORMED_REQUEST or ERR_BODY_TOO_LARGE: faults after which the connection must end. Gives
 * the announced size of the body, 0 when there is none or it comes in chunks. `version` is "HTTP/1.1" or another. */
enum status http_head_check(
        const struct http_head *head, struct slice version, struct problem *problem, size_t *ret_body_size);
