#include "risk/payee_memory.h"

#include <pthread.h>

#include "platform/crypto.h"

/* A set of WAYS digests for each hash; a new pair takes the place of the oldest of its set. */
enum { WAYS = 8, SETS = PAYEE_MEMORY_SIZE / WAYS, LOCKS = 64 };

struct set {
	unsigned oldest;
	struct uuid entries[WAYS]; /* nil: empty */
};

struct payee_memory {
	pthread_mutex_t locks[LOCKS];
	struct set sets[SETS];
};

struct uuid payee_digest(struct agent_id agent, struct slice payee)
{
	struct slice parts[] = { slice_make(agent.uuid.bytes, sizeof agent.uuid.bytes), payee };
	return uuid_derive(parts, sizeof parts / sizeof *parts);
}

/* A digest is uniform: any of its bits will do. */
static size_t set_number(struct uuid digest)
{
	uint32_t number;
	memcpy(&number, digest.bytes, sizeof number);
	return number % SETS;
}

static bool holds(const struct set *set, struct uuid digest)
{
	for (size_t i = 0; i < WAYS; i++)
		if (uuid_equal(set->entries[i], digest))
			return true;
	return false;
}

bool payee_memory_knows(struct payee_memory *memory, struct uuid digest)
{
	size_t number = set_number(digest);
	pthread_mutex_lock(&memory->locks[number % LOCKS]);
	bool knows = holds(&memory->sets[number], digest);
	pthread_mutex_unlock(&memory->locks[number % LOCKS]);
	return knows;
}

void payee_memory_add(struct payee_memory *memory, struct uuid digest)
{
	size_t number = set_number(digest);
	struct set *set = &memory->sets[number];
	pthread_mutex_lock(&memory->locks[number % LOCKS]);
	if (!holds(set, digest)) {
		set->entries[set->oldest] = digest;
		set->oldest = (set->oldest + 1) % WAYS;
	}
	pthread_mutex_unlock(&memory->locks[number % LOCKS]);
}

struct payee_memory *payee_memory_new(void)
{
	struct payee_memory *memory = NEW(struct payee_memory);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&memory->locks[i], NULL);
	return memory;
}

void payee_memory_free(struct payee_memory *memory)
{
	if (!memory)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&memory->locks[i]);
	memory_free(memory);
}
