/* Passwords: argon2id (RFC 9106) by libsodium, 19 MiB, t=2, kept as a PHC string. At most PASSWORD_HASHERS hash at
 * once; others wait, and past a queue of PASSWORD_QUEUE_MAX they get ERR_OVERLOADED: a login flood cannot take the
 * memory. */
#pragma once

#include "base/slice.h"
#include "base/status.h"

enum { PASSWORD_HASH_MAX = 128, PASSWORD_HASHERS = 2, PASSWORD_QUEUE_MAX = 64 };

/* A NUL-terminated PHC string. */
enum status password_hash(struct slice password, char ret_hash[PASSWORD_HASH_MAX]);

/* STATUS_OK, ERR_INVALID_CREDENTIALS or ERR_OVERLOADED. An empty hash costs the same time and never matches. */
enum status password_check(struct slice password, struct slice hash);
