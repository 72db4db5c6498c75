/* /v1/users… and /v1/me */
#include "identity/identity_http.h"

void write_user(struct json_writer *json, const struct user *user)
{
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_user, user->id.uuid);
	json_key_text(json, "email", user->email);
	json_key_text_or_null(json, "name", user->name);
	json_key(json, "roles");
	write_roles(json, user->roles);
	json_key_text(json, "status", user->status);
	json_key_instant(json, "created_at", user->created_at);
	json_object_close(json);
}

static void answer_user(
        const struct http_request *request, struct http_response *response, int status, const struct user *user)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	write_user(&json, user);
	http_response_json(response, status, &out);
}

struct user_body {
	struct slice email, password, name;
	struct slice_list roles;
};

static const struct json_field user_fields[] = {
	{ .name = "email", .kind = JSON_AS_TEXT, .is_required = true, .offset = offsetof(struct user_body, email) },
	{ .name = "password",
	        .kind = JSON_AS_TEXT,
	        .is_required = true,
	        .offset = offsetof(struct user_body, password),
	        .max = PASSWORD_BYTES_MAX },
	{ .name = "name", .kind = JSON_AS_TEXT, .offset = offsetof(struct user_body, name) },
	{ .name = "roles",
	        .kind = JSON_AS_TEXT_LIST,
	        .is_required = true,
	        .offset = offsetof(struct user_body, roles) },
};

enum status users_create(void *service, struct http_request *request, struct http_response *response)
{
	struct user_body body = { .name = SLICE_EMPTY };
	struct user user;
	unsigned role;
	TRY(json_read(request->body, user_fields, sizeof user_fields / sizeof *user_fields, &body, request->arena,
	        request->problem));
	struct user_draft draft = {
		.id = { request->operation_id },
		.email = body.email,
		.password = body.password,
		.name = body.name,
	};
	for (size_t i = 0; i < body.roles.count; i++) {
		if (!role_parse(body.roles.items[i], &role))
			return problem_set(request->problem, ERR_INVALID_FIELD, "roles", "A role is admin or auditor.");
		draft.roles |= role;
	}
	TRY(identity_user_create(service, request->actor, &draft, request->arena, &user, request->problem));
	answer_user(request, response, 201, &user);
	return STATUS_OK;
}

enum status users_list(void *service, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	struct user *users;
	size_t count;
	TRY(page_read(request, &page));
	TRY(identity_user_list(service, &page, request->arena, &users, &count));
	page_open(&writer, &page, request->arena);
	for (size_t i = 0; i < count && page_row(&writer, users[i].created_at, users[i].id.uuid); i++)
		write_user(&writer.json, &users[i]);
	page_close(&writer, response);
	return STATUS_OK;
}

enum status users_get(void *service, struct http_request *request, struct http_response *response)
{
	struct user_id id;
	struct user user;
	TRY(path_id(request, ID_PREFIX_user, &id.uuid));
	TRY(identity_user_get(service, id, request->arena, &user));
	answer_user(request, response, 200, &user);
	return STATUS_OK;
}

enum status users_me(void *service, struct http_request *request, struct http_response *response)
{
	const struct principal *principal = request->principal;
	bool is_agent = principal_is_agent(principal);
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	(void)service;
	json_object_open(&json);
	json_key_text(&json, "kind", is_agent ? SLICE("agent") : SLICE("user"));
	json_key_id(&json, "id", is_agent ? ID_PREFIX_agent : ID_PREFIX_user, principal->id);
	json_key(&json, "roles");
	write_roles(&json, principal->roles);
	json_object_close(&json);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}
