#include "platform/page.h"

#include "base/encoding.h"

enum { PAGE_LIMIT_DEFAULT = 50, PAGE_LIMIT_MAX = 200, CURSOR_SIZE = 8 + 16 };

/* A cursor is where the last page ended: eight bytes of time, big-endian, and the identifier. */
static void write_cursor(struct writer *out, int64_t at, struct uuid id)
{
	unsigned char bytes[CURSOR_SIZE];
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)at >> (56 - 8 * i));
	memcpy(bytes + 8, id.bytes, sizeof id.bytes);
	write_base64url(out, bytes, sizeof bytes);
}

static bool cursor_parse(struct slice text, int64_t *ret_at, struct uuid *ret_id)
{
	unsigned char bytes[CURSOR_SIZE];
	size_t size;
	uint64_t at = 0;
	if (!base64url_decode(text, bytes, sizeof bytes, &size) || size != sizeof bytes)
		return false;
	for (int i = 0; i < 8; i++)
		at = at << 8 | bytes[i];
	*ret_at = (int64_t)at;
	memcpy(ret_id->bytes, bytes + 8, sizeof ret_id->bytes);
	return true;
}

enum status page_read(const struct http_request *request, struct page *ret_page)
{
	struct page page = { .limit = PAGE_LIMIT_DEFAULT, .before_at = INT64_MAX };
	struct slice limit = http_request_query(request, "limit");
	struct slice cursor = http_request_query(request, "cursor");
	uint64_t count = PAGE_LIMIT_DEFAULT;
	if (limit.size && (!slice_to_u64(limit, &count) || count < 1 || count > PAGE_LIMIT_MAX))
		return problem_set(
		        request->problem, ERR_INVALID_PARAMETER, "limit", "A page has 1 to %d rows.", PAGE_LIMIT_MAX);
	if (cursor.size && !cursor_parse(cursor, &page.before_at, &page.before_id))
		return problem_set(
		        request->problem, ERR_INVALID_CURSOR, "cursor", "%s", status_sentence(ERR_INVALID_CURSOR));
	page.limit = (size_t)count;
	*ret_page = page;
	return STATUS_OK;
}

void page_open(struct page_writer *writer, const struct page *page, struct arena *arena)
{
	*writer = (struct page_writer) { .page = *page, .out = writer_growing(arena) };
	writer->json.out = &writer->out;
	json_object_open(&writer->json);
	json_key(&writer->json, "data");
	json_array_open(&writer->json);
}

bool page_row(struct page_writer *writer, int64_t created_at, struct uuid id)
{
	if (writer->count == writer->page.limit) {
		writer->has_more = true;
		return false;
	}
	writer->count++;
	writer->last_at = created_at;
	writer->last_id = id;
	return true;
}

void page_close(struct page_writer *writer, struct http_response *response)
{
	char text[64];
	struct writer cursor = writer_fixed(text, sizeof text);
	if (writer->has_more)
		write_cursor(&cursor, writer->last_at, writer->last_id);
	json_array_close(&writer->json);
	json_key_boolean(&writer->json, "has_more", writer->has_more);
	json_key_text_or_null(&writer->json, "next_cursor", writer_slice(&cursor));
	json_object_close(&writer->json);
	http_response_json(response, 200, &writer->out);
}
