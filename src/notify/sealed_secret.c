#include "notify/sealed_secret.h"

#include <assert.h>

static struct slice context_of(const struct webhook_id *webhook)
{
	return slice_make(webhook->uuid.bytes, sizeof webhook->uuid.bytes);
}

void sealed_secret_make(const unsigned char key[CRYPTO_KEY_SIZE], struct webhook_id webhook,
        const struct webhook_secret *secret, unsigned char *ret_sealed)
{
	assert(secret->size == WEBHOOK_SECRET_SIZE);
	crypto_seal(key, slice_make(secret->key, secret->size), context_of(&webhook), ret_sealed);
}

bool sealed_secret_open(const unsigned char key[CRYPTO_KEY_SIZE], struct webhook_id webhook, struct slice sealed,
        struct webhook_secret *ret_secret)
{
	struct webhook_secret secret = { .size = WEBHOOK_SECRET_SIZE };
	if (sealed.size != SEALED_SECRET_SIZE || !crypto_open(key, sealed, context_of(&webhook), secret.key))
		return false;
	*ret_secret = secret;
	return true;
}
