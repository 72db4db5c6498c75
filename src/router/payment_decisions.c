#include "router/payment_decisions.h"

#include "base/clock.h"
#include "platform/metrics.h"
#include "router/attempt_work.h"
#include "router/payment_steps.h"

struct decision {
	const struct actor *actor;
	struct payment_id id;
	enum payment_status from, to;
	struct slice code, reason;
	struct arena *arena;
	struct payment payment;
};

static enum status write_decision(struct sql *sql, void *arg)
{
	struct decision *decision = arg;
	TRY(payment_load_locked(sql, decision->id, decision->arena, &decision->payment));
	if (decision->payment.status != decision->from)
		return ERR_STATE_CONFLICT;
	if (decision->code.size)
		decision->payment.decline_code = decision->code;
	if (decision->reason.size)
		decision->payment.decline_reason = decision->reason;
	return payment_move(sql, decision->actor, &decision->payment, decision->to, clock_now(), decision->reason);
}

/* A waiting payment holds no money, so that its end is a change of state alone. */
static enum status end_waiting(struct router_service *service, struct decision *decision)
{
	decision->from = PAYMENT_AWAITING_APPROVAL;
	TRY(router_commit(service, write_decision, decision));
	metric_add(METRIC_payments_total, payment_status_name(decision->to), 1);
	return STATUS_OK;
}

static enum status approve_in_flight(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct slice reason, struct arena *arena, struct problem *problem, struct payment *ret_payment)
{
	struct payment payment;
	TRY(router_read_payment(service, id, arena, &payment));
	if (payment.status != PAYMENT_AWAITING_APPROVAL)
		return problem_set(problem, ERR_STATE_CONFLICT, "",
		        "The payment does not wait for an approval: it is %s.", payment_status_name(payment.status));
	struct payment_work *work = payment_work_of(service, actor, &payment, arena, problem);
	work->is_approved = true;
	work->reason = reason;
	work->account_requested = payment.account;
	TRY(payment_steps_run(work));
	metric_add(METRIC_payments_total, payment_status_name(work->payment.status), 1);
	*ret_payment = work->payment;
	return STATUS_OK;
}

enum status payment_approve(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct slice reason, struct arena *arena, struct problem *problem, struct payment *ret_payment)
{
	struct flight flight;
	if (!flight_begin(&service->in_flight, &flight, id.uuid))
		return ERR_STATE_CONFLICT;
	enum status status = approve_in_flight(service, actor, id, reason, arena, problem, ret_payment);
	flight_end(&service->in_flight, &flight);
	return status;
}

enum status payment_disapprove(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct slice reason, struct arena *arena, struct payment *ret_payment)
{
	struct decision decision = { .actor = actor,
		.id = id,
		.to = PAYMENT_DECLINED,
		.code = SLICE("approval_declined"),
		.reason = reason.size ? reason : SLICE("Nobody approved the payment."),
		.arena = arena };
	TRY(end_waiting(service, &decision));
	*ret_payment = decision.payment;
	return STATUS_OK;
}

/* Only the first attempt, and only before it was ever sent. Taking it from the workers comes first; from then on nobody
 * sends it, and the release of the holds is due until it is done. */
static enum status cancel_authorized(
        struct router_service *service, const struct actor *actor, const struct payment *payment)
{
	struct attempt_id attempt = attempt_id_of(payment->id, 1);
	TRY(attempt_cancel(service, actor, payment, attempt));
	return attempt_run(service, actor, attempt);
}

enum status payment_cancel(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct arena *arena, struct payment *ret_payment)
{
	struct decision decision = { .actor = actor,
		.id = id,
		.to = PAYMENT_CANCELED,
		.arena = arena,
		.code = SLICE_EMPTY,
		.reason = SLICE_EMPTY };
	struct payment payment;
	TRY(router_read_payment(service, id, arena, &payment));
	if (payment.status == PAYMENT_AWAITING_APPROVAL)
		TRY(end_waiting(service, &decision));
	else if (payment.status == PAYMENT_AUTHORIZED)
		TRY(cancel_authorized(service, actor, &payment));
	else if (payment.status != PAYMENT_CANCELED)
		return ERR_STATE_CONFLICT;
	return router_read_payment(service, id, arena, ret_payment);
}

static enum status resume_in_flight(struct router_service *service, struct payment_id id, struct arena *arena)
{
	struct payment payment;
	TRY(router_read_payment(service, id, arena, &payment));
	if (payment.status != PAYMENT_CREATED)
		return STATUS_OK;
	enum status status = payment_steps_run(payment_work_of(service, &actor_system, &payment, arena, NULL));
	return status == ERR_STATE_CONFLICT ? STATUS_OK : status;
}

enum status payment_resume(struct router_service *service, struct payment_id id)
{
	struct arena arena = { 0 };
	struct flight flight;
	if (!flight_begin(&service->in_flight, &flight, id.uuid))
		return STATUS_OK;
	enum status status = resume_in_flight(service, id, &arena);
	flight_end(&service->in_flight, &flight);
	arena_clean_up(&arena);
	return status;
}

enum status payment_expire(struct router_service *service, struct payment_id id)
{
	struct arena arena = { 0 };
	struct decision decision = { .actor = &actor_system,
		.id = id,
		.to = PAYMENT_EXPIRED,
		.arena = &arena,
		.code = SLICE("approval_expired"),
		.reason = SLICE("Nobody approved the payment in time.") };
	enum status status = end_waiting(service, &decision);
	arena_clean_up(&arena);
	return status == ERR_STATE_CONFLICT ? STATUS_OK : status;
}
