/* What was found out a moment ago: a bounded map in memory from a 32-byte key to a few bytes, each entry with its end.
 * Any thread may use it; it never grows past its bounds, forgetting instead. */
#pragma once

#include "base/slice.h"

enum { MEMO_KEY_SIZE = 32, MEMO_VALUE_MAX = 64 * 1024 };

struct memo_key {
	unsigned char bytes[MEMO_KEY_SIZE];
};

struct memo;

/* At most about `entries` entries and `bytes` bytes of values. */
struct memo *memo_new(size_t entries, size_t bytes);
/* Accepts NULL. */
void memo_free(struct memo *memo);

/* Copies the value into the buffer; false when there is none, when it ended, or when it is larger than `capacity`. */
bool memo_get(
        struct memo *memo, const struct memo_key *key, int64_t now, void *buffer, size_t capacity, size_t *ret_size);

/* Taken before something is looked up and handed in with the result: when the key was forgotten in between, the result
 * may be stale, and memo_put drops it. */
uint64_t memo_ticket(struct memo *memo, const struct memo_key *key);
void memo_put(struct memo *memo, const struct memo_key *key, uint64_t ticket, struct slice value, int64_t ends_at);

/* After it, no memo_get finds what was put, or looked up, before. */
void memo_forget(struct memo *memo, const struct memo_key *key);
void memo_forget_all(struct memo *memo);
