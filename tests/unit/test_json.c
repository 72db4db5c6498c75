#include "testing.h"

#include "base/encoding.h"
#include "base/json.h"

static struct arena arena;

static int clean_up(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

static enum status parse(struct slice text)
{
	const struct json *json;
	return json_parse(text, &arena, &json, NULL);
}

static void values_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum json_type type;
		const char *value; /* of strings and numbers */
	} rows[] = {
		{ "null", JSON_NULL, "" },
		{ " true ", JSON_BOOLEAN, "" },
		{ "false\r\n\t ", JSON_BOOLEAN, "" },
		{ "0", JSON_NUMBER, "0" },
		{ "-0", JSON_NUMBER, "-0" },
		{ "1500.00", JSON_NUMBER, "1500.00" },
		{ "-1.5e+10", JSON_NUMBER, "-1.5e+10" },
		{ "1E5", JSON_NUMBER, "1E5" },
		{ "0.0e-0", JSON_NUMBER, "0.0e-0" },
		{ "123456789012345678901234567890", JSON_NUMBER, "123456789012345678901234567890" },
		{ "\"\"", JSON_STRING, "" },
		{ "\"plain\"", JSON_STRING, "plain" },
		{ "\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", JSON_STRING, "a\"\\/\b\f\n\r\tz" },
		{ "\"\\u0041\\u00e4\\u20AC\\ud83d\\udcb6\"", JSON_STRING, "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xb6" },
		{ "\"\\udbff\\udfff\"", JSON_STRING, "\xf4\x8f\xbf\xbf" },
		{ "\"\\uFFFF\\u007f\\u0080\\u07ff\\u0800\"", JSON_STRING,
		        "\xef\xbf\xbf\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80" },
		{ "\"\xc3\xa4\x7f\"", JSON_STRING, "\xc3\xa4\x7f" },
		{ "[]", JSON_ARRAY, "" },
		{ "[ ]", JSON_ARRAY, "" },
		{ "{}", JSON_OBJECT, "" },
		{ "{ }", JSON_OBJECT, "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct json *json;
		if (json_parse(slice_from(rows[i].text), &arena, &json, NULL) != STATUS_OK)
			fail_msg("%s is refused", rows[i].text);
		assert_int_equal(json->type, rows[i].type);
		assert_slice(json->text, rows[i].value);
		assert_true(slice_equal(json->raw, slice_trim(slice_from(rows[i].text))));
	}
}

static void what_is_no_json_is_refused(void **state)
{
	(void)state;
	static const char *rows[] = { "", " ", "nul", "nullx", "True", "truefalse", "tru", "nan", "NaN", "Infinity",
		"-Infinity", "01", "-01", "00", "1.", ".5", "-", "-.5", "+1", "1e", "1e+", "1.e5", "0x10", "1_000",
		"1,000", "0123.5", "\"", "\"abc", "'a'", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"",
		"\"\\u 123\"", "\"\\U0041\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\dc00\"", "\"\\ud800x\"",
		"\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\\udfff\\ud800\"",
		"\"\\ud800\\udbff\"", "\"\\ud800\\ue000\"", "\"a\nb\"", "\"a\tb\"", "\"\x01\"", "\"\x1f\"", "\"\x80\"",
		"\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xff\"", "\xef\xbb\xbf{}", "[", "[1", "[1,", "[1,]", "[,1]",
		"[1 2]", "[1,,2]", "]", "[}", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
		"{,\"a\":1}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1]", "{\"a\"::1}",
		"{null:1}", "}", "1 2", "{} {}", "[]]", "null,", "{}x", "// c\n1", "1 // c", "/**/1", "[1]\x0b",
		"[1]\xc2\xa0", "\\u0031", ",", ":" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum status status = parse(slice_from(rows[i]));
		if (status != ERR_INVALID_JSON)
			fail_msg("%s: %s", rows[i], status_code(status));
	}
	assert_status(parse(SLICE("1\0")), ERR_INVALID_JSON);
	assert_status(parse(SLICE("\"a\0b\"")), ERR_INVALID_JSON);
}

/* In memory of exactly the text's size, so that the address sanitizer sees a read behind it. */
static void nothing_is_read_behind_the_end(void **state)
{
	(void)state;
	static const char *rows[] = { "\"", "\"\\", "\"\\u", "\"\\u00", "\"\\ud800", "\"\\ud800\\", "t", "nul", "-",
		"1.", "1e", "[", "{", "{\"a\"", "{\"a\":", "\xe2\x82" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t size = strlen(rows[i]);
		char *exact = memory_new(1, size);
		memcpy(exact, rows[i], size);
		assert_status(parse(slice_make(exact, size)), ERR_INVALID_JSON);
		memory_free(exact);
	}
}

static void members_named_twice_are_refused(void **state)
{
	(void)state;
	assert_status(parse(SLICE("{\"a\":1,\"a\":1}")), ERR_JSON_DUPLICATE_KEY);
	assert_status(parse(SLICE("{\"a\":1,\"b\":2,\"\\u0061\":1}")), ERR_JSON_DUPLICATE_KEY);
	assert_status(parse(SLICE("{\"\":1,\"\":2}")), ERR_JSON_DUPLICATE_KEY);
	assert_status(parse(SLICE("[{\"x\":{\"a\":1,\"a\":null}}]")), ERR_JSON_DUPLICATE_KEY);
	assert_status(parse(SLICE("{\"a\":{\"a\":1},\"A\":[{\"a\":1},{\"a\":2}]}")), STATUS_OK);
}

static struct slice repeat(const char *open, const char *close, int count)
{
	struct writer out = writer_growing(&arena);
	for (int i = 0; i < count; i++)
		write_text(&out, open);
	for (int i = 0; i < count; i++)
		write_text(&out, close);
	return writer_slice(&out);
}

static void depth_has_a_limit(void **state)
{
	(void)state;
	assert_status(parse(repeat("[", "]", JSON_DEPTH_MAX)), STATUS_OK);
	assert_status(parse(repeat("[", "]", JSON_DEPTH_MAX + 1)), ERR_JSON_TOO_DEEP);
	assert_status(parse(repeat("{\"a\":[", "]}", JSON_DEPTH_MAX / 2)), STATUS_OK);
	assert_status(parse(repeat("{\"a\":[", "]}", JSON_DEPTH_MAX / 2 + 1)), ERR_JSON_TOO_DEEP);
	assert_status(parse(repeat("[", "", 1000000)), ERR_JSON_TOO_DEEP);
	/* Depth is what is open at once, not what was opened in all. */
	assert_status(
	        parse(SLICE("[[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]]]")),
	        STATUS_OK);
}

static void members_and_values_have_limits(void **state)
{
	(void)state;
	for (int more = 0; more < 2; more++) {
		struct writer object = writer_growing(&arena), array = writer_growing(&arena);
		for (int i = 0; i < JSON_MEMBERS_MAX + more; i++)
			writef(&object, "%s\"%d\":0", i ? "," : "{", i);
		write_char(&object, '}');
		/* The array itself is a value too. */
		for (int i = 0; i < JSON_VALUES_MAX - 1 + more; i++)
			write_text(&array, i ? ",0" : "[0");
		write_char(&array, ']');
		assert_status(parse(writer_slice(&object)), more ? ERR_INVALID_JSON : STATUS_OK);
		assert_status(parse(writer_slice(&array)), more ? ERR_INVALID_JSON : STATUS_OK);
	}
}

static void the_fault_is_located(void **state)
{
	(void)state;
	const struct json *json = NULL;
	struct problem problem = { .param = "" };
	assert_status(json_parse(SLICE("{\"a\": tru}"), &arena, &json, &problem), ERR_INVALID_JSON);
	assert_string_equal(problem.detail, "Unexpected character at byte 6.");
	assert_null(json);
	assert_status(json_parse(SLICE("[1] 2"), &arena, &json, &problem), ERR_INVALID_JSON);
	assert_string_equal(problem.detail, "Something follows the value at byte 4.");
	assert_status(json_parse(SLICE("[-01]"), &arena, &json, &problem), ERR_INVALID_JSON);
	assert_string_equal(problem.detail, "Number with a leading zero at byte 3.");
}

static void members_are_found(void **state)
{
	(void)state;
	const struct json *json;
	assert_status(json_parse(SLICE("{\"a\":null,\"b\":[1,\"x\"],\"\\u0063\":{}}"), &arena, &json, NULL), STATUS_OK);
	assert_int_equal(json->count, 3);
	assert_int_equal(json_member(json, "a")->type, JSON_NULL);
	assert_int_equal(json_member(json, "b")->count, 2);
	assert_slice(json_member(json, "b")->first->next->text, "x");
	assert_null(json_member(json, "b")->first->next->next);
	assert_non_null(json_member(json, "c"));
	assert_null(json_member(json, "d"));
	assert_null(json_member(json_member(json, "b"), "a"));
	assert_null(json_member(json_member(json, "b"), ""));
	assert_null(json_member(NULL, "a"));
}

/* --- Binding ------------------------------------------------------------------------------------------------- */

struct form {
	struct slice text, decimal;
	struct slice_list list;
	struct uuid id;
	int64_t integer, at;
	const struct json *value;
	bool boolean, given;
};

static const struct json_field fields[] = {
	{ "text", JSON_AS_TEXT, .offset = offsetof(struct form, text), .max = 5,
	        .given = offsetof(struct form, given) },
	{ "flag", JSON_AS_BOOLEAN, .offset = offsetof(struct form, boolean) },
	{ "integer", JSON_AS_INTEGER, .is_required = true, .offset = offsetof(struct form, integer) },
	{ "decimal", JSON_AS_DECIMAL, .offset = offsetof(struct form, decimal) },
	{ "at", JSON_AS_INSTANT, .offset = offsetof(struct form, at) },
	{ "id", JSON_AS_ID, .offset = offsetof(struct form, id), .prefix = "pay" },
	{ "list", JSON_AS_TEXT_LIST, .offset = offsetof(struct form, list), .max = 2 },
	{ "value", JSON_AS_VALUE, .offset = offsetof(struct form, value) },
};

static enum status bind(struct slice text, struct form *form, struct problem *problem)
{
	return json_read(text, fields, sizeof fields / sizeof *fields, form, &arena, problem);
}

static void a_document_becomes_a_struct(void **state)
{
	(void)state;
	struct form form = { .text = SLICE("kept") };
	assert_status(bind(SLICE("{\"text\":\"h\\u00e4\",\"flag\":true,\"integer\":-9223372036854775808,"
	                         "\"decimal\":1500.00,\"at\":\"2025-09-07T12:00:00Z\","
	                         "\"id\":\"pay-00112233-4455-6677-8899-aabbccddeeff\",\"list\":[\"a\",\"\"],"
	                         "\"value\":[{}]}"),
	                      &form, NULL),
	        STATUS_OK);
	assert_slice(form.text, "h\xc3\xa4");
	assert_true(form.given && form.boolean);
	assert_true(form.integer == INT64_MIN);
	assert_slice(form.decimal, "1500.00");
	assert_int_equal(form.at, INT64_C(1757246400000000));
	assert_int_equal(form.id.bytes[15], 0xff);
	assert_int_equal(form.list.count, 2);
	assert_slice(form.list.items[0], "a");
	assert_slice(form.value->raw, "[{}]");
}

static void absent_and_null_members_leave_the_field(void **state)
{
	(void)state;
	struct form form = { .text = SLICE("kept"), .at = 7 };
	assert_status(bind(SLICE("{\"text\":null,\"integer\":1}"), &form, NULL), STATUS_OK);
	assert_slice(form.text, "kept");
	assert_false(form.given);
	assert_int_equal(form.at, 7);
}

static void wrong_members_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *member; /* beside a good "integer", unless it is one */
		enum status status;
		const char *param;
	} rows[] = {
		{ "\"text\":\"12345\"", STATUS_OK, "" },
		{ "\"text\":\"123456\"", ERR_INVALID_FIELD, "text" },
		{ "\"text\":\"a\\nb\"", ERR_INVALID_FIELD, "text" },
		{ "\"text\":\"a\\u0000\"", ERR_INVALID_FIELD, "text" },
		{ "\"text\":\"a\\u007f\"", ERR_INVALID_FIELD, "text" },
		{ "\"text\":1", ERR_INVALID_FIELD, "text" },
		{ "\"text\":[]", ERR_INVALID_FIELD, "text" },
		{ "\"flag\":\"true\"", ERR_INVALID_FIELD, "flag" },
		{ "\"flag\":1", ERR_INVALID_FIELD, "flag" },
		{ "\"integer\":\"1\"", ERR_INVALID_FIELD, "integer" },
		{ "\"integer\":1.0", ERR_INVALID_FIELD, "integer" },
		{ "\"integer\":1e3", ERR_INVALID_FIELD, "integer" },
		{ "\"integer\":9223372036854775807", STATUS_OK, "" },
		{ "\"integer\":9223372036854775808", ERR_INVALID_FIELD, "integer" },
		{ "\"integer\":-9223372036854775809", ERR_INVALID_FIELD, "integer" },
		{ "\"integer\":18446744073709551617", ERR_INVALID_FIELD, "integer" },
		{ "\"integer\":null", ERR_MISSING_FIELD, "integer" },
		{ "\"decimal\":\"1.50\"", STATUS_OK, "" },
		{ "\"decimal\":true", ERR_INVALID_FIELD, "decimal" },
		{ "\"decimal\":11111111112222222222333333333344444444445555555555666666666677777", ERR_INVALID_FIELD,
		        "decimal" },
		{ "\"at\":\"2025-09-07\"", ERR_INVALID_FIELD, "at" },
		{ "\"at\":1757246400", ERR_INVALID_FIELD, "at" },
		{ "\"id\":\"pay-1\"", ERR_INVALID_ID, "id" },
		{ "\"id\":\"pay\"", ERR_INVALID_ID, "id" },
		{ "\"id\":\"agent-00112233-4455-6677-8899-aabbccddeeff\"", ERR_INVALID_ID, "id" },
		{ "\"id\":\"pax-00112233-4455-6677-8899-aabbccddeeff\"", ERR_INVALID_ID, "id" },
		{ "\"id\":\"pay_00112233-4455-6677-8899-aabbccddeeff\"", ERR_INVALID_ID, "id" },
		{ "\"id\":\"00112233-4455-6677-8899-aabbccddeeff\"", ERR_INVALID_ID, "id" },
		{ "\"id\":7", ERR_INVALID_ID, "id" },
		{ "\"list\":[]", STATUS_OK, "" },
		{ "\"list\":[\"a\",\"b\",\"c\"]", ERR_INVALID_FIELD, "list" },
		{ "\"list\":[1]", ERR_INVALID_FIELD, "list" },
		{ "\"list\":[\"a\\tb\"]", ERR_INVALID_FIELD, "list" },
		{ "\"list\":\"a\"", ERR_INVALID_FIELD, "list" },
		{ "\"list\":{\"a\":\"b\"}", ERR_INVALID_FIELD, "list" },
		{ "\"more\":1", ERR_UNKNOWN_FIELD, "more" },
		{ "\"more\":null", ERR_UNKNOWN_FIELD, "more" },
		{ "\"Text\":\"a\"", ERR_UNKNOWN_FIELD, "Text" },
		{ "\"\":1", ERR_UNKNOWN_FIELD, "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct form form = { 0 };
		struct problem problem = { .param = "" };
		bool has_integer = slice_starts_with(slice_from(rows[i].member), SLICE("\"integer\""));
		struct slice text = arena_format(&arena, "{%s%s}", has_integer ? "" : "\"integer\":1,", rows[i].member);
		enum status status = bind(text, &form, &problem);
		if (status != rows[i].status || strcmp(problem.param, rows[i].param) != 0)
			fail_msg("%s: %s, %s", rows[i].member, status_code(status), problem.param);
	}
}

static void what_is_no_object_is_not_bound(void **state)
{
	(void)state;
	static const char *rows[] = { "[]", "null", "\"integer\"", "1" };
	struct form form = { 0 };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_status(bind(slice_from(rows[i]), &form, NULL), ERR_INVALID_FIELD);
	assert_status(bind(SLICE_EMPTY, &form, NULL), ERR_MISSING_FIELD);
	assert_status(bind(SLICE("{"), &form, NULL), ERR_INVALID_JSON);
}

/* A long name is cut for the problem, and between two characters. */
static void a_long_unknown_name_is_cut(void **state)
{
	(void)state;
	struct form form = { 0 };
	struct problem problem = { .param = "" };
	struct writer text = writer_growing(&arena);
	write_text(&text, "{\"x");
	for (int i = 0; i < 100; i++)
		write_text(&text, "\xc3\xa4");
	write_text(&text, "\":1}");
	assert_status(bind(writer_slice(&text), &form, &problem), ERR_UNKNOWN_FIELD);
	assert_true(utf8_is_valid(slice_from(problem.param)));
	assert_int_equal(strlen(problem.param), 59);
}

/* --- Writing ------------------------------------------------------------------------------------------------- */

static void documents_are_written(void **state)
{
	(void)state;
	struct writer out = writer_growing(&arena);
	struct json_writer json = { .out = &out };
	struct uuid nil = { { 0 } }, one = { { 1 } };
	json_object_open(&json);
	json_key_text(&json, "text", SLICE("\"\\\b\f\n\r\t/\x01\x1f\x7f\xc3\xa4"));
	json_key_text(&json, "nul", slice_make("a\0b", 3));
	json_key_text(&json, "bad", SLICE("a\xff\x01"));
	json_key_text_or_null(&json, "none", SLICE_EMPTY);
	json_key_text_or_null(&json, "some", SLICE("x"));
	json_key_i64(&json, "least", INT64_MIN);
	json_key_i64(&json, "most", INT64_MAX);
	json_key_boolean(&json, "yes", true);
	json_key_boolean(&json, "no", false);
	json_key_instant(&json, "at", INT64_C(1757246400000000));
	json_key_instant(&json, "never", 0);
	json_key_raw(&json, "amount", SLICE("1500.00"));
	json_key_id(&json, "id", "pay", one);
	json_key_id(&json, "nobody", "pay", nil);
	json_key(&json, "list");
	json_array_open(&json);
	json_null(&json);
	json_array_open(&json);
	json_array_close(&json);
	json_object_open(&json);
	json_object_close(&json);
	json_i64(&json, 1);
	json_array_close(&json);
	json_object_close(&json);
	assert_slice(writer_slice(&out),
	        "{\"text\":\"\\\"\\\\\\b\\f\\n\\r\\t/\\u0001\\u001f\x7f\xc3\xa4\",\"nul\":\"a\\u0000b\","
	        "\"bad\":\"a\xef\xbf\xbd\\u0001\",\"none\":null,\"some\":\"x\",\"least\":-9223372036854775808,"
	        "\"most\":9223372036854775807,\"yes\":true,\"no\":false,\"at\":\"2025-09-07T12:00:00Z\","
	        "\"never\":null,\"amount\":1500.00,\"id\":\"pay-01000000-0000-0000-0000-000000000000\","
	        "\"nobody\":null,\"list\":[null,[],{},1]}");
	assert_status(parse(writer_slice(&out)), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
TESTS(TEST(values_are_read), TEST(what_is_no_json_is_refused), TEST(nothing_is_read_behind_the_end),
        TEST(members_named_twice_are_refused), TEST(depth_has_a_limit), TEST(members_and_values_have_limits),
        TEST(the_fault_is_located), TEST(members_are_found), TEST(a_document_becomes_a_struct),
        TEST(absent_and_null_members_leave_the_field), TEST(wrong_members_are_named),
        TEST(what_is_no_object_is_not_bound), TEST(a_long_unknown_name_is_cut), TEST(documents_are_written))
