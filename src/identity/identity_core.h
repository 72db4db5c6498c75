/* What identity's files share inside; nobody else includes this. */
#pragma once

#include "identity/identity_keys.h"
#include "identity/identity_service.h"
#include "platform/memo.h"

/* How long a process believes what it read of a session, an agent or a consent. Changes made by this process take
 * effect at once; those of another one after this time, and a neighbour's own second (identity_client.c) on top keeps
 * the promise of two seconds. */
enum { IDENTITY_BELIEF_MICROSECONDS = 1000 * 1000 };

struct identity_service {
	struct committer *committer;
	struct sql_pool *readers;
	struct slice issuer; /* owned */
	int64_t access_token_seconds;
	int64_t refresh_token_seconds;
	struct identity_keys keys;
	struct memo *tokens;    /* SHA-256 of a verified token -> struct principal */
	struct memo *standings; /* session or agent -> enum standing */
	struct memo *consents;  /* agent and consent -> struct known_consent */
};

/* Reads with a connection of the pool: IDENTITY_READ(service, user_by_id(sql, id, arena, ret_user)). */
#define IDENTITY_READ(service, expression) \
	({ \
		struct sql *sql = NULL; \
		enum status read_ = sql_pool_take((service)->readers, &sql); \
		if (read_ == STATUS_OK) { \
			read_ = (expression); \
			sql_pool_give((service)->readers, sql); \
		} \
		read_; \
	})

/* An event of identity; old and new values are JSON objects or "". */
struct identity_event {
	const char *type;        /* "agent.created" */
	const char *entity_type; /* "agent"; its id is the first of `ids` */
	struct {
		const char *name, *prefix; /* NULL ends the list */
		struct uuid uuid;
	} ids[3];
	struct slice old_values, new_values;
};
enum status identity_event_add(
        struct sql *sql, const struct actor *actor, int64_t now, const struct identity_event *event);

/* Whether what a token speaks for still may act. */
enum standing { STANDING_GOOD, STANDING_SUSPENDED, STANDING_GONE };
enum status identity_agent_standing(struct identity_service *service, struct agent_id id, enum standing *ret_standing);
void identity_standing_forget(struct identity_service *service, struct uuid session_or_agent);

/* An access token (RFC 9068) for a user's session, or for an agent when `session` is nil. In the arena. */
enum status identity_token_issue(struct identity_service *service, const struct principal *principal, int64_t now,
        struct arena *arena, struct slice *ret_token);
enum status identity_authenticate(void *self, struct slice token, int64_t now, struct principal *ret_principal);

enum status identity_consent_check(
        void *self, const struct consent_question *question, struct consent_verdict *ret_verdict);

/* ERR_INVALID_FIELD unless it looks like an e-mail address. `*ret_hash` finds it, whatever its letter case. */
enum status identity_email_check(
        const struct identity_keys *keys, struct slice email, struct sha256 *ret_hash, struct problem *problem);
/* Somebody tries a password. Its failures are counted by the address of the user, known or not, and by the network
 * address that it comes from; see login_rules.h. */
struct login_attempt {
	const struct actor *actor;
	struct user_id user; /* nil: no such user */
	struct sha256 email_hash, address_hash;
	int64_t now;
};
struct login_attempt identity_attempt(struct identity_service *service, const struct actor *actor,
        const struct sha256 *email_hash, struct user_id user);
/* ERR_ACCOUNT_LOCKED while too many have failed. */
enum status identity_attempt_check(struct sql *sql, const struct login_attempt *attempt);
/* Counts a wrong password and stores its events. */
enum status identity_attempt_failed(struct sql *sql, const struct login_attempt *attempt);

/* 12 characters to 256 bytes, else ERR_INVALID_FIELD naming `param`. */
enum status identity_password_acceptable(struct slice password, const char *param, struct problem *problem);
/* Fills the address from its sealed form. */
enum status identity_user_unseal(struct identity_service *service, struct arena *arena, struct user *user);

/* 256 random bits as text behind a prefix that secret scanners know it by. In the arena. */
struct slice identity_secret_new(const char *prefix, struct arena *arena);
