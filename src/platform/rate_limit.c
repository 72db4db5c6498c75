#include "platform/rate_limit.h"

#include <assert.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/random.h"

enum { KEYS_DEFAULT = 65536, WAYS = 8, LOCKS = 64 };

/* The generic cell rate algorithm: one instant says how much of a bucket is used. */
struct bucket {
	uint64_t key;    /* 0 = free */
	int64_t full_at; /* when the bucket will be full again; in the past = full */
};

struct set {
	struct bucket ways[WAYS];
};

struct rate_limit {
	int64_t limit;
	int64_t interval_us; /* in which one token grows back, rounded up so that rounding never gives one away */
	uint64_t secret[2];
	size_t set_count;
	struct set *sets;
	pthread_mutex_t locks[LOCKS]; /* the set's number modulo LOCKS */
};

static int64_t divide_up(int64_t value, int64_t by)
{
	return value > 0 ? (value - 1) / by + 1 : 0;
}

struct rate_limit *rate_limit_new(const struct rate_limit_options *options)
{
	size_t keys = options->keys_max ? options->keys_max : KEYS_DEFAULT;
	struct rate_limit *rate_limit = NEW(struct rate_limit);
	assert(options->limit > 0 && options->period_us > 0 && options->limit <= INT64_MAX / 2 / options->period_us);
	rate_limit->limit = options->limit;
	rate_limit->interval_us = divide_up(options->period_us, options->limit);
	random_bytes(rate_limit->secret, sizeof rate_limit->secret);
	rate_limit->set_count = (keys + WAYS - 1) / WAYS;
	rate_limit->sets = memory_new(rate_limit->set_count, sizeof *rate_limit->sets);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&rate_limit->locks[i], NULL);
	return rate_limit;
}

void rate_limit_free(struct rate_limit *rate_limit)
{
	if (!rate_limit)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&rate_limit->locks[i]);
	memory_free(rate_limit->sets);
	memory_free(rate_limit);
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein), never 0. */
static uint64_t hash_key(const uint64_t secret[2], struct slice key)
{
	uint64_t v[4] = { secret[0] ^ UINT64_C(0x736f6d6570736575), secret[1] ^ UINT64_C(0x646f72616e646f6d),
		secret[0] ^ UINT64_C(0x6c7967656e657261), secret[1] ^ UINT64_C(0x7465646279746573) };
	for (size_t at = 0; at <= key.size; at += 8) {
		size_t left = key.size - at;
		uint64_t word = left < 8 ? (uint64_t)key.size << 56 : 0;
		for (size_t i = 0; i < (left < 8 ? left : 8); i++)
			word |= (uint64_t)(unsigned char)key.data[at + i] << 8 * i;
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
	return hash ? hash : 1;
}

/* The key's bucket, else a free one or the one nearest to full, as a full one for this key. */
static struct bucket *find(struct set *set, uint64_t key)
{
	struct bucket *fullest = &set->ways[0];
	for (size_t i = 0; i < WAYS; i++) {
		struct bucket *bucket = &set->ways[i];
		if (bucket->key == key)
			return bucket;
		if (fullest->key && (!bucket->key || bucket->full_at < fullest->full_at))
			fullest = bucket;
	}
	*fullest = (struct bucket) { .key = key, .full_at = INT64_MIN };
	return fullest;
}

static bool take(
        const struct rate_limit *rate_limit, struct bucket *bucket, int64_t now, struct rate_limit_state *state)
{
	int64_t depth_us = rate_limit->limit * rate_limit->interval_us;
	int64_t used_us = bucket->full_at > now ? bucket->full_at - now : 0;
	int64_t wait_us = used_us + rate_limit->interval_us - depth_us;
	bool is_allowed = wait_us <= 0;
	if (is_allowed) {
		used_us += rate_limit->interval_us;
		bucket->full_at = now + used_us;
	}
	*state = (struct rate_limit_state) {
		.limit = rate_limit->limit,
		.remaining = (depth_us - used_us) / rate_limit->interval_us,
		.reset_seconds = divide_up(used_us, 1000000),
		.retry_after_seconds = is_allowed ? 0 : divide_up(wait_us, 1000000),
	};
	return is_allowed;
}

bool rate_limit_take(struct rate_limit *rate_limit, struct slice key, int64_t now, struct rate_limit_state *ret_state)
{
	uint64_t hash = hash_key(rate_limit->secret, key);
	size_t set = hash % rate_limit->set_count;
	pthread_mutex_t *lock = &rate_limit->locks[set % LOCKS];
	pthread_mutex_lock(lock);
	bool is_allowed = take(rate_limit, find(&rate_limit->sets[set], hash), now, ret_state);
	pthread_mutex_unlock(lock);
	return is_allowed;
}
