#include "router/attempt_change.h"

#include "base/clock.h"
#include "platform/metrics.h"

int64_t in_seconds(int64_t seconds)
{
	return clock_now() + seconds * MICROSECONDS_PER_SECOND;
}

struct attempt_case *attempt_case_new(struct router_service *service, const struct actor *actor, struct arena *arena)
{
	struct attempt_case *c = ARENA_NEW(arena, struct attempt_case);
	*c = (struct attempt_case) { .service = service, .actor = actor, .arena = arena };
	return c;
}

/* What is done in the background belongs to the trace of the request that asked for the payment. */
static void join_trace(struct attempt_case *c)
{
	if (c->actor->trace_id.size)
		return;
	c->traced = *c->actor;
	c->traced.trace_id = c->attempt.trace_id;
	c->actor = &c->traced;
}

enum status attempt_case_load(struct attempt_case *c, struct attempt_id id)
{
	struct sql *sql;
	TRY(sql_pool_take(c->service->engines->readers, &sql));
	enum status status = attempt_load(sql, id, c->arena, &c->attempt);
	if (status == STATUS_OK)
		status = payment_load(sql, c->attempt.payment, c->arena, &c->payment);
	sql_pool_give(c->service->engines->readers, sql);
	if (status == STATUS_OK)
		join_trace(c);
	return status;
}

struct attempt_change attempt_change_of(const struct attempt_case *c, enum attempt_status to, int64_t due_at)
{
	return (struct attempt_change) { .actor = c->actor,
		.seen = c->attempt,
		.to = to,
		.due_at = due_at,
		.tries = c->attempt.tries,
		.payment_to = PAYMENT_STATUS_COUNT };
}

static enum status change_payment(struct sql *sql, struct attempt_change *change, struct payment *payment)
{
	int64_t at = clock_now();
	change->has_moved = false;
	if (change->takes_rail) {
		payment->rail = change->seen.rail;
		payment->fee_minor = change->seen.fee_minor;
		payment->expected_at = change->expected_at;
	}
	if (change->payment_to == PAYMENT_FAILED || change->payment_to == PAYMENT_RETURNED) {
		payment->decline_code = change->reason;
		payment->decline_reason = change->payment_to == PAYMENT_FAILED
		                                  ? slice_from(status_sentence(ERR_RAIL_DECLINED))
		                                  : SLICE("The rail gave the money back.");
	}
	if (change->is_late)
		TRY(payment_tell(sql, change->actor, payment, "payment.late_settlement", at));
	if (change->payment_to == PAYMENT_STATUS_COUNT || change->payment_to == payment->status)
		return STATUS_OK;
	change->has_moved = true;
	return payment_move(sql, change->actor, payment, change->payment_to, at, change->reason);
}

static enum status change_attempt(struct sql *sql, struct attempt_change *change, struct arena *arena)
{
	struct payment payment;
	struct attempt stored;
	TRY(payment_load_locked(sql, change->seen.payment, arena, &payment));
	TRY(attempt_load_locked(sql, change->seen.id, arena, &stored));
	if (stored.status != change->seen.status || stored.due_at != change->seen.due_at ||
	        (change->must_be_authorized && payment.status != PAYMENT_AUTHORIZED))
		return ERR_STATE_CONFLICT;
	stored.status = change->to;
	stored.due_at = change->due_at;
	stored.tries = change->tries;
	stored.updated_at = clock_now();
	if (change->network_reference.size)
		stored.network_reference = change->network_reference;
	if (change->code.size)
		stored.decline_code = change->code;
	TRY(attempt_store_change(sql, &stored));
	if (change->next)
		TRY(attempt_store(sql, change->next));
	return change_payment(sql, change, &payment);
}

static enum status write_change(struct sql *sql, void *arg)
{
	struct arena arena = { 0 };
	enum status status = change_attempt(sql, arg, &arena);
	arena_clean_up(&arena);
	return status;
}

static void count_move(const struct attempt_change *change)
{
	if (change->has_moved)
		metric_add(METRIC_payments_total, payment_status_name(change->payment_to), 1);
}

enum status attempt_change_commit(struct router_service *service, struct attempt_change *change)
{
	TRY(router_commit(service, write_change, change));
	count_move(change);
	return STATUS_OK;
}

enum status attempt_change_post(
        struct router_service *service, const struct payment_group *group, struct attempt_change *change)
{
	const struct ledger_group view = group_view(group);
	const struct commit_rider rider = { write_change, change };
	TRY(service->ledger->post(service->ledger->self, change->actor, &view, &rider, NULL));
	count_move(change);
	return STATUS_OK;
}
