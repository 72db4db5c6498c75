#include "platform/uuid_map.h"

#include <assert.h>

#include "base/arena.h"

/* A key may stand in one of WAYS places; the first of them makes room. */
enum { WAYS = 4 };

struct entry {
	struct uuid key; /* nil: free */
	size_t size;
	unsigned char value[UUID_MAP_VALUE_MAX];
};

struct uuid_map {
	size_t set_count; /* a power of two */
	struct entry *entries;
	pthread_mutex_t locks[UUID_MAP_SHARDS];
};

struct uuid_map *uuid_map_new(size_t capacity)
{
	struct uuid_map *map = NEW(struct uuid_map);
	map->set_count = UUID_MAP_SHARDS;
	while (map->set_count * WAYS < capacity)
		map->set_count *= 2;
	map->entries = memory_new(map->set_count * WAYS, sizeof *map->entries);
	for (int i = 0; i < UUID_MAP_SHARDS; i++)
		pthread_mutex_init(&map->locks[i], NULL);
	return map;
}

void uuid_map_free(struct uuid_map *map)
{
	if (!map)
		return;
	for (int i = 0; i < UUID_MAP_SHARDS; i++)
		pthread_mutex_destroy(&map->locks[i]);
	memory_free(map->entries);
	memory_free(map);
}

static struct entry *lock_set(struct uuid_map *map, struct uuid key, pthread_mutex_t **ret_lock)
{
	size_t set = (size_t)uuid_hash(key) & (map->set_count - 1);
	*ret_lock = &map->locks[set % UUID_MAP_SHARDS];
	pthread_mutex_lock(*ret_lock);
	return &map->entries[set * WAYS];
}

static struct entry *find_way(struct entry *set, struct uuid key)
{
	for (int i = 0; i < WAYS; i++)
		if (uuid_equal(set[i].key, key))
			return &set[i];
	return NULL;
}

bool uuid_map_get(struct uuid_map *map, struct uuid key, void *ret_value, size_t size)
{
	pthread_mutex_t *lock;
	const struct entry *entry = find_way(lock_set(map, key, &lock), key);
	bool is_found = entry && entry->size == size && !uuid_is_nil(key);
	if (is_found)
		memcpy(ret_value, entry->value, size);
	pthread_mutex_unlock(lock);
	return is_found;
}

void uuid_map_put(struct uuid_map *map, struct uuid key, const void *value, size_t size)
{
	pthread_mutex_t *lock;
	struct entry *set = lock_set(map, key, &lock);
	struct entry *entry = find_way(set, key);
	assert(size <= UUID_MAP_VALUE_MAX);
	if (!entry) {
		memmove(set + 1, set, (WAYS - 1) * sizeof *set);
		entry = set;
	}
	entry->key = key;
	entry->size = size;
	memcpy(entry->value, value, size);
	pthread_mutex_unlock(lock);
}

void uuid_map_remove(struct uuid_map *map, struct uuid key)
{
	pthread_mutex_t *lock;
	struct entry *entry = find_way(lock_set(map, key, &lock), key);
	if (entry)
		*entry = (struct entry) { .size = 0 };
	pthread_mutex_unlock(lock);
}

void flight_set_init(struct flight_set *set)
{
	for (int i = 0; i < UUID_MAP_SHARDS; i++) {
		pthread_mutex_init(&set->shards[i].lock, NULL);
		set->shards[i].first = NULL;
	}
}

void flight_set_clean_up(struct flight_set *set)
{
	for (int i = 0; i < UUID_MAP_SHARDS; i++) {
		assert(!set->shards[i].first);
		pthread_mutex_destroy(&set->shards[i].lock);
	}
}

static struct flight_shard *find_shard(struct flight_set *set, struct uuid key)
{
	return &set->shards[uuid_hash(key) % UUID_MAP_SHARDS];
}

bool flight_begin(struct flight_set *set, struct flight *flight, struct uuid key)
{
	struct flight_shard *shard = find_shard(set, key);
	bool is_free = true;
	pthread_mutex_lock(&shard->lock);
	for (const struct flight *other = shard->first; other; other = other->next)
		is_free = is_free && !uuid_equal(other->key, key);
	if (is_free) {
		*flight = (struct flight) { .key = key, .next = shard->first };
		shard->first = flight;
	}
	pthread_mutex_unlock(&shard->lock);
	return is_free;
}

void flight_end(struct flight_set *set, struct flight *flight)
{
	struct flight_shard *shard = find_shard(set, flight->key);
	pthread_mutex_lock(&shard->lock);
	struct flight **at = &shard->first;
	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	pthread_mutex_unlock(&shard->lock);
}
