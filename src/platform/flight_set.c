#include "platform/flight_set.h"

#include <assert.h>

void flight_set_init(struct flight_set *set)
{
	for (int i = 0; i < FLIGHT_SHARDS; i++) {
		pthread_mutex_init(&set->shards[i].lock, NULL);
		set->shards[i].first = NULL;
	}
}

void flight_set_clean_up(struct flight_set *set)
{
	for (int i = 0; i < FLIGHT_SHARDS; i++) {
		assert(!set->shards[i].first);
		pthread_mutex_destroy(&set->shards[i].lock);
	}
}

static struct flight_shard *find_shard(struct flight_set *set, struct uuid key)
{
	return &set->shards[uuid_hash(key) % FLIGHT_SHARDS];
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
