/* Secret keys that an installation makes for itself: one file each in the key folder, mode 0600, never overwritten. */
#pragma once

#include "base/problem.h"
#include "platform/crypto.h"

/* Makes the folder (and those above it) with mode 0700 where it is absent. ERR_IO with a sentence in the problem. */
enum status key_folder_make(struct slice folder, struct problem *problem);

/* Reads FOLDER/NAME, or makes it from fresh randomness; several processes that start at once get the same key.
 * ERR_IO with a sentence when it cannot be read, made, or is no key. */
enum status key_file_read(
        struct slice folder, const char *name, unsigned char ret_key[CRYPTO_KEY_SIZE], struct problem *problem);
