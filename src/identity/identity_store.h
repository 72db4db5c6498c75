/* Identity's tables. The identity_store_*.c files are the only ones of this service that know SQL. Functions run on the
 * connection they are given, in its transaction if there is one; what they return lives in the arena. A single row that
 * is not there is ERR_NOT_FOUND. Sealed addresses stay sealed here. */
#pragma once

#include "identity/consent_rules.h"
#include "identity/login_rules.h"
#include "platform/crypto.h"
#include "platform/page.h"
#include "platform/sql.h"

struct user {
	struct user_id id;
	struct slice sealed_email;
	struct slice email; /* filled by the service */
	struct slice name;
	unsigned roles;
	struct slice status; /* "active" */
	struct slice password_hash;
	bool must_change_password;
	int64_t created_at;
};

enum status user_insert(struct sql *sql, const struct user *user, const struct sha256 *email_hash);
enum status user_by_id(struct sql *sql, struct user_id id, struct arena *arena, struct user *ret_user);
enum status user_by_email(struct sql *sql, const struct sha256 *email_hash, struct arena *arena, struct user *ret_user);
/* The page's rows and one more if there is one, newest first; so are the other lists. */
enum status user_list(
        struct sql *sql, const struct page *page, struct arena *arena, struct user **ret_users, size_t *ret_count);
/* Whether there is any user at all. */
enum status user_exists(struct sql *sql, bool *ret_exists);
enum status user_set_password(
        struct sql *sql, struct user_id id, struct slice password_hash, bool must_change, int64_t now);

/* All zero when nothing is remembered of the subject. */
enum status failures_read(struct sql *sql, const struct sha256 *subject, struct login_failures *ret_failures);
/* Also forgets what no longer counts of anybody. */
enum status failures_write(
        struct sql *sql, const struct sha256 *subject, const struct login_failures *failures, int64_t now);
enum status failures_clear(struct sql *sql, const struct sha256 *subject);

struct session {
	struct session_id id;
	struct user_id user;
	int64_t expires_at;
	int64_t revoked_at; /* 0: not revoked */
	bool user_is_active;
};

/* Also forgets the user's sessions that are over. */
enum status session_insert(struct sql *sql, const struct session *session, int64_t now);
enum status session_by_id(struct sql *sql, struct session_id id, struct session *ret_session);
enum status session_revoke(struct sql *sql, struct session_id id, int64_t now);
/* All of the user but `kept`. */
enum status session_revoke_others(struct sql *sql, struct user_id user, struct session_id kept, int64_t now);

enum status refresh_insert(struct sql *sql, const struct sha256 *token_hash, struct session_id session, int64_t now);
/* Locks the row until the transaction ends. */
enum status refresh_by_hash(
        struct sql *sql, const struct sha256 *token_hash, struct session_id *ret_session, bool *ret_used);
enum status refresh_use(struct sql *sql, const struct sha256 *token_hash, int64_t now);

struct agent {
	struct agent_id id;
	struct slice name;
	struct slice sealed_email;
	struct slice email; /* filled by the service */
	struct user_id owner;
	struct sha256 secret_hash;
	struct slice status; /* "active", "suspended" */
	int64_t created_at, updated_at;
};

enum status agent_insert(struct sql *sql, const struct agent *agent, const struct sha256 *email_hash);
enum status agent_by_id(struct sql *sql, struct agent_id id, struct arena *arena, struct agent *ret_agent);
enum status agent_by_email(
        struct sql *sql, const struct sha256 *email_hash, struct arena *arena, struct agent *ret_agent);
enum status agent_list(
        struct sql *sql, const struct page *page, struct arena *arena, struct agent **ret_agents, size_t *ret_count);
enum status agent_set_status(struct sql *sql, struct agent_id id, struct slice status, int64_t now);
enum status agent_set_secret(struct sql *sql, struct agent_id id, const struct sha256 *secret_hash, int64_t now);

struct consent {
	struct consent_terms terms;
	struct slice purpose;
	struct slice revoke_reason;
};

enum status consent_insert(struct sql *sql, const struct consent *consent, struct user_id granted_by);
enum status consent_by_id(struct sql *sql, struct consent_id id, struct arena *arena, struct consent *ret_consent);
enum status consent_oldest_active(struct sql *sql, struct agent_id agent, enum currency currency, int64_t at,
        struct arena *arena, struct consent *ret_consent);
/* Of one agent, or of all when it is nil. */
enum status consent_list(struct sql *sql, const struct page *page, struct agent_id agent, struct arena *arena,
        struct consent **ret_consents, size_t *ret_count);
enum status consent_revoke(struct sql *sql, struct consent_id id, struct slice reason, int64_t now);
