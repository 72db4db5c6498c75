#include "risk/velocity.h"

#include <pthread.h>

enum { RING_FIRST = 16, BUCKETS = 60, BUCKET_SLOTS = BUCKETS + 1 };

struct payment {
	int64_t at;
	int64_t cents;
};

struct total {
	int64_t count;
	__int128 cents;
};

/* Payments that left the ring but not the window. A bucket's number is its time / its length. */
struct overflow {
	struct total buckets[BUCKET_SLOTS];
	struct total total;
	int64_t oldest; /* number of the oldest bucket that may hold something */
	int64_t newest;
};

struct window {
	uint64_t tail; /* the oldest payment in the ring that is inside */
	struct total exact;
	struct overflow *overflow; /* NULL until the ring overflows */
};

/* Payment number n stands at ring[n % capacity]; the capacity is a power of two. */
struct agent {
	struct payment *ring;
	uint64_t capacity;
	uint64_t head; /* number of the next payment */
	uint64_t kept; /* number of the oldest payment in the ring */
	int64_t latest_at;
	struct window windows[RISK_WINDOW_COUNT];
	struct country_code country;
};

struct shard {
	pthread_mutex_t lock;
	size_t count;
	struct uuid ids[VELOCITY_AGENTS_PER_SHARD];
	struct agent *agents[VELOCITY_AGENTS_PER_SHARD];
};

struct velocity {
	struct shard shards[VELOCITY_SHARDS];
};

static struct agent *agent_of(struct shard *shard, struct uuid id);
static struct agent *find_agent(struct shard *shard, struct uuid id);
static void expire(struct agent *agent, int64_t now);
static void push(struct agent *agent, struct payment payment);
static void report(const struct agent *agent, struct velocity_report *ret_report);

static struct shard *shard_of(struct velocity *velocity, struct agent_id agent)
{
	return &velocity->shards[uuid_hash(agent.uuid) % VELOCITY_SHARDS];
}

void velocity_add(struct velocity *velocity, struct agent_id id, int64_t at, int64_t cents, struct country_code country,
        struct velocity_report *ret_report)
{
	struct shard *shard = shard_of(velocity, id);
	pthread_mutex_lock(&shard->lock);
	struct agent *agent = agent_of(shard, id.uuid);
	if (at < agent->latest_at)
		at = agent->latest_at;
	agent->latest_at = at;
	expire(agent, at);
	push(agent, (struct payment) { at, cents });
	report(agent, ret_report);
	if (country_is_known(country))
		agent->country = country;
	pthread_mutex_unlock(&shard->lock);
}

void velocity_peek(struct velocity *velocity, struct agent_id id, int64_t at, struct velocity_report *ret_report)
{
	struct shard *shard = shard_of(velocity, id);
	*ret_report = (struct velocity_report) { 0 };
	pthread_mutex_lock(&shard->lock);
	struct agent *agent = find_agent(shard, id.uuid);
	if (agent) {
		if (at > agent->latest_at)
			agent->latest_at = at;
		expire(agent, agent->latest_at);
		report(agent, ret_report);
	}
	pthread_mutex_unlock(&shard->lock);
}

static void total_add(struct total *total, int64_t count, __int128 cents)
{
	total->count += count;
	total->cents += cents;
}

static int64_t bucket_microseconds(size_t window)
{
	return risk_window_microseconds((enum risk_window)window) / BUCKETS;
}

static struct total *bucket_at(struct overflow *overflow, int64_t number)
{
	return &overflow->buckets[number % BUCKET_SLOTS];
}

/* Empties all buckets that ended before `first`. */
static void expire_buckets(struct overflow *overflow, int64_t first)
{
	int64_t last = first - 1 < overflow->newest ? first - 1 : overflow->newest;
	for (int64_t number = overflow->oldest; number <= last; number++) {
		struct total *bucket = bucket_at(overflow, number);
		total_add(&overflow->total, -bucket->count, -bucket->cents);
		*bucket = (struct total) { 0 };
	}
	if (first > overflow->oldest)
		overflow->oldest = first;
}

/* Takes what is `window` old or older out of every window. */
static void expire(struct agent *agent, int64_t now)
{
	for (size_t i = 0; i < RISK_WINDOW_COUNT; i++) {
		struct window *window = &agent->windows[i];
		int64_t since = now - risk_window_microseconds((enum risk_window)i);
		while (window->tail < agent->head) {
			const struct payment *oldest = &agent->ring[window->tail & (agent->capacity - 1)];
			if (oldest->at > since)
				break;
			total_add(&window->exact, -1, -oldest->cents);
			window->tail++;
		}
		if (window->overflow)
			expire_buckets(window->overflow, since / bucket_microseconds(i));
	}
	/* Nothing needs a payment that has left the longest window. */
	agent->kept = agent->windows[RISK_DAY].tail;
}

/* Moves the oldest payment of the full ring into the buckets of the windows that still count it. */
static void spill_oldest(struct agent *agent)
{
	struct payment oldest = agent->ring[agent->kept & (agent->capacity - 1)];
	for (size_t i = 0; i < RISK_WINDOW_COUNT; i++) {
		struct window *window = &agent->windows[i];
		if (window->tail != agent->kept)
			continue;
		int64_t number = oldest.at / bucket_microseconds(i);
		if (!window->overflow) {
			window->overflow = NEW(struct overflow);
			window->overflow->oldest = number;
		}
		total_add(bucket_at(window->overflow, number), 1, oldest.cents);
		total_add(&window->overflow->total, 1, oldest.cents);
		window->overflow->newest = number;
		total_add(&window->exact, -1, -oldest.cents);
		window->tail++;
	}
	agent->kept++;
}

static void grow_ring(struct agent *agent)
{
	uint64_t capacity = agent->capacity ? agent->capacity * 2 : RING_FIRST;
	struct payment *ring = memory_new(capacity, sizeof *ring);
	for (uint64_t n = agent->kept; n < agent->head; n++)
		ring[n & (capacity - 1)] = agent->ring[n & (agent->capacity - 1)];
	memory_free(agent->ring);
	agent->ring = ring;
	agent->capacity = capacity;
}

static void push(struct agent *agent, struct payment payment)
{
	if (agent->head - agent->kept == agent->capacity) {
		if (agent->capacity < VELOCITY_EXACT)
			grow_ring(agent);
		else
			spill_oldest(agent);
	}
	agent->ring[agent->head & (agent->capacity - 1)] = payment;
	agent->head++;
	for (size_t i = 0; i < RISK_WINDOW_COUNT; i++)
		total_add(&agent->windows[i].exact, 1, payment.cents);
}

static void report(const struct agent *agent, struct velocity_report *ret_report)
{
	*ret_report = (struct velocity_report) { .country = agent->country };
	for (size_t i = 0; i < RISK_WINDOW_COUNT; i++) {
		struct total total = agent->windows[i].exact;
		const struct overflow *overflow = agent->windows[i].overflow;
		if (overflow)
			total_add(&total, overflow->total.count, overflow->total.cents);
		ret_report->windows[i].count = total.count;
		ret_report->windows[i].sum_cents = total.cents > INT64_MAX ? INT64_MAX : (int64_t)total.cents;
		if (overflow && overflow->total.count)
			ret_report->is_approximate = true;
	}
}

static void agent_free(struct agent *agent)
{
	for (size_t i = 0; i < RISK_WINDOW_COUNT; i++)
		memory_free(agent->windows[i].overflow);
	memory_free(agent->ring);
	memory_free(agent);
}

static struct agent *find_agent(struct shard *shard, struct uuid id)
{
	for (size_t i = 0; i < shard->count; i++)
		if (uuid_equal(shard->ids[i], id))
			return shard->agents[i];
	return NULL;
}

static size_t idlest(const struct shard *shard)
{
	size_t idlest = 0;
	for (size_t i = 1; i < shard->count; i++)
		if (shard->agents[i]->latest_at < shard->agents[idlest]->latest_at)
			idlest = i;
	return idlest;
}

static struct agent *agent_of(struct shard *shard, struct uuid id)
{
	struct agent *agent = find_agent(shard, id);
	if (agent)
		return agent;
	size_t at = shard->count;
	if (at == VELOCITY_AGENTS_PER_SHARD) {
		at = idlest(shard);
		agent_free(shard->agents[at]);
	} else {
		shard->count++;
	}
	shard->ids[at] = id;
	shard->agents[at] = NEW(struct agent);
	return shard->agents[at];
}

struct velocity *velocity_new(void)
{
	struct velocity *velocity = NEW(struct velocity);
	for (size_t i = 0; i < VELOCITY_SHARDS; i++)
		pthread_mutex_init(&velocity->shards[i].lock, NULL);
	return velocity;
}

void velocity_free(struct velocity *velocity)
{
	if (!velocity)
		return;
	for (size_t i = 0; i < VELOCITY_SHARDS; i++) {
		for (size_t j = 0; j < velocity->shards[i].count; j++)
			agent_free(velocity->shards[i].agents[j]);
		pthread_mutex_destroy(&velocity->shards[i].lock);
	}
	memory_free(velocity);
}
