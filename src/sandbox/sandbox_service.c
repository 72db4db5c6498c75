#include "sandbox/sandbox_service.h"

#include "base/clock.h"
#include "base/json.h"
#include "money/ids.h"
#include "platform/committer.h"
#include "platform/crypto.h"
#include "platform/http_client.h"
#include "platform/thread.h"
#include "platform/webhook_signature.h"

enum { NOTIFICATION_TRIES_MAX = 20, NOTIFICATION_POLL_MS = 50 };

struct sandbox_service {
	struct sandbox_options options;
	struct webhook_secret secret;
	struct committer *committer;
	struct sql_pool *readers;
	struct http_client *http;
	struct thread *notifier;
	struct signal_bell bell;
	pthread_mutex_t rules_lock;
	struct sandbox_rule rules[SANDBOX_RULES_MAX];
	size_t rule_count;
};

/* --- What happens to an order -------------------------------------------------------------------------------- */

static bool take_rule(
        struct sandbox_service *service, const struct sandbox_order *order, struct sandbox_behaviour *behaviour)
{
	bool found = false;
	pthread_mutex_lock(&service->rules_lock);
	for (size_t i = 0; i < service->rule_count && !found; i++) {
		struct sandbox_rule *rule = &service->rules[i];
		if (!sandbox_rule_matches(rule, order->rail, order->payee, order->amount))
			continue;
		*behaviour = rule->behaviour;
		if (rule->times_left > 0)
			rule->times_left--;
		found = true;
	}
	pthread_mutex_unlock(&service->rules_lock);
	return found;
}

static bool is_plain(const struct sandbox_behaviour *behaviour)
{
	return !behaviour->decline[0] && !behaviour->returns[0] && !behaviour->return_after_us && !behaviour->late_us &&
	       !behaviour->slow_us && !behaviour->error && !behaviour->timeout_before && !behaviour->timeout_after &&
	       !behaviour->duplicate;
}

/* A directive in the order wins over a scripted rule, and that over chance. */
static enum status choose_behaviour(
        struct sandbox_service *service, const struct sandbox_order *order, struct sandbox_behaviour *behaviour)
{
	*behaviour = (struct sandbox_behaviour) { .error = 0 };
	TRY(sandbox_parse_directives(order->payee, behaviour));
	TRY(sandbox_parse_directives(order->reference, behaviour));
	if (!is_plain(behaviour))
		return STATUS_OK;
	if (!take_rule(service, order, behaviour))
		sandbox_draw(service->options.seed, order->attempt, &service->options.odds, order->rail, behaviour);
	return STATUS_OK;
}

struct pay_work {
	struct sandbox_service *service;
	const struct sandbox_order *order;
	const struct sandbox_behaviour *behaviour;
	struct arena *arena;
	int64_t now;
	/* results */
	bool is_first;
	struct sandbox_payment payment;
};

static enum status notify_later(
        struct sql *sql, const struct pay_work *work, const char *type, struct slice code, int64_t due_at)
{
	if (!work->order->notify_url.size)
		return STATUS_OK;
	const struct sandbox_notification notification = { .attempt = work->order->attempt,
		.type = slice_from(type),
		.code = code,
		.notify_url = work->order->notify_url,
		.due_at = due_at };
	for (int copy = 0; copy < (work->behaviour->duplicate ? 2 : 1); copy++) {
		struct sandbox_notification row = notification;
		row.id = uuid_new();
		TRY(sandbox_store_notify(sql, &row));
	}
	return STATUS_OK;
}

/* The network takes the order: declined, or accepted now and settled in time. */
static void decide(struct pay_work *work)
{
	const struct sandbox_behaviour *behaviour = work->behaviour;
	struct sandbox_payment *payment = &work->payment;
	int64_t after = sandbox_settles_after_us(work->order->rail, work->service->options.settle_base_us);
	if (behaviour->decline[0]) {
		payment->status = SLICE("declined");
		payment->code = arena_copy(work->arena, slice_from(behaviour->decline));
		return;
	}
	payment->status = after + behaviour->late_us ? SLICE("accepted") : SLICE("settled");
	payment->settles_at = work->now + after + behaviour->late_us;
	payment->times_taken = 1;
}

static enum status schedule(struct sql *sql, const struct pay_work *work)
{
	const struct sandbox_payment *payment = &work->payment;
	if (!payment->times_taken)
		return STATUS_OK;
	if (slice_is(payment->status, "accepted") || work->behaviour->duplicate)
		TRY(notify_later(sql, work, "payment.settled", SLICE_EMPTY, payment->settles_at));
	if (work->behaviour->returns[0])
		TRY(notify_later(sql, work, "payment.returned", slice_from(work->behaviour->returns),
		        payment->settles_at + work->behaviour->return_after_us + 1));
	return STATUS_OK;
}

static enum status pay(struct sql *sql, void *arg)
{
	struct pay_work *work = arg;
	const struct sandbox_behaviour *behaviour = work->behaviour;
	enum status found = sandbox_store_get(sql, work->order->attempt, work->arena, &work->payment);
	if (found != STATUS_OK && found != ERR_NOT_FOUND)
		return found;
	work->is_first = found == ERR_NOT_FOUND;
	if (!work->is_first && !slice_is(work->payment.status, "hung"))
		return STATUS_OK;
	if (!work->is_first) {
		decide(work);
		TRY(sandbox_store_take(sql, &work->payment, (int)work->payment.times_taken));
		return schedule(sql, work);
	}
	work->payment = (struct sandbox_payment) { .attempt = work->order->attempt,
		.rail = work->order->rail,
		.status = SLICE("hung"),
		.amount = work->order->amount_text,
		.currency = slice_from(currency_code(work->order->amount.currency)) };
	struct writer reference = writer_growing(work->arena);
	write_text(&reference, "net-");
	write_uuid(&reference, uuid_new());
	work->payment.network_reference = writer_slice(&reference);
	if (!behaviour->timeout_before && !behaviour->error)
		decide(work);
	TRY(sandbox_store_insert(sql, &work->payment, work->now));
	return schedule(sql, work);
}

/* False when the simulator is stopping. */
static bool wait_us(struct sandbox_service *service, int64_t duration_us)
{
	int64_t until = clock_monotonic() + duration_us;
	uint64_t seen = 0;
	for (int64_t left = duration_us; left > 0; left = until - clock_monotonic())
		if (!bell_wait(&service->bell, &seen, left / 1000 + 1))
			return false;
	return true;
}

enum status sandbox_pay(struct sandbox_service *service, const struct sandbox_order *order, struct arena *arena,
        int *ret_http, struct sandbox_payment *ret_payment)
{
	struct sandbox_behaviour behaviour;
	TRY(choose_behaviour(service, order, &behaviour));
	wait_us(service, behaviour.slow_us);
	struct pay_work work = {
		.service = service, .order = order, .behaviour = &behaviour, .arena = arena, .now = clock_now()
	};
	TRY(committer_run(service->committer, pay, &work));
	if (work.is_first && (behaviour.timeout_before || behaviour.timeout_after)) {
		wait_us(service, service->options.hang_us);
		return ERR_RAIL_UNAVAILABLE;
	}
	*ret_http = work.is_first && behaviour.error ? behaviour.error : 200;
	*ret_payment = work.payment;
	return STATUS_OK;
}

enum status sandbox_find(
        struct sandbox_service *service, struct uuid attempt, struct arena *arena, struct sandbox_payment *ret_payment)
{
	struct sql *sql;
	struct sandbox_payment payment = { 0 };
	TRY(sql_pool_take(service->readers, &sql));
	enum status status = sandbox_store_get(sql, attempt, arena, &payment);
	sql_pool_give(service->readers, sql);
	TRY(status);
	if (slice_is(payment.status, "hung"))
		return ERR_NOT_FOUND;
	if (slice_is(payment.status, "accepted") && payment.settles_at <= clock_now())
		payment.status = SLICE("settled");
	*ret_payment = payment;
	return STATUS_OK;
}

struct refund_work {
	struct uuid attempt;
	struct slice refund_id, amount;
	struct arena *arena;
};

static enum status refund(struct sql *sql, void *arg)
{
	const struct refund_work *work = arg;
	struct sandbox_payment payment = { 0 };
	TRY(sandbox_store_get(sql, work->attempt, work->arena, &payment));
	if (!payment.times_taken)
		return ERR_STATE_CONFLICT;
	return sandbox_store_refund(sql, work->refund_id, work->attempt, work->amount, clock_now());
}

enum status sandbox_refund(
        struct sandbox_service *service, struct uuid attempt, struct slice refund_id, struct slice amount)
{
	struct arena arena = { 0 };
	struct refund_work work = { attempt, refund_id, amount, &arena };
	enum status status = committer_run(service->committer, refund, &work);
	arena_clean_up(&arena);
	return status;
}

enum status sandbox_script(struct sandbox_service *service, const struct sandbox_rule *rules, size_t count)
{
	enum status status = STATUS_OK;
	pthread_mutex_lock(&service->rules_lock);
	if (!count) {
		service->rule_count = 0;
	} else if (count > SANDBOX_RULES_MAX - service->rule_count) {
		status = ERR_OVERLOADED;
	} else {
		memmove(service->rules + count, service->rules, service->rule_count * sizeof *rules);
		memcpy(service->rules, rules, count * sizeof *rules);
		service->rule_count += count;
	}
	pthread_mutex_unlock(&service->rules_lock);
	return status;
}

enum status sandbox_list(struct sandbox_service *service, struct arena *arena, struct sandbox_payment **ret_payments,
        size_t *ret_count, int64_t *ret_refunds)
{
	struct sql *sql;
	TRY(sql_pool_take(service->readers, &sql));
	enum status status = sandbox_store_list(sql, arena, ret_payments, ret_count);
	if (status == STATUS_OK)
		status = sandbox_store_refund_count(sql, ret_refunds);
	sql_pool_give(service->readers, sql);
	return status;
}

/* --- Notifications ------------------------------------------------------------------------------------------- */

static struct slice notification_body(const struct sandbox_notification *row, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "type", row->type);
	json_key_id(&json, "attempt_id", ID_PREFIX_attempt, row->attempt);
	json_key_text(&json, "network_reference", row->network_reference);
	json_key_text_or_null(&json, "code", row->code);
	json_key_instant(&json, "at", row->due_at);
	json_object_close(&json);
	return writer_slice(&out);
}

static bool send_notification(
        struct sandbox_service *service, const struct sandbox_notification *row, struct arena *arena)
{
	struct slice body = notification_body(row, arena);
	struct slice id = arena_format(arena, "msg_%016lx", uuid_hash(row->id));
	int64_t timestamp = clock_now() / MICROSECONDS_PER_SECOND;
	struct writer signature = writer_growing(arena);
	write_webhook_signature(&signature, &service->secret, id, timestamp, body);
	struct http_call call = {
		.method = HTTP_POST,
		.url = row->notify_url,
		.body = body,
		.headers = { { "Content-Type", SLICE("application/json") }, { "webhook-id", id },
		        { "webhook-timestamp", arena_format(arena, "%ld", timestamp) },
		        { "webhook-signature", writer_slice(&signature) } },
		.header_count = 4,
		.timeout_ms = 5000,
	};
	struct http_answer answer;
	return http_client_call(service->http, &call, arena, &answer) == STATUS_OK && answer.status >= 200 &&
	       answer.status < 300;
}

struct notified_work {
	const struct sandbox_notification *row;
	bool is_before; /* the payment's own state changes before the world is told */
	struct slice state;
	int64_t next_at;
};

static enum status store_notified(struct sql *sql, void *arg)
{
	const struct notified_work *work = arg;
	if (work->is_before)
		return sandbox_store_set_status(sql, work->row->attempt,
		        slice_is(work->row->type, "payment.returned") ? SLICE("returned") : SLICE("settled"),
		        work->row->code);
	return sandbox_store_notified(sql, work->row->id, work->state, work->next_at);
}

static void notify_one(struct sandbox_service *service, const struct sandbox_notification *row, struct arena *arena)
{
	struct notified_work work = { .row = row, .is_before = true };
	if (committer_run(service->committer, store_notified, &work) != STATUS_OK)
		return;
	bool was_sent = send_notification(service, row, arena);
	bool is_last = row->tries + 1 >= NOTIFICATION_TRIES_MAX;
	work.is_before = false;
	work.state = was_sent ? SLICE("delivered") : is_last ? SLICE("given_up") : SLICE("waiting");
	work.next_at = clock_now() + (row->tries + 1) * MICROSECONDS_PER_SECOND / 2;
	/* Not stored: it is sent once more, which a receiver must bear anyway. */
	enum status status = committer_run(service->committer, store_notified, &work);
	(void)status;
}

static void run_notifier(void *arg)
{
	struct sandbox_service *service = arg;
	uint64_t seen = 0;
	while (bell_wait(&service->bell, &seen, NOTIFICATION_POLL_MS)) {
		struct arena arena = { 0 };
		struct sandbox_notification rows[64];
		size_t count = 0;
		struct sql *sql;
		if (sql_pool_take(service->readers, &sql) == STATUS_OK) {
			if (sandbox_store_due(sql, clock_now(), &arena, rows, &count) != STATUS_OK)
				count = 0;
			sql_pool_give(service->readers, sql);
		}
		for (size_t i = 0; i < count && !bell_is_stopped(&service->bell); i++)
			notify_one(service, &rows[i], &arena);
		arena_clean_up(&arena);
	}
}

/* --- Life ---------------------------------------------------------------------------------------------------- */

static enum status start(struct sandbox_service *service, struct problem *problem)
{
	struct sql *sql;
	if (!webhook_secret_parse(service->options.secret, &service->secret))
		return problem_set(
		        problem, ERR_INVALID_PARAMETER, "rails_secret", "The rails secret is not whsec_ and base64.");
	TRY(sql_open(service->options.database_url, &sql, problem));
	enum status status = sql_migrate(sql, &sandbox_migrations, problem);
	sql_close(sql);
	TRY(status);
	TRY(committer_start(service->options.database_url, "sandbox", &service->committer, problem));
	TRY(sql_pool_open(service->options.database_url, 4, &service->readers, problem));
	return thread_start("sandbox-notify", run_notifier, service, &service->notifier);
}

enum status sandbox_service_start(
        const struct sandbox_options *options, struct sandbox_service **ret_service, struct problem *problem)
{
	struct sandbox_service *service = NEW(struct sandbox_service);
	service->options = *options;
	if (!options->settle_base_us)
		service->options.settle_base_us = 2 * MICROSECONDS_PER_SECOND;
	if (!options->hang_us)
		service->options.hang_us = 30 * MICROSECONDS_PER_SECOND;
	pthread_mutex_init(&service->rules_lock, NULL);
	bell_init(&service->bell);
	service->http = http_client_new(&(struct http_client_options) { 0 });
	enum status status = start(service, problem);
	if (status != STATUS_OK) {
		sandbox_service_stop(service);
		return status;
	}
	*ret_service = service;
	return STATUS_OK;
}

void sandbox_service_interrupt(struct sandbox_service *service)
{
	bell_stop(&service->bell);
}

void sandbox_service_stop(struct sandbox_service *service)
{
	if (!service)
		return;
	sandbox_service_interrupt(service);
	thread_join(service->notifier);
	committer_stop(service->committer);
	sql_pool_close(service->readers);
	http_client_free(service->http);
	bell_clean_up(&service->bell);
	pthread_mutex_destroy(&service->rules_lock);
	crypto_wipe(&service->secret, sizeof service->secret);
	memory_free(service);
}
