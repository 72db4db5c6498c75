#include "testing.h"

#include "platform/webhook_signature.h"

/* Fixed signatures and verdicts of the Standard Webhooks libraries (Apache-2.0), clock fixed; on unpadded secrets they
 * differ, and we refuse. */
static const struct {
	const char *secret, *id;
	int64_t timestamp;
	const char *body, *signature;
} signed_rows[] = {
	{ "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553,
	        "{\"email\":\"test@example.com\",\"username\":\"test_user\"}",
	        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=" },
	{ "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
	        "{\"test\": 2432232314}", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
};

static const struct {
	const char *name, *secret, *id, *timestamp, *signatures, *body;
	int64_t now;
	bool is_accepted;
} verified_rows[] = {
	{ "valid", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, true },
	{ "secret without prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, true },
	{ "rust vector", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "1649367553",
	        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
	        "{\"email\":\"test@example.com\",\"username\":\"test_user\"}", 1649367553, true },
	{ "missing webhook-id", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NULL, "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "missing webhook-timestamp", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", NULL,
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "missing webhook-signature", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330", NULL, "{\"test\": 2432232314}", 1614265330, false },
	{ "timestamp not a number", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "hello",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "timestamp is a float", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330.0", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330,
	        false },
	{ "timestamp negative", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "-1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "timestamp with plus sign", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "+1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330,
	        false },
	{ "timestamp with leading space", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        " 1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330,
	        false },
	{ "timestamp overflows 64 bits", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "99999999999999999999", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}",
	        1614265330, false },
	{ "signature changed in last byte", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=", "{\"test\": 2432232314}", 1614265330,
	        false },
	{ "signature not base64 of 32 bytes", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330", "v1,dawfeoifkpqwoekfpqoekf", "{\"test\": 2432232314}", 1614265330, false },
	{ "truncated signature \"v1,\"", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330", "v1,", "{\"test\": 2432232314}", 1614265330, false },
	{ "truncated signature, first bytes", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330", "v1,g0hM9", "{\"test\": 2432232314}", 1614265330, false },
	{ "empty signature header", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330", "", "{\"test\": 2432232314}", 1614265330, false },
	{ "no version", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "unknown version only", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330,
	        false },
	{ "several signatures, one good", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330",
	        "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= "
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=",
	        "{\"test\": 2432232314}", 1614265330, true },
	{ "several signatures, none good", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330",
	        "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v1,Mm7xgUVICxZfQ3bgf0h0Dof65L/IFx+PnZvnDWPCX6Q= "
	        "v1,9DfC1c3eeOrXB6w/5dIDydLNQaEyww5KalE5jLBZucE=",
	        "{\"test\": 2432232314}", 1614265330, false },
	{ "300 s old", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265630, true },
	{ "301 s old", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265631, false },
	{ "300 s ahead", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265030, true },
	{ "301 s ahead", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265029, false },
	{ "payload changed by one space", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
	        "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\":2432232314}", 1614265330,
	        false },
	{ "id changed", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJel", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "timestamp changed within tolerance", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	        "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265331",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "empty payload", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=", "", 1614265330, true },
	{ "payload with UTF-8", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,iENl6vMpRAScaigXd3FyM+4e/0ZxBwrp3oDfUyL8G6I=", "{\"name\":\"Zo\303\253 \342\202\254\"}", 1614265330,
	        true },
	{ "unpadded secret that lacks one padding character(s)", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
	        "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,LVOXivKoo4FWasi/IaHvzhE/u+7/cu2AME+zS/nXqzk=", "{\"test\": 2432232314}", 1614265330, false },
	{ "unpadded secret that lacks two padding character(s)", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr",
	        "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,yK2tMbA6BHPrMEJ1lLv7UlJJbgFoqGenJkiajZ29evg=", "{\"test\": 2432232314}", 1614265330, false },
	{ "empty secret", "", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "prefix only", "whsec_", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "id holds a dot (boundary shift)", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	        "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "{\"test\": 2432232314}", 1614265330, false },
	{ "rotation: signed with old and new, verify with new", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
	        "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44=",
	        "{\"test\": 2432232314}", 1614265330, true },
	{ "rotation: signed with old and new, verify with old", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	        "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	        "v1,78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	        "{\"test\": 2432232314}", 1614265330, true },
};

static void signs_as_the_other_libraries_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof signed_rows / sizeof *signed_rows; i++) {
		struct webhook_secret secret;
		char buffer[80];
		struct writer out = writer_fixed(buffer, sizeof buffer);
		assert_true(webhook_secret_parse(slice_from(signed_rows[i].secret), &secret));
		write_webhook_signature(&out, &secret, slice_from(signed_rows[i].id), signed_rows[i].timestamp,
		        slice_from(signed_rows[i].body));
		assert_slice(writer_slice(&out), signed_rows[i].signature);
	}
}

/* Signed as it stands, and yet refused: "a.1" at 2 and "a" at "1.2" are the same bytes. */
static void an_id_with_a_dot_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *id;
		enum status status;
	} rows[] = { { "msg_1", STATUS_OK }, { "msg.1", ERR_SIGNATURE_INVALID } };
	struct webhook_secret secret;
	assert_true(webhook_secret_parse(slice_from(signed_rows[0].secret), &secret));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char buffer[80];
		struct writer out = writer_fixed(buffer, sizeof buffer);
		write_webhook_signature(&out, &secret, slice_from(rows[i].id), 1700000000, SLICE("{}"));
		const struct webhook_message message = { .id = slice_from(rows[i].id),
			.timestamp = SLICE("1700000000"),
			.signatures = writer_slice(&out),
			.body = SLICE("{}") };
		assert_status(webhook_verify(&secret, &message, 1700000000), rows[i].status);
	}
}

static void verdicts_are_those_of_the_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof verified_rows / sizeof *verified_rows; i++) {
		struct webhook_secret secret;
		struct webhook_message message = {
			.id = slice_from(verified_rows[i].id),
			.timestamp = slice_from(verified_rows[i].timestamp),
			.signatures = slice_from(verified_rows[i].signatures),
			.body = slice_from(verified_rows[i].body),
		};
		bool accepted = webhook_secret_parse(slice_from(verified_rows[i].secret), &secret) &&
		                webhook_verify(&secret, &message, verified_rows[i].now) == STATUS_OK;
		if (accepted != verified_rows[i].is_accepted)
			fail_msg("%s", verified_rows[i].name);
	}
}

static void new_secrets_parse_and_differ(void **state)
{
	(void)state;
	char texts[2][80];
	for (int i = 0; i < 2; i++) {
		struct writer out = writer_fixed(texts[i], sizeof texts[i]);
		struct webhook_secret secret;
		write_new_webhook_secret(&out);
		write_char(&out, 0);
		assert_true(webhook_secret_parse(slice_from(texts[i]), &secret));
		assert_int_equal(secret.size, WEBHOOK_SECRET_SIZE);
	}
	assert_string_not_equal(texts[0], texts[1]);
}

static void refuses_secrets_that_are_too_long_or_no_base64(void **state)
{
	(void)state;
	struct webhook_secret secret;
	char text[200] = "whsec_";
	memset(text + 6, 'A', 180);
	assert_false(webhook_secret_parse(slice_from(text), &secret));
	assert_false(webhook_secret_parse(SLICE("whsec_!!!!"), &secret));
	assert_false(webhook_secret_parse(SLICE("whsec_AAAAA"), &secret));
}

TESTS(cmocka_unit_test(signs_as_the_other_libraries_do), cmocka_unit_test(an_id_with_a_dot_is_refused),
        cmocka_unit_test(verdicts_are_those_of_the_vectors), cmocka_unit_test(new_secrets_parse_and_differ),
        cmocka_unit_test(refuses_secrets_that_are_too_long_or_no_base64))
