#include "ledger/ledger_service.h"

#include <assert.h>

#include "base/clock.h"
#include "ledger/ledger_events.h"
#include "ledger/ledger_posting.h"
#include "platform/metrics.h"
#include "ledger_sql.h"

enum { POST_ATTEMPTS = 3 };

struct ledger_service {
	const struct engines *engines;
};

const struct sql_migrations ledger_migrations = { ledger_migration_rows, LEDGER_MIGRATION_COUNT };

enum status ledger_service_start(
        const struct ledger_options *options, struct ledger_service **ret_service, struct problem *problem)
{
	(void)problem;
	struct ledger_service *service = NEW(struct ledger_service);
	service->engines = options->engines;
	*ret_service = service;
	return STATUS_OK;
}

void ledger_service_stop(struct ledger_service *service)
{
	memory_free(service);
}

/* Two processes opened the same account or stored the same transfer at one moment, or a hold appeared between two
 * reads: the next try finds it. */
static bool is_race(enum status status)
{
	return status == ERR_DATABASE_CONSTRAINT || status == ERR_DATABASE_BUSY;
}

static enum status post(struct ledger_service *service, const struct actor *actor, const struct ledger_group *group,
        const struct commit_rider *rider, bool announces, struct ledger_refusal *refusal)
{
	enum status status = ERR_DATABASE_CONSTRAINT;
	struct posting posting;
	assert(group->count <= LEDGER_GROUP_MAX && group->open_count <= LEDGER_OPEN_MAX);
	posting.group = group;
	posting.actor = actor ? actor : &actor_system;
	posting.rider = rider;
	posting.announces = announces;
	posting.refusal = (struct ledger_refusal) { 0 };
	arena_init(&posting.arena);
	for (int attempt = 0; attempt < POST_ATTEMPTS && is_race(status); attempt++)
		status = committer_run(service->engines->committer, posting_run, &posting);
	if (refusal)
		*refusal = posting.refusal;
	metric_add(METRIC_ledger_transfers_total, status_code(status), group->count);
	posting_clean_up(&posting);
	return status;
}

static enum status api_post(void *self, const struct actor *actor, const struct ledger_group *group,
        const struct commit_rider *rider, struct ledger_refusal *refusal)
{
	return post(self, actor, group, rider, false, refusal);
}

enum status ledger_service_post(struct ledger_service *service, const struct actor *actor,
        const struct ledger_group *group, struct ledger_refusal *refusal)
{
	return post(service, actor, group, NULL, true, refusal);
}

enum status ledger_service_read(struct ledger_service *service, ledger_read_fn *read, void *arg)
{
	struct sql *sql;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = read(sql, arg);
	sql_pool_give(service->engines->readers, sql);
	return status;
}

struct get_call {
	struct account_id id;
	struct arena *arena;
	struct ledger_account account;
};

static enum status read_account(struct sql *sql, void *arg)
{
	struct get_call *call = arg;
	return ledger_store_account_get(sql, call->id, call->arena, &call->account);
}

static enum status api_account_get(
        void *self, struct account_id id, struct arena *arena, struct ledger_account *ret_account)
{
	struct get_call call = { .id = id, .arena = arena };
	TRY(ledger_service_read(self, read_account, &call));
	*ret_account = call.account;
	return STATUS_OK;
}

struct of_agent_call {
	struct agent_id agent;
	enum currency currency;
	struct account_id account;
};

static enum status read_of_agent(struct sql *sql, void *arg)
{
	struct of_agent_call *call = arg;
	return ledger_store_account_of_agent(sql, call->agent, call->currency, &call->account);
}

static enum status api_account_of_agent(
        void *self, struct agent_id agent, enum currency currency, struct account_id *ret_account)
{
	struct of_agent_call call = { .agent = agent, .currency = currency };
	TRY(ledger_service_read(self, read_of_agent, &call));
	*ret_account = call.account;
	return STATUS_OK;
}

struct ledger_api ledger_service_api(struct ledger_service *service)
{
	return (struct ledger_api) {
		.self = service,
		.shares_commit = true,
		.post = api_post,
		.account_get = api_account_get,
		.account_of_agent = api_account_of_agent,
	};
}

struct viewed_call {
	const struct actor *actor;
	struct user_id user;
	struct account_id account;
};

static enum status write_viewed(struct sql *sql, void *arg)
{
	const struct viewed_call *call = arg;
	return ledger_event_viewed(sql, call->actor, call->user, call->account, clock_now());
}

enum status ledger_service_viewed(
        struct ledger_service *service, const struct actor *actor, struct user_id user, struct account_id account)
{
	struct viewed_call call = { actor ? actor : &actor_system, user, account };
	return committer_run(service->engines->committer, write_viewed, &call);
}
