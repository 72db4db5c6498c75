#include "router/attempt_work.h"

#include "router/attempt_change.h"
#include "router/rail_client.h"
#include "router/route_rules.h"

#include "base/clock.h"

/* A claim lasts longer than the longest call to a rail, so that nobody asks about what is still being sent. */
enum { LEASE_SECONDS = 20, RUN_STEPS_MAX = 8, POLL_FIRST_SECONDS = 5, POLL_MOST_SECONDS = 3600 };

/* --- What is due ---------------------------------------------------------------------------------------------------
 *
 * kill -9 at any moment: an attempt's row is due (due_at) from the commit that made it until it needs nothing more.
 *
 * - pending, killed before `submitted` is stored: nothing was sent; it is due and will be.
 * - `submitted` stored, killed before, while or after sending: the lease ends, the attempt counts as `unknown`, the
 * rail is asked. It has it: we go on from its answer. It has not: it is sent again with the same key.
 * - killed between the rail's answer and our commit: as above; the rail gives the same answer again.
 * - killed between the posting and the rider of a ledger in another process: the state is the old one, the rail is
 * asked again, the same group is posted again (a repeat) and the rider is stored.
 * - declined, killed before the next step: due; the next rail or the failure follows from what is stored.
 * - planned, killed before or after its hold: due; the group is posted again.
 * - canceled, killed before the release: due; the holds are voided.
 * Only `declined`, `void` and `canceled` attempts are followed by another rail or a release: in each of them the rail
 * has said that it does not have the money, or nothing was ever sent. */

/* Takes the step for this thread alone: the attempt is not due for others until the lease is over. */
static enum status claim(struct attempt_case *c, enum attempt_status to, enum payment_status payment_to, int64_t due_at)
{
	struct attempt_change change = attempt_change_of(c, to, due_at);
	change.payment_to = payment_to;
	TRY(attempt_change_commit(c->service, &change));
	c->attempt.status = to;
	c->attempt.due_at = due_at;
	return STATUS_OK;
}

static enum status run_pending(struct attempt_case *c)
{
	if (!c->service->rails)
		return ERR_RAIL_UNAVAILABLE;
	TRY(claim(c, ATTEMPT_SUBMITTED, PAYMENT_SUBMITTED, in_seconds(LEASE_SECONDS)));
	const struct rail_report said = rail_send(c->service->rails, &c->payment, &c->attempt, c->arena);
	return attempt_case_report(c, c->attempt.id, &said);
}

static enum status ask(struct attempt_case *c)
{
	const struct rail_report said = rail_ask(c->service->rails, &c->attempt, c->arena);
	return attempt_case_report(c, c->attempt.id, &said);
}

static enum status run_unknown(struct attempt_case *c)
{
	if (!c->service->rails)
		return ERR_RAIL_UNAVAILABLE;
	TRY(claim(c, ATTEMPT_UNKNOWN, PAYMENT_UNKNOWN, in_seconds(LEASE_SECONDS)));
	return ask(c);
}

/* The notification may have been lost: ask now and then. */
static enum status run_accepted(struct attempt_case *c)
{
	if (!c->service->rails)
		return ERR_RAIL_UNAVAILABLE;
	int tries = c->attempt.tries + 1;
	struct attempt_change change = attempt_change_of(
	        c, ATTEMPT_ACCEPTED, in_seconds(backoff_seconds(tries, POLL_FIRST_SECONDS, POLL_MOST_SECONDS)));
	change.tries = tries;
	TRY(attempt_change_commit(c->service, &change));
	return ask(c);
}

static enum status load_attempts(struct attempt_case *c, struct attempt attempts[ATTEMPTS_MAX], size_t *ret_count)
{
	struct sql *sql;
	TRY(sql_pool_take(c->service->engines->readers, &sql));
	enum status status = attempts_load(sql, c->payment.id, c->arena, attempts, ret_count);
	sql_pool_give(c->service->engines->readers, sql);
	return status;
}

static struct slice failure_code(const struct attempt *attempt)
{
	return attempt->decline_code.size ? attempt->decline_code : slice_from(status_code(ERR_RAIL_DECLINED));
}

static enum status fail(struct attempt_case *c, const struct attempt *holder, enum attempt_status to, struct slice code)
{
	struct attempt_change change = attempt_change_of(c, to, 0);
	change.payment_to = PAYMENT_FAILED;
	change.reason = code;
	if (to != c->attempt.status)
		change.code = code;
	group_release(&c->group, &c->payment, holder);
	return attempt_change_post(c->service, &c->group, &change);
}

/* The next rail that can carry the payment and has not refused it. */
static enum status run_void(struct attempt_case *c)
{
	struct attempt attempts[ATTEMPTS_MAX];
	size_t count;
	struct route_question question = {
		.amount = c->payment.amount,
		.payee = c->payment.payee.kind,
		.at = clock_now(),
		.deadline_at = c->payment.deadline_at,
		.available = c->service->rails_available,
		.consented = c->payment.rails_consented,
		.requested = c->payment.rails_requested,
	};
	TRY(load_attempts(c, attempts, &count));
	for (size_t i = 0; i < count; i++)
		question.tried |= 1u << attempts[i].rail;
	struct route_choice choice = route_choose(&question);
	if (!choice.is_possible || count == ATTEMPTS_MAX)
		return fail(c, &c->attempt, c->attempt.status, failure_code(&c->attempt));
	const struct attempt next = {
		.id = attempt_id_of(c->payment.id, c->attempt.ordinal + 1),
		.payment = c->payment.id,
		.ordinal = c->attempt.ordinal + 1,
		.rail = choice.rail,
		.status = ATTEMPT_PLANNED,
		.fee_minor = choice.options[choice.rail].fee.minor_units,
		.due_at = question.at,
		.trace_id = c->attempt.trace_id,
		.created_at = question.at,
	};
	struct attempt_change change = attempt_change_of(c, c->attempt.status, 0);
	change.next = &next;
	TRY(attempt_change_commit(c->service, &change));
	router_ring(c->service);
	return STATUS_OK;
}

/* The hold moves from the rail that refused to this one; what cannot be held (a higher fee) fails the payment. */
static enum status run_planned(struct attempt_case *c)
{
	struct attempt attempts[ATTEMPTS_MAX];
	size_t count;
	TRY(load_attempts(c, attempts, &count));
	if (c->attempt.ordinal < 2 || (size_t)c->attempt.ordinal > count)
		return ERR_DATABASE_CORRUPT;
	const struct attempt *holder = &attempts[c->attempt.ordinal - 2];
	struct attempt_change change = attempt_change_of(c, ATTEMPT_PENDING, clock_now());
	change.payment_to = PAYMENT_AUTHORIZED;
	change.takes_rail = true;
	change.expected_at = rail_expected_settlement(c->attempt.rail, c->payment.amount, clock_now());
	group_rehold(&c->group, &c->payment, holder, &c->attempt);
	enum status status = attempt_change_post(c->service, &c->group, &change);
	if (ledger_refusal_is_final(status))
		return fail(c, holder, ATTEMPT_VOID, slice_from(status_code(status)));
	return status;
}

static enum status run_canceled(struct attempt_case *c)
{
	struct attempt_change change = attempt_change_of(c, ATTEMPT_CANCELED, 0);
	change.payment_to = PAYMENT_CANCELED;
	group_release(&c->group, &c->payment, &c->attempt);
	return attempt_change_post(c->service, &c->group, &change);
}

/* What to do for an attempt that is due, by its state; NULL: nothing ever is. */
static enum status (*const runs[ATTEMPT_STATUS_COUNT])(struct attempt_case *c) = {
	[ATTEMPT_PLANNED] = run_planned,
	[ATTEMPT_PENDING] = run_pending,
	[ATTEMPT_SUBMITTED] = run_unknown,
	[ATTEMPT_UNKNOWN] = run_unknown,
	[ATTEMPT_ACCEPTED] = run_accepted,
	[ATTEMPT_DECLINED] = run_void,
	[ATTEMPT_VOID] = run_void,
	[ATTEMPT_CANCELED] = run_canceled,
};

static enum status run_all(struct attempt_case *c, struct attempt_id id)
{
	for (int i = 0; i < RUN_STEPS_MAX; i++) {
		TRY(attempt_case_load(c, id));
		if (!c->attempt.due_at || c->attempt.due_at > clock_now() || !runs[c->attempt.status])
			return STATUS_OK;
		TRY(runs[c->attempt.status](c));
	}
	return STATUS_OK;
}

enum status attempt_run(struct router_service *service, const struct actor *actor, struct attempt_id id)
{
	struct arena arena = { 0 };
	struct attempt_case *c = attempt_case_new(service, actor, &arena);
	enum status status = run_all(c, id);
	arena_clean_up(&arena);
	return status == ERR_STATE_CONFLICT ? STATUS_OK : status;
}

enum status attempt_cancel(
        struct router_service *service, const struct actor *actor, const struct payment *payment, struct attempt_id id)
{
	struct arena arena = { 0 };
	struct attempt_case *c = attempt_case_new(service, actor, &arena);
	enum status status = attempt_case_load(c, id);
	if (status == STATUS_OK &&
	        (c->attempt.status != ATTEMPT_PENDING || !uuid_equal(c->attempt.payment.uuid, payment->id.uuid)))
		status = ERR_STATE_CONFLICT;
	if (status == STATUS_OK) {
		struct attempt_change change = attempt_change_of(c, ATTEMPT_CANCELED, clock_now());
		change.must_be_authorized = true;
		status = attempt_change_commit(service, &change);
	}
	arena_clean_up(&arena);
	return status;
}

enum status attempt_settled_of(
        struct router_service *service, struct payment_id payment, struct arena *arena, struct attempt *ret_attempt)
{
	struct attempt attempts[ATTEMPTS_MAX];
	size_t count;
	struct sql *sql;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = attempts_load(sql, payment, arena, attempts, &count);
	sql_pool_give(service->engines->readers, sql);
	TRY(status);
	for (size_t i = 0; i < count; i++)
		if (attempts[i].status == ATTEMPT_SETTLED) {
			*ret_attempt = attempts[i];
			return STATUS_OK;
		}
	return ERR_NOT_FOUND;
}
