/* Cursor pagination, newest first, the same for every list: ?limit=1..200 (default 50) &cursor=…; the answer is
 * {"data":[…],"has_more":true,"next_cursor":"…"}. */
#pragma once

#include "platform/http_server.h"

struct page {
	size_t limit;
	int64_t before_at; /* only what is older: created_at < before_at, or equal and id < before_id; INT64_MAX at
	                      first */
	struct uuid before_id;
};

/* ERR_INVALID_PARAMETER or ERR_INVALID_CURSOR with the problem filled. */
enum status page_read(const struct http_request *request, struct page *ret_page);

/* Ask the database for limit + 1 rows, hand each of the first `limit` to the page, then close it. */
struct page_writer {
	struct page page;
	struct json_writer json;
	struct writer out;
	size_t count;
	bool has_more;
	int64_t last_at;
	struct uuid last_id;
};
/* Initialised in place: it holds a pointer to itself. */
void page_open(struct page_writer *writer, const struct page *page, struct arena *arena);
/* True when this row is to be written (to &writer->json); false for the one beyond the limit. */
bool page_row(struct page_writer *writer, int64_t created_at, struct uuid id);
/* Closes the list and answers 200. */
void page_close(struct page_writer *writer, struct http_response *response);
