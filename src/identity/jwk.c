#include "identity/jose.h"

#include <assert.h>

#include "base/encoding.h"

enum { COORDINATE_SIZE = 32 };

static const struct {
	const char *alg, *type, *curve;
	size_t coordinates; /* x, or x and y */
} kinds[] = {
	[SIGNATURE_ED25519] = { "EdDSA", "OKP", "Ed25519", 1 },
	[SIGNATURE_ES256] = { "ES256", "EC", "P-256", 2 },
};
static const char *coordinate_names[] = { "x", "y" };

const char *jwk_alg(enum signature_algorithm algorithm)
{
	return kinds[algorithm].alg;
}

static struct slice coordinate(const struct jwk *jwk, size_t which)
{
	return slice_make(jwk->public_key + which * COORDINATE_SIZE, COORDINATE_SIZE);
}

/* Members in the order of RFC 7638 section 3.3 and without blanks; only these. */
struct sha256 jwk_thumbprint(const struct jwk *jwk)
{
	char buffer[256];
	struct writer text = writer_fixed(buffer, sizeof buffer);
	writef(&text, "{\"crv\":\"%s\",\"kty\":\"%s\"", kinds[jwk->algorithm].curve, kinds[jwk->algorithm].type);
	for (size_t i = 0; i < kinds[jwk->algorithm].coordinates; i++) {
		writef(&text, ",\"%s\":\"", coordinate_names[i]);
		write_base64url(&text, coordinate(jwk, i).data, COORDINATE_SIZE);
		write_char(&text, '"');
	}
	write_char(&text, '}');
	assert(!text.overflowed);
	return sha256(writer_slice(&text));
}

void jwk_from_signing_key(const struct signing_key *key, struct jwk *ret_jwk)
{
	struct jwk jwk = { .algorithm = signing_key_algorithm(key) };
	jwk.public_size = signing_key_public(key, jwk.public_key);
	jwk.verify_key = verify_key_from_public(jwk.algorithm, slice_make(jwk.public_key, jwk.public_size));
	assert(jwk.verify_key);
	struct sha256 thumbprint = jwk_thumbprint(&jwk);
	struct writer kid = writer_fixed(jwk.kid, sizeof jwk.kid - 1);
	write_base64url(&kid, thumbprint.bytes, sizeof thumbprint.bytes);
	*ret_jwk = jwk;
}

void jwk_clean_up(struct jwk *jwk)
{
	verify_key_free(jwk->verify_key);
	*jwk = (struct jwk) { 0 };
}

void write_jwk(struct json_writer *json, const struct jwk *jwk)
{
	json_object_open(json);
	json_key_text(json, "kty", slice_from(kinds[jwk->algorithm].type));
	json_key_text(json, "crv", slice_from(kinds[jwk->algorithm].curve));
	for (size_t i = 0; i < kinds[jwk->algorithm].coordinates; i++) {
		char buffer[64];
		struct writer text = writer_fixed(buffer, sizeof buffer);
		write_base64url(&text, coordinate(jwk, i).data, COORDINATE_SIZE);
		json_key_text(json, coordinate_names[i], writer_slice(&text));
	}
	json_key_text(json, "alg", slice_from(kinds[jwk->algorithm].alg));
	json_key_text(json, "use", SLICE("sig"));
	if (jwk->kid[0])
		json_key_text(json, "kid", slice_from(jwk->kid));
	json_object_close(json);
}

void write_jwks(struct writer *out, const struct jwk *keys, size_t count)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key(&json, "keys");
	json_array_open(&json);
	for (size_t i = 0; i < count; i++)
		write_jwk(&json, &keys[i]);
	json_array_close(&json);
	json_object_close(&json);
}

/* --- Reading ------------------------------------------------------------------------------------------------- */

/* A member that is a string; the empty text when it is absent. False when it is something else. */
static bool optional_text(const struct json *object, const char *name, struct slice *ret_text)
{
	const struct json *member = json_member(object, name);
	if (member && member->type != JSON_STRING)
		return false;
	*ret_text = member ? member->text : SLICE_EMPTY;
	return true;
}

static bool find_kind(const struct json *json, enum signature_algorithm *ret_algorithm)
{
	struct slice type, curve;
	if (!optional_text(json, "kty", &type) || !optional_text(json, "crv", &curve))
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_is(type, kinds[i].type) && slice_is(curve, kinds[i].curve)) {
			*ret_algorithm = (enum signature_algorithm)i;
			return true;
		}
	return false;
}

/* RFC 7517 sections 4.2 to 4.4: what the key says about its own use counts. */
static bool may_verify(const struct json *json, enum signature_algorithm algorithm)
{
	const struct json *use = json_member(json, "use"), *operations = json_member(json, "key_ops");
	const struct json *alg = json_member(json, "alg");
	if (use && (use->type != JSON_STRING || !slice_is(use->text, "sig")))
		return false;
	if (alg && (alg->type != JSON_STRING || !slice_is(alg->text, kinds[algorithm].alg)))
		return false;
	if (!operations)
		return true;
	for (const struct json *item = operations->first; item && operations->type == JSON_ARRAY; item = item->next)
		if (item->type == JSON_STRING && slice_is(item->text, "verify"))
			return true;
	return false;
}

static bool read_coordinates(const struct json *json, struct jwk *jwk)
{
	for (size_t i = 0; i < kinds[jwk->algorithm].coordinates; i++) {
		const struct json *member = json_member(json, coordinate_names[i]);
		size_t size;
		if (!member || member->type != JSON_STRING ||
		        !base64url_decode(
		                member->text, jwk->public_key + i * COORDINATE_SIZE, COORDINATE_SIZE, &size) ||
		        size != COORDINATE_SIZE)
			return false;
	}
	jwk->public_size = kinds[jwk->algorithm].coordinates * COORDINATE_SIZE;
	return true;
}

/* A name without control characters, so that it can be kept as C text and shown in a log. */
static bool read_kid(const struct json *json, struct jwk *jwk)
{
	struct slice kid;
	if (!optional_text(json, "kid", &kid) || kid.size > JWK_KID_MAX)
		return false;
	for (size_t i = 0; i < kid.size; i++)
		if ((unsigned char)kid.data[i] < 0x20 || kid.data[i] == 0x7f)
			return false;
	memcpy(jwk->kid, kid.data, kid.size);
	return true;
}

enum status jwk_parse(const struct json *json, struct jwk *ret_jwk)
{
	struct jwk jwk = { 0 };
	if (!find_kind(json, &jwk.algorithm) || !may_verify(json, jwk.algorithm) || json_member(json, "d") ||
	        !read_kid(json, &jwk) || !read_coordinates(json, &jwk))
		return ERR_INVALID_FIELD;
	jwk.verify_key = verify_key_from_public(jwk.algorithm, slice_make(jwk.public_key, jwk.public_size));
	if (!jwk.verify_key)
		return ERR_INVALID_FIELD;
	*ret_jwk = jwk;
	return STATUS_OK;
}

/* A kid that stands twice would let the order of the set choose the key. */
static bool kids_are_unique(const struct json *keys)
{
	for (const struct json *key = keys->first; key; key = key->next) {
		const struct json *kid = json_member(key, "kid");
		for (const struct json *other = key->next; kid && other; other = other->next) {
			const struct json *other_kid = json_member(other, "kid");
			if (other_kid && slice_equal(kid->text, other_kid->text))
				return false;
		}
	}
	return true;
}

static bool has_symmetric_key(const struct json *keys)
{
	for (const struct json *key = keys->first; key; key = key->next) {
		const struct json *type = json_member(key, "kty");
		if (type && type->type == JSON_STRING && slice_is(type->text, "oct"))
			return true;
	}
	return false;
}

enum status jwks_parse(struct slice text, struct arena *arena, struct jwk_set *ret_set)
{
	const struct json *document;
	if (text.size > JWKS_SIZE_MAX || json_parse(text, arena, &document, NULL) != STATUS_OK)
		return ERR_INVALID_JSON;
	const struct json *keys = json_member(document, "keys");
	if (!keys || keys->type != JSON_ARRAY)
		return ERR_INVALID_JSON;
	if (keys->count > JWKS_KEYS_MAX || has_symmetric_key(keys) || !kids_are_unique(keys))
		return ERR_INVALID_FIELD;
	ret_set->count = 0;
	for (const struct json *key = keys->first; key; key = key->next) {
		struct jwk *jwk = &ret_set->keys[ret_set->count];
		if (jwk_parse(key, jwk) != STATUS_OK)
			continue;
		if (jwk->kid[0])
			ret_set->count++;
		else
			jwk_clean_up(jwk);
	}
	return STATUS_OK;
}

void jwk_set_clean_up(struct jwk_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		jwk_clean_up(&set->keys[i]);
	set->count = 0;
}
