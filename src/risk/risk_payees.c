#include "risk/risk_payees.h"

#include "risk/payee_memory.h"
#include "risk/payment_event.h"
#include "risk/risk_store.h"

enum { CHANGES_MAX = OUTBOX_BATCH_MAX }; /* events in one call of the handler */

struct risk_payees {
	const struct engines *engines;
	struct verdict_memory *verdicts; /* the service's */
	struct payee_memory *memory;
	bool has_candidates; /* the handler's own; false saves it a look for every settled payment */
};

enum change_kind { CANDIDATE_ADD, CANDIDATE_CONFIRM, CANDIDATE_DROP };

struct change {
	enum change_kind kind;
	struct risk_candidate candidate;
};

/* What one call of the handler will store in one commit. */
struct changes {
	size_t count;
	struct change rows[CHANGES_MAX];
};

/* Events that end a candidate. A payee is not known by a payment that never left. */
static const struct {
	const char *type;
	enum change_kind kind;
} endings[] = {
	{ "payment.settled", CANDIDATE_CONFIRM },
	{ "payment.accepted", CANDIDATE_CONFIRM },
	{ "payment.declined", CANDIDATE_DROP },
	{ "payment.canceled", CANDIDATE_DROP },
	{ "payment.failed", CANDIDATE_DROP },
	{ "payment.expired", CANDIDATE_DROP },
};

static enum status collect_change(
        struct risk_payees *payees, struct sql *sql, const struct event *event, struct changes *changes);
static enum status store_changes(struct sql *sql, void *arg);

/* Payees learned here are told to the memory only after the commit. */
static void remember_confirmed(struct risk_payees *payees, const struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		if (changes->rows[i].kind == CANDIDATE_CONFIRM)
			payee_memory_add(payees->memory, changes->rows[i].candidate.payee);
}

static enum status handle(struct risk_payees *payees, const struct event *events, size_t count, struct changes *changes)
{
	struct sql *sql;
	TRY(sql_pool_take(payees->engines->readers, &sql));
	enum status status = STATUS_OK;
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = collect_change(payees, sql, &events[i], changes);
	sql_pool_give(payees->engines->readers, sql);
	if (status != STATUS_OK || changes->count == 0)
		return status;
	TRY(committer_run(payees->engines->committer, store_changes, changes));
	remember_confirmed(payees, changes);
	return STATUS_OK;
}

static enum status find_candidates(struct risk_payees *payees)
{
	struct sql *sql;
	TRY(sql_pool_take(payees->engines->readers, &sql));
	enum status status = risk_store_has_candidates(sql, &payees->has_candidates);
	sql_pool_give(payees->engines->readers, sql);
	return status;
}

enum status risk_payees_handle(void *arg, const struct event *events, size_t count)
{
	struct risk_payees *payees = arg;
	for (size_t done = 0; done < count; done += CHANGES_MAX) {
		size_t part = count - done < CHANGES_MAX ? count - done : CHANGES_MAX;
		struct changes *changes = NEW(struct changes);
		enum status status = handle(payees, events + done, part, changes);
		bool has_changed = changes->count > 0;
		memory_free(changes);
		TRY(status);
		if (has_changed)
			TRY(find_candidates(payees));
	}
	return STATUS_OK;
}

static enum status store_changes(struct sql *sql, void *arg)
{
	const struct changes *changes = arg;
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->rows[i];
		if (change->kind == CANDIDATE_ADD)
			TRY(risk_store_candidate_add(sql, &change->candidate));
		else
			TRY(risk_store_candidate_end(
			        sql, change->candidate.payment, change->kind == CANDIDATE_CONFIRM));
	}
	return STATUS_OK;
}

static enum status is_known(struct risk_payees *payees, struct sql *sql, struct uuid payee, bool *ret_is_known)
{
	TRY(risk_store_payee_is_known(sql, payee, ret_is_known));
	if (*ret_is_known)
		payee_memory_add(payees->memory, payee);
	return STATUS_OK;
}

static enum status collect_initiated(
        struct risk_payees *payees, struct sql *sql, const struct event *event, struct changes *changes)
{
	struct payment_id id = { event->entity_id };
	struct uuid payee = verdict_memory_new_payee(payees->verdicts, id);
	if (uuid_is_nil(payee) || payee_memory_knows(payees->memory, payee))
		return STATUS_OK;
	bool known;
	TRY(is_known(payees, sql, payee, &known));
	struct arena arena = { 0 };
	struct payment_event payment;
	if (!known && payment_event_read(event, &arena, &payment))
		changes->rows[changes->count++] = (struct change) {
			.kind = CANDIDATE_ADD,
			.candidate = { id, payment.agent, payee, event->created_at },
		};
	arena_clean_up(&arena);
	return STATUS_OK;
}

static bool find_in_batch(const struct changes *changes, struct payment_id payment, struct uuid *ret_payee)
{
	for (size_t i = 0; i < changes->count; i++)
		if (uuid_equal(changes->rows[i].candidate.payment.uuid, payment.uuid)) {
			*ret_payee = changes->rows[i].candidate.payee;
			return true;
		}
	return false;
}

static enum status collect_ending(struct risk_payees *payees, struct sql *sql, const struct event *event,
        enum change_kind kind, struct changes *changes)
{
	struct change change = { .kind = kind, .candidate.payment.uuid = event->entity_id };
	if (!find_in_batch(changes, change.candidate.payment, &change.candidate.payee)) {
		if (!payees->has_candidates)
			return STATUS_OK;
		enum status found = risk_store_candidate_payee(sql, change.candidate.payment, &change.candidate.payee);
		if (found == ERR_NOT_FOUND)
			return STATUS_OK;
		TRY(found);
	}
	changes->rows[changes->count++] = change;
	return STATUS_OK;
}

static enum status collect_change(
        struct risk_payees *payees, struct sql *sql, const struct event *event, struct changes *changes)
{
	if (slice_is(event->type, "payment.initiated"))
		return collect_initiated(payees, sql, event, changes);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (slice_is(event->type, endings[i].type))
			return collect_ending(payees, sql, event, endings[i].kind, changes);
	return STATUS_OK;
}

enum status risk_payees_is_new(struct risk_payees *payees, struct uuid payee, bool *ret_is_new)
{
	bool known = payee_memory_knows(payees->memory, payee);
	if (!known) {
		struct sql *sql;
		TRY(sql_pool_take(payees->engines->readers, &sql));
		enum status status = is_known(payees, sql, payee, &known);
		sql_pool_give(payees->engines->readers, sql);
		TRY(status);
	}
	*ret_is_new = !known;
	return STATUS_OK;
}

enum status risk_payees_new(
        const struct engines *engines, struct verdict_memory *verdicts, struct risk_payees **ret_payees)
{
	struct risk_payees *payees = NEW(struct risk_payees);
	payees->engines = engines;
	payees->verdicts = verdicts;
	payees->memory = payee_memory_new();
	enum status status = find_candidates(payees);
	if (status == STATUS_OK)
		*ret_payees = payees;
	else
		risk_payees_free(payees);
	return status;
}

void risk_payees_free(struct risk_payees *payees)
{
	if (!payees)
		return;
	payee_memory_free(payees->memory);
	memory_free(payees);
}
