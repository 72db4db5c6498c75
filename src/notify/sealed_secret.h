/* An endpoint's signing secret as it is stored: sealed with the installation's key, bound to the endpoint. */
#pragma once

#include "notify/notify_store.h"

/* Writes SEALED_SECRET_SIZE bytes. */
void sealed_secret_make(const unsigned char key[CRYPTO_KEY_SIZE], struct webhook_id webhook,
        const struct webhook_secret *secret, unsigned char *ret_sealed);
/* False when it was altered or sealed with another key. */
bool sealed_secret_open(const unsigned char key[CRYPTO_KEY_SIZE], struct webhook_id webhook, struct slice sealed,
        struct webhook_secret *ret_secret);
