/* The keys of identity: one that signs access tokens, one that seals personal data, and a pepper for keyed hashes. They
 * live as files of mode 0600 in one folder and are made when absent. */
#pragma once

#include "base/problem.h"
#include "identity/jose.h"

struct identity_keys {
	struct signing_key *signing;
	struct jwk jwk; /* its public half */
	unsigned char pepper[CRYPTO_KEY_SIZE];
	unsigned char field[CRYPTO_KEY_SIZE];
};

/* ERR_IO with a sentence for a person. Several processes may start at once on one folder: they agree on the keys. */
enum status identity_keys_open(struct slice folder, struct identity_keys *ret_keys, struct problem *problem);
/* Wipes; a zeroed struct is fine. */
void identity_keys_close(struct identity_keys *keys);

/* A keyed hash to find or compare a secret by. `purpose` keeps hashes of different things apart. */
struct sha256 identity_keys_hash(const struct identity_keys *keys, const char *purpose, struct slice text);

/* Personal data as it is stored, bound to the row that it belongs to. In the arena. */
struct slice identity_keys_seal(
        const struct identity_keys *keys, struct uuid owner, struct slice text, struct arena *arena);
/* ERR_DATABASE_CORRUPT when it was altered, moved to another row, or sealed under another key. */
enum status identity_keys_unseal(const struct identity_keys *keys, struct uuid owner, struct slice sealed,
        struct arena *arena, struct slice *ret_text);
