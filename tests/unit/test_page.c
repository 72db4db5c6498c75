#include "testing.h"

#include "platform/page.h"

struct fixture {
	struct arena arena;
	struct problem problem;
};

static enum status read_query(struct fixture *fixture, const char *query, struct page *page)
{
	struct http_request request = {
		.raw_query = slice_from(query), .arena = &fixture->arena, .problem = &fixture->problem
	};
	return page_read(&request, page);
}

static void refuses_what_is_no_page(void **state)
{
	(void)state;
	static const struct {
		const char *query;
		enum status status;
		size_t limit;
	} rows[] = {
		{ "", STATUS_OK, 50 },
		{ "limit=1", STATUS_OK, 1 },
		{ "limit=200", STATUS_OK, 200 },
		{ "limit=201", ERR_INVALID_PARAMETER, 0 },
		{ "limit=0", ERR_INVALID_PARAMETER, 0 },
		{ "limit=-1", ERR_INVALID_PARAMETER, 0 },
		{ "limit=ten", ERR_INVALID_PARAMETER, 0 },
		{ "cursor=abc", ERR_INVALID_CURSOR, 0 },
		{ "cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ERR_INVALID_CURSOR, 0 },
		{ "cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", STATUS_OK, 50 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture fixture = { 0 };
		struct page page = { 0 };
		assert_status(read_query(&fixture, rows[i].query, &page), rows[i].status);
		assert_int_equal(page.limit, rows[i].limit);
		arena_clean_up(&fixture.arena);
	}
}

static void the_next_page_starts_where_this_one_ended(void **state)
{
	(void)state;
	struct fixture fixture = { 0 };
	struct page page = { 0 }, next = { 0 };
	struct page_writer writer;
	struct http_response response = { 0 };
	struct uuid id = { { 7, 8, 9 } };
	const struct json *answer = NULL;
	assert_status(read_query(&fixture, "limit=2", &page), STATUS_OK);
	page_open(&writer, &page, &fixture.arena);
	for (int i = 0; i < 3; i++)
		if (page_row(&writer, 1000 - i, id))
			json_i64(&writer.json, i);
	page_close(&writer, &response);
	assert_status(json_parse(response.body, &fixture.arena, &answer, NULL), STATUS_OK);
	assert_int_equal(json_member(answer, "data")->count, 2);
	assert_true(json_member(answer, "has_more")->boolean);
	struct slice cursor = json_member(answer, "next_cursor")->text;
	struct slice query = arena_format(&fixture.arena, "cursor=%.*s", SLICE_ARGS(cursor));
	assert_status(read_query(&fixture, query.data, &next), STATUS_OK);
	assert_int_equal(next.before_at, 999);
	assert_true(uuid_equal(next.before_id, id));
	arena_clean_up(&fixture.arena);
}

static void a_last_page_has_no_cursor(void **state)
{
	(void)state;
	struct fixture fixture = { 0 };
	struct page page = { .limit = 2 };
	struct page_writer writer;
	struct http_response response = { 0 };
	page_open(&writer, &page, &fixture.arena);
	if (page_row(&writer, 5, (struct uuid) { { 0 } }))
		json_i64(&writer.json, 5);
	page_close(&writer, &response);
	assert_slice(response.body, "{\"data\":[5],\"has_more\":false,\"next_cursor\":null}");
	assert_int_equal(response.status, 200);
	arena_clean_up(&fixture.arena);
}

TESTS(cmocka_unit_test(refuses_what_is_no_page), cmocka_unit_test(the_next_page_starts_where_this_one_ended),
        cmocka_unit_test(a_last_page_has_no_cursor))
