/* The RFCs' own examples and Wycheproof's JOSE files: what is signed with one of our two algorithms and right is
 * accepted, everything else (other algorithms, symmetric keys, forgeries) is refused. */
#include "vectors.h"

#include "identity/jose.h"

static struct arena arena;

static int clean_up(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

static bool is_accepted_by(const struct json *json, struct slice token)
{
	struct jwk jwk;
	struct slice payload;
	if (!json || jwk_parse(json, &jwk) != STATUS_OK)
		return false;
	bool is_accepted = jws_verify(token, &jwk, &arena, &payload) == STATUS_OK;
	jwk_clean_up(&jwk);
	return is_accepted;
}

static bool is_accepted_by_set(const struct json *json, struct slice token)
{
	struct jwk_set set;
	struct slice payload;
	bool is_accepted = false;
	if (jwks_parse(json->raw, &arena, &set) != STATUS_OK)
		return false;
	for (size_t i = 0; i < set.count; i++)
		is_accepted |= jws_verify(token, &set.keys[i], &arena, &payload) == STATUS_OK;
	jwk_set_clean_up(&set);
	return is_accepted;
}

static void the_examples_of_the_rfcs(void **state)
{
	(void)state;
	int accepted = 0, rejected = 0;
	const struct json *tests = json_member(vectors_read(&arena, "jose/rfc_examples.json"), "jws");
	for (const struct json *test = tests->first; test; test = test->next) {
		struct slice section = vector_text(test, "section");
		bool is_ours = slice_is(vector_text(test, "rfc"), "8037") || slice_is(section, "A.3");
		bool is_accepted = is_accepted_by(json_member(test, "jwk"), vector_text(test, "jws"));
		if (is_accepted != is_ours)
			fail_msg("%.*s: %s", SLICE_ARGS(section), is_accepted ? "accepted" : "rejected");
		is_accepted ? accepted++ : rejected++;
	}
	assert_int_equal(accepted, 2);
	assert_int_equal(rejected, 4);
}

static void the_thumbprint_of_rfc_8037(void **state)
{
	(void)state;
	const struct json *tests = vectors_read(&arena, "jose/jwk_thumbprint_vectors.json"), *json;
	int seen = 0;
	for (const struct json *test = tests->first; test; test = test->next) {
		struct jwk jwk;
		struct writer out = writer_growing(&arena);
		assert_status(json_parse(vector_text(test, "jwk"), &arena, &json, NULL), STATUS_OK);
		if (!slice_is(vector_text(test, "name"), "ed25519")) {
			assert_status(jwk_parse(json, &jwk), ERR_INVALID_FIELD);
			continue;
		}
		assert_status(jwk_parse(json, &jwk), STATUS_OK);
		struct sha256 thumbprint = jwk_thumbprint(&jwk);
		write_base64url(&out, thumbprint.bytes, sizeof thumbprint.bytes);
		assert_true(slice_equal(writer_slice(&out), vector_text(test, "thumbprint")));
		jwk_clean_up(&jwk);
		seen++;
	}
	assert_int_equal(seen, 1);
}

/* RFC 9449 section 6.1 gives the thumbprint of a P-256 key. */
static void the_thumbprint_of_rfc_9449(void **state)
{
	(void)state;
	const struct json *dpop = json_member(vectors_read(&arena, "jose/rfc_examples.json"), "dpop"), *header;
	struct slice proof = vector_text(dpop, "token_request_proof"), part, payload;
	struct writer out = writer_growing(&arena);
	struct jwk jwk;
	size_t size;
	slice_split(&(struct slice) { proof.data, proof.size }, '.', &part);
	char *text = arena_alloc(&arena, part.size);
	assert_true(base64url_decode(part, text, part.size, &size));
	assert_status(json_parse(slice_make(text, size), &arena, &header, NULL), STATUS_OK);
	assert_status(jwk_parse(json_member(header, "jwk"), &jwk), STATUS_OK);
	struct sha256 thumbprint = jwk_thumbprint(&jwk);
	write_base64url(&out, thumbprint.bytes, sizeof thumbprint.bytes);
	assert_true(slice_equal(writer_slice(&out), vector_text(dpop, "jkt")));
	/* The proof's signature is right, but it brings its own key along. */
	assert_status(jws_verify(proof, &jwk, &arena, &payload), ERR_INVALID_TOKEN);
	jwk_clean_up(&jwk);
}

static bool is_p256(const struct json *key)
{
	const struct json *keys = json_member(key, "keys");
	const struct json *curve = json_member(keys ? keys->first : key, "crv");
	return curve && slice_is(curve->text, "P-256");
}

static void judge_file(const char *file, int expected_accepted, int expected_rejected)
{
	int accepted = 0, rejected = 0;
	const struct json *groups = json_member(vectors_read(&arena, file), "testGroups");
	for (const struct json *group = groups->first; group; group = group->next) {
		const struct json *public_key = json_member(group, "public");
		const struct json *key = public_key ? public_key : json_member(group, "private");
		for (const struct json *test = json_member(group, "tests")->first; test; test = test->next) {
			const struct json *token = json_member(test, "jws");
			if (!token)
				continue;
			bool is_expected = public_key && is_p256(key) && slice_is(vector_text(test, "result"), "valid");
			bool is_accepted = json_member(key, "keys") ? is_accepted_by_set(key, token->text)
			                                            : is_accepted_by(key, token->text);
			if (is_accepted != is_expected)
				fail_msg("%s tcId %.*s (%.*s): %s", file, SLICE_ARGS(vector_text(test, "tcId")),
				        SLICE_ARGS(vector_text(test, "comment")),
				        is_accepted ? "accepted" : "rejected");
			is_accepted ? accepted++ : rejected++;
		}
	}
	assert_int_equal(accepted, expected_accepted);
	assert_int_equal(rejected, expected_rejected);
}

static void wycheproof_json_web_signature(void **state)
{
	(void)state;
	judge_file("jose/wycheproof/json_web_signature_test.json", 2, 399);
}

static void wycheproof_json_web_crypto(void **state)
{
	(void)state;
	judge_file("jose/wycheproof/json_web_crypto_test.json", 1, 48);
}

static void wycheproof_json_web_key(void **state)
{
	(void)state;
	judge_file("jose/wycheproof/json_web_key_test.json", 0, 26);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
TESTS(TEST(the_examples_of_the_rfcs), TEST(the_thumbprint_of_rfc_8037), TEST(the_thumbprint_of_rfc_9449),
        TEST(wycheproof_json_web_signature), TEST(wycheproof_json_web_crypto), TEST(wycheproof_json_web_key))
