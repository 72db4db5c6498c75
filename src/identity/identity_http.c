#include "identity/identity_http.h"

enum { NO_KEY = HTTP_ROUTE_NO_KEY, INTERNAL = HTTP_ROUTE_INTERNAL | HTTP_ROUTE_NO_KEY };

static const struct http_route routes[] = {
	{ HTTP_POST, "/v1/auth/login", auth_login, PERMISSION_PUBLIC, NO_KEY },
	{ HTTP_POST, "/v1/auth/refresh", auth_refresh, PERMISSION_PUBLIC, NO_KEY },
	{ HTTP_POST, "/v1/auth/logout", auth_logout, PERMISSION_SESSION, NO_KEY },
	{ HTTP_POST, "/v1/auth/password", auth_password, PERMISSION_SESSION, NO_KEY },
	{ HTTP_POST, "/v1/oauth/token", auth_token, PERMISSION_PUBLIC, NO_KEY | HTTP_ROUTE_ANY_BODY },
	{ HTTP_GET, "/.well-known/jwks.json", auth_jwks, PERMISSION_PUBLIC, 0 },
	{ HTTP_GET, "/.well-known/oauth-authorization-server", auth_metadata, PERMISSION_PUBLIC, 0 },

	{ HTTP_GET, "/v1/me", users_me, PERMISSION_SESSION, 0 },
	{ HTTP_POST, "/v1/users", users_create, PERMISSION_USER_MANAGE, 0 },
	{ HTTP_GET, "/v1/users", users_list, PERMISSION_USER_MANAGE, 0 },
	{ HTTP_GET, "/v1/users/{id}", users_get, PERMISSION_USER_MANAGE, 0 },

	{ HTTP_POST, "/v1/agents", agents_create, PERMISSION_AGENT_MANAGE, 0 },
	{ HTTP_GET, "/v1/agents", agents_list, PERMISSION_AGENT_VIEW, 0 },
	{ HTTP_GET, "/v1/agents/{id}", agents_get, PERMISSION_AGENT_VIEW, 0 },
	{ HTTP_POST, "/v1/agents/{id}/suspend", agents_suspend, PERMISSION_AGENT_MANAGE, 0 },
	{ HTTP_POST, "/v1/agents/{id}/activate", agents_activate, PERMISSION_AGENT_MANAGE, 0 },

	{ HTTP_POST, "/v1/consents", consents_create, PERMISSION_CONSENT_MANAGE, 0 },
	{ HTTP_GET, "/v1/consents", consents_list, PERMISSION_CONSENT_VIEW, 0 },
	{ HTTP_GET, "/v1/consents/{id}", consents_get, PERMISSION_CONSENT_VIEW, 0 },
	{ HTTP_POST, "/v1/consents/{id}/revoke", consents_revoke, PERMISSION_CONSENT_MANAGE, 0 },

	{ HTTP_POST, "/internal/v1/identity/authenticate", internal_authenticate, PERMISSION_PUBLIC, INTERNAL },
	{ HTTP_POST, "/internal/v1/identity/consent_check", internal_consent_check, PERMISSION_PUBLIC, INTERNAL },
};

struct http_routes identity_http_routes(struct identity_service *service)
{
	return (struct http_routes) {
		.service = "identity",
		.rows = routes,
		.count = sizeof routes / sizeof *routes,
		.self = service,
	};
}

enum status path_id(const struct http_request *request, const char *prefix, struct uuid *ret_id)
{
	if (!id_parse(request->parameters[0], prefix, ret_id))
		return problem_set(request->problem, ERR_INVALID_ID, "id", "The identifier is %s-<uuid>.", prefix);
	return STATUS_OK;
}

enum status body_is_empty(const struct http_request *request)
{
	int nothing;
	return json_read(request->body, NULL, 0, &nothing, request->arena, request->problem);
}
