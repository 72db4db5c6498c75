#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "payfile/payment_file.h"
#include "vectors.h"

static struct arena arena;

static int clean_up(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

static enum status read_text(const char *text, struct payment_file *file, struct problem *problem)
{
	return payment_file_read(slice_from(text), SLICE("test.csv"), SLICE_EMPTY, &arena, file, problem);
}

static void csv_columns_stand_in_any_order(void **state)
{
	(void)state;
	struct payment_file file;
	assert_status(read_text("currency,id,amount,payee_name,iban,reference\r\n"
	                        "EUR,1,12.3,\"Doe, \"\"John\"\"\",DE89370400440532013000,\"two\nlines\"\r\n"
	                        "USD,2,7.00,Shop,,\r\n",
	                      &file, NULL),
	        STATUS_OK);
	assert_int_equal(file.count, 2);
	assert_slice(file.orders[0].payee_name, "Doe, \"John\"");
	assert_slice(file.orders[0].amount, "12.30");
	assert_slice(file.orders[0].reference, "two\nlines");
	assert_null(file.orders[0].refusal);
	assert_string_equal(file.orders[1].refusal, "AC01");
}

static void csv_faults_are_named_by_line(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum status status;
		const char *detail;
	} rows[] = {
		{ "", ERR_MISSING_FIELD, "The file is empty." },
		{ "id,amount,currency\n", ERR_MISSING_FIELD, "The file has no payment." },
		{ "id,amount\n1,2\n", ERR_MISSING_FIELD, "Line 1: the column \"currency\" is missing." },
		{ "id,amount,currency,colour\n", ERR_UNKNOWN_FIELD, "Line 1: there is no column \"colour\"." },
		{ "id,amount,currency,id\n", ERR_INVALID_FIELD, "Line 1: a column stands twice." },
		{ "id,amount,currency\n1,2.00\n", ERR_INVALID_FIELD, "Line 2: 2 fields instead of 3." },
		{ "id,amount,currency\n1,2.00,\"USD\n", ERR_INVALID_FIELD, "Line 2: a quoted field does not end." },
		{ "id,amount,currency\n1,\"2.00\"x,USD\n", ERR_INVALID_FIELD,
		        "Line 2: something follows a quoted field." },
		{ "id,amount,currency\n,2.00,USD\n", ERR_MISSING_FIELD, "Line 2: the id is missing." },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct payment_file file;
		struct problem problem = { 0 };
		assert_status(read_text(rows[i].text, &file, &problem), rows[i].status);
		assert_string_equal(problem.detail, rows[i].detail);
	}
}

static void bad_orders_are_refused_one_by_one(void **state)
{
	(void)state;
	static const struct {
		const char *row, *refusal;
	} rows[] = {
		{ "1,1.00,USD,,,,acct-01890000-0000-7000-8000-000000000001", NULL },
		{ "1,1.00,USD,,,,acct-1", "AC03" },
		{ "1,1.001,USD,DE89370400440532013000,,,", "AM12" },
		{ "1,1,JPY,DE89370400440532013000,,,", NULL },
		{ "1,-1.00,USD,DE89370400440532013000,,,", "AM12" },
		{ "1,0.00,USD,DE89370400440532013000,,,", "AM01" },
		{ "1,1.00,XXQ,DE89370400440532013000,,,", "AM03" },
		{ "1,1.00,USD,DE00370400440532013000,,,", "AC03" },
		{ "1,1.00,USD,,,123,", "RC01" },
		{ "1,1.00,USD,,021000021,123,", NULL },
		{ "1,1.00,USD,DE89370400440532013000,021000021,123,", "AC01" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct payment_file file;
		struct slice text = arena_format(
		        &arena, "id,amount,currency,iban,routing_number,account_number,account_id\n%s\n", rows[i].row);
		assert_status(read_text(text.data, &file, NULL), STATUS_OK);
		if (rows[i].refusal)
			assert_string_equal(file.orders[0].refusal, rows[i].refusal);
		else
			assert_null(file.orders[0].refusal);
	}
}

static void keys_tell_orders_apart_and_files_the_same(void **state)
{
	(void)state;
	static const char text[] =
	        "id,amount,currency,iban\n1,1.00,EUR,DE89370400440532013000\n1,1.00,EUR,DE89370400440532013000\n"
	        "1,2.00,EUR,DE89370400440532013000\n";
	struct payment_file file;
	char once[3][ORDER_KEY_SIZE], again[3][ORDER_KEY_SIZE];
	assert_status(read_text(text, &file, NULL), STATUS_OK);
	payment_order_keys(&file, once, &arena);
	payment_order_keys(&file, again, &arena);
	assert_memory_equal(once, again, sizeof once);
	assert_string_not_equal(once[0], once[1]);
	assert_string_not_equal(once[0], once[2]);
	assert_int_equal(strlen(once[0]), 64);
}

/* A spreadsheet must not run what a payee's name says. */
static void reports_hold_no_formulas(void **state)
{
	(void)state;
	struct payment_file file;
	assert_status(read_text("id,amount,currency,payee_name,iban\n1,1.00,EUR,=HYPERLINK(1),DE89370400440532013000\n",
	                      &file, NULL),
	        STATUS_OK);
	struct slice report = csv_report_write(&file, &arena);
	assert_non_null(strstr(arena_text(&arena, report), ",\"'=HYPERLINK(1)\","));
}

static void xml_with_a_document_type_is_refused(void **state)
{
	(void)state;
	struct payment_file file;
	struct problem problem = { 0 };
	assert_status(read_text("<?xml version=\"1.0\"?><!DOCTYPE Document [<!ENTITY a \"b\">]>"
	                        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"/>",
	                      &file, &problem),
	        ERR_INVALID_FIELD);
	assert_string_equal(problem.detail, "A document type definition is not taken.");
}

/* --- Files that others wrote --------------------------------------------------------------------------------- */

static enum status read_sample(const char *path, struct payment_file *file, struct problem *problem)
{
	struct slice schemas = slice_from(vectors_path(&arena, "iso20022/xsd"));
	return payment_file_read(vectors_bytes(&arena, path), SLICE("sample"), schemas, &arena, file, problem);
}

static void samples_of_every_version_are_read(void **state)
{
	(void)state;
	static const int versions[] = { 3, 4, 5, 6, 7, 8, 9, 10, 12 };
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		struct payment_file file;
		struct problem problem = { 0 };
		struct slice path = arena_format(&arena, "iso20022/samples/sepa/pain.001.001.%02d.xml", versions[i]);
		assert_status(read_sample(path.data, &file, &problem), STATUS_OK);
		assert_int_equal(file.version, versions[i]);
		assert_int_equal(file.count, 1);
		assert_slice(file.orders[0].end_to_end_id, "SomethingUnique");
		assert_slice(file.orders[0].amount, "12.34");
		assert_slice(file.orders[0].currency, "EUR");
		assert_slice(file.orders[0].payee_name, "John Doe");
		/* Their debtor's IBAN has wrong check digits, which a schema cannot know. */
		assert_string_equal(file.orders[0].refusal, "AC02");
	}
}

static void files_that_break_schema_or_rules_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		enum status status;
		const char *refusal; /* of the order, when the file as a whole is good */
	} rows[] = {
		{ "sepa-invalid/01-missing-MsgId.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/02-MsgId-36-chars.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/03-amount-six-decimals.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/04-amount-negative.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/05-currency-lower-case.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/06-iban-bad-pattern.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/07-unknown-element.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/08-wrong-namespace.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/09-element-order.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-invalid/10-date-2026-02-30.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-rules/00-accept.xml", STATUS_OK, NULL },
		{ "sepa-rules/01-NbOfTxs-mismatch.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-rules/02-CtrlSum-mismatch.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-rules/03-iban-check-digits.xml", STATUS_OK, "AC02" },
		{ "sepa-rules/04-eur-three-decimals.xml", ERR_INVALID_FIELD, NULL },
		{ "sepa-rules/05-currency-xxq.xml", STATUS_OK, "AM03" },
		{ "sepa/pain.008.001.08.xml", ERR_INVALID_FIELD, NULL },
		{ "envelope/pacs.008.001.07.xml", ERR_INVALID_FIELD, NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct payment_file file;
		struct problem problem = { 0 };
		struct slice path = arena_format(&arena, "iso20022/samples/%s", rows[i].path);
		assert_status(read_sample(path.data, &file, &problem), rows[i].status);
		if (rows[i].status != STATUS_OK)
			assert_true(problem.detail[0]);
		else if (rows[i].refusal)
			assert_string_equal(file.orders[0].refusal, rows[i].refusal);
		else
			assert_null(file.orders[0].refusal);
	}
}

/* The report is checked by somebody else's validator against the published schema. */
static void check_report(struct payment_file *file, const char *schema)
{
	char path[] = "/tmp/agentpay-report-XXXXXX";
	int descriptor = mkstemp(path);
	FILE *out = fdopen(descriptor, "w");
	struct slice report = pain002_write(file, SLICE("report-1"), clock_now(), &arena);
	fwrite(report.data, 1, report.size, out);
	fclose(out);
	struct slice command = arena_format(&arena, "xmllint --nonet --noout --schema %s/%s %s 2>/dev/null",
	        vectors_path(&arena, "iso20022/xsd"), schema, path);
	int outcome = system(command.data);
	if (outcome)
		print_error("%.*s\n", SLICE_ARGS(report));
	unlink(path);
	assert_int_equal(outcome, 0);
}

static void reports_are_valid_pain002(void **state)
{
	(void)state;
	struct payment_file file;
	assert_status(read_sample("iso20022/samples/sepa/pain.001.001.03.xml", &file, NULL), STATUS_OK);
	check_report(&file, "pain.002.001.03.xsd");
	assert_status(read_sample("iso20022/samples/sepa-rules/00-accept.xml", &file, NULL), STATUS_OK);
	static const char *const statuses[] = { "settled", "accepted", "awaiting_approval", "declined", "canceled",
		"failed", "rejected" };
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		file.orders[0].is_answered = true;
		file.orders[0].status = slice_from(statuses[i]);
		file.orders[0].payment_id = SLICE("pay-01890000-0000-7000-8000-000000000001");
		file.orders[0].code = SLICE("consent_daily_limit");
		file.orders[0].detail = SLICE("Too much & <more> than the schema's 105 characters, because somebody "
		                              "wrote a very long sentence without an end \xc3\xbc\xc3\xbc\xc3\xbc");
		check_report(&file, "pain.002.001.10.xsd");
	}
	assert_status(
	        read_text("id,amount,currency,iban\n1,1.00,EUR,DE89370400440532013000\n2,1.00,XXQ,\n", &file, NULL),
	        STATUS_OK);
	check_report(&file, "pain.002.001.10.xsd");
}

#define TEST(function) cmocka_unit_test_teardown(function, clean_up)
TESTS(TEST(csv_columns_stand_in_any_order), TEST(csv_faults_are_named_by_line), TEST(bad_orders_are_refused_one_by_one),
        TEST(keys_tell_orders_apart_and_files_the_same), TEST(reports_hold_no_formulas),
        TEST(xml_with_a_document_type_is_refused), TEST(samples_of_every_version_are_read),
        TEST(files_that_break_schema_or_rules_are_refused), TEST(reports_are_valid_pain002))
