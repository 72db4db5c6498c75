#include "testing.h"

#include "notify/notify_rules.h"
#include "notify/webhook_url.h"
#include "vectors.h"

static void retries_follow_the_schedule(void **state)
{
	(void)state;
	static const int64_t seconds[] = { 0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };
	for (int attempts = 0; attempts < NOTIFY_ATTEMPTS_MAX; attempts++) {
		int64_t least = seconds[attempts] * 1000;
		assert_int_equal(notify_retry_delay_ms(attempts, 0, 0), least);
		for (uint64_t randomness = 1; randomness < 50; randomness++) {
			int64_t delay = notify_retry_delay_ms(attempts, 0, randomness * UINT64_C(0x9e3779b97f4a7c15));
			assert_in_range(delay, least, least + least / 10);
		}
	}
	assert_true(notify_retry_delay_ms(5, 0, 12345) > notify_retry_delay_ms(5, 0, 0));
	assert_int_equal(notify_retry_delay_ms(NOTIFY_ATTEMPTS_MAX, 0, 0), -1);
	assert_int_equal(notify_retry_delay_ms(NOTIFY_ATTEMPTS_MAX, 60, 0), -1);
}

static void the_schedule_is_the_published_one(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const struct json *document = vectors_read(&arena, "standard-webhooks/standard_webhooks.json");
	const struct json *schedule = json_member(document, "retry_schedule_seconds");
	int attempts = 0;
	assert_non_null(schedule);
	for (const struct json *item = schedule->first; item; item = item->next) {
		int64_t seconds;
		assert_true(slice_to_i64(item->text, &seconds));
		assert_int_equal(notify_retry_delay_ms(attempts++, 0, 0), seconds * 1000);
	}
	assert_int_equal(attempts, NOTIFY_ATTEMPTS_MAX);
	arena_clean_up(&arena);
}

static void retry_after_is_honoured_up_to_a_day(void **state)
{
	(void)state;
	assert_int_equal(notify_retry_delay_ms(1, 60, 0), 60000);
	assert_int_equal(notify_retry_delay_ms(2, 60, 0), 300000);
	assert_int_equal(notify_retry_delay_ms(1, INT64_MAX, 0), 86400000);
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = { { "120", 120 }, { " 7 ", 7 }, { "", 0 }, { "-5", 0 }, { "Wed, 21 Oct 2026 07:28:00 GMT", 0 },
		{ "99999999999", 86400 }, { "1e3", 0 } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(notify_retry_after(slice_from(rows[i].text)), rows[i].seconds);
}

static void answers_have_their_meaning(void **state)
{
	(void)state;
	static const struct {
		enum status call;
		int http;
		enum notify_outcome outcome;
	} rows[] = {
		{ STATUS_OK, 200, NOTIFY_DELIVERED },
		{ STATUS_OK, 204, NOTIFY_DELIVERED },
		{ STATUS_OK, 299, NOTIFY_DELIVERED },
		{ STATUS_OK, 199, NOTIFY_RETRY },
		{ STATUS_OK, 301, NOTIFY_RETRY },
		{ STATUS_OK, 400, NOTIFY_RETRY },
		{ STATUS_OK, 404, NOTIFY_RETRY },
		{ STATUS_OK, 410, NOTIFY_GONE },
		{ STATUS_OK, 429, NOTIFY_RETRY },
		{ STATUS_OK, 500, NOTIFY_RETRY },
		{ ERR_TIMEOUT, 0, NOTIFY_RETRY },
		{ ERR_TIMEOUT, 200, NOTIFY_RETRY },
		{ ERR_NEIGHBOUR_UNAVAILABLE, 0, NOTIFY_RETRY },
		{ ERR_WEBHOOK_URL_REFUSED, 0, NOTIFY_REFUSED },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(notify_outcome_of(rows[i].call, rows[i].http), rows[i].outcome);
}

static void patterns_choose_event_types(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		bool is_valid;
		const char *type;
		bool matches;
	} rows[] = {
		{ "payment.settled", true, "payment.settled", true },
		{ "payment.settled", true, "payment.declined", false },
		{ "payment.*", true, "payment.settled", true },
		{ "payment.*", true, "payments.settled", false },
		{ "payment.*", true, "payment", false },
		{ "*", true, "risk.alert", true },
		{ "user.login_failed", true, "user.login_failed", true },
		{ "", false, "payment.settled", false },
		{ "payment*", false, NULL, false },
		{ "*.settled", false, NULL, false },
		{ "payment.", false, NULL, false },
		{ ".settled", false, NULL, false },
		{ "payment..settled", false, NULL, false },
		{ "Payment.settled", false, NULL, false },
		{ "payment.settled ", false, NULL, false },
		{ "**", false, NULL, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(notify_pattern_is_valid(slice_from(rows[i].pattern)), rows[i].is_valid);
		if (rows[i].type)
			assert_int_equal(notify_type_matches(slice_from(rows[i].pattern), slice_from(rows[i].type)),
			        rows[i].matches);
	}
}

static void private_and_malformed_addresses_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *url;
		bool is_public, is_well_formed;
	} rows[] = {
		{ "https://example.com/hook", true, true },
		{ "http://example.com:8080/hook?a=b#c", true, true },
		{ "https://example.com", true, true },
		{ "https://8.8.8.8/hook", true, true },
		{ "https://[2606:4700::1111]:443/hook", true, true },
		{ "https://localhost.example.com/", true, true },
		{ "http://localhost/hook", false, true },
		{ "http://LOCALHOST:9000/", false, true },
		{ "http://localhost./", false, true },
		{ "http://api.localhost/", false, true },
		{ "http://printer.local/", false, true },
		{ "http://metadata.google.internal/", false, true },
		{ "http://127.0.0.1/", false, true },
		{ "http://127.0.0.1./", false, true },
		{ "http://127.1/", false, true },
		{ "http://2130706433/", false, true },
		{ "http://0x7f000001/", false, true },
		{ "http://0177.0.0.1/", false, true },
		{ "http://0/", false, true },
		{ "http://10.1.2.3/", false, true },
		{ "http://192.168.1.1/", false, true },
		{ "http://172.31.255.255/", false, true },
		{ "http://169.254.169.254/latest/meta-data", false, true },
		{ "http://100.64.0.1/", false, true },
		{ "http://[::1]/", false, true },
		{ "http://[::ffff:127.0.0.1]/", false, true },
		{ "http://[fd00::1]/", false, true },
		{ "http://[fe80::1]/", false, true },
		{ "ftp://example.com/", false, false },
		{ "file:///etc/passwd", false, false },
		{ "HTTPS://example.com/", false, false },
		{ "//example.com/", false, false },
		{ "https://user:secret@example.com/", false, false },
		{ "https://example.com@127.0.0.1/", false, false },
		{ "https://example.com\\@127.0.0.1/", false, false },
		{ "https:///hook", false, false },
		{ "https://:80/", false, false },
		{ "https://[::1/", false, false },
		{ "https://[]/", false, false },
		{ "https://example.com:0/", false, false },
		{ "https://example.com:70000/", false, false },
		{ "https://example.com:80x/", false, false },
		{ "https://exa mple.com/", false, false },
		{ "https://example.com/\r\nHost: x", false, false },
		{ "", false, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct problem problem = { 0 };
		enum status status = webhook_url_check(slice_from(rows[i].url), false, &problem);
		if (status != (rows[i].is_public ? STATUS_OK : ERR_WEBHOOK_URL_REFUSED))
			fail_msg("%s: %s", rows[i].url, status_code(status));
		assert_true(rows[i].is_public || strlen(problem.detail) > 0);
		status = webhook_url_check(slice_from(rows[i].url), true, &problem);
		if (status != (rows[i].is_well_formed ? STATUS_OK : ERR_WEBHOOK_URL_REFUSED))
			fail_msg("%s where private is allowed: %s", rows[i].url, status_code(status));
	}
	char large[WEBHOOK_URL_MAX + 2];
	memset(large, 'a', sizeof large);
	memcpy(large, "https://e.com/", 14);
	assert_status(webhook_url_check(slice_make(large, WEBHOOK_URL_MAX), false, NULL), STATUS_OK);
	assert_status(webhook_url_check(slice_make(large, WEBHOOK_URL_MAX + 1), false, NULL), ERR_WEBHOOK_URL_REFUSED);
}

TESTS(cmocka_unit_test(retries_follow_the_schedule), cmocka_unit_test(the_schedule_is_the_published_one),
        cmocka_unit_test(retry_after_is_honoured_up_to_a_day), cmocka_unit_test(answers_have_their_meaning),
        cmocka_unit_test(patterns_choose_event_types), cmocka_unit_test(private_and_malformed_addresses_are_refused))
