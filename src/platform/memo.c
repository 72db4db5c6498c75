#include "platform/memo.h"

#include <assert.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/uuid.h"

enum { SHARDS = 64, WAYS = 8 };

struct entry {
	struct memo_key key;
	int64_t ends_at; /* 0: free */
	size_t size;
	void *value;
};

/* A lock for a part of the keys. An entry lives in one of the WAYS places of its bucket. */
struct shard {
	pthread_mutex_t lock;
	uint64_t ticket; /* changes when something is forgotten */
	size_t bytes;
	struct entry *entries; /* bucket_count * WAYS */
};

struct memo {
	size_t bucket_count; /* of each shard */
	size_t shard_bytes;
	struct shard shards[SHARDS];
};

struct memo *memo_new(size_t entries, size_t bytes)
{
	struct memo *memo = NEW(struct memo);
	memo->bucket_count = entries / SHARDS / WAYS + 1;
	memo->shard_bytes = bytes / SHARDS;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&memo->shards[i].lock, NULL);
		memo->shards[i].entries = memory_new(memo->bucket_count * WAYS, sizeof(struct entry));
	}
	return memo;
}

static void entry_drop(struct shard *shard, struct entry *entry)
{
	if (!entry->ends_at)
		return;
	shard->bytes -= entry->size;
	memory_free(entry->value);
	*entry = (struct entry) { 0 };
}

static void shard_empty(const struct memo *memo, struct shard *shard)
{
	for (size_t i = 0; i < memo->bucket_count * WAYS; i++)
		entry_drop(shard, &shard->entries[i]);
}

void memo_free(struct memo *memo)
{
	if (!memo)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		shard_empty(memo, &memo->shards[i]);
		memory_free(memo->shards[i].entries);
		pthread_mutex_destroy(&memo->shards[i].lock);
	}
	memory_free(memo);
}

/* Keys may be digests or pairs of identifiers, so they are mixed before use. */
static uint64_t key_hash(const struct memo_key *key)
{
	struct uuid halves[2];
	memcpy(halves, key->bytes, sizeof halves);
	uint64_t hash = uuid_hash(halves[0]) * UINT64_C(0x9e3779b97f4a7c15) ^ uuid_hash(halves[1]);
	return hash ^ hash >> 32;
}

static struct shard *shard_lock(struct memo *memo, const struct memo_key *key, struct entry **ret_bucket)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = &memo->shards[hash % SHARDS];
	pthread_mutex_lock(&shard->lock);
	*ret_bucket = &shard->entries[hash / SHARDS % memo->bucket_count * WAYS];
	return shard;
}

static struct entry *bucket_find(struct entry *bucket, const struct memo_key *key)
{
	for (size_t i = 0; i < WAYS; i++)
		if (bucket[i].ends_at && memcmp(&bucket[i].key, key, sizeof *key) == 0)
			return &bucket[i];
	return NULL;
}

/* A free place, else the one that ends first. */
static struct entry *bucket_place(struct entry *bucket)
{
	struct entry *first = &bucket[0];
	for (size_t i = 1; i < WAYS; i++)
		if (bucket[i].ends_at < first->ends_at)
			first = &bucket[i];
	return first;
}

bool memo_get(
        struct memo *memo, const struct memo_key *key, int64_t now, void *buffer, size_t capacity, size_t *ret_size)
{
	struct entry *bucket;
	struct shard *shard = shard_lock(memo, key, &bucket);
	const struct entry *entry = bucket_find(bucket, key);
	bool found = entry && now < entry->ends_at && entry->size <= capacity;
	if (found) {
		memcpy(buffer, entry->value, entry->size);
		*ret_size = entry->size;
	}
	pthread_mutex_unlock(&shard->lock);
	return found;
}

uint64_t memo_ticket(struct memo *memo, const struct memo_key *key)
{
	struct entry *bucket;
	struct shard *shard = shard_lock(memo, key, &bucket);
	uint64_t ticket = shard->ticket;
	pthread_mutex_unlock(&shard->lock);
	return ticket;
}

void memo_put(struct memo *memo, const struct memo_key *key, uint64_t ticket, struct slice value, int64_t ends_at)
{
	assert(value.size > 0 && value.size <= MEMO_VALUE_MAX);
	if (ends_at <= 0 || value.size > memo->shard_bytes)
		return;
	void *copy = memory_new(1, value.size);
	memcpy(copy, value.data, value.size);

	struct entry *bucket;
	struct shard *shard = shard_lock(memo, key, &bucket);
	if (shard->ticket == ticket) {
		struct entry *entry = bucket_find(bucket, key);
		entry = entry ? entry : bucket_place(bucket);
		entry_drop(shard, entry);
		if (shard->bytes + value.size > memo->shard_bytes)
			shard_empty(memo, shard);
		*entry = (struct entry) { .key = *key, .ends_at = ends_at, .size = value.size, .value = copy };
		shard->bytes += value.size;
		copy = NULL;
	}
	pthread_mutex_unlock(&shard->lock);
	memory_free(copy);
}

void memo_forget(struct memo *memo, const struct memo_key *key)
{
	struct entry *bucket;
	struct shard *shard = shard_lock(memo, key, &bucket);
	struct entry *entry = bucket_find(bucket, key);
	shard->ticket++;
	if (entry)
		entry_drop(shard, entry);
	pthread_mutex_unlock(&shard->lock);
}

void memo_forget_all(struct memo *memo)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &memo->shards[i];
		pthread_mutex_lock(&shard->lock);
		shard->ticket++;
		shard_empty(memo, shard);
		pthread_mutex_unlock(&shard->lock);
	}
}
