/* /v1/agents… */
#include "identity/identity_http.h"

static void write_agent_members(struct json_writer *json, const struct agent *agent)
{
	json_key_id(json, "id", ID_PREFIX_agent, agent->id.uuid);
	json_key_text(json, "name", agent->name);
	json_key_text(json, "email", agent->email);
	json_key_id(json, "owner_id", ID_PREFIX_user, agent->owner.uuid);
	json_key_text(json, "status", agent->status);
	json_key_instant(json, "created_at", agent->created_at);
	json_key_instant(json, "updated_at", agent->updated_at);
}

static void write_agent(struct json_writer *json, const struct agent *agent)
{
	json_object_open(json);
	write_agent_members(json, agent);
	json_object_close(json);
}

static void answer_agent(const struct http_request *request, struct http_response *response, const struct agent *agent)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	write_agent(&json, agent);
	http_response_json(response, 200, &out);
}

struct agent_body {
	struct slice name, email;
	struct uuid owner;
};

static const struct json_field agent_fields[] = {
	{ .name = "name", .kind = JSON_AS_TEXT, .is_required = true, .offset = offsetof(struct agent_body, name) },
	{ .name = "email", .kind = JSON_AS_TEXT, .is_required = true, .offset = offsetof(struct agent_body, email) },
	{ .name = "owner_id",
	        .kind = JSON_AS_ID,
	        .offset = offsetof(struct agent_body, owner),
	        .prefix = ID_PREFIX_user },
};

enum status agents_create(void *service, struct http_request *request, struct http_response *response)
{
	struct agent_body body = { .owner = request->principal->id };
	struct agent agent;
	struct slice secret;
	TRY(json_read(request->body, agent_fields, sizeof agent_fields / sizeof *agent_fields, &body, request->arena,
	        request->problem));
	const struct agent_draft draft = {
		.id = { request->operation_id },
		.name = body.name,
		.email = body.email,
		.owner = { body.owner },
	};
	TRY(identity_agent_create(service, request->actor, &draft, request->arena, &agent, &secret, request->problem));
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	write_agent_members(&json, &agent);
	json_key_id(&json, "client_id", ID_PREFIX_agent, agent.id.uuid);
	json_key_text(&json, "client_secret", secret);
	json_object_close(&json);
	http_response_header(response, "Cache-Control", SLICE("no-store"));
	http_response_json(response, 201, &out);
	return STATUS_OK;
}

/* An agent's list is itself. */
static enum status load_list(struct identity_service *service, const struct http_request *request,
        const struct page *page, struct agent **ret_agents, size_t *ret_count)
{
	const struct principal *principal = request->principal;
	if (!principal_is_agent(principal))
		return identity_agent_list(service, page, request->arena, ret_agents, ret_count);
	*ret_agents = ARENA_NEW(request->arena, struct agent);
	*ret_count = 1;
	return identity_agent_get(service, principal_agent(principal), request->arena, *ret_agents);
}

enum status agents_list(void *service, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	struct agent *agents;
	size_t count;
	TRY(page_read(request, &page));
	TRY(load_list(service, request, &page, &agents, &count));
	page_open(&writer, &page, request->arena);
	for (size_t i = 0; i < count && page_row(&writer, agents[i].created_at, agents[i].id.uuid); i++)
		write_agent(&writer.json, &agents[i]);
	page_close(&writer, response);
	return STATUS_OK;
}

enum status agents_get(void *service, struct http_request *request, struct http_response *response)
{
	struct agent_id id;
	struct agent agent;
	TRY(path_id(request, ID_PREFIX_agent, &id.uuid));
	if (principal_is_agent(request->principal) && !uuid_equal(id.uuid, request->principal->id))
		return ERR_NOT_FOUND;
	TRY(identity_agent_get(service, id, request->arena, &agent));
	answer_agent(request, response, &agent);
	return STATUS_OK;
}

static enum status set_active(
        void *service, const struct http_request *request, bool active, struct http_response *response)
{
	struct agent_id id;
	struct agent agent;
	TRY(path_id(request, ID_PREFIX_agent, &id.uuid));
	TRY(body_is_empty(request));
	TRY(identity_agent_set_active(service, request->actor, id, active, request->arena, &agent));
	answer_agent(request, response, &agent);
	return STATUS_OK;
}

enum status agents_suspend(void *service, struct http_request *request, struct http_response *response)
{
	return set_active(service, request, false, response);
}

enum status agents_activate(void *service, struct http_request *request, struct http_response *response)
{
	return set_active(service, request, true, response);
}
