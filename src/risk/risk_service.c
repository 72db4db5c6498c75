#include "risk/risk_service.h"

#include "audit/audit_api.h"
#include "base/clock.h"
#include "base/log.h"
#include "platform/crypto.h"
#include "platform/metrics.h"
#include "risk/country.h"
#include "risk/payee_memory.h"
#include "risk/risk_json.h"
#include "risk/risk_payees.h"
#include "risk/risk_replay.h"
#include "risk_sql.h"

enum { BLOCKED_COUNTRIES_MAX = 64 };

/* The FATF's call for action, as of its plenary of June 2026. */
#define BLOCKED_COUNTRIES_DEFAULT SLICE("KP,IR,MM")

const struct sql_migrations risk_migrations = { risk_migration_rows, RISK_MIGRATION_COUNT };

struct risk_service {
	const struct engines *engines;
	struct risk_settings settings;
	struct velocity *velocity;
	struct verdict_memory *memory;
	struct risk_payees *payees;
	struct country_database *countries; /* NULL: none configured */
	struct country_code blocked[BLOCKED_COUNTRIES_MAX];
	size_t blocked_count;
};

static enum status judge(struct risk_service *service, const struct risk_question *question, bool is_counted,
        struct risk_verdict *ret_verdict, struct uuid *ret_new_payee);
static enum status raise_alert(struct risk_service *service, const struct actor *actor,
        const struct risk_question *question, const struct risk_verdict *verdict);
static enum status find_verdict(
        struct risk_service *service, struct payment_id payment, struct risk_verdict *ret_verdict);

static enum status assess(
        void *self, const struct actor *actor, const struct risk_question *question, struct risk_verdict *ret_verdict)
{
	struct risk_service *service = self;
	struct risk_verdict verdict;
	struct uuid new_payee = { { 0 } };
	enum verdict_state state = verdict_memory_ask(service->memory, question->payment, &verdict);
	if (state == VERDICT_JUDGED) {
		*ret_verdict = verdict;
		return STATUS_OK;
	}
	enum status found =
	        state == VERDICT_COUNTED ? find_verdict(service, question->payment, &verdict) : ERR_NOT_FOUND;
	if (found == ERR_NOT_FOUND) {
		TRY(judge(service, question, state == VERDICT_COUNTED, &verdict, &new_payee));
		if (verdict.decision != RISK_ALLOW)
			TRY(raise_alert(service, actor, question, &verdict));
		metric_add(METRIC_risk_decisions_total, risk_decision_name(verdict.decision), 1);
	} else {
		TRY(found);
	}
	verdict_memory_keep(service->memory, question->payment, &verdict, new_payee);
	*ret_verdict = verdict;
	return STATUS_OK;
}

static bool is_blocked(const struct risk_service *service, struct country_code country)
{
	for (size_t i = 0; i < service->blocked_count; i++)
		if (country_equal(service->blocked[i], country))
			return true;
	return false;
}

static enum status judge(struct risk_service *service, const struct risk_question *question, bool is_counted,
        struct risk_verdict *ret_verdict, struct uuid *ret_new_payee)
{
	struct country_code country = country_of_address(service->countries, question->ip_address);
	struct risk_facts facts = { .amount_cents = risk_cents(question->amount) };
	struct velocity_report report;
	if (is_counted)
		velocity_peek(service->velocity, question->agent, question->at, &report);
	else
		velocity_add(service->velocity, question->agent, question->at, facts.amount_cents, country, &report);
	memcpy(facts.windows, report.windows, sizeof facts.windows);
	facts.usual_cents = risk_usual_cents(report.windows[RISK_DAY], facts.amount_cents);
	facts.country_changed = country_is_known(country) && country_is_known(report.country) &&
	                        !country_equal(country, report.country);
	facts.country_is_blocked = is_blocked(service, country);
	struct uuid payee = payee_digest(question->agent, question->payee);
	TRY(risk_payees_is_new(service->payees, payee, &facts.payee_is_new));
	if (facts.payee_is_new)
		*ret_new_payee = payee;
	risk_rules_judge(&service->settings, &facts, ret_verdict);
	return STATUS_OK;
}

static enum status find_verdict(
        struct risk_service *service, struct payment_id payment, struct risk_verdict *ret_verdict)
{
	struct sql *sql;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = risk_store_verdict(sql, payment, ret_verdict);
	sql_pool_give(service->engines->readers, sql);
	return status;
}

struct alert_work {
	struct risk_alert alert;
	const struct actor *actor;
};

static enum status store_alert(struct sql *sql, void *arg)
{
	const struct alert_work *work = arg;
	return risk_store_alert(sql, &work->alert, work->actor);
}

static struct alert_id alert_of_payment(struct payment_id payment)
{
	struct slice parts[] = { SLICE("risk.alert"), slice_make(payment.uuid.bytes, sizeof payment.uuid.bytes) };
	return (struct alert_id) { uuid_derive(parts, sizeof parts / sizeof *parts) };
}

static enum status raise_alert(struct risk_service *service, const struct actor *actor,
        const struct risk_question *question, const struct risk_verdict *verdict)
{
	char reasons[1024];
	struct writer out = writer_fixed(reasons, sizeof reasons);
	struct json_writer json = { .out = &out };
	risk_reasons_write(&json, verdict);
	const char *type = verdict->reasons[0].code, *decision = risk_decision_name(verdict->decision);
	struct alert_work work = { .actor = actor,
		.alert = { .id = alert_of_payment(question->payment),
		        .payment = question->payment,
		        .agent = question->agent,
		        .score = verdict->score,
		        .threshold = service->settings.review_threshold,
		        .type = slice_from(type),
		        .decision = slice_from(decision),
		        .reasons = writer_slice(&out),
		        .amount = question->amount,
		        .created_at = question->at } };
	TRY(committer_run(service->engines->committer, store_alert, &work));
	if (service->engines->outbox)
		outbox_wake(service->engines->outbox);
	metric_add(METRIC_risk_alerts_total, risk_code_name(risk_code_find(work.alert.type)), 1);
	log_event(LOG_WARNING, "risk", "alert raised", LOG_ID("payment_id", ID_PREFIX_payment, question->payment.uuid),
	        LOG_INT("score", verdict->score), LOG_TEXT("alert_type", type), LOG_TEXT("decision", decision));
	return STATUS_OK;
}

struct access_work {
	const struct actor *actor;
	struct uuid user;
	int64_t at;
};

static enum status store_access(struct sql *sql, void *arg)
{
	const struct access_work *work = arg;
	const struct audit_access access = {
		.user = { work->user },
		.resource = "risk_alert",
		.action = "view",
		.entity_type = "user",
		.entity = work->user,
		.at = work->at,
	};
	return audit_access_store(sql, work->actor, &access);
}

enum status risk_service_alerts(struct risk_service *service, const struct actor *actor, struct uuid user,
        const struct risk_alert_filter *filter, const struct page *page,
        void (*take)(void *arg, const struct risk_alert *alert), void *arg)
{
	struct access_work access = { actor, user, clock_now() };
	if (!uuid_is_nil(user))
		TRY(committer_run(service->engines->committer, store_access, &access));
	struct sql *sql;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = risk_store_alerts(sql, filter, page, take, arg);
	sql_pool_give(service->engines->readers, sql);
	return status;
}

enum status risk_service_handle(void *arg, const struct event *events, size_t count)
{
	struct risk_service *service = arg;
	return risk_payees_handle(service->payees, events, count);
}

static enum status read_blocked(struct risk_service *service, struct slice list, struct problem *problem)
{
	struct slice part, rest = list.data ? list : BLOCKED_COUNTRIES_DEFAULT;
	while (rest.size && slice_split(&rest, ',', &part)) {
		if (service->blocked_count == BLOCKED_COUNTRIES_MAX ||
		        !country_parse(slice_trim(part), &service->blocked[service->blocked_count]))
			return problem_set(problem, ERR_INVALID_PARAMETER, "blocked_countries",
			        "At most %d country codes of two letters, with commas between them.",
			        BLOCKED_COUNTRIES_MAX);
		service->blocked_count++;
	}
	return STATUS_OK;
}

static enum status prepare(struct risk_service *service, const struct risk_options *options, struct problem *problem)
{
	service->settings.review_threshold = options->review_threshold;
	service->settings.block_threshold = options->block_threshold;
	memcpy(service->settings.count_limits, options->count_limits, sizeof options->count_limits);
	memcpy(service->settings.sum_limits, options->sum_limits, sizeof options->sum_limits);
	TRY(risk_settings_complete(&service->settings, problem));
	TRY(read_blocked(service, options->blocked_countries, problem));
	if (options->country_database.size)
		TRY(country_open(options->country_database, &service->countries, problem));
	service->velocity = velocity_new();
	service->memory = verdict_memory_new();
	TRY(risk_payees_new(service->engines, service->memory, &service->payees));
	struct risk_state state = { service->velocity, service->memory, service->countries };
	TRY(risk_replay(service->engines, &state, clock_now()));
	if (!service->engines->outbox)
		return STATUS_OK;
	return outbox_subscribe(service->engines->outbox, "risk", risk_service_handle, service);
}

enum status risk_service_start(
        const struct risk_options *options, struct risk_service **ret_service, struct problem *problem)
{
	struct risk_service *service = NEW(struct risk_service);
	service->engines = options->engines;
	enum status status = prepare(service, options, problem);
	if (status == STATUS_OK)
		*ret_service = service;
	else
		risk_service_stop(service);
	return status;
}

void risk_service_stop(struct risk_service *service)
{
	if (!service)
		return;
	risk_payees_free(service->payees);
	verdict_memory_free(service->memory);
	velocity_free(service->velocity);
	country_close(service->countries);
	memory_free(service);
}

struct risk_api risk_service_api(struct risk_service *service)
{
	return (struct risk_api) { .self = service, .assess = assess };
}
