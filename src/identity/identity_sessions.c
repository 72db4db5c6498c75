/* Logging in, staying in, logging out. A login is a session; its refresh tokens are one family, of which only the last
 * one is good. */
#include "identity/identity_core.h"

#include "base/clock.h"
#include "platform/password.h"

static const char REFRESH_PREFIX[] = "apr_";

/* The trail names the user, not the unauthenticated caller. */
static struct actor actor_of_user(const struct actor *actor, struct user_id user, struct arena *arena)
{
	struct actor named = *actor;
	struct writer name = writer_growing(arena);
	write_user_id(&name, user);
	named.name = writer_slice(&name);
	return named;
}

static enum status session_event(struct sql *sql, const struct actor *actor, int64_t now, const char *type,
        struct session_id session, struct user_id user)
{
	return identity_event_add(sql, actor, now,
	        &(struct identity_event) {
	                .type = type,
	                .entity_type = "session",
	                .ids = { { "session_id", ID_PREFIX_session, session.uuid },
	                        { "user_id", ID_PREFIX_user, user.uuid } },
	        });
}

/* The tokens of a session that stands, signed after its commit. */
static enum status login_finish(struct identity_service *service, struct arena *arena, int64_t now, struct login *login)
{
	const struct principal principal = {
		.kind = PRINCIPAL_USER,
		.id = login->user.id.uuid,
		.roles = login->user.roles,
		.session = login->session,
	};
	TRY(identity_user_unseal(service, arena, &login->user));
	login->access_token_seconds = service->access_token_seconds;
	return identity_token_issue(service, &principal, now, arena, &login->access_token);
}

struct entry {
	struct login_attempt attempt;
	struct actor actor; /* once the user is known */
	bool matches;
	struct session session;
	struct sha256 refresh_hash;
	enum status outcome;
};

static enum status entry_store(struct sql *sql, const struct entry *entry)
{
	int64_t now = entry->attempt.now;
	TRY(failures_clear(sql, &entry->attempt.email_hash));
	TRY(session_insert(sql, &entry->session, now));
	TRY(refresh_insert(sql, &entry->refresh_hash, entry->session.id, now));
	return identity_event_add(sql, &entry->actor, now,
	        &(struct identity_event) {
	                .type = "user.login",
	                .entity_type = "user",
	                .ids = { { "user_id", ID_PREFIX_user, entry->session.user.uuid },
	                        { "session_id", ID_PREFIX_session, entry->session.id.uuid } },
	        });
}

/* The lock is asked again here, where attempts come one after the other: of many guesses made at the same time only
 * the first ones learn anything. A counted failure is stored, so it is an outcome, not a refusal of the work. */
static enum status entry_work(struct sql *sql, void *arg)
{
	struct entry *entry = arg;
	TRY(identity_attempt_check(sql, &entry->attempt));
	entry->outcome = entry->matches ? STATUS_OK : ERR_INVALID_CREDENTIALS;
	return entry->matches ? entry_store(sql, entry) : identity_attempt_failed(sql, &entry->attempt);
}

/* An unknown address has an empty user: everything that follows is done alike, so neither answer nor time tells. */
static enum status user_find(
        struct identity_service *service, const struct sha256 *email_hash, struct arena *arena, struct user *ret_user)
{
	enum status status = IDENTITY_READ(service, user_by_email(sql, email_hash, arena, ret_user));
	if (status == ERR_NOT_FOUND)
		*ret_user = (struct user) { 0 };
	return status == ERR_NOT_FOUND ? STATUS_OK : status;
}

static enum status login_try(struct identity_service *service, const struct actor *actor,
        const struct sha256 *email_hash, struct slice password, struct arena *arena, struct login *login)
{
	TRY(user_find(service, email_hash, arena, &login->user));
	struct entry entry = { .attempt = identity_attempt(service, actor, email_hash, login->user.id) };
	TRY(IDENTITY_READ(service, identity_attempt_check(sql, &entry.attempt)));
	enum status checked = password_check(password, login->user.password_hash);
	if (checked != STATUS_OK && checked != ERR_INVALID_CREDENTIALS)
		return checked;

	entry.matches = checked == STATUS_OK && slice_is(login->user.status, "active");
	entry.actor = actor_of_user(actor, login->user.id, arena);
	login->session = session_id_new();
	login->refresh_token = identity_secret_new(REFRESH_PREFIX, arena);
	entry.refresh_hash = sha256(login->refresh_token);
	entry.session = (struct session) {
		.id = login->session,
		.user = login->user.id,
		.expires_at = entry.attempt.now + service->refresh_token_seconds * MICROSECONDS_PER_SECOND,
	};
	TRY(committer_run(service->committer, entry_work, &entry));
	TRY(entry.outcome);
	return login_finish(service, arena, entry.attempt.now, login);
}

enum status identity_login(struct identity_service *service, const struct actor *actor, struct slice email,
        struct slice password, struct arena *arena, struct login *ret_login, struct problem *problem)
{
	struct sha256 email_hash;
	struct login login = { 0 };
	TRY(identity_email_check(&service->keys, email, &email_hash, problem));
	if (password.size > PASSWORD_BYTES_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, "password", "The password is too long.");
	TRY(login_try(service, actor, &email_hash, password, arena, &login));
	*ret_login = login;
	return STATUS_OK;
}

struct renewal {
	const struct actor *actor;
	int64_t now;
	struct sha256 old_hash, new_hash;
	struct arena *arena;
	struct session session;
	struct user user;
	enum status outcome;
};

/* Somebody has a copy of a used token: neither copy is trusted any more. */
static enum status renewal_reused(struct sql *sql, struct renewal *renewal)
{
	renewal->outcome = ERR_REFRESH_REUSED;
	if (renewal->session.revoked_at)
		return STATUS_OK;
	TRY(session_revoke(sql, renewal->session.id, renewal->now));
	return session_event(
	        sql, renewal->actor, renewal->now, "session.revoked", renewal->session.id, renewal->session.user);
}

static enum status renewal_work(struct sql *sql, void *arg)
{
	struct renewal *renewal = arg;
	struct session_id id;
	bool used;
	renewal->outcome = STATUS_OK;
	TRY(refresh_by_hash(sql, &renewal->old_hash, &id, &used));
	TRY(session_by_id(sql, id, &renewal->session));
	if (used)
		return renewal_reused(sql, renewal);
	const struct session *session = &renewal->session;
	if (session->revoked_at || !session->user_is_active || renewal->now >= session->expires_at)
		return ERR_INVALID_CREDENTIALS;
	TRY(user_by_id(sql, session->user, renewal->arena, &renewal->user));
	TRY(refresh_use(sql, &renewal->old_hash, renewal->now));
	TRY(refresh_insert(sql, &renewal->new_hash, id, renewal->now));
	const struct actor actor = actor_of_user(renewal->actor, session->user, renewal->arena);
	return session_event(sql, &actor, renewal->now, "session.refreshed", id, session->user);
}

enum status identity_refresh(struct identity_service *service, const struct actor *actor, struct slice refresh_token,
        struct arena *arena, struct login *ret_login)
{
	struct login login = { .refresh_token = identity_secret_new(REFRESH_PREFIX, arena) };
	struct renewal renewal = {
		.actor = actor,
		.now = clock_now(),
		.old_hash = sha256(refresh_token),
		.new_hash = sha256(login.refresh_token),
		.arena = arena,
	};
	enum status status = committer_run(service->committer, renewal_work, &renewal);
	if (status == ERR_NOT_FOUND)
		return ERR_INVALID_CREDENTIALS;
	TRY(status);
	if (renewal.outcome == ERR_REFRESH_REUSED)
		identity_standing_forget(service, renewal.session.id.uuid);
	TRY(renewal.outcome);
	login.user = renewal.user;
	login.session = renewal.session.id;
	TRY(login_finish(service, arena, renewal.now, &login));
	*ret_login = login;
	return STATUS_OK;
}

struct departure {
	const struct actor *actor;
	const struct principal *principal;
	int64_t now;
};

static enum status departure_work(struct sql *sql, void *arg)
{
	const struct departure *departure = arg;
	const struct principal *principal = departure->principal;
	TRY(session_revoke(sql, principal->session, departure->now));
	return session_event(sql, departure->actor, departure->now, "session.revoked", principal->session,
	        (struct user_id) { principal->id });
}

enum status identity_logout(
        struct identity_service *service, const struct actor *actor, const struct principal *principal)
{
	struct departure departure = { .actor = actor, .principal = principal, .now = clock_now() };
	if (principal_is_agent(principal))
		return STATUS_OK;
	TRY(committer_run(service->committer, departure_work, &departure));
	identity_standing_forget(service, principal->session.uuid);
	return STATUS_OK;
}
