/* The token verifier and the key set reader. The first byte says what the rest is: a token as it came, an edit of a
 * token of ours, header and claims to be signed rightly (so that what lies behind the signature is reached too), or a
 * key set. A token passes only when the signed part is one that was signed here. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "identity/jose.h"

enum { ED, ES, KEYS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The private keys of RFC 8037 A.1 and RFC 7515 A.3: always the same, so that a finding can be played again. */
static const char *pems[KEYS] = {
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
	"H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
	"7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
	"-----END PRIVATE KEY-----\n",
};
static const char *good_claims = "{\"iss\":\"i\",\"aud\":[\"a\"],\"sub\":\"s\",\"iat\":1000,\"nbf\":1000,\"exp\":3000}";

static struct signing_key *signing[KEYS];
static struct jwk keys[KEYS];
static struct slice good_tokens[KEYS];
static struct arena forever;

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void make_keys(void)
{
	for (int i = 0; i < KEYS && !signing[i]; i++) {
		signing[i] = signing_key_from_pem(slice_from(pems[i]));
		need(signing[i]);
		jwk_from_signing_key(signing[i], &keys[i]);
		need(jwt_sign(signing[i], slice_from(keys[i].kid), "at+jwt", slice_from(good_claims), &forever,
		             &good_tokens[i]) == STATUS_OK);
	}
}

/* Header and payload, without the signature. */
static struct slice signed_part(struct slice token)
{
	const char *dot = memrchr(token.data, '.', token.size);
	return dot ? (struct slice) { token.data, (size_t)(dot - token.data) } : token;
}

static enum status verify(struct slice token, struct arena *arena, struct jwt_claims *claims)
{
	const struct jwt_expected expected = {
		.typ = "at+jwt", .issuer = SLICE("i"), .audience = SLICE("a"), .now = 2000 * MICROSECONDS_PER_SECOND
	};
	enum status status = jwt_verify(token, keys, KEYS, &expected, arena, claims);
	need(status == STATUS_OK || status == ERR_INVALID_TOKEN || status == ERR_TOKEN_EXPIRED);
	return status;
}

static void try_token(struct slice token, struct arena *arena)
{
	struct jwt_claims claims;
	if (verify(token, arena, &claims) != STATUS_OK)
		return;
	need(slice_equal(signed_part(token), signed_part(good_tokens[ED])) ||
	        slice_equal(signed_part(token), signed_part(good_tokens[ES])));
}

/* Bytes in threes: where, and what stands there instead; a place behind the end cuts the token off. */
static void try_edits(struct slice edits, int key, struct arena *arena)
{
	struct slice token = arena_copy(arena, good_tokens[key]);
	char *bytes = arena_text(arena, token);
	for (; edits.size >= 3; edits = slice_skip(edits, 3)) {
		size_t at = (size_t)(unsigned char)edits.data[0] << 8 | (unsigned char)edits.data[1];
		if (at < token.size)
			bytes[at] = edits.data[2];
		else
			token.size = at % (token.size + 1);
	}
	try_token(slice_make(bytes, token.size), arena);
}

/* "header NUL claims", signed by a key of ours: accepted or not, what is accepted must hold what was promised. */
static void try_signed(struct slice text, int key, struct arena *arena)
{
	unsigned char signature[SIGNATURE_SIZE];
	struct slice header;
	struct jwt_claims claims;
	struct writer out = writer_growing(arena);
	if (text.size > 2048 || !slice_split(&text, '\0', &header))
		return;
	if (header.size == 0)
		header = arena_format(arena, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
		        jwk_alg(keys[key].algorithm), keys[key].kid);
	write_base64url(&out, header.data, header.size);
	write_char(&out, '.');
	write_base64url(&out, text.data, text.size);
	need(signing_key_sign(signing[key], writer_slice(&out), signature) == STATUS_OK);
	write_char(&out, '.');
	write_base64url(&out, signature, sizeof signature);
	if (verify(writer_slice(&out), arena, &claims) != STATUS_OK)
		return;
	need(claims.expires_at > 2000 * MICROSECONDS_PER_SECOND);
	need(claims.not_before >= 0 && claims.not_before <= 2000 * MICROSECONDS_PER_SECOND);
	need(claims.issued_at >= 0 && claims.issued_at <= 2000 * MICROSECONDS_PER_SECOND);
}

/* What was read can be written and read again, and means the same. */
static void try_set(struct slice text, struct arena *arena)
{
	struct jwk_set set, again;
	struct writer out = writer_growing(arena);
	if (jwks_parse(text, arena, &set) != STATUS_OK)
		return;
	write_jwks(&out, set.keys, set.count);
	need(jwks_parse(writer_slice(&out), arena, &again) == STATUS_OK && again.count == set.count);
	for (size_t i = 0; i < set.count; i++) {
		need(strcmp(set.keys[i].kid, again.keys[i].kid) == 0 &&
		        set.keys[i].public_size == again.keys[i].public_size);
		need(memcmp(set.keys[i].public_key, again.keys[i].public_key, set.keys[i].public_size) == 0);
	}
	jwk_set_clean_up(&set);
	jwk_set_clean_up(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	make_keys();
	if (size == 0)
		return 0;
	struct slice rest = slice_make(data + 1, size - 1);
	switch (data[0] % 6) {
	case 0:
		try_token(rest, &arena);
		break;
	case 1:
	case 2:
		try_edits(rest, data[0] % 6 - 1, &arena);
		break;
	case 3:
	case 4:
		try_signed(rest, data[0] % 6 - 3, &arena);
		break;
	default:
		try_set(rest, &arena);
	}
	arena_clean_up(&arena);
	return 0;
}
