/* Secret keys that an installation makes for itself: one file each in the key folder, mode 0600, never overwritten. */
#pragma once

#include "base/problem.h"
#include "platform/crypto.h"

/* Reads FOLDER/NAME, or makes it (and the folder) from fresh randomness; several processes that start at once get the
 * same key. ERR_IO with a sentence when it cannot be read, made, or is no key. */
enum status key_file_read(
        struct slice folder, const char *name, unsigned char ret_key[CRYPTO_KEY_SIZE], struct problem *problem);
