#include "identity/identity_core.h"

#include "base/clock.h"

static const char SECRET_PREFIX[] = "aps_";

static enum status agent_unseal(struct identity_service *service, struct arena *arena, struct agent *agent)
{
	return identity_keys_unseal(&service->keys, agent->id.uuid, agent->sealed_email, arena, &agent->email);
}

/* A secret has 256 random bits, so a keyed hash protects it as well as a slow one would, at a millionth of the cost. */
static struct sha256 secret_hash(struct identity_service *service, struct slice secret)
{
	return identity_keys_hash(&service->keys, "client_secret", secret);
}

struct registration {
	const struct actor *actor;
	const struct agent *agent;
	const struct sha256 *email_hash;
	struct arena *arena;
	struct agent stored;
};

static enum status registration_store(struct sql *sql, const struct registration *registration)
{
	const struct agent *agent = registration->agent;
	struct arena *arena = registration->arena;
	struct writer values = writer_growing(arena);
	struct json_writer json = { .out = &values };
	json_object_open(&json);
	json_key_id(&json, "owner_id", ID_PREFIX_user, agent->owner.uuid);
	json_key_text(&json, "status", agent->status);
	json_object_close(&json);
	TRY(agent_insert(sql, agent, registration->email_hash));
	return identity_event_add(sql, registration->actor, agent->created_at,
	        &(struct identity_event) {
	                .type = "agent.created",
	                .entity_type = "agent",
	                .ids = { { "agent_id", ID_PREFIX_agent, agent->id.uuid },
	                        { "owner_id", ID_PREFIX_user, agent->owner.uuid } },
	                .new_values = writer_slice(&values),
	        });
}

/* ERR_NOT_FOUND when there is no such owner. */
static enum status registration_work(struct sql *sql, void *arg)
{
	struct registration *registration = arg;
	const struct agent *agent = registration->agent;
	struct user owner;
	enum status status = agent_by_id(sql, agent->id, registration->arena, &registration->stored);
	if (status == STATUS_OK)
		return agent_set_secret(sql, agent->id, &agent->secret_hash, agent->created_at);
	if (status != ERR_NOT_FOUND)
		return status;
	status = agent_by_email(sql, registration->email_hash, registration->arena, &registration->stored);
	if (status != ERR_NOT_FOUND)
		return status == STATUS_OK ? ERR_ALREADY_EXISTS : status;
	TRY(user_by_id(sql, agent->owner, registration->arena, &owner));
	TRY(registration_store(sql, registration));
	registration->stored = *agent;
	return STATUS_OK;
}

enum status identity_agent_create(struct identity_service *service, const struct actor *actor,
        const struct agent_draft *draft, struct arena *arena, struct agent *ret_agent, struct slice *ret_secret,
        struct problem *problem)
{
	struct sha256 email_hash;
	int64_t now = clock_now();
	struct slice secret = identity_secret_new(SECRET_PREFIX, arena);
	TRY(identity_email_check(&service->keys, draft->email, &email_hash, problem));
	if (slice_is_empty(draft->name))
		return problem_set(problem, ERR_INVALID_FIELD, "name", "An agent has a name.");
	const struct agent agent = {
		.id = draft->id,
		.name = draft->name,
		.sealed_email = identity_keys_seal(&service->keys, draft->id.uuid, draft->email, arena),
		.owner = draft->owner,
		.secret_hash = secret_hash(service, secret),
		.status = SLICE("active"),
		.created_at = now,
		.updated_at = now,
	};
	struct registration registration = { actor, &agent, &email_hash, arena, { .id = draft->id } };
	enum status status = committer_run(service->committer, registration_work, &registration);
	if (status == ERR_ALREADY_EXISTS || status == ERR_DATABASE_CONSTRAINT)
		return problem_set(problem, ERR_ALREADY_EXISTS, "email", "Another agent has this address.");
	if (status == ERR_NOT_FOUND)
		return problem_set(problem, ERR_INVALID_FIELD, "owner_id", "There is no such user.");
	TRY(status);
	TRY(agent_unseal(service, arena, &registration.stored));
	*ret_agent = registration.stored;
	*ret_secret = secret;
	return STATUS_OK;
}

enum status identity_agent_get(
        struct identity_service *service, struct agent_id id, struct arena *arena, struct agent *ret_agent)
{
	struct agent agent;
	TRY(IDENTITY_READ(service, agent_by_id(sql, id, arena, &agent)));
	TRY(agent_unseal(service, arena, &agent));
	*ret_agent = agent;
	return STATUS_OK;
}

enum status identity_agent_list(struct identity_service *service, const struct page *page, struct arena *arena,
        struct agent **ret_agents, size_t *ret_count)
{
	struct agent *agents;
	size_t count;
	TRY(IDENTITY_READ(service, agent_list(sql, page, arena, &agents, &count)));
	for (size_t i = 0; i < count; i++)
		TRY(agent_unseal(service, arena, &agents[i]));
	*ret_agents = agents;
	*ret_count = count;
	return STATUS_OK;
}

struct switching {
	const struct actor *actor;
	struct agent_id id;
	bool active;
	int64_t now;
	struct arena *arena;
	struct agent stored;
};

static enum status switching_work(struct sql *sql, void *arg)
{
	struct switching *switching = arg;
	struct arena *arena = switching->arena;
	struct slice status = switching->active ? SLICE("active") : SLICE("suspended");
	TRY(agent_by_id(sql, switching->id, arena, &switching->stored));
	if (slice_equal(switching->stored.status, status))
		return STATUS_OK;
	const struct identity_event event = {
		.type = switching->active ? "agent.activated" : "agent.suspended",
		.entity_type = "agent",
		.ids = { { "agent_id", ID_PREFIX_agent, switching->id.uuid } },
		.old_values = arena_format(arena, "{\"status\":\"%.*s\"}", SLICE_ARGS(switching->stored.status)),
		.new_values = arena_format(arena, "{\"status\":\"%.*s\"}", SLICE_ARGS(status)),
	};
	TRY(agent_set_status(sql, switching->id, status, switching->now));
	switching->stored.status = status;
	switching->stored.updated_at = switching->now;
	return identity_event_add(sql, switching->actor, switching->now, &event);
}

enum status identity_agent_set_active(struct identity_service *service, const struct actor *actor, struct agent_id id,
        bool active, struct arena *arena, struct agent *ret_agent)
{
	struct switching switching = { .actor = actor, .id = id, .active = active, .now = clock_now(), .arena = arena };
	TRY(committer_run(service->committer, switching_work, &switching));
	identity_standing_forget(service, id.uuid);
	TRY(agent_unseal(service, arena, &switching.stored));
	*ret_agent = switching.stored;
	return STATUS_OK;
}

enum status identity_agent_token(struct identity_service *service, struct slice client_id, struct slice client_secret,
        struct arena *arena, struct slice *ret_token, int64_t *ret_seconds)
{
	struct agent_id id = { { { 0 } } };
	struct agent agent = { 0 };
	/* An unknown client is compared with a hash that nothing matches, so that it takes the same way. */
	bool is_known = agent_id_parse(client_id, &id);
	enum status status = IDENTITY_READ(service, agent_by_id(sql, id, arena, &agent));
	if (status != STATUS_OK && status != ERR_NOT_FOUND)
		return status;
	is_known = is_known && status == STATUS_OK;
	struct sha256 hash = secret_hash(service, client_secret);
	bool matches = crypto_equal(slice_make(hash.bytes, sizeof hash.bytes),
	        slice_make(agent.secret_hash.bytes, sizeof agent.secret_hash.bytes));
	if (!is_known || !matches)
		return ERR_INVALID_CLIENT;
	if (!slice_is(agent.status, "active"))
		return ERR_AGENT_SUSPENDED;
	const struct principal principal = {
		.kind = PRINCIPAL_AGENT,
		.id = agent.id.uuid,
		.roles = ROLE_AGENT,
		.owner = agent.owner,
	};
	TRY(identity_token_issue(service, &principal, clock_now(), arena, ret_token));
	*ret_seconds = service->access_token_seconds;
	return STATUS_OK;
}
