#include "risk/verdict_memory.h"

#include <pthread.h>

/* A set of WAYS entries for each hash; a new payment takes the place of the oldest of its set. */
enum { WAYS = 8, SETS = VERDICT_MEMORY_SIZE / WAYS, LOCKS = 64 };

struct kept_reason {
	unsigned char code; /* number of risk_code_name */
	unsigned char points;
};

struct kept {
	struct uuid payment;
	struct uuid new_payee;
	bool is_judged;
	unsigned char score, decision, reason_count;
	struct kept_reason reasons[RISK_REASONS_MAX];
};

struct set {
	unsigned oldest; /* the entry to replace next */
	struct kept entries[WAYS];
};

struct verdict_memory {
	pthread_mutex_t locks[LOCKS];
	struct set sets[SETS];
};

static struct kept *find(struct set *set, struct uuid payment)
{
	for (size_t i = 0; i < WAYS; i++)
		if (uuid_equal(set->entries[i].payment, payment))
			return &set->entries[i];
	return NULL;
}

static struct kept *take_oldest(struct set *set, struct uuid payment)
{
	struct kept *kept = &set->entries[set->oldest];
	set->oldest = (set->oldest + 1) % WAYS;
	*kept = (struct kept) { .payment = payment };
	return kept;
}

static void unpack(const struct kept *kept, struct risk_verdict *ret_verdict)
{
	*ret_verdict = (struct risk_verdict) {
		.score = kept->score, .decision = (enum risk_decision)kept->decision, .reason_count = kept->reason_count
	};
	for (size_t i = 0; i < kept->reason_count; i++) {
		const char *code = risk_code_name(kept->reasons[i].code);
		memcpy(ret_verdict->reasons[i].code, code, strlen(code) + 1);
		ret_verdict->reasons[i].points = kept->reasons[i].points;
	}
}

static void pack(struct kept *kept, const struct risk_verdict *verdict)
{
	kept->is_judged = true;
	kept->score = (unsigned char)verdict->score;
	kept->decision = (unsigned char)verdict->decision;
	kept->reason_count = (unsigned char)verdict->reason_count;
	for (size_t i = 0; i < verdict->reason_count; i++)
		kept->reasons[i] = (struct kept_reason) {
			(unsigned char)risk_code_find(slice_from(verdict->reasons[i].code)),
			(unsigned char)verdict->reasons[i].points,
		};
}

static struct set *lock_set(struct verdict_memory *memory, struct payment_id payment, pthread_mutex_t **ret_lock)
{
	uint64_t hash = uuid_hash(payment.uuid);
	*ret_lock = &memory->locks[hash % LOCKS];
	pthread_mutex_lock(*ret_lock);
	return &memory->sets[hash % SETS];
}

enum verdict_state verdict_memory_ask(
        struct verdict_memory *memory, struct payment_id payment, struct risk_verdict *ret_verdict)
{
	pthread_mutex_t *lock;
	struct set *set = lock_set(memory, payment, &lock);
	struct kept *kept = find(set, payment.uuid);
	enum verdict_state state = !kept ? VERDICT_FRESH : kept->is_judged ? VERDICT_JUDGED : VERDICT_COUNTED;
	if (state == VERDICT_FRESH)
		take_oldest(set, payment.uuid);
	else if (state == VERDICT_JUDGED)
		unpack(kept, ret_verdict);
	pthread_mutex_unlock(lock);
	return state;
}

void verdict_memory_keep(struct verdict_memory *memory, struct payment_id payment, const struct risk_verdict *verdict,
        struct uuid new_payee)
{
	pthread_mutex_t *lock;
	struct set *set = lock_set(memory, payment, &lock);
	struct kept *kept = find(set, payment.uuid);
	if (!kept)
		kept = take_oldest(set, payment.uuid);
	pack(kept, verdict);
	kept->new_payee = new_payee;
	pthread_mutex_unlock(lock);
}

struct uuid verdict_memory_new_payee(struct verdict_memory *memory, struct payment_id payment)
{
	pthread_mutex_t *lock;
	const struct kept *kept = find(lock_set(memory, payment, &lock), payment.uuid);
	struct uuid new_payee = kept ? kept->new_payee : (struct uuid) { { 0 } };
	pthread_mutex_unlock(lock);
	return new_payee;
}

struct verdict_memory *verdict_memory_new(void)
{
	struct verdict_memory *memory = NEW(struct verdict_memory);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&memory->locks[i], NULL);
	return memory;
}

void verdict_memory_free(struct verdict_memory *memory)
{
	if (!memory)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&memory->locks[i]);
	memory_free(memory);
}
