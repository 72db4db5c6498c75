/* Two small concurrent tables by identifier: a bounded cache of facts that never change, and the set of what is being
 * worked on right now. Safe from all threads. */
#pragma once

#include <pthread.h>

#include "base/uuid.h"

enum { UUID_MAP_SHARDS = 16, UUID_MAP_VALUE_MAX = 48 };

struct uuid_map;

/* Remembers about `capacity` entries; an old one makes room for a new one. */
struct uuid_map *uuid_map_new(size_t capacity);
/* Accepts NULL. */
void uuid_map_free(struct uuid_map *map);
/* Copies the value of at most UUID_MAP_VALUE_MAX bytes, stored with the same size. */
bool uuid_map_get(struct uuid_map *map, struct uuid key, void *ret_value, size_t size);
void uuid_map_put(struct uuid_map *map, struct uuid key, const void *value, size_t size);
void uuid_map_remove(struct uuid_map *map, struct uuid key);

/* One piece of work in flight; lives on the stack of whoever does it. */
struct flight {
	struct uuid key;
	struct flight *next;
};

struct flight_set {
	struct flight_shard {
		pthread_mutex_t lock;
		struct flight *first;
	} shards[UUID_MAP_SHARDS];
};

void flight_set_init(struct flight_set *set);
void flight_set_clean_up(struct flight_set *set);
/* False when the same key is in flight already; otherwise it is until flight_end. */
bool flight_begin(struct flight_set *set, struct flight *flight, struct uuid key);
void flight_end(struct flight_set *set, struct flight *flight);
