#include "router/attempt_work.h"

#include "router/rail_client.h"
#include "router/route_rules.h"

#include "base/clock.h"
#include "base/log.h"
#include "platform/metrics.h"

/* A claim lasts longer than the longest call to a rail, so that nobody asks about what is still being sent. */
enum { LEASE_SECONDS = 60, RUN_STEPS_MAX = 8, REPORT_TRIES_MAX = 4 };
enum { RETRY_FIRST_SECONDS = 1, RETRY_MOST_SECONDS = 60, ASK_FIRST_SECONDS = 1, ASK_MOST_SECONDS = 300 };
enum { POLL_FIRST_SECONDS = 5, POLL_MOST_SECONDS = 3600 };

static int64_t in_seconds(int64_t seconds)
{
	return clock_now() + seconds * MICROSECONDS_PER_SECOND;
}

/* --- One change of an attempt, with its payment, in one commit --------------------------------------------------- */

struct attempt_change {
	struct attempt seen; /* the change is refused when the stored one is not like this any more */
	enum attempt_status to;
	int64_t due_at;
	int tries;
	struct slice network_reference, code; /* "": as stored */
	enum payment_status payment_to;       /* PAYMENT_STATUS_COUNT: stays */
	struct slice reason;
	bool must_be_authorized;    /* the payment: for a cancelation */
	const struct attempt *next; /* to be stored too; NULL: none */
	bool takes_rail;            /* the payment goes on over this attempt's rail */
	int64_t expected_at;        /* with takes_rail */
	bool is_late;               /* tell of a late settlement */
	bool has_moved;             /* set: the payment changed its state */
};

static struct attempt_change change_of(const struct attempt *seen, enum attempt_status to, int64_t due_at)
{
	return (struct attempt_change) {
		.seen = *seen, .to = to, .due_at = due_at, .tries = seen->tries, .payment_to = PAYMENT_STATUS_COUNT
	};
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
		TRY(payment_tell(sql, &actor_system, payment, "payment.late_settlement", at));
	if (change->payment_to == PAYMENT_STATUS_COUNT || change->payment_to == payment->status)
		return STATUS_OK;
	change->has_moved = true;
	return payment_move(sql, &actor_system, payment, change->payment_to, at, change->reason);
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

static enum status commit_change(struct router_service *service, struct attempt_change *change)
{
	TRY(router_commit(service, write_change, change));
	count_move(change);
	return STATUS_OK;
}

/* With a ledger in another process the group comes first. That is safe: an attempt reaches each of these postings from
 * one state only, a hold ends once, and a repeat changes nothing. */
static enum status post_change(
        struct router_service *service, const struct payment_group *group, struct attempt_change *change)
{
	const struct ledger_group view = group_view(group);
	const struct commit_rider rider = { write_change, change };
	TRY(service->ledger->post(service->ledger->self, &actor_system, &view, &rider, NULL));
	count_move(change);
	return STATUS_OK;
}

/* --- What a rail's answer brings about ---------------------------------------------------------------------------- */

struct attempt_case {
	struct router_service *service;
	struct arena *arena;
	struct attempt attempt;
	struct payment payment;
	struct rail_report report;
	struct payment_group group;
};

static enum status react_accept(struct attempt_case *c)
{
	struct attempt_change change = change_of(&c->attempt, ATTEMPT_ACCEPTED, in_seconds(POLL_FIRST_SECONDS));
	change.tries = 0;
	change.network_reference = c->report.network_reference;
	change.payment_to = PAYMENT_ACCEPTED;
	return commit_change(c->service, &change);
}

static enum status react_late(struct attempt_case *c)
{
	struct attempt_change change = change_of(&c->attempt, ATTEMPT_SETTLED_LATE, 0);
	change.network_reference = c->report.network_reference;
	change.is_late = true;
	group_suspense(&c->group, &c->payment, &c->attempt);
	log_event(LOG_WARNING, "router", "late settlement", LOG_ID("attempt_id", ID_PREFIX_attempt, c->attempt.id.uuid),
	        LOG_ID("payment_id", ID_PREFIX_payment, c->payment.id.uuid));
	return post_change(c->service, &c->group, &change);
}

/* Holds are posted at settlement on every rail: until then the money is neither the payee's nor free. */
static enum status react_settle(struct attempt_case *c)
{
	struct attempt_change change = change_of(&c->attempt, ATTEMPT_SETTLED, 0);
	change.network_reference = c->report.network_reference;
	change.payment_to = PAYMENT_SETTLED;
	group_settle(&c->group, &c->payment, &c->attempt);
	return post_change(c->service, &c->group, &change);
}

static enum status react_decline(struct attempt_case *c)
{
	struct attempt_change change = change_of(&c->attempt, ATTEMPT_DECLINED, clock_now());
	change.network_reference = c->report.network_reference;
	change.code = c->report.code;
	return commit_change(c->service, &change);
}

/* What is left of the payment goes back to the wallet; of a refunded one, nothing is. */
static enum status react_return(struct attempt_case *c)
{
	struct attempt_change change = change_of(&c->attempt, ATTEMPT_RETURNED, 0);
	change.code = change.reason = c->report.code;
	if (c->payment.status != PAYMENT_SETTLED)
		return commit_change(c->service, &change);
	change.payment_to = PAYMENT_RETURNED;
	group_return(&c->group, &c->payment, &c->attempt);
	return post_change(c->service, &c->group, &change);
}

static enum status react_unknown(struct attempt_case *c)
{
	int tries = c->attempt.tries + 1;
	struct attempt_change change = change_of(
	        &c->attempt, ATTEMPT_UNKNOWN, in_seconds(backoff_seconds(tries, ASK_FIRST_SECONDS, ASK_MOST_SECONDS)));
	change.tries = tries;
	change.payment_to = PAYMENT_UNKNOWN;
	return commit_change(c->service, &change);
}

/* The rail provably has nothing of it: once more with the same key, or, after enough tries, void. */
static enum status react_retry(struct attempt_case *c)
{
	int tries = c->attempt.tries + 1;
	bool is_enough = tries >= ATTEMPT_TRIES_MAX;
	struct attempt_change change = change_of(&c->attempt, is_enough ? ATTEMPT_VOID : ATTEMPT_PENDING,
	        is_enough ? clock_now() : in_seconds(backoff_seconds(tries, RETRY_FIRST_SECONDS, RETRY_MOST_SECONDS)));
	change.tries = tries;
	if (is_enough)
		change.code = slice_from(status_code(ERR_RAIL_UNAVAILABLE));
	return commit_change(c->service, &change);
}

static enum status react_nothing(struct attempt_case *c)
{
	(void)c;
	return STATUS_OK;
}

static const struct {
	enum status (*run)(struct attempt_case *c);
	const char *outcome; /* for the metric */
} reactions[] = {
	[ACTION_NONE] = { react_nothing, NULL },
	[ACTION_ACCEPT] = { react_accept, "accepted" },
	[ACTION_SETTLE] = { react_settle, "settled" },
	[ACTION_DECLINE] = { react_decline, "declined" },
	[ACTION_RETURN] = { react_return, "returned" },
	[ACTION_SETTLE_RETURN] = { react_settle, "settled" }, /* and looked at again: then it is a return */
	[ACTION_UNKNOWN] = { react_unknown, "unknown" },
	[ACTION_RETRY] = { react_retry, "not_sent" },
	[ACTION_LATE] = { react_late, "late" },
};

static enum status load_case(struct attempt_case *c, struct attempt_id id)
{
	struct sql *sql;
	TRY(sql_pool_take(c->service->engines->readers, &sql));
	enum status status = attempt_load(sql, id, c->arena, &c->attempt);
	if (status == STATUS_OK)
		status = payment_load(sql, c->attempt.payment, c->arena, &c->payment);
	sql_pool_give(c->service->engines->readers, sql);
	return status;
}

static void count_outcome(const struct attempt *attempt, const char *outcome)
{
	char label[40];
	struct writer out = writer_fixed(label, sizeof label - 1);
	label[sizeof label - 1] = 0;
	if (!outcome)
		return;
	writef(&out, "%s_%s", rail_name(attempt->rail), outcome);
	write_char(&out, 0);
	metric_add(METRIC_rail_attempts_total, label, 1);
}

/* A hold that was voided cannot be posted: the rail settled what it had declined before. */
static enum status react(struct attempt_case *c, enum attempt_action action)
{
	enum status status = reactions[action].run(c);
	if (status == ERR_HOLD_ALREADY_VOIDED)
		return react_late(c);
	if (status == STATUS_OK)
		count_outcome(&c->attempt, reactions[action].outcome);
	return status;
}

static enum status report(struct attempt_case *c, struct attempt_id id, const struct rail_report *said)
{
	enum status status = ERR_STATE_CONFLICT;
	for (int i = 0; i < REPORT_TRIES_MAX; i++) {
		TRY(load_case(c, id));
		c->report = *said;
		enum attempt_action action = attempt_react(c->attempt.status, said->answer);
		status = react(c, action);
		if (status != ERR_STATE_CONFLICT && !(status == STATUS_OK && action == ACTION_SETTLE_RETURN))
			break;
	}
	return status;
}

enum status attempt_report(struct router_service *service, struct attempt_id id, const struct rail_report *said)
{
	struct arena arena = { 0 };
	struct attempt_case *c = ARENA_NEW(&arena, struct attempt_case);
	*c = (struct attempt_case) { .service = service, .arena = &arena };
	enum status status = report(c, id, said);
	arena_clean_up(&arena);
	if (status == STATUS_OK && said->answer == ANSWER_DECLINED)
		router_ring(service);
	return status;
}

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
	struct attempt_change change = change_of(&c->attempt, to, due_at);
	change.payment_to = payment_to;
	TRY(commit_change(c->service, &change));
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
	return report(c, c->attempt.id, &said);
}

static enum status ask(struct attempt_case *c)
{
	const struct rail_report said = rail_ask(c->service->rails, &c->attempt, c->arena);
	return report(c, c->attempt.id, &said);
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
	struct attempt_change change = change_of(&c->attempt, ATTEMPT_ACCEPTED,
	        in_seconds(backoff_seconds(tries, POLL_FIRST_SECONDS, POLL_MOST_SECONDS)));
	change.tries = tries;
	TRY(commit_change(c->service, &change));
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
	struct attempt_change change = change_of(&c->attempt, to, 0);
	change.payment_to = PAYMENT_FAILED;
	change.reason = code;
	if (to != c->attempt.status)
		change.code = code;
	group_release(&c->group, &c->payment, holder);
	return post_change(c->service, &c->group, &change);
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
		.created_at = question.at,
	};
	struct attempt_change change = change_of(&c->attempt, c->attempt.status, 0);
	change.next = &next;
	TRY(commit_change(c->service, &change));
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
	struct attempt_change change = change_of(&c->attempt, ATTEMPT_PENDING, clock_now());
	change.payment_to = PAYMENT_AUTHORIZED;
	change.takes_rail = true;
	change.expected_at = rail_expected_settlement(c->attempt.rail, c->payment.amount, clock_now());
	group_rehold(&c->group, &c->payment, holder, &c->attempt);
	enum status status = post_change(c->service, &c->group, &change);
	if (ledger_refusal_is_final(status))
		return fail(c, holder, ATTEMPT_VOID, slice_from(status_code(status)));
	return status;
}

static enum status run_canceled(struct attempt_case *c)
{
	struct attempt_change change = change_of(&c->attempt, ATTEMPT_CANCELED, 0);
	change.payment_to = PAYMENT_CANCELED;
	group_release(&c->group, &c->payment, &c->attempt);
	return post_change(c->service, &c->group, &change);
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
		TRY(load_case(c, id));
		if (!c->attempt.due_at || c->attempt.due_at > clock_now() || !runs[c->attempt.status])
			return STATUS_OK;
		TRY(runs[c->attempt.status](c));
	}
	return STATUS_OK;
}

enum status attempt_run(struct router_service *service, struct attempt_id id)
{
	struct arena arena = { 0 };
	struct attempt_case *c = ARENA_NEW(&arena, struct attempt_case);
	*c = (struct attempt_case) { .service = service, .arena = &arena };
	enum status status = run_all(c, id);
	arena_clean_up(&arena);
	return status == ERR_STATE_CONFLICT ? STATUS_OK : status;
}

enum status attempt_cancel(struct router_service *service, const struct payment *payment, struct attempt_id id)
{
	struct arena arena = { 0 };
	struct attempt_case *c = ARENA_NEW(&arena, struct attempt_case);
	*c = (struct attempt_case) { .service = service, .arena = &arena };
	enum status status = load_case(c, id);
	if (status == STATUS_OK &&
	        (c->attempt.status != ATTEMPT_PENDING || !uuid_equal(c->attempt.payment.uuid, payment->id.uuid)))
		status = ERR_STATE_CONFLICT;
	if (status == STATUS_OK) {
		struct attempt_change change = change_of(&c->attempt, ATTEMPT_CANCELED, clock_now());
		change.must_be_authorized = true;
		status = commit_change(service, &change);
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
