#include "testing.h"

#include "router/payee.h"

static void routing_numbers_have_a_check_digit(void **state)
{
	(void)state;
	static const struct {
		const char *number;
		bool is_valid;
	} rows[] = {
		{ "021000021", true },
		{ "011401533", true },
		{ "091000019", true },
		{ "021000022", false },
		{ "012000021", false },
		{ "02100002", false },
		{ "0210000210", false },
		{ "02100002a", false },
		{ "", false },
		{ "000000000", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (routing_number_is_valid(slice_from(rows[i].number)) != rows[i].is_valid)
			fail_msg("%s", rows[i].number);
}

static const struct {
	const char *json;
	enum status status;
	const char *key;
} rows[] = {
	{ "{\"account_id\":\"acct-01890a5d-ac96-774b-bcce-b302099a8057\"}", STATUS_OK,
	        "acct-01890a5d-ac96-774b-bcce-b302099a8057" },
	{ "{\"name\":\"Shop\",\"account_id\":\"acct-01890A5D-AC96-774B-BCCE-B302099A8057\"}", STATUS_OK,
	        "acct-01890a5d-ac96-774b-bcce-b302099a8057" },
	{ "{\"iban\":\"DE89 3704 0044 0532 0130 00\"}", STATUS_OK, "iban:DE89370400440532013000" },
	{ "{\"iban\":\"gb82west12345698765432\",\"bic\":\"DEUTDEFF\"}", STATUS_OK, "iban:GB82WEST12345698765432" },
	{ "{\"iban\":\"GB82WEST12345698765432\",\"bic\":\"DEUTDEFF500\"}", STATUS_OK, "iban:GB82WEST12345698765432" },
	{ "{\"routing_number\":\"021000021\",\"account_number\":\"12-34\"}", STATUS_OK, "us:021000021/12-34" },
	{ "{\"card_token\":\"tok_abc\"}", STATUS_OK, "card:tok_abc" },
	{ "{\"iban\":\"DE88370400440532013000\"}", ERR_INVALID_FIELD, "" },
	{ "{\"iban\":\"DE89370400440532013000\",\"bic\":\"DEUT\"}", ERR_INVALID_FIELD, "" },
	{ "{\"bic\":\"DEUTDEFF\",\"card_token\":\"tok\"}", ERR_INVALID_FIELD, "" },
	{ "{\"routing_number\":\"021000022\",\"account_number\":\"1\"}", ERR_INVALID_FIELD, "" },
	{ "{\"routing_number\":\"021000021\"}", ERR_INVALID_FIELD, "" },
	{ "{\"account_number\":\"1\"}", ERR_INVALID_FIELD, "" },
	{ "{\"routing_number\":\"021000021\",\"account_number\":\"1/2\"}", ERR_INVALID_FIELD, "" },
	{ "{\"card_token\":\"4111111111111111\"}", ERR_INVALID_FIELD, "" },
	{ "{\"card_token\":\"tok abc\"}", ERR_INVALID_FIELD, "" },
	{ "{\"card_token\":\"tok\",\"iban\":\"DE89370400440532013000\"}", ERR_INVALID_FIELD, "" },
	{ "{\"name\":\"Nobody\"}", ERR_INVALID_FIELD, "" },
	{ "{}", ERR_INVALID_FIELD, "" },
	{ "[]", ERR_INVALID_FIELD, "" },
	{ "{\"account_id\":\"pay-01890a5d-ac96-774b-bcce-b302099a8057\"}", ERR_INVALID_ID, "" },
	{ "{\"card_token\":\"tok\",\"sort_code\":\"1\"}", ERR_UNKNOWN_FIELD, "" },
};

static enum status parse(const char *text, struct arena *arena, struct payee *ret_payee)
{
	const struct json *value;
	struct problem problem;
	assert_status(json_parse(slice_from(text), arena, &value, &problem), STATUS_OK);
	return payee_parse(value, arena, ret_payee, &problem);
}

static void reads_exactly_one_way_to_name_a_payee(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena arena = { 0 };
		struct payee payee = { .key = SLICE_EMPTY };
		enum status status = parse(rows[i].json, &arena, &payee);
		if (status != rows[i].status || !slice_is(payee.key, rows[i].key))
			fail_msg("%s: %s %.*s", rows[i].json, status_code(status), SLICE_ARGS(payee.key));
		arena_clean_up(&arena);
	}
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena arena = { 0 };
		struct writer out = writer_growing(&arena);
		struct json_writer json = { .out = &out };
		struct payee payee, again;
		if (rows[i].status == STATUS_OK) {
			assert_status(parse(rows[i].json, &arena, &payee), STATUS_OK);
			write_payee_plain(&json, &payee);
			write_char(&out, 0);
			assert_status(parse(out.data, &arena, &again), STATUS_OK);
			assert_slice(again.key, rows[i].key);
			assert_true(slice_equal(again.name, payee.name));
			assert_true(slice_equal(again.bic, payee.bic));
		}
		arena_clean_up(&arena);
	}
}

static void others_see_the_last_four_characters(void **state)
{
	(void)state;
	static const struct {
		const char *json, *masked;
	} cases[] = {
		{ "{\"name\":\"A\",\"iban\":\"DE89370400440532013000\"}",
		        "{\"name\":\"A\",\"iban\":\"****3000\",\"key\":\"****3000\"}" },
		{ "{\"routing_number\":\"021000021\",\"account_number\":\"1234\"}",
		        "{\"routing_number\":\"021000021\",\"account_number\":\"****\",\"key\":\"****1234\"}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena arena = { 0 };
		struct writer out = writer_growing(&arena);
		struct json_writer json = { .out = &out };
		struct payee payee;
		assert_status(parse(cases[i].json, &arena, &payee), STATUS_OK);
		write_payee(&json, &payee, true);
		assert_slice(writer_slice(&out), cases[i].masked);
		arena_clean_up(&arena);
	}
}

TESTS(cmocka_unit_test(routing_numbers_have_a_check_digit), cmocka_unit_test(reads_exactly_one_way_to_name_a_payee),
        cmocka_unit_test(what_is_written_is_read_again), cmocka_unit_test(others_see_the_last_four_characters))
