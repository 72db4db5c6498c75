#include "risk/payee_memory.h"

#include <pthread.h>

/* A set of WAYS digests for each hash; a new pair takes the place of the oldest of its set. */
enum { WAYS = 8, SETS = PAYEE_MEMORY_SIZE / WAYS, LOCKS = 64, KEPT_BYTES = 16 };

struct kept {
	unsigned char bytes[KEPT_BYTES]; /* of the digest; all zero: empty */
};

struct set {
	unsigned oldest;
	struct kept entries[WAYS];
};

struct payee_memory {
	pthread_mutex_t locks[LOCKS];
	struct set sets[SETS];
};

struct sha256 payee_hash(struct agent_id agent, struct slice payee)
{
	struct slice parts[] = { slice_make(agent.uuid.bytes, sizeof agent.uuid.bytes), payee };
	return sha256_parts(parts, sizeof parts / sizeof *parts);
}

static size_t set_number(const struct sha256 *hash)
{
	uint32_t number;
	memcpy(&number, hash->bytes + KEPT_BYTES, sizeof number);
	return number % SETS;
}

static bool holds(const struct set *set, const struct sha256 *hash)
{
	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(set->entries[i].bytes, hash->bytes, KEPT_BYTES) == 0)
			return true;
	return false;
}

bool payee_memory_knows(struct payee_memory *memory, const struct sha256 *hash)
{
	size_t number = set_number(hash);
	pthread_mutex_lock(&memory->locks[number % LOCKS]);
	bool knows = holds(&memory->sets[number], hash);
	pthread_mutex_unlock(&memory->locks[number % LOCKS]);
	return knows;
}

void payee_memory_add(struct payee_memory *memory, const struct sha256 *hash)
{
	size_t number = set_number(hash);
	struct set *set = &memory->sets[number];
	pthread_mutex_lock(&memory->locks[number % LOCKS]);
	if (!holds(set, hash)) {
		memcpy(set->entries[set->oldest].bytes, hash->bytes, KEPT_BYTES);
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
