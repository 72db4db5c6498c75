#include "platform/http_head.h"

#include "platform/http_request.h"

static const struct slice names[HTTP_SINGLE_FIELD_COUNT] = {
	[HTTP_FIELD_CONTENT_LENGTH] = { "Content-Length", 14 },
	[HTTP_FIELD_TRANSFER_ENCODING] = { "Transfer-Encoding", 17 },
	[HTTP_FIELD_HOST] = { "Host", 4 },
	[HTTP_FIELD_AUTHORIZATION] = { "Authorization", 13 },
	[HTTP_FIELD_CONTENT_TYPE] = { "Content-Type", 12 },
	[HTTP_FIELD_IDEMPOTENCY_KEY] = { "Idempotency-Key", 15 },
};

void http_head_note(struct http_head *head, struct slice name, struct slice value)
{
	head->size += name.size + value.size;
	head->has_bad_field = head->has_bad_field || !http_field_is_valid(name, value);
	for (size_t i = 0; i < HTTP_SINGLE_FIELD_COUNT; i++) {
		if (!slice_equal_ignore_case(name, names[i]))
			continue;
		head->count[i]++;
		head->value[i] = value;
	}
}

static enum status malformed(struct problem *problem, const char *field, const char *sentence)
{
	return problem_set(problem, ERR_MALFORMED_REQUEST, field, "%s", sentence);
}

static enum status check_fields(const struct http_head *head, struct problem *problem)
{
	if (head->size > HTTP_HEADERS_MAX)
		return ERR_HEADERS_TOO_LARGE;
	if (head->has_bad_field)
		return malformed(problem, "", "A header field is malformed.");
	for (size_t i = 0; i < HTTP_SINGLE_FIELD_COUNT; i++)
		if (head->count[i] > 1)
			return malformed(problem, names[i].data, "This header is repeated.");
	return STATUS_OK;
}

static enum status check_chunked(const struct http_head *head, bool is_1_1, struct problem *problem)
{
	if (!head->count[HTTP_FIELD_TRANSFER_ENCODING])
		return STATUS_OK;
	if (head->count[HTTP_FIELD_CONTENT_LENGTH])
		return malformed(
		        problem, "Transfer-Encoding", "Content-Length and Transfer-Encoding exclude each other.");
	if (!is_1_1 || !slice_equal_ignore_case(head->value[HTTP_FIELD_TRANSFER_ENCODING], SLICE("chunked")))
		return malformed(problem, "Transfer-Encoding", "Only chunked, and only in HTTP/1.1.");
	return STATUS_OK;
}

static enum status check_length(const struct http_head *head, struct problem *problem, uint64_t *ret_length)
{
	if (!head->count[HTTP_FIELD_CONTENT_LENGTH])
		return STATUS_OK;
	if (!slice_to_u64(head->value[HTTP_FIELD_CONTENT_LENGTH], ret_length))
		return malformed(problem, "Content-Length", "This is no length.");
	return *ret_length > HTTP_BODY_MAX ? ERR_BODY_TOO_LARGE : STATUS_OK;
}

enum status http_head_check(
        const struct http_head *head, struct slice version, struct problem *problem, size_t *ret_body_size)
{
	bool is_1_1 = slice_is(version, "HTTP/1.1");
	uint64_t length = 0;
	if (!is_1_1 && !slice_is(version, "HTTP/1.0"))
		return malformed(problem, "", "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
	TRY(check_fields(head, problem));
	TRY(check_chunked(head, is_1_1, problem));
	if (is_1_1 && !head->count[HTTP_FIELD_HOST])
		return malformed(problem, "Host", "HTTP/1.1 needs a Host header.");
	TRY(check_length(head, problem, &length));
	*ret_body_size = length;
	return STATUS_OK;
}
