#include "testing.h"

#include "identity/jose.h"

static struct arena arena;

static int clean_up(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

#define ED_X "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define ED "\"kty\":\"OKP\",\"crv\":\"Ed25519\"," ED_X
#define ES_X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define ES_Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define ES "\"kty\":\"EC\",\"crv\":\"P-256\"," ES_X "," ES_Y

static void a_written_set_reads_back(void **state)
{
	(void)state;
	struct signing_key *ed = signing_key_generate(SIGNATURE_ED25519), *es = signing_key_generate(SIGNATURE_ES256);
	struct jwk keys[2];
	struct jwk_set set;
	struct writer out = writer_growing(&arena);
	jwk_from_signing_key(ed, &keys[0]);
	jwk_from_signing_key(es, &keys[1]);
	write_jwks(&out, keys, 2);
	assert_status(jwks_parse(writer_slice(&out), &arena, &set), STATUS_OK);
	assert_int_equal(set.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(set.keys[i].kid, keys[i].kid);
		assert_int_equal(strlen(keys[i].kid), 43);
		assert_int_equal(set.keys[i].algorithm, keys[i].algorithm);
		assert_int_equal(set.keys[i].public_size, keys[i].public_size);
		assert_memory_equal(set.keys[i].public_key, keys[i].public_key, keys[i].public_size);
		jwk_clean_up(&keys[i]);
	}
	jwk_set_clean_up(&set);
	jwk_set_clean_up(&set);
	signing_key_free(ed);
	signing_key_free(es);
}

static void a_key_is_written_with_all_members(void **state)
{
	(void)state;
	struct jwk_set set;
	struct writer out = writer_growing(&arena);
	assert_status(
	        jwks_parse(SLICE("{\"keys\":[{" ES ",\"kid\":\"a\\\"b\"},{" ED ",\"kid\":\"c\"}]}"), &arena, &set),
	        STATUS_OK);
	write_jwks(&out, set.keys, set.count);
	assert_slice(writer_slice(&out), "{\"keys\":[{" ES ",\"alg\":\"ES256\",\"use\":\"sig\",\"kid\":\"a\\\"b\"},{" ED
	                                 ",\"alg\":\"EdDSA\",\"use\":\"sig\",\"kid\":\"c\"}]}");
	jwk_set_clean_up(&set);
}

/* One row is one key of a set; the good key beside it must survive. */
static void unusable_keys_are_left_out(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		bool is_usable;
	} rows[] = {
		{ "{" ED ",\"kid\":\"k\"}", true },
		{ "{" ED ",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"EdDSA\",\"key_ops\":[\"verify\"],\"x5t\":\"?\"}",
		        true },
		{ "{" ES ",\"kid\":\"k\",\"alg\":\"ES256\"}", true },
		{ "{" ED "}", false },
		{ "{" ED ",\"kid\":\"\"}", false },
		{ "{" ED ",\"kid\":1}", false },
		{ "{" ED ",\"kid\":\"a\\u0000b\"}", false },
		{ "{" ED ",\"kid\":\"a\\u007f\"}", false },
		{ "{" ED ",\"kid\":\"k\",\"use\":\"enc\"}", false },
		{ "{" ED ",\"kid\":\"k\",\"use\":null}", false },
		{ "{" ED ",\"kid\":\"k\",\"alg\":\"ES256\"}", false },
		{ "{" ED ",\"kid\":\"k\",\"alg\":\"none\"}", false },
		{ "{" ES ",\"kid\":\"k\",\"alg\":\"HS256\"}", false },
		{ "{" ED ",\"kid\":\"k\",\"alg\":7}", false },
		{ "{" ED ",\"kid\":\"k\",\"key_ops\":[]}", false },
		{ "{" ED ",\"kid\":\"k\",\"key_ops\":[\"sign\"]}", false },
		{ "{" ED ",\"kid\":\"k\",\"key_ops\":\"verify\"}", false },
		{ "{" ED ",\"kid\":\"k\",\"key_ops\":{\"a\":\"verify\"}}", false },
		{ "{" ED ",\"kid\":\"k\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}", false },
		{ "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"kid\":\"k\"}", false },
		{ "{\"kty\":\"quantum\",\"kid\":\"k\"}", false },
		{ "{\"kty\":[],\"kid\":\"k\"}", false },
		{ "{\"kty\":\"EC\",\"crv\":\"Ed25519\"," ED_X ",\"kid\":\"k\"}", false },
		{ "{\"kty\":\"OKP\",\"crv\":\"X25519\"," ED_X ",\"kid\":\"k\"}", false },
		{ "{\"kty\":\"EC\",\"crv\":\"P-384\"," ES_X "," ES_Y ",\"kid\":\"k\"}", false },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\"," ES_X ",\"kid\":\"k\"}", false },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\"," ES_X ",\"y\":1,\"kid\":\"k\"}", false },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\"," ES_X ",\"y\":\"AAAA\",\"kid\":\"k\"}", false },
		/* off the curve; padded; another value of the last letter; one byte too many */
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\"," ES_X
		  ",\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"kid\":"
		  "\"k\"}",
		        false },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=\",\"kid\":"
		  "\"k\"}",
		        false },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp\",\"kid\":"
		  "\"k\"}",
		        false },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURoA\",\"kid\":"
		  "\"k\"}",
		        false },
		/* one byte, which is a key of ours when zeros are added */
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"Aw\",\"kid\":\"k\"}", false },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"kid\":"
		  "\"k\"}",
		        true },
		/* of small order */
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"kid\":"
		  "\"k\"}",
		        false },
		{ "{}", false },
		{ "[]", false },
		{ "null", false },
		{ "\"key\"", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct jwk_set set;
		struct slice text =
		        arena_format(&arena, "{\"keys\":[%s,{" ES ",\"kid\":\"good\"}],\"more\":1}", rows[i].key);
		assert_status(jwks_parse(text, &arena, &set), STATUS_OK);
		if (set.count != (rows[i].is_usable ? 2u : 1u))
			fail_msg("%s", rows[i].key);
		assert_string_equal(set.keys[set.count - 1].kid, "good");
		jwk_set_clean_up(&set);
	}
}

static void a_kid_has_a_limit(void **state)
{
	(void)state;
	for (int more = 0; more < 2; more++) {
		struct jwk_set set;
		struct slice text =
		        arena_format(&arena, "{\"keys\":[{" ED ",\"kid\":\"%0*d\"}]}", JWK_KID_MAX + more, 0);
		assert_status(jwks_parse(text, &arena, &set), STATUS_OK);
		assert_int_equal(set.count, !more);
		jwk_set_clean_up(&set);
	}
}

static void a_set_that_cannot_be_trusted_is_refused_whole(void **state)
{
	(void)state;
	struct jwk_set set = { .count = 0 };
	static const struct {
		const char *text;
		enum status status;
	} rows[] = {
		{ "{\"keys\":[]}", STATUS_OK },
		{ "", ERR_INVALID_JSON },
		{ "{", ERR_INVALID_JSON },
		{ "[]", ERR_INVALID_JSON },
		{ "{}", ERR_INVALID_JSON },
		{ "{\"keys\":{}}", ERR_INVALID_JSON },
		{ "{\"keys\":null}", ERR_INVALID_JSON },
		{ "{\"keys\":[],\"keys\":[]}", ERR_INVALID_JSON },
		{ "{\"keys\":[{" ED ",\"kid\":\"a\"},{" ES ",\"kid\":\"a\"}]}", ERR_INVALID_FIELD },
		{ "{\"keys\":[{" ED ",\"kid\":\"a\"},{\"kty\":\"RSA\",\"kid\":\"a\"}]}", ERR_INVALID_FIELD },
		{ "{\"keys\":[{" ED ",\"kid\":\"a\"},{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"b\"}]}",
		        ERR_INVALID_FIELD },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_status(jwks_parse(slice_from(rows[i].text), &arena, &set), rows[i].status);
}

static void a_set_has_limits(void **state)
{
	(void)state;
	struct jwk_set set;
	for (int more = 0; more < 2; more++) {
		struct writer out = writer_growing(&arena);
		write_text(&out, "{\"keys\":[");
		for (int i = 0; i < JWKS_KEYS_MAX + more; i++)
			writef(&out, "%s{" ED ",\"kid\":\"%d\"}", i ? "," : "", i);
		write_text(&out, "]}");
		assert_status(jwks_parse(writer_slice(&out), &arena, &set), more ? ERR_INVALID_FIELD : STATUS_OK);
		if (!more) {
			assert_int_equal(set.count, JWKS_KEYS_MAX);
			jwk_set_clean_up(&set);
		}
	}
	struct slice large = arena_format(&arena, "{\"keys\":[]%*s}", JWKS_SIZE_MAX - 11, "");
	assert_status(jwks_parse(large, &arena, &set), STATUS_OK);
	large = arena_format(&arena, "{\"keys\":[]%*s}", JWKS_SIZE_MAX - 10, "");
	assert_status(jwks_parse(large, &arena, &set), ERR_INVALID_JSON);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
TESTS(TEST(a_written_set_reads_back), TEST(a_key_is_written_with_all_members), TEST(unusable_keys_are_left_out),
        TEST(a_kid_has_a_limit), TEST(a_set_that_cannot_be_trusted_is_refused_whole), TEST(a_set_has_limits))
