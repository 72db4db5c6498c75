#include "notify/notify_workers.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "notify/notify_events.h"
#include "notify/notify_rules.h"
#include "notify/sealed_secret.h"
#include "platform/http_client.h"
#include "platform/http_request.h"
#include "platform/metrics.h"
#include "platform/thread.h"

enum {
	WORKERS = NOTIFY_BUSY_MAX,
	TAKE_MAX = 16, /* deliveries that one thread takes at a time */
	POLL_MS = 250,
	ATTEMPT_MS = 15000,
	ANSWER_MAX = 64 * 1024,
};

/* Longer than all attempts of one take can last: until then nobody else tries them. */
static const int64_t lease_microseconds = (TAKE_MAX + 1) * 2 * ATTEMPT_MS * INT64_C(1000);

struct worker {
	struct notify_workers *workers;
	struct thread *thread;
	size_t number;
};

struct notify_workers {
	struct notify_worker_options options;
	struct http_client *client;
	struct signal_bell bell;
	pthread_mutex_t lock;                    /* over `busy` */
	struct webhook_id busy[NOTIFY_BUSY_MAX]; /* the endpoint that each worker serves; nil: none */
	struct worker rows[WORKERS];
};

/* What one worker has taken. */
struct round {
	struct arena arena;
	struct webhook_id id;
	struct webhook webhook;
	struct delivery deliveries[TAKE_MAX];
	size_t count;
	int64_t now;
};

static enum status take_round(struct notify_workers *workers, struct round *round);
static bool attempt(struct notify_workers *workers, struct round *round, struct delivery *delivery);
static enum status give_back(struct sql *sql, void *arg);

/* Finds an endpoint that is due and that no other worker of this process serves, and marks it. */
static enum status choose_webhook(struct worker *worker, struct webhook_id *ret_webhook)
{
	struct notify_workers *workers = worker->workers;
	struct sql *sql;
	TRY(sql_pool_take(workers->options.engines->readers, &sql));
	pthread_mutex_lock(&workers->lock);
	enum status status = notify_store_due_webhook(sql, clock_now(), workers->busy, ret_webhook);
	if (status == STATUS_OK)
		workers->busy[worker->number] = *ret_webhook;
	pthread_mutex_unlock(&workers->lock);
	sql_pool_give(workers->options.engines->readers, sql);
	return status;
}

static void release_webhook(struct worker *worker)
{
	pthread_mutex_lock(&worker->workers->lock);
	worker->workers->busy[worker->number] = (struct webhook_id) { 0 };
	pthread_mutex_unlock(&worker->workers->lock);
}

/* Delivers in order; what follows a failure waits for the next round, behind the failed one's schedule. */
static void deliver_round(struct notify_workers *workers, struct round *round)
{
	size_t done = 0;
	bool goes_on = true;
	while (goes_on && done < round->count && !bell_is_stopped(&workers->bell))
		goes_on = attempt(workers, round, &round->deliveries[done++]);
	if (done == round->count)
		return;
	memmove(round->deliveries, round->deliveries + done, (round->count - done) * sizeof *round->deliveries);
	round->count -= done;
	round->now = clock_now();
	enum status status = committer_run(workers->options.engines->committer, give_back, round);
	if (status != STATUS_OK)
		log_event(LOG_WARNING, "notify", "deliveries wait for their lease to end", LOG_STATUS(status));
}

/* False when nothing was due. */
static bool work_once(struct worker *worker)
{
	struct round *round = NEW(struct round);
	enum status status = choose_webhook(worker, &round->id);
	bool is_due = status == STATUS_OK && !uuid_is_nil(round->id.uuid);
	if (is_due)
		status = take_round(worker->workers, round);
	if (status != STATUS_OK)
		log_event(LOG_WARNING, "notify", "deliveries cannot be read", LOG_STATUS(status));
	else if (is_due)
		deliver_round(worker->workers, round);
	if (is_due)
		release_webhook(worker);
	arena_clean_up(&round->arena);
	memory_free(round);
	return is_due && status == STATUS_OK;
}

static void run(void *arg)
{
	struct worker *worker = arg;
	struct signal_bell *bell = &worker->workers->bell;
	uint64_t seen = 0;
	while (!bell_is_stopped(bell))
		if (!work_once(worker))
			bell_wait(bell, &seen, POLL_MS);
}

static enum status take(struct sql *sql, void *arg)
{
	struct round *round = arg;
	round->now = clock_now();
	arena_clean_up(&round->arena);
	TRY(notify_store_webhook(sql, round->id, &round->arena, &round->webhook));
	return notify_store_take_due(sql, round->id, round->now, round->now + lease_microseconds, &round->arena,
	        round->deliveries, TAKE_MAX, &round->count);
}

static enum status take_round(struct notify_workers *workers, struct round *round)
{
	return committer_run(workers->options.engines->committer, take, round);
}

static enum status give_back(struct sql *sql, void *arg)
{
	const struct round *round = arg;
	for (size_t i = 0; i < round->count; i++)
		TRY(notify_store_give_back(sql, round->deliveries[i].id, round->now));
	return STATUS_OK;
}

/* One signature, or two with a blank between while the secret of before is still valid. */
static bool write_signatures(struct notify_workers *workers, const struct webhook *webhook, struct slice id,
        int64_t now, struct slice body, struct writer *out)
{
	struct webhook_secret secret;
	int64_t seconds = now / MICROSECONDS_PER_SECOND;
	if (!sealed_secret_open(workers->options.sealing_key, webhook->id, webhook->secret, &secret))
		return false;
	write_webhook_signature(out, &secret, id, seconds, body);
	if (webhook->previous_secret.size && now < webhook->previous_valid_until &&
	        sealed_secret_open(workers->options.sealing_key, webhook->id, webhook->previous_secret, &secret)) {
		write_char(out, ' ');
		write_webhook_signature(out, &secret, id, seconds, body);
	}
	crypto_wipe(&secret, sizeof secret);
	return true;
}

static enum status send(struct notify_workers *workers, struct round *round, const struct delivery *delivery,
        struct http_answer *ret_answer)
{
	struct arena *arena = &round->arena;
	struct writer id = writer_growing(arena), signatures = writer_growing(arena);
	int64_t now = clock_now();
	write_event_id(&id, delivery->event);
	if (!write_signatures(workers, &round->webhook, writer_slice(&id), now, delivery->body, &signatures))
		return ERR_INTERNAL;
	struct http_call call = { .method = HTTP_POST,
		.url = round->webhook.url,
		.body = delivery->body,
		.timeout_ms = ATTEMPT_MS,
		.answer_max = ANSWER_MAX };
	const struct http_header headers[] = {
		{ "Content-Type", SLICE("application/json") },
		{ "User-Agent", SLICE("agentpay-webhooks/1") },
		{ "webhook-id", writer_slice(&id) },
		{ "webhook-timestamp", arena_format(arena, "%lld", (long long)(now / MICROSECONDS_PER_SECOND)) },
		{ "webhook-signature", writer_slice(&signatures) },
		{ "traceparent", http_traceparent(delivery->trace_id, arena) },
	};
	memcpy(call.headers, headers, sizeof headers);
	call.header_count = sizeof headers / sizeof *headers - !delivery->trace_id.size;
	return http_client_call(workers->client, &call, arena, ret_answer);
}

struct outcome_work {
	const struct delivery *delivery;
	bool disables;
	int64_t now;
};

static enum status store_outcome(struct sql *sql, void *arg)
{
	const struct outcome_work *work = arg;
	bool changed = false;
	TRY(notify_store_outcome(sql, work->delivery));
	if (work->disables)
		TRY(notify_store_enable(sql, work->delivery->webhook, false, SLICE("gone"), &changed));
	if (!changed)
		return STATUS_OK;
	return notify_event_store(sql, "webhook.disabled", &actor_system, work->delivery->webhook, work->now,
	        SLICE("{\"status\":\"enabled\"}"), SLICE("{\"status\":\"disabled\",\"reason\":\"gone\"}"));
}

static const char *outcome_name(enum notify_outcome outcome)
{
	static const char *const names[] = {
		[NOTIFY_DELIVERED] = "delivered",
		[NOTIFY_RETRY] = "failed",
		[NOTIFY_GONE] = "gone",
		[NOTIFY_REFUSED] = "refused",
	};
	return names[outcome];
}

/* Fills in what becomes of the delivery. */
static void decide(struct delivery *delivery, enum notify_outcome outcome, int64_t retry_after, int64_t now)
{
	uint64_t randomness;
	random_bytes(&randomness, sizeof randomness);
	int64_t delay_ms =
	        outcome == NOTIFY_RETRY ? notify_retry_delay_ms(delivery->attempts, retry_after, randomness) : -1;
	delivery->next_attempt_at = 0;
	if (outcome == NOTIFY_DELIVERED) {
		delivery->status = DELIVERY_DELIVERED;
		delivery->delivered_at = now;
	} else if (delay_ms < 0) {
		delivery->status = DELIVERY_FAILED;
	} else {
		delivery->next_attempt_at = now + delay_ms * 1000;
	}
}

/* False when it failed, whatever becomes of it. */
static bool attempt(struct notify_workers *workers, struct round *round, struct delivery *delivery)
{
	struct http_answer answer = { 0 };
	enum status call = send(workers, round, delivery, &answer);
	int64_t now = clock_now();
	int http_status = call == STATUS_OK ? answer.status : 0;
	enum notify_outcome outcome = notify_outcome_of(call, http_status);
	delivery->attempts++;
	delivery->last_status = http_status;
	delivery->last_error = call == STATUS_OK ? SLICE_EMPTY : slice_from(status_code(call));
	decide(delivery, outcome, call == STATUS_OK ? notify_retry_after(answer.retry_after) : 0, now);

	struct outcome_work work = { delivery, outcome == NOTIFY_GONE, now };
	enum status stored = committer_run(workers->options.engines->committer, store_outcome, &work);
	metric_add(METRIC_webhook_deliveries_total, outcome_name(outcome), 1);
	log_event(outcome == NOTIFY_DELIVERED ? LOG_DEBUG : LOG_INFO, "notify", "webhook attempted",
	        LOG_ID("delivery_id", ID_PREFIX_delivery, delivery->id.uuid),
	        LOG_TEXT("outcome", outcome_name(outcome)), LOG_INT("status", http_status),
	        LOG_INT("attempts", delivery->attempts), LOG_TEXT("stored", status_code(stored)));
	return outcome == NOTIFY_DELIVERED;
}

void notify_workers_wake(struct notify_workers *workers)
{
	bell_ring(&workers->bell);
}

enum status notify_workers_start(const struct notify_worker_options *options, struct notify_workers **ret_workers)
{
	struct notify_workers *workers = NEW(struct notify_workers);
	workers->options = *options;
	workers->client =
	        http_client_new(&(struct http_client_options) { .refuse_private = !options->allow_private_addresses });
	bell_init(&workers->bell);
	pthread_mutex_init(&workers->lock, NULL);
	enum status status = STATUS_OK;
	for (size_t i = 0; i < WORKERS && status == STATUS_OK; i++) {
		workers->rows[i] = (struct worker) { .workers = workers, .number = i };
		status = thread_start("notify", run, &workers->rows[i], &workers->rows[i].thread);
	}
	if (status == STATUS_OK)
		*ret_workers = workers;
	else
		notify_workers_stop(workers);
	return status;
}

void notify_workers_stop(struct notify_workers *workers)
{
	if (!workers)
		return;
	bell_stop(&workers->bell);
	for (size_t i = 0; i < WORKERS; i++)
		thread_join(workers->rows[i].thread);
	http_client_free(workers->client);
	bell_clean_up(&workers->bell);
	pthread_mutex_destroy(&workers->lock);
	memory_free(workers);
}
