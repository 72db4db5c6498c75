#include "testing.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "identity/jose.h"

#define ISSUER "https://pay.example"
#define AUDIENCE "agentpay"
#define GOOD_CLAIMS \
	"{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"agent-1\",\"exp\":2000000600,\"iat\":2000000000}"

enum { ED, ES, KEYS };

static struct arena arena;
static struct signing_key *signing[KEYS];
static struct jwk keys[KEYS];

static int make_keys(void **state)
{
	(void)state;
	signing[ED] = signing_key_generate(SIGNATURE_ED25519);
	signing[ES] = signing_key_generate(SIGNATURE_ES256);
	for (int i = 0; i < KEYS; i++)
		jwk_from_signing_key(signing[i], &keys[i]);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		signing_key_free(signing[i]);
		jwk_clean_up(&keys[i]);
	}
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

static enum status verify_at(struct slice token, int64_t second, int leeway_seconds)
{
	struct jwt_claims claims;
	struct jwt_expected expected = { .typ = "at+jwt",
		.issuer = SLICE(ISSUER),
		.audience = SLICE(AUDIENCE),
		.now = second * MICROSECONDS_PER_SECOND,
		.leeway_seconds = leeway_seconds };
	return jwt_verify(token, keys, KEYS, &expected, &arena, &claims);
}

static enum status verify(struct slice token)
{
	return verify_at(token, 2000000100, 0);
}

static struct slice join(struct slice header, struct slice payload, struct slice signature)
{
	struct writer out = writer_growing(&arena);
	write_base64url(&out, header.data, header.size);
	write_char(&out, '.');
	write_base64url(&out, payload.data, payload.size);
	write_char(&out, '.');
	write_base64url(&out, signature.data, signature.size);
	return writer_slice(&out);
}

/* The signature that is right for these bytes: what is refused then is refused for what it says. */
static struct slice seal_text(int key, struct slice signed_text)
{
	unsigned char signature[SIGNATURE_SIZE];
	struct writer out = writer_growing(&arena);
	assert_status(signing_key_sign(signing[key], signed_text, signature), STATUS_OK);
	write_slice(&out, signed_text);
	write_char(&out, '.');
	write_base64url(&out, signature, sizeof signature);
	return writer_slice(&out);
}

static struct slice seal(int key, struct slice header, struct slice payload)
{
	struct slice token = join(header, payload, SLICE_EMPTY);
	return seal_text(key, slice_make(token.data, token.size - 1));
}

static struct slice header_with(int key, const char *more)
{
	return arena_format(&arena, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"%s}",
	        key == ED ? "EdDSA" : "ES256", keys[key].kid, more);
}

static struct slice good_header(int key)
{
	return header_with(key, "");
}

static struct slice good_token(int key)
{
	return seal(key, good_header(key), SLICE(GOOD_CLAIMS));
}

/* A well-signed token with other claims. */
static enum status verify_claims(const char *claims)
{
	return verify(seal(ED, good_header(ED), slice_from(claims)));
}

/* Good claims with one member more, and good ones without `exp` and with one more. */
#define WITH(member) "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":2000000600," member "}"
#define WITHOUT_EXP(member) "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\"" member "}"

static void a_signed_token_verifies_and_gives_its_claims(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		struct slice token, claims_text = SLICE("{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
		                                        "\",\"sub\":\"agent-1\",\"jti\":\"7\",\"client_id\":\"c\","
		                                        "\"scope\":\"a b\",\"roles\":[\"agent\"],\"nbf\":1,\"iat\":2,"
		                                        "\"exp\":2000000600,\"mine\":true}");
		struct jwt_expected expected = { .typ = "at+jwt",
			.issuer = SLICE(ISSUER),
			.audience = SLICE(AUDIENCE),
			.now = 2000000000 * MICROSECONDS_PER_SECOND };
		struct jwt_claims claims;
		assert_status(jwt_sign(signing[i], slice_from(keys[i].kid), "at+jwt", claims_text, &arena, &token),
		        STATUS_OK);
		assert_status(jwt_verify(token, keys, KEYS, &expected, &arena, &claims), STATUS_OK);
		assert_slice(claims.subject, "agent-1");
		assert_slice(claims.id, "7");
		assert_slice(claims.client_id, "c");
		assert_slice(claims.scope, "a b");
		assert_slice(claims.roles->raw, "[\"agent\"]");
		assert_int_equal(claims.not_before, MICROSECONDS_PER_SECOND);
		assert_int_equal(claims.issued_at, 2 * MICROSECONDS_PER_SECOND);
		assert_int_equal(claims.expires_at, 2000000600 * MICROSECONDS_PER_SECOND);
		assert_true(json_member(claims.json, "mine")->boolean);
		assert_status(verify(good_token(i)), STATUS_OK);
	}
}

static void a_token_too_large_to_verify_is_not_signed(void **state)
{
	(void)state;
	struct slice token = SLICE("untouched");
	struct slice claims = arena_format(&arena, "{\"a\":\"%0*d\"}", JWT_SIZE_MAX, 1);
	assert_status(jwt_sign(signing[ED], SLICE("k"), "at+jwt", claims, &arena, &token), ERR_INTERNAL);
	assert_slice(token, "untouched");
}

static void every_altered_character_is_noticed(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		struct slice token = good_token(i);
		char *copy = arena_text(&arena, token);
		for (size_t at = 0; at < token.size; at++) {
			copy[at] = copy[at] == 'A' ? 'B' : 'A';
			assert_status(verify(slice_make(copy, token.size)), ERR_INVALID_TOKEN);
			copy[at] = token.data[at];
			assert_status(verify(slice_make(copy, at)), ERR_INVALID_TOKEN);
		}
	}
}

static void alg_none_in_any_spelling(void **state)
{
	(void)state;
	static const char *spellings[] = { "none", "None", "NONE", "nOnE", "", " none", "null" };
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		struct slice header = arena_format(
		        &arena, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", spellings[i], keys[ED].kid);
		assert_status(verify(join(header, SLICE(GOOD_CLAIMS), SLICE_EMPTY)), ERR_INVALID_TOKEN);
		assert_status(verify(seal(ED, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	}
}

static void alg_missing_or_no_text(void **state)
{
	(void)state;
	static const char *members[] = { "", "\"alg\":null,", "\"alg\":[\"EdDSA\"],", "\"alg\":1," };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		struct slice header =
		        arena_format(&arena, "{%s\"typ\":\"at+jwt\",\"kid\":\"%s\"}", members[i], keys[ED].kid);
		assert_status(verify(seal(ED, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	}
}

static void hmac_keyed_with_the_public_key(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		struct slice header =
		        arena_format(&arena, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", keys[i].kid);
		struct slice token = join(header, SLICE(GOOD_CLAIMS), SLICE_EMPTY);
		struct sha256 mac = hmac_sha256(
		        slice_make(keys[i].public_key, keys[i].public_size), slice_make(token.data, token.size - 1));
		assert_status(verify(join(header, SLICE(GOOD_CLAIMS), slice_make(mac.bytes, sizeof mac.bytes))),
		        ERR_INVALID_TOKEN);
	}
}

static void alg_of_another_key_type(void **state)
{
	(void)state;
	static const char *algs[] = { "ES256", "EdDSA" };
	for (int i = 0; i < KEYS; i++) {
		struct slice header = arena_format(
		        &arena, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", algs[i], keys[i].kid);
		for (int signer = 0; signer < KEYS; signer++)
			assert_status(verify(seal(signer, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	}
}

static void alg_in_other_letters(void **state)
{
	(void)state;
	static const char *algs[] = { "eddsa", "EDDSA", "EdDSA ", "Ed25519", "EdDSA\\u0000" };
	for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
		struct slice header = arena_format(
		        &arena, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", algs[i], keys[ED].kid);
		assert_status(verify(seal(ED, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	}
}

static void kid_of_no_key(void **state)
{
	(void)state;
	static const char *members[] = { "", ",\"kid\":\"\"", ",\"kid\":\"unknown\"", ",\"kid\":null", ",\"kid\":0",
		",\"kid\":[]" };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		struct slice header = arena_format(&arena, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"%s}", members[i]);
		assert_status(verify(seal(ED, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	}
}

static void kid_of_another_key_or_almost(void **state)
{
	(void)state;
	struct slice kids[] = { slice_from(keys[ES].kid), { keys[ED].kid, 42 },
		arena_format(&arena, "%s ", keys[ED].kid), arena_format(&arena, "%s\\u0000", keys[ED].kid) };
	for (size_t i = 0; i < sizeof kids / sizeof *kids; i++) {
		struct slice header = arena_format(
		        &arena, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", SLICE_ARGS(kids[i]));
		assert_status(verify(seal(ED, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	}
}

static void kid_as_injection(void **state)
{
	(void)state;
	static const char *kids[] = { "../../../../dev/null", "/etc/passwd", "' OR '1'='1", "x' UNION SELECT 'a", "%00",
		"|/bin/true", "https://evil.example/key" };
	for (size_t i = 0; i < sizeof kids / sizeof *kids; i++) {
		struct slice header =
		        arena_format(&arena, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", kids[i]);
		assert_status(verify(seal(ED, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	}
}

/* A key that has lost its name is never found, also not by a token without one. */
static void a_key_without_kid_is_never_chosen(void **state)
{
	(void)state;
	struct jwk nameless = keys[ED];
	struct jwt_claims claims;
	struct jwt_expected expected = { .typ = "at+jwt", .issuer = SLICE(ISSUER), .audience = SLICE(AUDIENCE) };
	nameless.kid[0] = '\0';
	struct slice token =
	        seal(ED, SLICE("{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"\"}"), SLICE(WITH("\"a\":1")));
	assert_status(jwt_verify(token, &nameless, 1, &expected, &arena, &claims), ERR_INVALID_TOKEN);
	assert_status(jwt_verify(token, NULL, 0, &expected, &arena, &claims), ERR_INVALID_TOKEN);
}

static void assert_header_member_refused(const char *more)
{
	assert_status(verify(seal(ED, header_with(ED, more), SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
}

/* The attacker's own key, sent along, and the token signed with it; and sent along a token that is genuine. */
static void jwk_in_the_header(void **state)
{
	(void)state;
	struct signing_key *attacker = signing_key_generate(SIGNATURE_ED25519), *ours = signing[ED];
	struct jwk jwk;
	struct writer out = writer_growing(&arena);
	struct json_writer json = { .out = &out };
	jwk_from_signing_key(attacker, &jwk);
	write_jwk(&json, &jwk);
	struct slice header =
	        header_with(ED, arena_format(&arena, ",\"jwk\":%.*s", SLICE_ARGS(writer_slice(&out))).data);
	signing[ED] = attacker;
	struct slice token = seal(ED, header, SLICE(GOOD_CLAIMS));
	signing[ED] = ours;
	assert_status(verify(token), ERR_INVALID_TOKEN);
	assert_status(verify(seal(ED, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	jwk_clean_up(&jwk);
	signing_key_free(attacker);
}

static void jku_in_the_header(void **state)
{
	(void)state;
	assert_header_member_refused(",\"jku\":\"https://evil.example/jwks.json\"");
}

static void x5u_in_the_header(void **state)
{
	(void)state;
	assert_header_member_refused(",\"x5u\":\"https://evil.example/cert.pem\"");
}

static void x5c_in_the_header(void **state)
{
	(void)state;
	assert_header_member_refused(",\"x5c\":[\"MIIB\"]");
}

static void crit_in_the_header(void **state)
{
	(void)state;
	assert_header_member_refused(",\"crit\":[\"exp\"]");
	assert_header_member_refused(",\"crit\":[]");
	assert_header_member_refused(",\"crit\":null");
}

static void b64_in_the_header(void **state)
{
	(void)state;
	assert_header_member_refused(",\"b64\":false");
	assert_header_member_refused(",\"b64\":true");
}

static void encryption_or_compression_in_the_header(void **state)
{
	(void)state;
	assert_header_member_refused(",\"enc\":\"A256GCM\"");
	assert_header_member_refused(",\"zip\":\"DEF\"");
}

static void unknown_header_members_are_ignored(void **state)
{
	(void)state;
	assert_status(verify(seal(ED, header_with(ED, ",\"x\":{\"alg\":\"none\"}"), SLICE(GOOD_CLAIMS))), STATUS_OK);
}

static void duplicate_header_members(void **state)
{
	(void)state;
	assert_header_member_refused(",\"alg\":\"none\"");
	assert_header_member_refused(",\"kid\":\"other\"");
	assert_header_member_refused(",\"\\u0061lg\":\"EdDSA\"");
}

static void duplicate_claims(void **state)
{
	(void)state;
	assert_status(verify_claims(WITH("\"exp\":2000000700")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITH("\"sub\":\"a\",\"sub\":\"b\"")), ERR_INVALID_TOKEN);
}

static void a_header_that_is_no_strict_json_object(void **state)
{
	(void)state;
	static const char *headers[] = { "", "null", "[]", "\"EdDSA\"", "{", "{\"alg\":\"EdDSA\"}x", "\xff" };
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		assert_status(verify(seal(ED, slice_from(headers[i]), SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
}

static void typ_of_another_kind_of_token(void **state)
{
	(void)state;
	static const char *members[] = { "", ",\"typ\":\"JWT\"", ",\"typ\":\"dpop+jwt\"", ",\"typ\":\"logout+jwt\"",
		",\"typ\":\"AT+JWT\"", ",\"typ\":\"\"", ",\"typ\":null", ",\"typ\":\"application/at+jwt\"" };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		struct slice header =
		        arena_format(&arena, "{\"alg\":\"EdDSA\",\"kid\":\"%s\"%s}", keys[ED].kid, members[i]);
		assert_status(verify(seal(ED, header, SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	}
}

static void der_encoded_signature(void **state)
{
	(void)state;
	struct slice text = join(good_header(ES), SLICE(GOOD_CLAIMS), SLICE_EMPTY);
	unsigned char raw[SIGNATURE_SIZE], der[8 + SIGNATURE_SIZE] = { 0x30, 70, 0x02, 33, 0 };
	/* Until neither half starts with a set bit's zero byte or zeros, so that the DER form is known beforehand. */
	do {
		assert_status(signing_key_sign(signing[ES], slice_make(text.data, text.size - 1), raw), STATUS_OK);
	} while (raw[0] < 0x80 || raw[32] < 0x80);
	memcpy(der + 5, raw, 32);
	memcpy(der + 37, (unsigned char[]) { 0x02, 33, 0 }, 3);
	memcpy(der + 40, raw + 32, 32);
	assert_status(verify(join(good_header(ES), SLICE(GOOD_CLAIMS), slice_make(raw, 64))), STATUS_OK);
	assert_status(verify(join(good_header(ES), SLICE(GOOD_CLAIMS), slice_make(der, 72))), ERR_INVALID_TOKEN);
}

static void signature_of_zeros(void **state)
{
	(void)state;
	unsigned char zeros[SIGNATURE_SIZE] = { 0 };
	for (int i = 0; i < KEYS; i++)
		for (size_t size = 0; size <= SIGNATURE_SIZE; size += 32)
			assert_status(verify(join(good_header(i), SLICE(GOOD_CLAIMS), slice_make(zeros, size))),
			        ERR_INVALID_TOKEN);
}

/* One in sixteen Ed25519 signatures ends in a zero byte, which must not be made up when it is missing. */
static void signature_without_its_last_zero(void **state)
{
	(void)state;
	unsigned char signature[SIGNATURE_SIZE] = { 1 };
	struct slice claims = SLICE_EMPTY;
	for (int i = 0; i == 0 || signature[SIGNATURE_SIZE - 1]; i++) {
		claims = arena_format(&arena, WITH("\"n\":%d"), i);
		struct slice text = join(good_header(ED), claims, SLICE_EMPTY);
		assert_status(
		        signing_key_sign(signing[ED], slice_make(text.data, text.size - 1), signature), STATUS_OK);
	}
	assert_status(verify(join(good_header(ED), claims, slice_make(signature, SIGNATURE_SIZE))), STATUS_OK);
	assert_status(
	        verify(join(good_header(ED), claims, slice_make(signature, SIGNATURE_SIZE - 1))), ERR_INVALID_TOKEN);
}

static void signature_with_zeros_in_front_or_behind(void **state)
{
	(void)state;
	struct slice token = good_token(ES);
	assert_status(verify(arena_format(&arena, "%.*sAA", SLICE_ARGS(token))), ERR_INVALID_TOKEN);
	assert_status(verify(arena_format(&arena, "%.*sAAA", SLICE_ARGS(token))), ERR_INVALID_TOKEN);
	assert_status(verify(arena_format(&arena, "%.*s==", SLICE_ARGS(token))), ERR_INVALID_TOKEN);
}

/* 64 bytes end in a letter of which only the top two bits count: the sixteen with other low bits mean the same. */
static void signature_with_stray_trailing_bits(void **state)
{
	(void)state;
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct slice token = good_token(ED);
	char *copy = arena_text(&arena, token);
	size_t value = (size_t)(strchr(letters, copy[token.size - 1]) - letters);
	assert_int_equal(value % 16, 0);
	for (size_t i = 1; i < 16; i++) {
		copy[token.size - 1] = letters[value + i];
		assert_status(verify(slice_make(copy, token.size)), ERR_INVALID_TOKEN);
	}
}

/* Header and payload are signed as sent, so these carry a right signature and still have a second spelling. */
static void header_in_non_canonical_base64url(void **state)
{
	(void)state;
	static const char *spoilers[] = { "=", "==", " ", "\n", "A", "\r\n" };
	struct slice good = good_token(ED), header = good, payload;
	assert_true(slice_split(&good, '.', &header) && slice_split(&good, '.', &payload));
	for (size_t i = 0; i < sizeof spoilers / sizeof *spoilers; i++) {
		assert_status(verify(seal_text(ED, arena_format(&arena, "%.*s%s.%.*s", SLICE_ARGS(header), spoilers[i],
		                                           SLICE_ARGS(payload)))),
		        ERR_INVALID_TOKEN);
		assert_status(verify(seal_text(ED, arena_format(&arena, "%.*s.%.*s%s", SLICE_ARGS(header),
		                                           SLICE_ARGS(payload), spoilers[i]))),
		        ERR_INVALID_TOKEN);
	}
}

/* "?>" in a claim gives "/" in the one alphabet and "_" in the other. */
static void payload_in_the_wrong_alphabet(void **state)
{
	(void)state;
	struct slice claims = SLICE(WITH("\"sub\":\">>>>>>>>>???\""));
	struct slice good = seal(ED, good_header(ED), claims);
	assert_status(verify(good), STATUS_OK);
	struct slice rest = good, header;
	slice_split(&rest, '.', &header);
	struct writer out = writer_growing(&arena);
	write_slice(&out, header);
	write_char(&out, '.');
	write_base64(&out, claims.data, claims.size);
	assert_non_null(strpbrk(arena_text(&arena, writer_slice(&out)), "+/"));
	while (out.data[out.size - 1] == '=')
		out.size--;
	assert_status(verify(seal_text(ED, writer_slice(&out))), ERR_INVALID_TOKEN);
}

static void exp_missing(void **state)
{
	(void)state;
	assert_status(verify_claims(WITHOUT_EXP("")), ERR_INVALID_TOKEN);
}

static void exp_that_is_no_whole_number(void **state)
{
	(void)state;
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":2000000600")), STATUS_OK);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":\"2000000600\"")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":2000000600.5")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":2e9")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":null")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":true")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":[2000000600]")), ERR_INVALID_TOKEN);
}

static void exp_out_of_range(void **state)
{
	(void)state;
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":253402300799")), STATUS_OK);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":253402300800")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":9223372036854775807")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":18446744073709551616")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":18446744075709552216")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":-1")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITHOUT_EXP(",\"exp\":1e400")), ERR_INVALID_TOKEN);
}

static void expired_from_exp_on(void **state)
{
	(void)state;
	struct slice token = good_token(ED);
	assert_status(verify_at(token, 2000000599, 0), STATUS_OK);
	assert_status(verify_at(token, 2000000600, 0), ERR_TOKEN_EXPIRED);
	assert_status(verify_at(token, 2000000629, 30), STATUS_OK);
	assert_status(verify_at(token, 2000000630, 30), ERR_TOKEN_EXPIRED);
}

/* Nobody learns from a forged token that it would have been expired. */
static void expiry_is_named_only_when_all_else_is_right(void **state)
{
	(void)state;
	struct slice token = good_token(ED);
	char *copy = arena_text(&arena, token);
	copy[token.size - 10] ^= 1;
	assert_status(verify_at(slice_make(copy, token.size), 2000009999, 0), ERR_INVALID_TOKEN);
	struct slice elsewhere = seal(ED, good_header(ED), SLICE("{\"iss\":\"x\",\"aud\":\"" AUDIENCE "\",\"exp\":1}"));
	assert_status(verify(elsewhere), ERR_INVALID_TOKEN);
}

static void nbf_in_the_future(void **state)
{
	(void)state;
	struct slice token = seal(ED, good_header(ED), SLICE(WITH("\"nbf\":2000000200")));
	assert_status(verify_at(token, 2000000199, 0), ERR_INVALID_TOKEN);
	assert_status(verify_at(token, 2000000200, 0), STATUS_OK);
	assert_status(verify_at(token, 2000000169, 30), ERR_INVALID_TOKEN);
	assert_status(verify_at(token, 2000000170, 30), STATUS_OK);
	assert_status(verify_claims(WITH("\"nbf\":\"1\"")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITH("\"nbf\":1.0")), ERR_INVALID_TOKEN);
}

static void iat_in_the_future(void **state)
{
	(void)state;
	struct slice token = seal(ED, good_header(ED), SLICE(WITH("\"iat\":2000000200")));
	assert_status(verify_at(token, 2000000199, 0), ERR_INVALID_TOKEN);
	assert_status(verify_at(token, 2000000200, 0), STATUS_OK);
	assert_status(verify_at(token, 2000000170, 30), STATUS_OK);
	assert_status(verify_claims(WITH("\"iat\":\"1\"")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITH("\"iat\":9223372036854775807")), ERR_INVALID_TOKEN);
}

static void aud_of_somebody_else(void **state)
{
	(void)state;
	static const struct {
		const char *aud;
		enum status status;
	} rows[] = {
		{ "\"aud\":\"agentpay\"", STATUS_OK },
		{ "\"aud\":[\"agentpay\"]", STATUS_OK },
		{ "\"aud\":[\"other\",\"agentpay\"]", STATUS_OK },
		{ "\"aud\":\"other\"", ERR_INVALID_TOKEN },
		{ "\"aud\":\"agentpay2\"", ERR_INVALID_TOKEN },
		{ "\"aud\":\"Agentpay\"", ERR_INVALID_TOKEN },
		{ "\"aud\":[\"other\"]", ERR_INVALID_TOKEN },
		{ "\"aud\":[\"agentpay\",1]", ERR_INVALID_TOKEN },
		{ "\"aud\":[[\"agentpay\"]]", ERR_INVALID_TOKEN },
		{ "\"aud\":{\"a\":\"agentpay\"}", ERR_INVALID_TOKEN },
		{ "\"aud\":[]", ERR_INVALID_TOKEN },
		{ "\"aud\":null", ERR_INVALID_TOKEN },
		{ "\"sub\":\"agentpay\"", ERR_INVALID_TOKEN },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice claims =
		        arena_format(&arena, "{\"iss\":\"" ISSUER "\",\"exp\":2000000600,%s}", rows[i].aud);
		assert_status(verify(seal(ED, good_header(ED), claims)), rows[i].status);
	}
}

static void iss_of_somebody_else(void **state)
{
	(void)state;
	static const char *members[] = { "", "\"iss\":\"https://evil.example\",", "\"iss\":\"" ISSUER "/\",",
		"\"iss\":[\"" ISSUER "\"],", "\"iss\":null,", "\"iss\":\"\"," };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		assert_status(
		        verify_claims(
		                arena_format(&arena, "{%s\"aud\":\"agentpay\",\"exp\":2000000600}", members[i]).data),
		        ERR_INVALID_TOKEN);
}

static void claims_of_the_wrong_type(void **state)
{
	(void)state;
	assert_status(verify_claims(WITH("\"sub\":\"\"")), STATUS_OK);
	assert_status(verify_claims(WITH("\"sub\":1")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITH("\"jti\":null")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITH("\"client_id\":[]")), ERR_INVALID_TOKEN);
	assert_status(verify_claims(WITH("\"scope\":[\"a\"]")), ERR_INVALID_TOKEN);
}

static void a_payload_that_is_no_strict_json_object(void **state)
{
	(void)state;
	static const char *payloads[] = { "", "null", "[]", "\"\"", "1", "{", GOOD_CLAIMS " x",
		GOOD_CLAIMS GOOD_CLAIMS };
	for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
		assert_status(verify_claims(payloads[i]), ERR_INVALID_TOKEN);
}

static void other_than_three_parts(void **state)
{
	(void)state;
	struct slice token = good_token(ED), rest = token, header, payload, signature;
	assert_true(slice_split(&rest, '.', &header) && slice_split(&rest, '.', &payload) &&
	            slice_split(&rest, '.', &signature));
	struct slice forms[] = { SLICE_EMPTY, { NULL, 0 }, SLICE("."), SLICE(".."), SLICE("..."), SLICE("...."), header,
		arena_format(&arena, "%.*s.%.*s", SLICE_ARGS(header), SLICE_ARGS(payload)),
		arena_format(&arena, "%.*s.%.*s.", SLICE_ARGS(header), SLICE_ARGS(payload)),
		arena_format(&arena, "%.*s.", SLICE_ARGS(token)), arena_format(&arena, ".%.*s", SLICE_ARGS(token)),
		arena_format(&arena, "%.*s.%.*s", SLICE_ARGS(token), SLICE_ARGS(signature)),
		arena_format(&arena, "%.*s.%.*s.%.*s", SLICE_ARGS(token), SLICE_ARGS(payload), SLICE_ARGS(signature)),
		arena_format(&arena, "%.*s..%.*s", SLICE_ARGS(header), SLICE_ARGS(signature)) };
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		assert_status(verify(forms[i]), ERR_INVALID_TOKEN);
}

static void over_the_size_limit(void **state)
{
	(void)state;
	struct slice header = good_header(ED);
	/* The room for claims, by the parts' encoded sizes; the limit itself is still accepted. */
	size_t room = (JWT_SIZE_MAX - (header.size * 4 + 2) / 3 - 86 - 2) * 3 / 4;
	struct slice small = SLICE(WITH("\"sub\":\"\""));
	for (size_t more = 0; more < 2; more++) {
		char *claims = arena_alloc(&arena, room + 1);
		memset(claims, ' ', room + 1);
		memcpy(claims, small.data, small.size);
		struct slice token = seal(ED, header, slice_make(claims, room + more));
		assert_true(more ? token.size > JWT_SIZE_MAX : token.size <= JWT_SIZE_MAX);
		assert_status(verify(token), more ? ERR_INVALID_TOKEN : STATUS_OK);
	}
}

static void nested_too_deeply(void **state)
{
	(void)state;
	char deep[2 * 1000 + 1] = { 0 };
	memset(deep, '[', 1000);
	memset(deep + 1000, ']', 1000);
	struct slice more = arena_format(&arena, ",\"x\":%s", deep);
	assert_status(verify(seal(ED, header_with(ED, more.data), SLICE(GOOD_CLAIMS))), ERR_INVALID_TOKEN);
	assert_status(verify_claims(arena_format(&arena, WITH("\"x\":%s"), deep).data), ERR_INVALID_TOKEN);
}

static void a_jws_is_bound_to_its_key_and_kid(void **state)
{
	(void)state;
	struct slice payload = SLICE("untouched");
	assert_status(jws_verify(good_token(ED), &keys[ES], &arena, &payload), ERR_INVALID_TOKEN);
	assert_slice(payload, "untouched");
	struct slice other = seal(ED, SLICE("{\"alg\":\"EdDSA\",\"kid\":\"other\"}"), SLICE("x"));
	assert_status(jws_verify(other, &keys[ED], &arena, &payload), ERR_INVALID_TOKEN);
	assert_status(
	        jws_verify(seal(ED, SLICE("{\"alg\":\"EdDSA\"}"), SLICE("x")), &keys[ED], &arena, &payload), STATUS_OK);
	assert_slice(payload, "x");
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_signed_token_verifies_and_gives_its_claims),
		TEST(a_token_too_large_to_verify_is_not_signed),
		TEST(every_altered_character_is_noticed),
		TEST(alg_none_in_any_spelling),
		TEST(alg_missing_or_no_text),
		TEST(hmac_keyed_with_the_public_key),
		TEST(alg_of_another_key_type),
		TEST(alg_in_other_letters),
		TEST(kid_of_no_key),
		TEST(kid_of_another_key_or_almost),
		TEST(kid_as_injection),
		TEST(a_key_without_kid_is_never_chosen),
		TEST(jwk_in_the_header),
		TEST(jku_in_the_header),
		TEST(x5u_in_the_header),
		TEST(x5c_in_the_header),
		TEST(crit_in_the_header),
		TEST(b64_in_the_header),
		TEST(encryption_or_compression_in_the_header),
		TEST(unknown_header_members_are_ignored),
		TEST(duplicate_header_members),
		TEST(duplicate_claims),
		TEST(a_header_that_is_no_strict_json_object),
		TEST(typ_of_another_kind_of_token),
		TEST(der_encoded_signature),
		TEST(signature_of_zeros),
		TEST(signature_with_zeros_in_front_or_behind),
		TEST(signature_without_its_last_zero),
		TEST(signature_with_stray_trailing_bits),
		TEST(header_in_non_canonical_base64url),
		TEST(payload_in_the_wrong_alphabet),
		TEST(exp_missing),
		TEST(exp_that_is_no_whole_number),
		TEST(exp_out_of_range),
		TEST(expired_from_exp_on),
		TEST(expiry_is_named_only_when_all_else_is_right),
		TEST(nbf_in_the_future),
		TEST(iat_in_the_future),
		TEST(aud_of_somebody_else),
		TEST(iss_of_somebody_else),
		TEST(claims_of_the_wrong_type),
		TEST(a_payload_that_is_no_strict_json_object),
		TEST(other_than_three_parts),
		TEST(over_the_size_limit),
		TEST(nested_too_deeply),
		TEST(a_jws_is_bound_to_its_key_and_kid),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
