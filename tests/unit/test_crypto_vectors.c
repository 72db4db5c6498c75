/* Wycheproof and C2SP/CCTV against platform/crypto.h. Each test counts what it has seen, so that a file that changed
 * its form cannot pass unread. */
#include "vectors.h"

#include "platform/crypto.h"

static struct arena arena;

static int clean_up(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

struct tally {
	int accepted, rejected;
};

static void judge(struct tally *tally, const struct json *test, bool is_accepted)
{
	if (is_accepted != slice_is(vector_text(test, "result"), "valid"))
		fail_msg("tcId %.*s (%.*s): %s", SLICE_ARGS(vector_text(test, "tcId")),
		        SLICE_ARGS(vector_text(test, "comment")), is_accepted ? "accepted" : "rejected");
	is_accepted ? tally->accepted++ : tally->rejected++;
}

static struct tally judge_signatures(const char *file, enum signature_algorithm algorithm, const char *public_name)
{
	struct tally tally = { 0 };
	const struct json *groups = json_member(vectors_read(&arena, file), "testGroups");
	for (const struct json *group = groups->first; group; group = group->next) {
		struct slice point = vector_bytes(json_member(group, "publicKey"), public_name, &arena);
		if (algorithm == SIGNATURE_ES256)
			point = slice_skip(point, 1);
		struct verify_key *key = verify_key_from_public(algorithm, point);
		assert_non_null(key);
		for (const struct json *test = json_member(group, "tests")->first; test; test = test->next)
			judge(&tally, test,
			        verify_key_check(
			                key, vector_bytes(test, "msg", &arena), vector_bytes(test, "sig", &arena)));
		verify_key_free(key);
	}
	return tally;
}

static void wycheproof_ed25519(void **state)
{
	(void)state;
	struct tally tally = judge_signatures("jose/wycheproof/ed25519_test.json", SIGNATURE_ED25519, "pk");
	assert_int_equal(tally.accepted, 88);
	assert_int_equal(tally.rejected, 63);
}

static void wycheproof_es256(void **state)
{
	(void)state;
	struct tally tally = judge_signatures(
	        "jose/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", SIGNATURE_ES256, "uncompressed");
	assert_int_equal(tally.accepted + tally.rejected, 262);
	assert_true(tally.accepted > 100);
}

/* Edge cases of public key and R. What RFC 8032 wants refused is refused, and keys of small order with it. */
static void cctv_ed25519(void **state)
{
	(void)state;
	struct tally tally = { 0 };
	const struct json *tests = vectors_read(&arena, "jose/cctv/ed25519vectors.json");
	for (const struct json *test = tests->first; test; test = test->next) {
		const struct json *flags = json_member(test, "flags");
		bool is_sound = !vector_has(flags, "non_canonical_R") && !vector_has(flags, "low_order_residue") &&
		                !vector_has(flags, "low_order_A") && !vector_has(flags, "non_canonical_A");
		struct verify_key *key = verify_key_from_public(SIGNATURE_ED25519, vector_bytes(test, "key", &arena));
		bool is_accepted =
		        key && verify_key_check(key, vector_text(test, "msg"), vector_bytes(test, "sig", &arena));
		verify_key_free(key);
		if (is_accepted != is_sound)
			fail_msg("number %.*s: %s", SLICE_ARGS(vector_text(test, "number")),
			        is_accepted ? "accepted" : "rejected");
		is_accepted ? tally.accepted++ : tally.rejected++;
	}
	assert_int_equal(tally.accepted + tally.rejected, 914);
	assert_true(tally.accepted > 0);
}

static void wycheproof_hmac_sha256(void **state)
{
	(void)state;
	struct tally tally = { 0 };
	const struct json *groups =
	        json_member(vectors_read(&arena, "jose/wycheproof/hmac_sha256_test.json"), "testGroups");
	for (const struct json *group = groups->first; group; group = group->next)
		for (const struct json *test = json_member(group, "tests")->first; test; test = test->next) {
			struct slice tag = vector_bytes(test, "tag", &arena);
			struct sha256 mac =
			        hmac_sha256(vector_bytes(test, "key", &arena), vector_bytes(test, "msg", &arena));
			judge(&tally, test,
			        tag.size <= SHA256_SIZE && crypto_equal(tag, slice_make(mac.bytes, tag.size)));
		}
	assert_int_equal(tally.accepted + tally.rejected, 174);
	assert_true(tally.accepted > 50 && tally.rejected > 50);
}

static bool has_form(const struct json *group, const char *key_size, const char *nonce_size)
{
	return slice_is(vector_text(group, "keySize"), key_size) &&
	       slice_is(vector_text(group, "ivSize"), nonce_size) && slice_is(vector_text(group, "tagSize"), "128");
}

/* The sealed form takes 256-bit keys, 96-bit nonces and 128-bit tags only. */
static void wycheproof_aes_256_gcm(void **state)
{
	(void)state;
	struct tally tally = { 0 };
	const struct json *groups =
	        json_member(vectors_read(&arena, "jose/wycheproof/aes_gcm_test.json"), "testGroups");
	for (const struct json *group = groups->first; group; group = group->next) {
		if (!has_form(group, "256", "96"))
			continue;
		for (const struct json *test = json_member(group, "tests")->first; test; test = test->next) {
			struct slice key = vector_bytes(test, "key", &arena),
			             message = vector_bytes(test, "msg", &arena);
			struct writer sealed = writer_growing(&arena);
			write_slice(&sealed, vector_bytes(test, "iv", &arena));
			write_slice(&sealed, vector_bytes(test, "ct", &arena));
			write_slice(&sealed, vector_bytes(test, "tag", &arena));
			unsigned char *plain = arena_alloc(&arena, sealed.size);
			bool is_open = crypto_open((const unsigned char *)key.data, writer_slice(&sealed),
			        vector_bytes(test, "aad", &arena), plain);
			judge(&tally, test, is_open);
			if (is_open)
				assert_memory_equal(plain, message.data, message.size);
		}
	}
	assert_int_equal(tally.accepted + tally.rejected, 66);
	assert_true(tally.accepted > 20 && tally.rejected > 20);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
TESTS(TEST(wycheproof_ed25519), TEST(wycheproof_es256), TEST(cctv_ed25519), TEST(wycheproof_hmac_sha256),
        TEST(wycheproof_aes_256_gcm))
