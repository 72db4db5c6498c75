#include "identity/identity_wire.h"

enum { TOKEN_MAX = 8192 };

struct token_question {
	struct slice token;
	int64_t now;
};

static const struct json_field token_fields[] = {
	{ .name = "token",
	        .kind = JSON_AS_TEXT,
	        .is_required = true,
	        .offset = offsetof(struct token_question, token),
	        .max = TOKEN_MAX },
	{ .name = "now", .kind = JSON_AS_INTEGER, .is_required = true, .offset = offsetof(struct token_question, now) },
};

void write_token_question(struct writer *out, struct slice token, int64_t now)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_text(&json, "token", token);
	json_key_i64(&json, "now", now);
	json_object_close(&json);
}

enum status read_token_question(
        struct slice text, struct arena *arena, struct slice *ret_token, int64_t *ret_now, struct problem *problem)
{
	struct token_question question = { 0 };
	TRY(json_read(text, token_fields, 2, &question, arena, problem));
	*ret_token = question.token;
	*ret_now = question.now;
	return STATUS_OK;
}

/* A principal, its identifier under the name of its kind. */
struct principal_form {
	struct uuid user, agent, owner, session;
	int64_t roles, expires_at;
};

#define PRINCIPAL_ID(member, field, id_prefix) \
	{ \
		.name = (member), .kind = JSON_AS_ID, .offset = offsetof(struct principal_form, field), \
		.prefix = (id_prefix) \
	}
static const struct json_field principal_fields[] = {
	PRINCIPAL_ID("user_id", user, ID_PREFIX_user),
	PRINCIPAL_ID("agent_id", agent, ID_PREFIX_agent),
	PRINCIPAL_ID("owner_id", owner, ID_PREFIX_user),
	PRINCIPAL_ID("session_id", session, ID_PREFIX_session),
	{ .name = "roles",
	        .kind = JSON_AS_INTEGER,
	        .is_required = true,
	        .offset = offsetof(struct principal_form, roles) },
	{ .name = "expires_at",
	        .kind = JSON_AS_INTEGER,
	        .is_required = true,
	        .offset = offsetof(struct principal_form, expires_at) },
};

void write_principal(struct writer *out, const struct principal *principal)
{
	struct json_writer json = { .out = out };
	bool is_agent = principal_is_agent(principal);
	json_object_open(&json);
	json_key_id(
	        &json, is_agent ? "agent_id" : "user_id", is_agent ? ID_PREFIX_agent : ID_PREFIX_user, principal->id);
	json_key_id(&json, "owner_id", ID_PREFIX_user, principal->owner.uuid);
	json_key_id(&json, "session_id", ID_PREFIX_session, principal->session.uuid);
	json_key_i64(&json, "roles", principal->roles);
	json_key_i64(&json, "expires_at", principal->expires_at);
	json_object_close(&json);
}

enum status read_principal(
        const struct json *json, struct arena *arena, struct principal *ret_principal, struct problem *problem)
{
	struct principal_form form = { .roles = 0 };
	TRY(json_bind(
	        json, principal_fields, sizeof principal_fields / sizeof *principal_fields, &form, arena, problem));
	bool is_agent = !uuid_is_nil(form.agent);
	struct uuid id = is_agent ? form.agent : form.user;
	if (uuid_is_nil(id) || form.roles < 0 || form.roles > (ROLE_AGENT | ROLE_ADMIN | ROLE_AUDITOR))
		return problem_set(problem, ERR_INVALID_FIELD, "", "This is no principal.");
	*ret_principal = (struct principal) {
		.kind = is_agent ? PRINCIPAL_AGENT : PRINCIPAL_USER,
		.id = id,
		.roles = (unsigned)form.roles,
		.owner = { form.owner },
		.session = { form.session },
		.expires_at = form.expires_at,
	};
	return STATUS_OK;
}

struct question_form {
	struct uuid agent, consent;
	int64_t amount, at;
	struct slice currency, payee;
};

static const struct json_field question_fields[] = {
	{ .name = "agent_id",
	        .kind = JSON_AS_ID,
	        .is_required = true,
	        .offset = offsetof(struct question_form, agent),
	        .prefix = ID_PREFIX_agent },
	{ .name = "consent_id",
	        .kind = JSON_AS_ID,
	        .offset = offsetof(struct question_form, consent),
	        .prefix = ID_PREFIX_consent },
	{ .name = "amount_minor",
	        .kind = JSON_AS_INTEGER,
	        .is_required = true,
	        .offset = offsetof(struct question_form, amount) },
	{ .name = "currency",
	        .kind = JSON_AS_TEXT,
	        .is_required = true,
	        .offset = offsetof(struct question_form, currency) },
	{ .name = "payee", .kind = JSON_AS_TEXT, .is_required = true, .offset = offsetof(struct question_form, payee) },
	{ .name = "at", .kind = JSON_AS_INTEGER, .is_required = true, .offset = offsetof(struct question_form, at) },
};

void write_consent_question(struct writer *out, const struct consent_question *question)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_id(&json, "agent_id", ID_PREFIX_agent, question->agent.uuid);
	json_key_id(&json, "consent_id", ID_PREFIX_consent, question->consent.uuid);
	json_key_i64(&json, "amount_minor", question->amount.minor_units);
	json_key_text(&json, "currency", slice_from(currency_code(question->amount.currency)));
	json_key_text(&json, "payee", question->payee);
	json_key_i64(&json, "at", question->at);
	json_object_close(&json);
}

enum status read_consent_question(
        struct slice text, struct arena *arena, struct consent_question *ret_question, struct problem *problem)
{
	struct question_form form = { .amount = 0 };
	enum currency currency;
	TRY(json_read(text, question_fields, sizeof question_fields / sizeof *question_fields, &form, arena, problem));
	TRY(currency_parse(form.currency, &currency));
	*ret_question = (struct consent_question) {
		.agent = { form.agent },
		.consent = { form.consent },
		.amount = { form.amount, currency },
		.payee = form.payee,
		.at = form.at,
	};
	return STATUS_OK;
}

struct verdict_form {
	struct slice refusal;
	struct uuid consent, account;
	bool needs_approval;
	int64_t rails;
	const struct json *budgets;
};

static const struct json_field verdict_fields[] = {
	{ .name = "refusal",
	        .kind = JSON_AS_TEXT,
	        .is_required = true,
	        .offset = offsetof(struct verdict_form, refusal) },
	{ .name = "consent_id",
	        .kind = JSON_AS_ID,
	        .offset = offsetof(struct verdict_form, consent),
	        .prefix = ID_PREFIX_consent },
	{ .name = "account_id",
	        .kind = JSON_AS_ID,
	        .offset = offsetof(struct verdict_form, account),
	        .prefix = ID_PREFIX_account },
	{ .name = "needs_approval",
	        .kind = JSON_AS_BOOLEAN,
	        .is_required = true,
	        .offset = offsetof(struct verdict_form, needs_approval) },
	{ .name = "rails",
	        .kind = JSON_AS_INTEGER,
	        .is_required = true,
	        .offset = offsetof(struct verdict_form, rails) },
	{ .name = "budgets",
	        .kind = JSON_AS_VALUE,
	        .is_required = true,
	        .offset = offsetof(struct verdict_form, budgets) },
};

struct budget_form {
	struct uuid account;
	int64_t period, limit;
};

static const struct json_field budget_fields[] = {
	{ .name = "account_id",
	        .kind = JSON_AS_ID,
	        .is_required = true,
	        .offset = offsetof(struct budget_form, account),
	        .prefix = ID_PREFIX_account },
	{ .name = "period",
	        .kind = JSON_AS_INTEGER,
	        .is_required = true,
	        .offset = offsetof(struct budget_form, period) },
	{ .name = "limit_minor",
	        .kind = JSON_AS_INTEGER,
	        .is_required = true,
	        .offset = offsetof(struct budget_form, limit) },
};

void write_consent_verdict(struct writer *out, const struct consent_verdict *verdict)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_text(&json, "refusal", slice_from(status_code(verdict->refusal)));
	json_key_id(&json, "consent_id", ID_PREFIX_consent, verdict->consent.uuid);
	json_key_id(&json, "account_id", ID_PREFIX_account, verdict->account.uuid);
	json_key_boolean(&json, "needs_approval", verdict->needs_approval);
	json_key_i64(&json, "rails", verdict->rails);
	json_key(&json, "budgets");
	json_array_open(&json);
	for (size_t i = 0; i < verdict->budget_count; i++) {
		json_object_open(&json);
		json_key_id(&json, "account_id", ID_PREFIX_account, verdict->budgets[i].account.uuid);
		json_key_i64(&json, "period", verdict->budgets[i].period);
		json_key_i64(&json, "limit_minor", verdict->budgets[i].limit_minor);
		json_object_close(&json);
	}
	json_array_close(&json);
	json_object_close(&json);
}

static enum status read_budgets(
        const struct json *json, struct arena *arena, struct consent_verdict *verdict, struct problem *problem)
{
	if (json->type != JSON_ARRAY || json->count > CONSENT_BUDGETS_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, "budgets", "These are no budgets.");
	for (const struct json *item = json->first; item; item = item->next) {
		struct budget_form form = { .period = 0 };
		TRY(json_bind(
		        item, budget_fields, sizeof budget_fields / sizeof *budget_fields, &form, arena, problem));
		verdict->budgets[verdict->budget_count++] = (struct consent_budget) {
			.period = form.period == BUDGET_DAILY ? BUDGET_DAILY : BUDGET_MONTHLY,
			.account = { form.account },
			.limit_minor = form.limit,
		};
	}
	return STATUS_OK;
}

enum status read_consent_verdict(
        const struct json *json, struct arena *arena, struct consent_verdict *ret_verdict, struct problem *problem)
{
	struct verdict_form form = { .rails = 0 };
	TRY(json_bind(json, verdict_fields, sizeof verdict_fields / sizeof *verdict_fields, &form, arena, problem));
	struct consent_verdict verdict = {
		.refusal = status_from_code(form.refusal.data, form.refusal.size),
		.consent = { form.consent },
		.needs_approval = form.needs_approval,
		.rails = (unsigned)form.rails & RAILS_ALL,
		.account = { form.account },
	};
	TRY(read_budgets(form.budgets, arena, &verdict, problem));
	*ret_verdict = verdict;
	return STATUS_OK;
}
