#include "router/payment_steps.h"

#include "router/route_rules.h"

#include "base/clock.h"

/* --- consent: may the agent spend this? ------------------------------------------------------------------------ */

static enum status ask_consent(struct payment_work *work)
{
	struct payment *payment = &work->payment;
	const struct consent_question question = {
		.agent = payment->agent,
		.consent = payment->consent,
		.amount = payment->amount,
		.payee = payment->payee.key,
		.at = clock_now(),
	};
	struct consent_verdict verdict;
	const struct identity_api *identity = work->service->identity;
	TRY(identity->consent_check(identity->self, &question, &verdict));
	work->refusal = verdict.refusal;
	if (verdict.refusal != STATUS_OK)
		return STATUS_OK;
	payment->consent = verdict.consent;
	payment->rails_consented = verdict.rails;
	payment->account = verdict.account;
	payment->budget_count = verdict.budget_count;
	memcpy(payment->budgets, verdict.budgets, sizeof payment->budgets);
	work->must_wait = verdict.needs_approval;
	return STATUS_OK;
}

/* --- risk ------------------------------------------------------------------------------------------------------ */

static struct slice write_reasons(const struct risk_verdict *verdict, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	struct json_writer json = { .out = &out };
	json_array_open(&json);
	for (size_t i = 0; i < verdict->reason_count; i++) {
		json_object_open(&json);
		json_key_text(&json, "code", slice_from(verdict->reasons[i].code));
		json_key_i64(&json, "points", verdict->reasons[i].points);
		json_object_close(&json);
	}
	json_array_close(&json);
	return writer_slice(&out);
}

static enum status assess_risk(struct payment_work *work)
{
	struct payment *payment = &work->payment;
	const struct risk_question question = {
		.payment = payment->id,
		.agent = payment->agent,
		.amount = payment->amount,
		.payee = payment->payee.key,
		.ip_address = payment->ip_address,
		.at = payment->created_at,
	};
	struct risk_verdict verdict;
	if (work->is_approved || work->is_dry_run)
		return STATUS_OK;
	const struct risk_api *risk = work->service->risk;
	TRY(risk->assess(risk->self, work->actor, &question, &verdict));
	payment->risk_score = verdict.score;
	payment->risk_reasons = write_reasons(&verdict, work->arena);
	if (verdict.decision == RISK_BLOCK)
		work->refusal = ERR_RISK_BLOCKED;
	else if (verdict.decision == RISK_REVIEW)
		work->must_wait = true;
	return STATUS_OK;
}

/* --- route: which rail? ---------------------------------------------------------------------------------------- */

static enum status choose_rail(struct payment_work *work)
{
	struct payment *payment = &work->payment;
	const struct route_question question = {
		.amount = payment->amount,
		.payee = payment->payee.kind,
		.at = clock_now(),
		.deadline_at = payment->deadline_at,
		.available = work->service->rails_available,
		.consented = payment->rails_consented,
		.requested = payment->rails_requested,
	};
	struct route_choice choice = route_choose(&question);
	if (!choice.is_possible) {
		work->refusal = route_refusal(&choice);
		return STATUS_OK;
	}
	payment->has_rail = true;
	payment->rail = choice.rail;
	payment->fee_minor = choice.options[choice.rail].fee.minor_units;
	payment->expected_at = choice.options[choice.rail].expected_at;
	return STATUS_OK;
}

/* --- Storing ---------------------------------------------------------------------------------------------------- */

static enum status write_opening(struct sql *sql, void *arg)
{
	return payment_opening_store(sql, arg);
}

/* A payment that is stored for the first time, without the ledger. */
static enum status open_as(struct payment_work *work, enum payment_status status)
{
	work->payment.status = status;
	if (payment_status_is_final(status))
		work->payment.completed_at = work->payment.created_at;
	payment_opening_make(&work->payment, work->actor, work->arena, &work->opening);
	TRY(router_commit(work->service, write_opening, &work->opening));
	work->is_stored = true;
	return STATUS_OK;
}

struct move_work {
	struct payment_work *work;
	enum payment_status to;
	struct slice reason;
	int64_t at;
	struct payment moved;
};

/* The decisions made since are stored with the move; what others may have changed meanwhile is the state alone. */
static enum status write_move(struct sql *sql, void *arg)
{
	struct move_work *move = arg;
	struct arena arena = { 0 };
	struct payment stored;
	enum status status = payment_load_locked(sql, move->work->payment.id, &arena, &stored);
	if (status == STATUS_OK && stored.version != move->work->payment.version)
		status = ERR_STATE_CONFLICT;
	if (status == STATUS_OK) {
		move->moved = move->work->payment;
		status = payment_move(sql, move->work->actor, &move->moved, move->to, move->at, move->reason);
	}
	arena_clean_up(&arena);
	return status;
}

static enum status move_to(struct payment_work *work, enum payment_status to, struct slice reason)
{
	struct move_work move = { .work = work, .to = to, .reason = reason, .at = clock_now() };
	TRY(router_commit(work->service, write_move, &move));
	work->payment = move.moved;
	return STATUS_OK;
}

static enum status store_as(struct payment_work *work, enum payment_status status, struct slice reason)
{
	return work->is_stored ? move_to(work, status, reason) : open_as(work, status);
}

/* --- ledger: take or hold the money, budget included ----------------------------------------------------------- */

static bool is_book(const struct payment *payment)
{
	return payment->rail == RAIL_BOOK;
}

static void make_attempt(struct payment_work *work, int64_t at)
{
	work->attempt = (struct attempt) {
		.id = attempt_id_of(work->payment.id, 1),
		.payment = work->payment.id,
		.ordinal = 1,
		.rail = work->payment.rail,
		.status = ATTEMPT_PENDING,
		.fee_minor = work->payment.fee_minor,
		.due_at = at,
		.trace_id = work->actor->trace_id,
		.created_at = at,
	};
}

struct placing {
	struct move_work move;
	bool is_opening;
};

static enum status write_placing(struct sql *sql, void *arg)
{
	struct placing *placing = arg;
	struct payment_work *work = placing->move.work;
	if (placing->is_opening)
		TRY(payment_opening_store(sql, &work->opening));
	else
		TRY(write_move(sql, &placing->move));
	return is_book(&work->payment) ? STATUS_OK : attempt_store(sql, &work->attempt);
}

/* With a ledger in another process its commit comes first and ours may be lost: what is about to be posted is stored
 * before, and a payment found in `created` is placed again. */
static enum status park(struct payment_work *work)
{
	if (work->service->ledger->shares_commit || (work->is_stored && work->payment.status == PAYMENT_CREATED))
		return STATUS_OK;
	return store_as(work, PAYMENT_CREATED, SLICE_EMPTY);
}

static enum status place(struct payment_work *work)
{
	struct payment *payment = &work->payment;
	const struct ledger_api *ledger = work->service->ledger;
	enum payment_status target = is_book(payment) ? PAYMENT_SETTLED : PAYMENT_AUTHORIZED;
	struct ledger_refusal refusal = { 0 };
	TRY(park(work));
	struct placing placing = { .move = { .work = work, .to = target, .reason = work->reason, .at = clock_now() },
		.is_opening = !work->is_stored };
	if (is_book(payment)) {
		group_book(&work->group, payment);
	} else {
		make_attempt(work, placing.move.at);
		group_hold(&work->group, payment, &work->attempt);
	}
	if (placing.is_opening) {
		payment->status = target;
		payment->completed_at = target == PAYMENT_SETTLED ? payment->created_at : 0;
		payment_opening_make(payment, work->actor, work->arena, &work->opening);
	}
	const struct ledger_group group = group_view(&work->group);
	const struct commit_rider rider = { write_placing, &placing };
	enum status status = ledger->post(ledger->self, work->actor, &group, &rider, &refusal);
	if (status == STATUS_OK && !placing.is_opening)
		*payment = placing.move.moved;
	if (status != STATUS_OK && placing.is_opening) {
		payment->status = PAYMENT_CREATED;
		payment->completed_at = 0;
	}
	if (status == STATUS_OK && !is_book(payment))
		router_ring(work->service);
	if (status == ERR_ACCOUNT_CLOSED || status == ERR_ACCOUNT_NOT_FOUND)
		payment_accounts_forget(work);
	TRY(payment_decline_for(work, status));
	if (work->refusal != STATUS_OK)
		work->refusal = group_refusal(payment, &work->group, work->refusal, refusal.index);
	return STATUS_OK;
}

/* --- The table -------------------------------------------------------------------------------------------------
 *
 * kill -9 at any moment, with the ledger in this process (one commit) or in another (two commits):
 *
 * - before `ledger`: nothing is stored; the client repeats with the same key and the steps run anew. Risk may have
 * counted the payment already: it remembers by payment id, so that it is counted once.
 * - in `ledger`, near: money, payment, first attempt and events are one transaction. Either all is there, and a repeat
 *   finds the payment by its id and answers it again, or nothing is.
 * - in `ledger`, far: `created` is stored first, with every decision that the posting depends on (accounts, rail, fee,
 *   budgets). From then on the posting can be made again, equal byte for byte and with the same identifiers, which the
 *   ledger answers as a repeat. If we die before it was sent, after it was posted, or before the rider was stored, the
 *   worker (or the client's repeat) finds `created` and runs this one step again.
 * - declines and waiting are one transaction without money.
 * - after `ledger`, on an external rail: the attempt's row is due until a worker is through with it (attempt_work.c).
 *
 * The ledger itself arbitrates what must not happen twice: transfers are unique by identifier, a hold is posted or
 * voided once, and a budget is an account that cannot be overdrawn. */
static const struct payment_step {
	const char *name;
	enum status (*run)(struct payment_work *work);
	bool is_final; /* runs even for a payment in `created`, whose other decisions are stored */
} steps[] = {
	{ .name = "consent", .run = ask_consent },
	{ .name = "accounts", .run = payment_accounts_find },
	{ .name = "risk", .run = assess_risk },
	{ .name = "route", .run = choose_rail },
	{ .name = "ledger", .run = place, .is_final = true },
};

enum status payment_decline_for(struct payment_work *work, enum status status)
{
	if (!ledger_refusal_is_final(status))
		return status;
	work->refusal = status;
	return STATUS_OK;
}

static enum status decline(struct payment_work *work)
{
	work->payment.decline_code = slice_from(status_code(work->refusal));
	work->payment.decline_reason = slice_from(status_sentence(work->refusal));
	return store_as(work, PAYMENT_DECLINED, work->payment.decline_code);
}

enum status payment_steps_run(struct payment_work *work)
{
	bool is_decided = work->is_stored && work->payment.status == PAYMENT_CREATED;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (is_decided && !steps[i].is_final)
			continue;
		if (steps[i].is_final && work->is_dry_run)
			return STATUS_OK;
		if (steps[i].is_final && work->must_wait && !work->is_approved && !is_decided)
			return store_as(work, PAYMENT_AWAITING_APPROVAL, SLICE_EMPTY);
		TRY(steps[i].run(work));
		if (work->refusal != STATUS_OK)
			return work->is_dry_run ? STATUS_OK : decline(work);
	}
	return STATUS_OK;
}

struct payment_work *payment_work_of(struct router_service *service, const struct actor *actor,
        const struct payment *payment, struct arena *arena, struct problem *problem)
{
	struct payment_work *work = ARENA_NEW(arena, struct payment_work);
	*work = (struct payment_work) {
		.service = service,
		.actor = actor,
		.arena = arena,
		.problem = problem,
		.payment = *payment,
		.is_stored = true,
		.reason = SLICE_EMPTY,
	};
	return work;
}
