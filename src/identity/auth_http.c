/* /v1/auth/…, /v1/oauth/token and /.well-known/… */
#include "identity/identity_http.h"

#include "base/encoding.h"
#include "platform/metrics.h"

/* RFC 6749 section 5.1: answers with tokens are not kept on the way. */
static void never_store(struct http_response *response)
{
	http_response_header(response, "Cache-Control", SLICE("no-store"));
}

static void answer_login(const struct http_request *request, struct http_response *response, const struct login *login)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "access_token", login->access_token);
	json_key_text(&json, "token_type", SLICE("Bearer"));
	json_key_i64(&json, "expires_in", login->access_token_seconds);
	json_key_text(&json, "refresh_token", login->refresh_token);
	json_key_boolean(&json, "password_change_required", login->user.must_change_password);
	json_key(&json, "user");
	write_user(&json, &login->user);
	json_object_close(&json);
	never_store(response);
	http_response_json(response, 200, &out);
}

enum status auth_login(void *service, struct http_request *request, struct http_response *response)
{
	struct {
		struct slice email, password;
	} body = { 0 };
	static const struct json_field fields[] = {
		{ .name = "email", .kind = JSON_AS_TEXT, .is_required = true, .offset = 0 },
		{ .name = "password",
		        .kind = JSON_AS_TEXT,
		        .is_required = true,
		        .offset = sizeof(struct slice),
		        .max = PASSWORD_BYTES_MAX },
	};
	struct login login;
	TRY(json_read(request->body, fields, 2, &body, request->arena, request->problem));
	enum status status = identity_login(
	        service, request->actor, body.email, body.password, request->arena, &login, request->problem);
	metric_add(METRIC_logins_total, status_code(status), 1);
	TRY(status);
	answer_login(request, response, &login);
	return STATUS_OK;
}

enum status auth_refresh(void *service, struct http_request *request, struct http_response *response)
{
	struct slice token = SLICE_EMPTY;
	static const struct json_field fields[] = {
		{ .name = "refresh_token", .kind = JSON_AS_TEXT, .is_required = true },
	};
	struct login login;
	TRY(json_read(request->body, fields, 1, &token, request->arena, request->problem));
	TRY(identity_refresh(service, request->actor, token, request->arena, &login));
	answer_login(request, response, &login);
	return STATUS_OK;
}

enum status auth_logout(void *service, struct http_request *request, struct http_response *response)
{
	TRY(body_is_empty(request));
	if (principal_is_agent(request->principal))
		return problem_set(request->problem, ERR_FORBIDDEN, "",
		        "An agent has no session to end; suspend the agent to make its tokens useless.");
	TRY(identity_logout(service, request->actor, request->principal));
	response->status = 204;
	return STATUS_OK;
}

enum status auth_password(void *service, struct http_request *request, struct http_response *response)
{
	struct {
		struct slice current, fresh;
	} body = { 0 };
	static const struct json_field fields[] = {
		{ .name = "current_password",
		        .kind = JSON_AS_TEXT,
		        .is_required = true,
		        .offset = 0,
		        .max = PASSWORD_BYTES_MAX },
		{ .name = "new_password",
		        .kind = JSON_AS_TEXT,
		        .is_required = true,
		        .offset = sizeof(struct slice),
		        .max = PASSWORD_BYTES_MAX },
	};
	TRY(json_read(request->body, fields, 2, &body, request->arena, request->problem));
	TRY(identity_password_change(
	        service, request->actor, request->principal, body.current, body.fresh, request->problem));
	response->status = 204;
	return STATUS_OK;
}

struct token_request {
	struct slice grant_type, client_id, client_secret, scope;
};

static const struct json_field token_fields[] = {
	{ .name = "grant_type", .kind = JSON_AS_TEXT, .offset = offsetof(struct token_request, grant_type) },
	{ .name = "client_id", .kind = JSON_AS_TEXT, .offset = offsetof(struct token_request, client_id) },
	{ .name = "client_secret", .kind = JSON_AS_TEXT, .offset = offsetof(struct token_request, client_secret) },
	{ .name = "scope", .kind = JSON_AS_TEXT, .offset = offsetof(struct token_request, scope) },
};
enum { TOKEN_FIELDS = sizeof token_fields / sizeof *token_fields, BASIC_MAX = 512 };

/* The problem also says it in the words of RFC 6749 section 5.2. */
static enum status token_refused(
        const struct http_request *request, enum status status, const char *error, const char *param)
{
	struct writer members = writer_fixed(request->problem->members, sizeof request->problem->members - 1);
	writef(&members, "\"error\":\"%s\"", error);
	return problem_set(request->problem, status, param, "%s", status_sentence(status));
}

static const struct json_field *token_field(struct slice name)
{
	for (size_t i = 0; i < TOKEN_FIELDS; i++)
		if (slice_is(name, token_fields[i].name))
			return &token_fields[i];
	return NULL;
}

/* RFC 6749 section 3.2: parameters unknown are ignored, none may come twice. */
static bool read_form(struct slice form, struct arena *arena, struct token_request *token)
{
	struct slice pair, name, value;
	while (slice_split(&form, '&', &pair)) {
		bool has_name = slice_split(&pair, '=', &name);
		if (!has_name || !percent_decode(name, true, arena, &name) ||
		        !percent_decode(pair.data ? pair : SLICE_EMPTY, true, arena, &value))
			return false;
		const struct json_field *field = token_field(name);
		if (!field)
			continue;
		struct slice *target = (struct slice *)(void *)((char *)token + field->offset);
		if (target->data)
			return false;
		*target = value;
	}
	return true;
}

/* HTTP Basic, its two parts form-encoded (RFC 6749 section 2.3.1). Nothing else may then name the client's secret. */
static bool read_basic(struct slice credentials, struct arena *arena, struct token_request *token)
{
	char *buffer = arena_alloc(arena, BASIC_MAX);
	size_t size;
	struct slice id;
	if (token->client_secret.data || !base64_decode(credentials, buffer, BASIC_MAX, &size))
		return false;
	struct slice rest = slice_make(buffer, size);
	if (!slice_split(&rest, ':', &id) || !rest.data)
		return false;
	return percent_decode(id, true, arena, &token->client_id) &&
	       percent_decode(rest, true, arena, &token->client_secret);
}

static enum status read_token_request(const struct http_request *request, struct token_request *token)
{
	static const struct slice form_type = SLICE("application/x-www-form-urlencoded"), scheme = SLICE("Basic ");
	struct slice type = http_request_header(request, "Content-Type");
	struct slice authorization = http_request_header(request, "Authorization");
	if (slice_equal_ignore_case(
	            slice_make(type.data, type.size < form_type.size ? 0 : form_type.size), form_type)) {
		if (!read_form(request->body, request->arena, token))
			return token_refused(request, ERR_MALFORMED_REQUEST, "invalid_request", "");
	} else {
		enum status status =
		        json_read(request->body, token_fields, TOKEN_FIELDS, token, request->arena, request->problem);
		if (status != STATUS_OK)
			return token_refused(request, status, "invalid_request", "");
	}
	if (authorization.size > scheme.size &&
	        slice_equal_ignore_case(slice_make(authorization.data, scheme.size), scheme) &&
	        !read_basic(slice_trim(slice_skip(authorization, scheme.size)), request->arena, token))
		return token_refused(request, ERR_INVALID_CLIENT, "invalid_client", "");
	return STATUS_OK;
}

enum status auth_token(void *service, struct http_request *request, struct http_response *response)
{
	struct token_request token = { 0 };
	struct slice access_token;
	int64_t seconds;
	never_store(response);
	TRY(read_token_request(request, &token));
	if (slice_is_empty(token.grant_type))
		return token_refused(request, ERR_MISSING_FIELD, "invalid_request", "grant_type");
	if (!slice_is(token.grant_type, "client_credentials"))
		return token_refused(request, ERR_UNSUPPORTED_GRANT_TYPE, "unsupported_grant_type", "grant_type");
	if (token.scope.size && !slice_is(token.scope, "payments"))
		return token_refused(request, ERR_INVALID_FIELD, "invalid_scope", "scope");

	enum status status = identity_agent_token(
	        service, token.client_id, token.client_secret, request->arena, &access_token, &seconds);
	metric_add(METRIC_logins_total, status_code(status), 1);
	if (status == ERR_INVALID_CLIENT) {
		http_response_header(response, "WWW-Authenticate", SLICE("Basic realm=\"agentpay\""));
		return token_refused(request, status, "invalid_client", "");
	}
	if (status == ERR_AGENT_SUSPENDED)
		return token_refused(request, status, "unauthorized_client", "");
	TRY(status);

	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "access_token", access_token);
	json_key_text(&json, "token_type", SLICE("Bearer"));
	json_key_i64(&json, "expires_in", seconds);
	json_key_text(&json, "scope", SLICE("payments"));
	json_object_close(&json);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

enum status auth_jwks(void *service, struct http_request *request, struct http_response *response)
{
	struct writer out = writer_growing(request->arena);
	identity_write_jwks(service, &out);
	http_response_header(response, "Cache-Control", SLICE("public, max-age=300"));
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

static void key_url(
        struct json_writer *json, const char *name, struct slice issuer, const char *path, struct arena *arena)
{
	json_key_text(json, name, arena_format(arena, "%.*s%s", SLICE_ARGS(issuer), path));
}

static void key_texts(struct json_writer *json, const char *name, const char *const *texts)
{
	json_key(json, name);
	json_array_open(json);
	for (; *texts; texts++)
		json_text(json, slice_from(*texts));
	json_array_close(json);
}

/* RFC 8414. There is no authorization endpoint, so no response type is supported. */
enum status auth_metadata(void *service, struct http_request *request, struct http_response *response)
{
	static const char *const none[] = { NULL }, *const grants[] = { "client_credentials", NULL },
	                         *const scopes[] = { "payments", NULL },
	                         *const methods[] = { "client_secret_basic", "client_secret_post", NULL };
	struct slice issuer = identity_issuer(service);
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "issuer", issuer);
	key_url(&json, "token_endpoint", issuer, "/v1/oauth/token", request->arena);
	key_url(&json, "jwks_uri", issuer, "/.well-known/jwks.json", request->arena);
	key_texts(&json, "grant_types_supported", grants);
	key_texts(&json, "response_types_supported", none);
	key_texts(&json, "scopes_supported", scopes);
	key_texts(&json, "token_endpoint_auth_methods_supported", methods);
	json_object_close(&json);
	http_response_header(response, "Cache-Control", SLICE("public, max-age=300"));
	http_response_json(response, 200, &out);
	return STATUS_OK;
}
