#include "router/refund_work.h"

#include "base/clock.h"
#include "platform/metrics.h"
#include "router/attempt_work.h"
#include "router/rail_client.h"

enum { LEASE_SECONDS = 60, RETRY_FIRST_SECONDS = 1, RETRY_MOST_SECONDS = 300 };

/* --- The request: stored with its amount reserved, so that refunds together never exceed what was paid ------------ */

struct refund_opening {
	struct refund refund;
	struct arena *arena;
	struct payment payment;
};

static enum status write_opening(struct sql *sql, void *arg)
{
	struct refund_opening *opening = arg;
	struct payment *payment = &opening->payment;
	struct refund refund = opening->refund;
	TRY(payment_load_locked(sql, refund.payment, opening->arena, payment));
	if (payment->status != PAYMENT_SETTLED)
		return payment->status == PAYMENT_REFUNDED ? ERR_REVERSAL_EXCEEDED : ERR_STATE_CONFLICT;
	int64_t left = payment->amount.minor_units - payment->refunded_minor - payment->refunding_minor;
	if (!refund.amount_minor)
		refund.amount_minor = left;
	if (left <= 0 || refund.amount_minor > left)
		return ERR_REVERSAL_EXCEEDED;
	payment->refunding_minor += refund.amount_minor;
	TRY(payment_store_change(sql, payment));
	TRY(refund_store(sql, &refund));
	opening->refund.amount_minor = refund.amount_minor;
	return STATUS_OK;
}

static enum status read_refund(
        struct router_service *service, struct refund_id id, struct arena *arena, struct refund *ret_refund)
{
	struct sql *sql;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = refund_load(sql, id, arena, ret_refund);
	sql_pool_give(service->engines->readers, sql);
	return status;
}

static enum status open_refund(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct refund_id refund_id, int64_t amount_minor, struct slice reason, struct arena *arena)
{
	struct refund stored;
	int64_t now = clock_now();
	enum status found = read_refund(service, refund_id, arena, &stored);
	if (found != ERR_NOT_FOUND)
		return found;
	struct refund_opening opening = {
		.refund = { .id = refund_id,
		        .payment = id,
		        .amount_minor = amount_minor,
		        .status = REFUND_PENDING,
		        .reason = reason,
		        .requested_by = actor->name,
		        .trace_id = actor->trace_id,
		        .due_at = now,
		        .created_at = now },
		.arena = arena,
	};
	return router_commit(service, write_opening, &opening);
}

enum status payment_refund(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct refund_id refund_id, int64_t amount_minor, struct slice reason, struct arena *arena,
        struct payment *ret_payment, struct refund *ret_refund)
{
	struct payment payment;
	struct refund refund;
	TRY(open_refund(service, actor, id, refund_id, amount_minor, reason, arena));
	TRY(router_read_payment(service, id, arena, &payment));
	if (payment.rail == RAIL_BOOK)
		TRY(refund_run(service, refund_id));
	else
		router_ring(service);
	TRY(read_refund(service, refund_id, arena, &refund));
	if (refund.status == REFUND_FAILED && payment.rail == RAIL_BOOK)
		return ERR_INSUFFICIENT_FUNDS;
	TRY(router_read_payment(service, id, arena, ret_payment));
	*ret_refund = refund;
	return STATUS_OK;
}

/* --- The work: due until it is settled or failed ------------------------------------------------------------------ */

struct refund_case {
	struct router_service *service;
	struct arena *arena;
	struct refund refund; /* as seen; a change is refused when the stored one is not like this any more */
	struct payment payment;
	struct attempt attempt;
	bool has_attempt;
	struct actor actor; /* who asked for it */
	enum refund_status to;
	int64_t due_at;
	struct payment_group group;
};

static enum status write_payment_side(struct sql *sql, const struct refund_case *c, struct payment *payment)
{
	int64_t at = clock_now();
	payment->refunding_minor -= c->refund.amount_minor;
	if (c->to == REFUND_FAILED)
		return payment_store_change(sql, payment);
	payment->refunded_minor += c->refund.amount_minor;
	payment->updated_at = at;
	if (payment->refunded_minor == payment->amount.minor_units)
		return payment_move(sql, &c->actor, payment, PAYMENT_REFUNDED, at, c->refund.reason);
	TRY(payment_store_change(sql, payment));
	return payment_tell(sql, &c->actor, payment, payment_status_event(PAYMENT_REFUNDED), at);
}

static enum status change_refund(struct sql *sql, const struct refund_case *c, struct arena *arena)
{
	struct payment payment;
	struct refund stored;
	TRY(payment_load_locked(sql, c->refund.payment, arena, &payment));
	TRY(refund_load_locked(sql, c->refund.id, arena, &stored));
	if (stored.status != c->refund.status || stored.due_at != c->refund.due_at)
		return ERR_STATE_CONFLICT;
	stored.status = c->to;
	stored.due_at = c->due_at;
	stored.updated_at = clock_now();
	if (c->to == REFUND_PENDING)
		stored.tries++;
	TRY(refund_store_change(sql, &stored));
	return c->to == REFUND_PENDING ? STATUS_OK : write_payment_side(sql, c, &payment);
}

static enum status write_change(struct sql *sql, void *arg)
{
	struct arena arena = { 0 };
	enum status status = change_refund(sql, arg, &arena);
	arena_clean_up(&arena);
	return status;
}

static enum status change_to(struct refund_case *c, enum refund_status to, int64_t due_at)
{
	c->to = to;
	c->due_at = due_at;
	TRY(router_commit(c->service, write_change, c));
	c->refund.status = to;
	c->refund.due_at = due_at;
	return STATUS_OK;
}

/* A refusal (the payee has spent it, or the payment was returned meanwhile) fails the refund. */
static enum status settle_refund(struct refund_case *c)
{
	const struct ledger_api *ledger = c->service->ledger;
	const struct commit_rider rider = { write_change, c };
	c->to = REFUND_SETTLED;
	c->due_at = 0;
	group_refund(&c->group, &c->payment, c->has_attempt ? &c->attempt : NULL, &c->refund);
	const struct ledger_group group = group_view(&c->group);
	enum status status = ledger->post(ledger->self, &c->actor, &group, &rider, NULL);
	if (ledger_refusal_is_final(status) || status == ERR_REVERSAL_EXCEEDED)
		return change_to(c, REFUND_FAILED, 0);
	if (status == STATUS_OK)
		metric_add(METRIC_payments_total, payment_status_name(PAYMENT_REFUNDED), 1);
	return status;
}

/* The rail knows the refund by its identifier: asking twice gives the same answer. */
static enum status refund_over_rail(struct refund_case *c)
{
	if (!c->service->rails)
		return ERR_RAIL_UNAVAILABLE;
	const struct rail_report said = rail_refund(c->service->rails, &c->payment, &c->attempt, &c->refund, c->arena);
	if (said.answer == ANSWER_SETTLED)
		return settle_refund(c);
	if (said.answer == ANSWER_DECLINED)
		return change_to(c, REFUND_FAILED, 0);
	int64_t wait = backoff_seconds(c->refund.tries + 1, RETRY_FIRST_SECONDS, RETRY_MOST_SECONDS);
	return change_to(c, REFUND_PENDING, clock_now() + wait * MICROSECONDS_PER_SECOND);
}

static enum status run(struct refund_case *c, struct refund_id id)
{
	int64_t now = clock_now();
	TRY(read_refund(c->service, id, c->arena, &c->refund));
	if (!c->refund.due_at || c->refund.due_at > now)
		return STATUS_OK;
	c->actor = actor_system;
	c->actor.name = c->refund.requested_by;
	c->actor.trace_id = c->refund.trace_id;
	TRY(router_read_payment(c->service, c->refund.payment, c->arena, &c->payment));
	enum status found = attempt_settled_of(c->service, c->payment.id, c->arena, &c->attempt);
	c->has_attempt = found == STATUS_OK;
	if (!c->has_attempt && c->payment.rail != RAIL_BOOK)
		return found == ERR_NOT_FOUND ? change_to(c, REFUND_FAILED, 0) : found;
	if (!c->has_attempt)
		return settle_refund(c);
	TRY(change_to(c, REFUND_PENDING, now + LEASE_SECONDS * MICROSECONDS_PER_SECOND));
	return refund_over_rail(c);
}

enum status refund_run(struct router_service *service, struct refund_id id)
{
	struct arena arena = { 0 };
	struct refund_case *c = ARENA_NEW(&arena, struct refund_case);
	*c = (struct refund_case) { .service = service, .arena = &arena };
	enum status status = run(c, id);
	arena_clean_up(&arena);
	return status == ERR_STATE_CONFLICT ? STATUS_OK : status;
}
