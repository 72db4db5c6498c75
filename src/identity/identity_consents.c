#include "identity/identity_core.h"

#include "base/clock.h"

/* What is remembered of a consent that was asked for: the bytes of this struct, then its payee keys. */
struct known_consent {
	struct consent_terms terms;
	int64_t day; /* the start of the day that the budgets' accounts are of */
	struct account_id budgets[CONSENT_BUDGETS_MAX];
};

enum { KNOWN_CONSENT_MAX = sizeof(struct known_consent) + CONSENT_PAYEES_TEXT_MAX };

union known_buffer {
	struct known_consent known;
	char bytes[KNOWN_CONSENT_MAX];
};

static const struct {
	enum budget_period period;
	const char *name;
	size_t date_size; /* of "2026-11-23" that names the period */
} budget_periods[CONSENT_BUDGETS_MAX] = { { BUDGET_DAILY, "day", 10 }, { BUDGET_MONTHLY, "month", 7 } };

/* A pure function of consent and period, so that every process finds the same account. */
static struct account_id budget_account(struct consent_id consent, size_t row, int64_t at)
{
	char text[32];
	struct writer date = writer_fixed(text, sizeof text);
	write_instant(&date, consent_rules_period_start(budget_periods[row].period, at));
	const struct slice parts[] = {
		SLICE("consent-budget"),
		slice_make(consent.uuid.bytes, sizeof consent.uuid.bytes),
		slice_from(budget_periods[row].name),
		slice_make(text, budget_periods[row].date_size),
	};
	return (struct account_id) { uuid_derive(parts, sizeof parts / sizeof *parts) };
}

static void derive_budgets(struct known_consent *known, int64_t at)
{
	known->day = consent_rules_period_start(BUDGET_DAILY, at);
	for (size_t i = 0; i < CONSENT_BUDGETS_MAX; i++)
		known->budgets[i] = budget_account(known->terms.id, i, at);
}

/* By identifier, or by currency for the agent's oldest active one: no identifier has its first 12 bytes zero. */
static struct memo_key known_key(struct agent_id agent, struct consent_id consent, enum currency currency)
{
	struct memo_key key;
	struct uuid second = consent.uuid;
	if (uuid_is_nil(second))
		second.bytes[15] = (unsigned char)currency;
	memcpy(key.bytes, agent.uuid.bytes, sizeof agent.uuid.bytes);
	memcpy(key.bytes + sizeof agent.uuid.bytes, second.bytes, sizeof second.bytes);
	return key;
}

static void consent_forget(struct identity_service *service, const struct consent_terms *terms)
{
	struct memo_key by_id = known_key(terms->agent, terms->id, terms->currency);
	struct memo_key by_currency = known_key(terms->agent, (struct consent_id) { { { 0 } } }, terms->currency);
	memo_forget(service->consents, &by_id);
	memo_forget(service->consents, &by_currency);
}

/* ERR_NOT_FOUND when the agent has none such. */
static enum status consent_load(struct identity_service *service, const struct consent_question *question,
        struct arena *arena, struct consent *ret_consent)
{
	struct consent consent;
	if (uuid_is_nil(question->consent.uuid))
		TRY(IDENTITY_READ(service, consent_oldest_active(sql, question->agent, question->amount.currency,
		                                   question->at, arena, &consent)));
	else
		TRY(IDENTITY_READ(service, consent_by_id(sql, question->consent, arena, &consent)));
	if (!uuid_equal(consent.terms.agent.uuid, question->agent.uuid))
		return ERR_NOT_FOUND;
	*ret_consent = consent;
	return STATUS_OK;
}

static enum status known_load(struct identity_service *service, const struct consent_question *question,
        const struct memo_key *key, union known_buffer *ret_buffer)
{
	struct arena arena = { 0 };
	struct consent consent = { 0 };
	int64_t now = clock_monotonic();
	uint64_t ticket = memo_ticket(service->consents, key);
	enum status status = consent_load(service, question, &arena, &consent);
	struct slice payees = consent.terms.payees;
	if (status == STATUS_OK && payees.size > CONSENT_PAYEES_TEXT_MAX)
		status = ERR_DATABASE_CORRUPT;
	if (status == STATUS_OK) {
		ret_buffer->known = (struct known_consent) { .terms = consent.terms };
		derive_budgets(&ret_buffer->known, question->at);
		char *text = ret_buffer->bytes + sizeof(struct known_consent);
		if (payees.size)
			memcpy(text, payees.data, payees.size);
		ret_buffer->known.terms.payees.data = text;
		memo_put(service->consents, key, ticket,
		        slice_make(ret_buffer->bytes, sizeof(struct known_consent) + payees.size),
		        now + IDENTITY_BELIEF_MICROSECONDS);
	}
	arena_clean_up(&arena);
	return status;
}

static enum status known_get(
        struct identity_service *service, const struct consent_question *question, union known_buffer *ret_buffer)
{
	struct memo_key key = known_key(question->agent, question->consent, question->amount.currency);
	struct known_consent *known = &ret_buffer->known;
	size_t size;
	if (!memo_get(service->consents, &key, clock_monotonic(), ret_buffer, sizeof *ret_buffer, &size))
		return known_load(service, question, &key, ret_buffer);
	known->terms.payees.data = ret_buffer->bytes + sizeof *known;
	/* The oldest active one may just have ended, and the next one takes its place. */
	if (uuid_is_nil(question->consent.uuid) && !consent_rules_is_active(&known->terms, question->at))
		return known_load(service, question, &key, ret_buffer);
	if (known->day != consent_rules_period_start(BUDGET_DAILY, question->at))
		derive_budgets(known, question->at);
	return STATUS_OK;
}

static struct consent_verdict verdict_of(const struct known_consent *known, const struct consent_question *question)
{
	const struct consent_terms *terms = &known->terms;
	const int64_t limits[CONSENT_BUDGETS_MAX] = { terms->daily_minor, terms->monthly_minor };
	struct consent_verdict verdict = {
		.refusal = consent_rules_check(terms, question->amount, question->payee, question->at),
		.consent = terms->id,
		.needs_approval = consent_rules_needs_approval(terms, question->amount),
		.rails = terms->rails & RAILS_ALL,
		.account = terms->account,
		.budget_count = CONSENT_BUDGETS_MAX,
	};
	for (size_t i = 0; i < CONSENT_BUDGETS_MAX; i++)
		verdict.budgets[i] = (struct consent_budget) {
			.period = budget_periods[i].period,
			.account = known->budgets[i],
			.limit_minor = limits[i],
		};
	return verdict;
}

enum status identity_consent_check(
        void *self, const struct consent_question *question, struct consent_verdict *ret_verdict)
{
	struct identity_service *service = self;
	union known_buffer buffer;
	enum standing standing;
	TRY(identity_agent_standing(service, question->agent, &standing));
	if (standing == STANDING_SUSPENDED) {
		*ret_verdict = (struct consent_verdict) { .refusal = ERR_AGENT_SUSPENDED };
		return STATUS_OK;
	}
	enum status status = standing == STANDING_GOOD ? known_get(service, question, &buffer) : ERR_NOT_FOUND;
	if (status == ERR_NOT_FOUND) {
		*ret_verdict = (struct consent_verdict) { .refusal = ERR_CONSENT_NOT_FOUND };
		return STATUS_OK;
	}
	TRY(status);
	*ret_verdict = verdict_of(&buffer.known, question);
	return STATUS_OK;
}

struct grant {
	const struct actor *actor;
	struct user_id granted_by;
	const struct consent *draft;
	struct arena *arena;
	struct consent stored;
};

/* The terms without the payees, whose account numbers are personal data. */
static struct slice terms_json(const struct consent_terms *terms, struct arena *arena)
{
	const struct {
		const char *name;
		int64_t minor;
	} amounts[] = { { "per_payment_limit", terms->per_payment_minor }, { "daily_limit", terms->daily_minor },
		{ "monthly_limit", terms->monthly_minor }, { "approval_threshold", terms->approval_minor } };
	struct writer out = writer_growing(arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "currency", slice_from(currency_code(terms->currency)));
	for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
		char text[32];
		struct writer amount = writer_fixed(text, sizeof text);
		write_money(&amount, (struct money) { amounts[i].minor, terms->currency });
		json_key_raw(&json, amounts[i].name, writer_slice(&amount));
	}
	json_key_instant(&json, "valid_from", terms->valid_from);
	json_key_instant(&json, "expires_at", terms->expires_at);
	json_object_close(&json);
	return writer_slice(&out);
}

static enum status consent_event(struct sql *sql, const struct actor *actor, int64_t now, const char *type,
        const struct consent_terms *terms, struct slice old_values, struct slice new_values)
{
	return identity_event_add(sql, actor, now,
	        &(struct identity_event) {
	                .type = type,
	                .entity_type = "consent",
	                .ids = { { "consent_id", ID_PREFIX_consent, terms->id.uuid },
	                        { "agent_id", ID_PREFIX_agent, terms->agent.uuid } },
	                .old_values = old_values,
	                .new_values = new_values,
	        });
}

/* ERR_NOT_FOUND when there is no such agent. */
static enum status grant_work(struct sql *sql, void *arg)
{
	struct grant *grant = arg;
	const struct consent_terms *terms = &grant->draft->terms;
	struct agent agent;
	enum status status = consent_by_id(sql, terms->id, grant->arena, &grant->stored);
	if (status != ERR_NOT_FOUND)
		return status;
	TRY(agent_by_id(sql, terms->agent, grant->arena, &agent));
	TRY(consent_insert(sql, grant->draft, grant->granted_by));
	grant->stored = *grant->draft;
	return consent_event(sql, grant->actor, terms->created_at, "consent.granted", terms, SLICE_EMPTY,
	        terms_json(terms, grant->arena));
}

enum status identity_consent_grant(struct identity_service *service, const struct actor *actor,
        const struct principal *principal, const struct consent *draft, struct arena *arena,
        struct consent *ret_consent, struct problem *problem)
{
	struct consent consent = *draft;
	consent.terms.created_at = clock_now();
	if (!consent.terms.valid_from)
		consent.terms.valid_from = consent.terms.created_at;
	TRY(consent_rules_grant(&consent.terms, problem));
	struct grant grant = {
		.actor = actor,
		.granted_by = { principal->id },
		.draft = &consent,
		.arena = arena,
	};
	enum status status = committer_run(service->committer, grant_work, &grant);
	if (status == ERR_NOT_FOUND)
		return problem_set(problem, ERR_INVALID_FIELD, "agent_id", "There is no such agent.");
	TRY(status);
	consent_forget(service, &consent.terms);
	*ret_consent = grant.stored;
	return STATUS_OK;
}

enum status identity_consent_get(
        struct identity_service *service, struct consent_id id, struct arena *arena, struct consent *ret_consent)
{
	return IDENTITY_READ(service, consent_by_id(sql, id, arena, ret_consent));
}

enum status identity_consent_list(struct identity_service *service, const struct page *page, struct agent_id agent,
        struct arena *arena, struct consent **ret_consents, size_t *ret_count)
{
	return IDENTITY_READ(service, consent_list(sql, page, agent, arena, ret_consents, ret_count));
}

struct revocation {
	const struct actor *actor;
	struct consent_id id;
	struct slice reason;
	int64_t now;
	struct arena *arena;
	struct consent stored;
};

static enum status revocation_work(struct sql *sql, void *arg)
{
	struct revocation *revocation = arg;
	struct consent *stored = &revocation->stored;
	TRY(consent_by_id(sql, revocation->id, revocation->arena, stored));
	if (stored->terms.revoked_at)
		return STATUS_OK;
	TRY(consent_revoke(sql, revocation->id, revocation->reason, revocation->now));
	stored->terms.revoked_at = revocation->now;
	stored->revoke_reason = revocation->reason;
	return consent_event(sql, revocation->actor, revocation->now, "consent.revoked", &stored->terms,
	        SLICE("{\"status\":\"active\"}"), SLICE("{\"status\":\"revoked\"}"));
}

enum status identity_consent_revoke(struct identity_service *service, const struct actor *actor, struct consent_id id,
        struct slice reason, struct arena *arena, struct consent *ret_consent)
{
	struct revocation revocation = {
		.actor = actor,
		.id = id,
		.reason = reason,
		.now = clock_now(),
		.arena = arena,
	};
	TRY(committer_run(service->committer, revocation_work, &revocation));
	consent_forget(service, &revocation.stored.terms);
	*ret_consent = revocation.stored;
	return STATUS_OK;
}
