#include "identity/jose.h"

#include <assert.h>

#include "base/clock.h"
#include "base/encoding.h"

/* Header members that would change how a token is read or which key is taken: extensions, keys and addresses of keys
 * sent along, encryption, compression. Ignoring one could only help an attacker. */
static const char *refused_members[] = { "crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip" };

/* A token taken apart; nothing in it is trusted yet. */
struct parts {
	const struct json *header;
	struct slice payload;     /* decoded */
	struct slice signed_text; /* header and payload as sent */
	unsigned char signature[SIGNATURE_SIZE];
};

static bool decode_part(struct slice part, struct arena *arena, struct slice *ret_bytes)
{
	char *buffer = arena_alloc(arena, part.size + 1);
	size_t size;
	if (!base64url_decode(part, buffer, part.size, &size))
		return false;
	*ret_bytes = slice_make(buffer, size);
	return true;
}

/* What is no object has no members, and so no algorithm either. */
static bool header_is_plain(const struct json *header)
{
	for (size_t i = 0; i < sizeof refused_members / sizeof *refused_members; i++)
		if (json_member(header, refused_members[i]))
			return false;
	return true;
}

static bool take_apart(struct slice token, struct arena *arena, struct parts *parts)
{
	struct slice rest = token, header, payload, signature, header_text;
	size_t signature_size;
	if (token.size > JWT_SIZE_MAX || !slice_split(&rest, '.', &header) || !slice_split(&rest, '.', &payload) ||
	        !slice_split(&rest, '.', &signature) || rest.data)
		return false;
	parts->signed_text = slice_make(token.data, header.size + 1 + payload.size);
	return decode_part(header, arena, &header_text) && decode_part(payload, arena, &parts->payload) &&
	       base64url_decode(signature, parts->signature, SIGNATURE_SIZE, &signature_size) &&
	       signature_size == SIGNATURE_SIZE && json_parse(header_text, arena, &parts->header, NULL) == STATUS_OK &&
	       header_is_plain(parts->header);
}

static bool member_is(const struct json *object, const char *name, struct slice text)
{
	const struct json *member = json_member(object, name);
	return member && member->type == JSON_STRING && slice_equal(member->text, text);
}

/* The algorithm is the key's own; the header must name the same. */
static bool is_signed_by(const struct parts *parts, const struct jwk *key)
{
	return member_is(parts->header, "alg", slice_from(jwk_alg(key->algorithm))) &&
	       verify_key_check(key->verify_key, parts->signed_text, slice_make(parts->signature, SIGNATURE_SIZE));
}

enum status jws_verify(struct slice token, const struct jwk *key, struct arena *arena, struct slice *ret_payload)
{
	struct parts parts;
	if (!take_apart(token, arena, &parts))
		return ERR_INVALID_TOKEN;
	if (key->kid[0] && json_member(parts.header, "kid") && !member_is(parts.header, "kid", slice_from(key->kid)))
		return ERR_INVALID_TOKEN;
	if (!is_signed_by(&parts, key))
		return ERR_INVALID_TOKEN;
	*ret_payload = parts.payload;
	return STATUS_OK;
}

static const struct jwk *find_key(const struct json *header, const struct jwk *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (keys[i].kid[0] && member_is(header, "kid", slice_from(keys[i].kid)))
			return &keys[i];
	return NULL;
}

/* --- Claims -------------------------------------------------------------------------------------------------- */

static bool read_text(const struct json *claims, const char *name, struct slice *ret_text)
{
	const struct json *member = json_member(claims, name);
	if (!member)
		return true;
	*ret_text = member->text;
	return member->type == JSON_STRING;
}

/* Whole seconds to microseconds. */
static bool read_time(const struct json *claims, const char *name, int64_t *ret_at)
{
	const struct json *member = json_member(claims, name);
	int64_t seconds;
	if (!member)
		return true;
	if (member->type != JSON_NUMBER || !slice_to_i64(member->text, &seconds) || seconds < 0 ||
	        seconds > INSTANT_MAX / MICROSECONDS_PER_SECOND)
		return false;
	*ret_at = seconds * MICROSECONDS_PER_SECOND;
	return true;
}

static bool audience_has(const struct json *claims, struct slice expected)
{
	const struct json *audience = json_member(claims, "aud");
	bool is_found = member_is(claims, "aud", expected);
	if (!audience || audience->type != JSON_ARRAY)
		return is_found;
	for (const struct json *item = audience->first; item; item = item->next) {
		if (item->type != JSON_STRING)
			return false;
		is_found |= slice_equal(item->text, expected);
	}
	return is_found;
}

static bool read_claims(const struct json *json, struct jwt_claims *claims)
{
	*claims = (struct jwt_claims) { .json = json, .roles = json_member(json, "roles") };
	return json_member(json, "exp") && read_text(json, "sub", &claims->subject) &&
	       read_text(json, "jti", &claims->id) && read_text(json, "client_id", &claims->client_id) &&
	       read_text(json, "scope", &claims->scope) && read_time(json, "iat", &claims->issued_at) &&
	       read_time(json, "nbf", &claims->not_before) && read_time(json, "exp", &claims->expires_at);
}

static enum status check_claims(const struct jwt_claims *claims, const struct jwt_expected *expected)
{
	int64_t leeway = expected->leeway_seconds * MICROSECONDS_PER_SECOND;
	if (!member_is(claims->json, "iss", expected->issuer) || !audience_has(claims->json, expected->audience))
		return ERR_INVALID_TOKEN;
	if (claims->issued_at > expected->now + leeway || claims->not_before > expected->now + leeway)
		return ERR_INVALID_TOKEN;
	return expected->now >= claims->expires_at + leeway ? ERR_TOKEN_EXPIRED : STATUS_OK;
}

enum status jwt_verify(struct slice token, const struct jwk *keys, size_t count, const struct jwt_expected *expected,
        struct arena *arena, struct jwt_claims *ret_claims)
{
	struct parts parts;
	struct jwt_claims claims;
	const struct json *json;
	assert(expected->typ[0] && expected->issuer.size && expected->audience.size);
	assert(expected->leeway_seconds >= 0 && expected->leeway_seconds <= JWT_LEEWAY_SECONDS_MAX);
	if (!take_apart(token, arena, &parts) || !member_is(parts.header, "typ", slice_from(expected->typ)))
		return ERR_INVALID_TOKEN;
	const struct jwk *key = find_key(parts.header, keys, count);
	if (!key || !is_signed_by(&parts, key))
		return ERR_INVALID_TOKEN;
	if (json_parse(parts.payload, arena, &json, NULL) != STATUS_OK || !read_claims(json, &claims))
		return ERR_INVALID_TOKEN;
	TRY(check_claims(&claims, expected));
	*ret_claims = claims;
	return STATUS_OK;
}

/* --- Signing ------------------------------------------------------------------------------------------------- */

enum status jwt_sign(const struct signing_key *key, struct slice kid, const char *typ, struct slice claims,
        struct arena *arena, struct slice *ret_token)
{
	unsigned char signature[SIGNATURE_SIZE];
	struct writer header = writer_growing(arena), token = writer_growing(arena);
	struct json_writer json = { .out = &header };
	json_object_open(&json);
	json_key_text(&json, "alg", slice_from(jwk_alg(signing_key_algorithm(key))));
	json_key_text(&json, "typ", slice_from(typ));
	json_key_text(&json, "kid", kid);
	json_object_close(&json);
	write_base64url(&token, header.data, header.size);
	write_char(&token, '.');
	write_base64url(&token, claims.data, claims.size);
	TRY(signing_key_sign(key, writer_slice(&token), signature));
	write_char(&token, '.');
	write_base64url(&token, signature, sizeof signature);
	if (token.size > JWT_SIZE_MAX)
		return ERR_INTERNAL;
	*ret_token = writer_slice(&token);
	return STATUS_OK;
}
