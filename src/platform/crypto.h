/* Cryptography from OpenSSL's EVP: digests, MACs, signatures, authenticated encryption. No algorithm is chosen here by
 * data that came from outside. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "base/uuid.h"

enum { SHA256_SIZE = 32, CRYPTO_KEY_SIZE = 32, SIGNATURE_SIZE = 64, PUBLIC_KEY_MAX = 65 };

struct sha256 {
	unsigned char bytes[SHA256_SIZE];
};

struct sha256 sha256(struct slice data);
/* Over the concatenation of the parts. */
struct sha256 sha256_parts(const struct slice *parts, size_t count);
struct sha256 hmac_sha256(struct slice key, struct slice data);

/* A UUIDv8 that is a pure function of its parts: SHA-256 over each part's 64-bit big-endian size and bytes. */
struct uuid uuid_derive(const struct slice *parts, size_t count);

/* In time independent of the content. */
bool crypto_equal(struct slice a, struct slice b);
void crypto_wipe(void *memory, size_t size);

/* AES-256-GCM; sealed form = 12-byte random nonce, ciphertext, 16-byte tag. `seal_context` is authenticated, not
 * stored. */
enum { CRYPTO_SEAL_OVERHEAD = 28 };
void crypto_seal(const unsigned char key[CRYPTO_KEY_SIZE], struct slice plain, struct slice seal_context,
        unsigned char *ret_sealed);
/* Writes sealed.size - CRYPTO_SEAL_OVERHEAD bytes; false when it was altered or sealed in another context, and then
 * the bytes are wiped. */
bool crypto_open(const unsigned char key[CRYPTO_KEY_SIZE], struct slice sealed, struct slice seal_context,
        unsigned char *ret_plain);

/* Signature keys. ES256 signatures are raw r||s (RFC 7518 section 3.4), EdDSA is Ed25519 (RFC 8037). */
enum signature_algorithm { SIGNATURE_ED25519, SIGNATURE_ES256 };
struct signing_key; /* private */
struct verify_key;  /* public; usable from many threads */

struct signing_key *signing_key_generate(enum signature_algorithm algorithm);
/* PKCS#8 PEM, unencrypted; NULL when it is none or of another algorithm. */
struct signing_key *signing_key_from_pem(struct slice pem);
/* Into the arena; the caller wipes it. */
struct slice signing_key_to_pem(const struct signing_key *key, struct arena *arena);
void signing_key_free(struct signing_key *key);
enum signature_algorithm signing_key_algorithm(const struct signing_key *key);
/* 64 bytes for both algorithms. */
enum status signing_key_sign(
        const struct signing_key *key, struct slice data, unsigned char ret_signature[SIGNATURE_SIZE]);

/* The public half: Ed25519 32 bytes x; ES256 64 bytes x||y. Returns the size. */
size_t signing_key_public(const struct signing_key *key, unsigned char ret_public[PUBLIC_KEY_MAX]);
/* NULL when the bytes are no point of the curve, no canonical form of one (RFC 8032 section 5.1.3), or an Ed25519
 * point of small order, which fits forged signatures. */
struct verify_key *verify_key_from_public(enum signature_algorithm algorithm, struct slice public_key);
void verify_key_free(struct verify_key *key);
enum signature_algorithm verify_key_algorithm(const struct verify_key *key);
bool verify_key_check(const struct verify_key *key, struct slice data, struct slice signature);
