#include "router/payment_steps.h"

#include "base/clock.h"
#include "base/log.h"
#include "platform/metrics.h"
#include "router/rail_client.h"
#include "router/router_worker.h"

enum { ACCOUNTS_REMEMBERED = 16384, ACCOUNTS_BYTES = ACCOUNTS_REMEMBERED * 64 };

enum status router_read_payment(
        struct router_service *service, struct payment_id id, struct arena *arena, struct payment *ret_payment)
{
	struct sql *sql;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = payment_load(sql, id, arena, ret_payment);
	sql_pool_give(service->engines->readers, sql);
	return status;
}

enum status router_commit(struct router_service *service, commit_fn *work, void *arg)
{
	return committer_run(service->engines->committer, work, arg);
}

void router_ring(struct router_service *service)
{
	router_worker_ring(service->worker);
}

/* Once for each payment that got somewhere, after its commit. */
static void tell_outcome(const struct payment *payment)
{
	metric_add(METRIC_payments_total, payment_status_name(payment->status), 1);
	log_event(LOG_INFO, "router", "payment", LOG_ID("payment_id", ID_PREFIX_payment, payment->id.uuid),
	        LOG_ID("agent_id", ID_PREFIX_agent, payment->agent.uuid),
	        LOG_TEXT("status", payment_status_name(payment->status)),
	        LOG_TEXT("rail", payment->has_rail ? rail_name(payment->rail) : ""),
	        LOG_SLICE("code", payment->decline_code));
}

static struct payment payment_from_order(const struct payment_order *order, const struct actor *actor)
{
	int64_t now = clock_now();
	return (struct payment) {
		.id = order->id,
		.agent = order->agent,
		.consent = order->consent,
		.amount = order->amount,
		.payee = order->payee,
		.rails_requested = order->rails_requested,
		.rails_consented = RAILS_ALL,
		.deadline_at = order->deadline_at,
		.risk_score = -1,
		.risk_reasons = SLICE_EMPTY,
		.decline_code = SLICE_EMPTY,
		.decline_reason = SLICE_EMPTY,
		.reference = order->reference,
		.description = order->description,
		.body_hash = order->body_hash,
		.ip_address = actor->ip_address,
		.created_at = now,
		.updated_at = now,
	};
}

/* The stored payment as the answer to a repeat of its order. */
static enum status answer_again(struct router_service *service, const struct payment_order *order, struct arena *arena,
        struct payment *ret_payment)
{
	struct payment stored;
	TRY(router_read_payment(service, order->id, arena, &stored));
	if (memcmp(stored.body_hash.bytes, order->body_hash.bytes, SHA256_SIZE) != 0)
		return ERR_IDEMPOTENCY_CONFLICT;
	*ret_payment = stored;
	return STATUS_OK;
}

/* True when somebody else stored the payment first: a repeat in another process, or the worker that took up what a
 * crash left in `created`. */
static bool was_overtaken(enum status status)
{
	return status == ERR_DATABASE_CONSTRAINT || status == ERR_STATE_CONFLICT ||
	       status == ERR_TRANSFER_EXISTS_DIFFERENT;
}

static enum status create_in_flight(struct payment_work *work, const struct payment_order *order, bool *ret_is_replay)
{
	enum status stored = answer_again(work->service, order, work->arena, &work->payment);
	if (stored != ERR_NOT_FOUND && (stored != STATUS_OK || work->payment.status != PAYMENT_CREATED)) {
		*ret_is_replay = stored == STATUS_OK;
		return stored;
	}
	work->is_stored = stored == STATUS_OK;
	enum status status = payment_steps_run(work);
	if (was_overtaken(status)) {
		TRY(answer_again(work->service, order, work->arena, &work->payment));
		*ret_is_replay = true;
		return STATUS_OK;
	}
	*ret_is_replay = false;
	return status;
}

enum status payment_create(struct router_service *service, const struct actor *actor, const struct payment_order *order,
        struct arena *arena, struct problem *problem, struct payment *ret_payment, bool *ret_is_replay)
{
	struct payment_work *work = ARENA_NEW(arena, struct payment_work);
	struct flight flight;
	int64_t started = clock_monotonic();
	*work = (struct payment_work) { .service = service,
		.actor = actor,
		.arena = arena,
		.problem = problem,
		.payment = payment_from_order(order, actor),
		.account_requested = order->account,
		.is_dry_run = order->is_dry_run,
		.reason = SLICE_EMPTY };
	if (order->is_dry_run) {
		TRY(payment_steps_run(work));
		TRY(work->refusal);
	} else {
		if (!flight_begin(&service->in_flight, &flight, order->id.uuid))
			return ERR_IDEMPOTENCY_IN_FLIGHT;
		enum status status = create_in_flight(work, order, ret_is_replay);
		flight_end(&service->in_flight, &flight);
		TRY(status);
		if (!*ret_is_replay)
			tell_outcome(&work->payment);
		metric_observe(METRIC_payment_seconds, work->payment.has_rail ? rail_name(work->payment.rail) : "none",
		        clock_monotonic() - started);
	}
	*ret_payment = work->payment;
	return STATUS_OK;
}

/* --- Start and stop --------------------------------------------------------------------------------------------- */

static enum status read_secret(struct router_service *service, struct slice secret, struct problem *problem)
{
	if (!secret.size)
		return STATUS_OK;
	if (!webhook_secret_parse(secret, &service->rails_secret))
		return problem_set(problem, ERR_INVALID_PARAMETER, "rails_secret",
		        "The secret of the rail processor must be whsec_ and base64.");
	service->has_rails_secret = true;
	return STATUS_OK;
}

enum status router_service_start(
        const struct router_options *options, struct router_service **ret_service, struct problem *problem)
{
	struct router_service *service = NEW(struct router_service);
	*service = (struct router_service) {
		.engines = options->engines,
		.identity = options->identity,
		.ledger = options->ledger,
		.risk = options->risk,
		.rails_available = options->rails_url.size ? RAILS_ALL : 1u << RAIL_BOOK,
		.accounts = memo_new(ACCOUNTS_REMEMBERED, ACCOUNTS_BYTES),
	};
	flight_set_init(&service->in_flight);
	enum status status = read_secret(service, options->rails_secret, problem);
	if (status == STATUS_OK && options->rails_url.size)
		service->rails = rail_client_new(options->rails_url, options->public_url);
	if (status == STATUS_OK)
		status = router_worker_start(service, &service->worker);
	if (status != STATUS_OK) {
		router_service_stop(service);
		return status;
	}
	*ret_service = service;
	return STATUS_OK;
}

void router_service_stop(struct router_service *service)
{
	if (!service)
		return;
	router_worker_stop(service->worker);
	rail_client_free(service->rails);
	memo_free(service->accounts);
	flight_set_clean_up(&service->in_flight);
	crypto_wipe(&service->rails_secret, sizeof service->rails_secret);
	memory_free(service);
}
