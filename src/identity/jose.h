/* Signed tokens: JWS compact form (RFC 7515), JWT (RFC 7519), JWK (RFC 7517), EdDSA on Ed25519 (RFC 8037) and ES256, as
 * RFC 8725 advises. A key belongs to one algorithm and decides which one is used; a token's header can only agree.
 * Nothing else is spoken: no encryption, no symmetric or RSA keys, no JSON serialisation, no header extensions. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "base/writer.h"
#include "platform/crypto.h"

enum {
	JWT_SIZE_MAX = 8192,
	JWK_KID_MAX = 128,
	JWKS_SIZE_MAX = 65536,
	JWKS_KEYS_MAX = 32, /* entries of a set, usable or not */
	JWT_LEEWAY_SECONDS_MAX = 600,
};

/* A public key with its name. */
struct jwk {
	char kid[JWK_KID_MAX + 1]; /* NUL-terminated; "" when the key has none */
	enum signature_algorithm algorithm;
	unsigned char public_key[PUBLIC_KEY_MAX];
	size_t public_size;
	struct verify_key *verify_key; /* owned; usable from many threads */
};

struct jwk_set {
	struct jwk keys[JWKS_KEYS_MAX];
	size_t count;
};

/* The public half of a key of ours; its kid is its thumbprint. */
void jwk_from_signing_key(const struct signing_key *key, struct jwk *ret_jwk);
/* One JWK; its kid may be absent. ERR_INVALID_FIELD when it is not for verifying signatures of a known algorithm: other
 * `use`, `key_ops` or `alg`, unsound or not exactly encoded coordinates, a private key. */
enum status jwk_parse(const struct json *json, struct jwk *ret_jwk);
/* Frees the key; a zeroed struct is fine. */
void jwk_clean_up(struct jwk *jwk);

/* "EdDSA" or "ES256". */
const char *jwk_alg(enum signature_algorithm algorithm);
/* The RFC 7638 SHA-256 thumbprint of the public members. */
struct sha256 jwk_thumbprint(const struct jwk *jwk);
/* {"kty","crv","x","y","alg","use":"sig","kid"} */
void write_jwk(struct json_writer *json, const struct jwk *jwk);
/* {"keys":[...]} as served at /.well-known/jwks.json. */
void write_jwks(struct writer *out, const struct jwk *keys, size_t count);

/* Another issuer's set. Keys of unknown types, broken ones and ones without a kid are left out. The whole is refused
 * when it is no strict JSON object with an array `keys` or too large (ERR_INVALID_JSON), and when it has too many keys,
 * names a kid twice or publishes a symmetric key (ERR_INVALID_FIELD): such a set cannot be trusted to mean anything. */
enum status jwks_parse(struct slice text, struct arena *arena, struct jwk_set *ret_set);
void jwk_set_clean_up(struct jwk_set *set);

/* A compact JWS with the header {"alg","typ","kid"} over the claims, which are one JSON object.
 * ERR_INTERNAL when it would be larger than any verifier accepts. */
enum status jwt_sign(const struct signing_key *key, struct slice kid, const char *typ, struct slice claims,
        struct arena *arena, struct slice *ret_token);

/* A JWS whose key is known by other means: signature and header only. A kid on both sides must agree.
 * ERR_INVALID_TOKEN or the payload. */
enum status jws_verify(struct slice token, const struct jwk *key, struct arena *arena, struct slice *ret_payload);

/* What this verifier takes a token for; the three texts are compared exactly and none is empty. */
struct jwt_expected {
	const char *typ; /* "at+jwt" */
	struct slice issuer;
	struct slice audience;
	int64_t now; /* microseconds */
	int leeway_seconds;
};

/* Slices point into the arena; absent optional claims are empty (`roles`: NULL), absent times 0. */
struct jwt_claims {
	struct slice subject;
	struct slice id;        /* jti */
	struct slice client_id; /* RFC 9068 */
	struct slice scope;     /* blank-separated */
	const struct json *roles;
	int64_t issued_at; /* microseconds, as are the next two */
	int64_t not_before;
	int64_t expires_at;      /* required claim */
	const struct json *json; /* all claims */
};

/* ERR_INVALID_TOKEN, or ERR_TOKEN_EXPIRED when expiry is all that is wrong with it. The key is the one with exactly the
 * header's kid. `aud` may be a text or an array of texts. Times are whole seconds between 1970 and the year 9999; a
 * token is expired from `exp` + leeway on, and not valid before `nbf` or `iat` - leeway. */
enum status jwt_verify(struct slice token, const struct jwk *keys, size_t count, const struct jwt_expected *expected,
        struct arena *arena, struct jwt_claims *ret_claims);
