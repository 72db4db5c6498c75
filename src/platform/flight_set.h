/* What is being worked on right now, by identifier, so that nobody begins it a second time. Safe from all threads. */
#pragma once

#include <pthread.h>

#include "base/uuid.h"

enum { FLIGHT_SHARDS = 16 };

/* One piece of work in flight; lives on the stack of whoever does it. */
struct flight {
	struct uuid key;
	struct flight *next;
};

struct flight_set {
	struct flight_shard {
		pthread_mutex_t lock;
		struct flight *first;
	} shards[FLIGHT_SHARDS];
};

void flight_set_init(struct flight_set *set);
void flight_set_clean_up(struct flight_set *set);
/* False when the same key is in flight already; otherwise it is until flight_end. */
bool flight_begin(struct flight_set *set, struct flight *flight, struct uuid key);
void flight_end(struct flight_set *set, struct flight *flight);
