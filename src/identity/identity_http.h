/* Identity over HTTP: the route table, and what its handler files share. Handlers stand in auth_http.c, users_http.c,
 * agents_http.c, consents_http.c and, for neighbours, internal_http.c. */
#pragma once

#include "identity/identity_service.h"
#include "platform/http_server.h"

/* Accepts NULL: the same table, to forward by or to compare with the contract. */
struct http_routes identity_http_routes(struct identity_service *service);

http_handler auth_login, auth_refresh, auth_logout, auth_password, auth_token, auth_jwks, auth_metadata;
http_handler users_create, users_list, users_get, users_me;
http_handler agents_create, agents_list, agents_get, agents_suspend, agents_activate;
http_handler consents_create, consents_list, consents_get, consents_revoke;
http_handler internal_authenticate, internal_consent_check;

/* The user as shown. */
void write_user(struct json_writer *json, const struct user *user);

/* The identifier in the request's path: ERR_INVALID_ID. */
enum status path_id(const struct http_request *request, const char *prefix, struct uuid *ret_id);

/* ERR_UNKNOWN_FIELD unless the body is empty or {}. */
enum status body_is_empty(const struct http_request *request);
