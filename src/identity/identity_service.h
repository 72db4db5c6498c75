/* Identity: users, their sessions, agents, access tokens and consents. All functions may be called from any thread;
 * what they return lives in the arena; times are taken from the wall clock here. */
#pragma once

#include "identity/identity_api.h"
#include "identity/identity_store.h"
#include "platform/engines.h"

struct identity_options {
	const struct engines *engines;
	struct slice issuer;           /* of tokens, such as "http://127.0.0.1:8080" */
	struct slice key_folder;       /* made, with keys, when absent; see identity_keys.h */
	int64_t access_token_seconds;  /* 0 = 900 */
	int64_t refresh_token_seconds; /* how long a session lasts at most; 0 = 2592000 */
};

struct identity_service;

enum status identity_service_start(
        const struct identity_options *options, struct identity_service **ret_service, struct problem *problem);
/* Accepts NULL. */
void identity_service_stop(struct identity_service *service);
struct identity_api identity_service_api(struct identity_service *service);
extern const struct sql_migrations identity_migrations;

/* When there is no user at all, makes the administrator admin@localhost with a random password, which still works until
 * it is changed; the login's answer asks for that. Both texts are NUL-terminated and "" when `*ret_created` is false.
 */
enum status identity_bootstrap(
        struct identity_service *service, char ret_email[64], char ret_password[64], bool *ret_created);

/* Roles by name: ["admin"]. */
void write_roles(struct json_writer *json, unsigned roles);
bool role_parse(struct slice name, unsigned *ret_role);

/* --- Users ------------------------------------------------------------------------------------------------------ */

enum { PASSWORD_CHARACTERS_MIN = 12, PASSWORD_BYTES_MAX = 256, EMAIL_MAX = 254 };

struct user_draft {
	struct user_id id; /* a repeat with the same id gives the user that was made */
	struct slice email, password, name;
	unsigned roles;
};
/* ERR_ALREADY_EXISTS when another user has the address. */
enum status identity_user_create(struct identity_service *service, const struct actor *actor,
        const struct user_draft *draft, struct arena *arena, struct user *ret_user, struct problem *problem);
enum status identity_user_get(
        struct identity_service *service, struct user_id id, struct arena *arena, struct user *ret_user);
/* The page's rows and one more if there is one, newest first; so are the other lists. */
enum status identity_user_list(struct identity_service *service, const struct page *page, struct arena *arena,
        struct user **ret_users, size_t *ret_count);
/* Ends the user's other sessions. ERR_INVALID_CREDENTIALS, ERR_ACCOUNT_LOCKED. */
enum status identity_password_change(struct identity_service *service, const struct actor *actor,
        const struct principal *principal, struct slice current, struct slice fresh, struct problem *problem);

/* --- Sessions --------------------------------------------------------------------------------------------------- */

struct login {
	struct user user;
	struct session_id session;
	struct slice access_token;
	int64_t access_token_seconds;
	struct slice refresh_token;
};
/* ERR_INVALID_CREDENTIALS whether the user exists or not; ERR_ACCOUNT_LOCKED after too many failures. */
enum status identity_login(struct identity_service *service, const struct actor *actor, struct slice email,
        struct slice password, struct arena *arena, struct login *ret_login, struct problem *problem);
/* ERR_INVALID_CREDENTIALS, or ERR_REFRESH_REUSED, and then the whole session is revoked. */
enum status identity_refresh(struct identity_service *service, const struct actor *actor, struct slice refresh_token,
        struct arena *arena, struct login *ret_login);
/* Of a user; an agent has no session and nothing to log out of. */
enum status identity_logout(
        struct identity_service *service, const struct actor *actor, const struct principal *principal);

/* --- Agents and their tokens ------------------------------------------------------------------------------------ */

struct agent_draft {
	struct agent_id id;
	struct slice name, email;
	struct user_id owner;
};
/* The secret is shown once, here. A repeat with the same id gives the agent that was made and a fresh secret in place
 * of the lost one: a crash came between storing and answering, and only a keyed hash of the first is kept. */
enum status identity_agent_create(struct identity_service *service, const struct actor *actor,
        const struct agent_draft *draft, struct arena *arena, struct agent *ret_agent, struct slice *ret_secret,
        struct problem *problem);
enum status identity_agent_get(
        struct identity_service *service, struct agent_id id, struct arena *arena, struct agent *ret_agent);
enum status identity_agent_list(struct identity_service *service, const struct page *page, struct arena *arena,
        struct agent **ret_agents, size_t *ret_count);
/* Takes effect at once, on tokens already given out too. */
enum status identity_agent_set_active(struct identity_service *service, const struct actor *actor, struct agent_id id,
        bool active, struct arena *arena, struct agent *ret_agent);
/* The client credentials grant: ERR_INVALID_CLIENT, ERR_AGENT_SUSPENDED. */
enum status identity_agent_token(struct identity_service *service, struct slice client_id, struct slice client_secret,
        struct arena *arena, struct slice *ret_token, int64_t *ret_seconds);

/* The public keys, as served; the issuer's name. */
void identity_write_jwks(struct identity_service *service, struct writer *out);
struct slice identity_issuer(const struct identity_service *service);

/* --- Consents --------------------------------------------------------------------------------------------------- */

/* `draft` has its id; a valid_from of 0 means now. A repeat with the same id gives the consent that was granted. */
enum status identity_consent_grant(struct identity_service *service, const struct actor *actor,
        const struct principal *principal, const struct consent *draft, struct arena *arena,
        struct consent *ret_consent, struct problem *problem);
enum status identity_consent_get(
        struct identity_service *service, struct consent_id id, struct arena *arena, struct consent *ret_consent);
/* Of one agent, or of all when it is nil. */
enum status identity_consent_list(struct identity_service *service, const struct page *page, struct agent_id agent,
        struct arena *arena, struct consent **ret_consents, size_t *ret_count);
/* Revoking again changes nothing. */
enum status identity_consent_revoke(struct identity_service *service, const struct actor *actor, struct consent_id id,
        struct slice reason, struct arena *arena, struct consent *ret_consent);
