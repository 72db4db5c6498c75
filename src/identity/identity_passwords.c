#include "identity/identity_core.h"

#include "base/clock.h"
#include "platform/password.h"

/* Counts characters, not bytes: the continuation bytes of UTF-8 begin with 10. */
enum status identity_password_acceptable(struct slice password, const char *param, struct problem *problem)
{
	size_t characters = 0;
	for (size_t i = 0; i < password.size; i++)
		characters += ((unsigned char)password.data[i] & 0xc0) != 0x80;
	if (characters < PASSWORD_CHARACTERS_MIN || password.size > PASSWORD_BYTES_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, param,
		        "A password has at least %d characters and at most %d bytes.", PASSWORD_CHARACTERS_MIN,
		        PASSWORD_BYTES_MAX);
	return STATUS_OK;
}

struct change {
	struct login_attempt attempt;
	bool matches;
	struct session_id kept;
	struct slice old_hash; /* what the current password was compared with */
	struct slice hash;
	struct arena *arena;
	enum status outcome;
};

static enum status change_store(struct sql *sql, const struct change *change)
{
	int64_t now = change->attempt.now;
	TRY(user_set_password(sql, change->attempt.user, change->hash, false, now));
	TRY(session_revoke_others(sql, change->attempt.user, change->kept, now));
	return identity_event_add(sql, change->attempt.actor, now,
	        &(struct identity_event) {
	                .type = "user.password_changed",
	                .entity_type = "user",
	                .ids = { { "user_id", ID_PREFIX_user, change->attempt.user.uuid } },
	        });
}

/* Refusals that are stored (a counted failure) are an outcome, not a status: the work itself succeeds. */
static enum status change_work(struct sql *sql, void *arg)
{
	struct change *change = arg;
	struct user user;
	TRY(identity_attempt_check(sql, &change->attempt));
	TRY(user_by_id(sql, change->attempt.user, change->arena, &user));
	/* Somebody else changed it meanwhile: the password that was checked is not the current one any more. */
	bool matches = change->matches && slice_equal(user.password_hash, change->old_hash);
	change->outcome = matches ? STATUS_OK : ERR_INVALID_CREDENTIALS;
	return matches ? change_store(sql, change) : identity_attempt_failed(sql, &change->attempt);
}

static enum status change_run(struct identity_service *service, const struct actor *actor,
        const struct principal *principal, struct slice current, struct slice fresh, struct arena *arena)
{
	struct user user;
	struct sha256 email_hash;
	char hash[PASSWORD_HASH_MAX];
	TRY(identity_user_get(service, (struct user_id) { principal->id }, arena, &user));
	TRY(identity_email_check(&service->keys, user.email, &email_hash, NULL));
	struct change change = {
		.attempt = identity_attempt(service, actor, &email_hash, user.id),
		.kept = principal->session,
		.old_hash = user.password_hash,
		.arena = arena,
	};
	enum status checked = password_check(current, user.password_hash);
	if (checked != STATUS_OK && checked != ERR_INVALID_CREDENTIALS)
		return checked;
	change.matches = checked == STATUS_OK;
	if (change.matches) {
		TRY(password_hash(fresh, hash));
		change.hash = slice_from(hash);
	}
	TRY(committer_run(service->committer, change_work, &change));
	return change.outcome;
}

enum status identity_password_change(struct identity_service *service, const struct actor *actor,
        const struct principal *principal, struct slice current, struct slice fresh, struct problem *problem)
{
	if (principal_is_agent(principal))
		return problem_set(problem, ERR_FORBIDDEN, "", "An agent has no password.");
	TRY(identity_password_acceptable(fresh, "new_password", problem));
	if (slice_equal(current, fresh))
		return problem_set(problem, ERR_INVALID_FIELD, "new_password",
		        "The new password must differ from the current one.");
	struct arena arena = { 0 };
	enum status status = change_run(service, actor, principal, current, fresh, &arena);
	/* Which other sessions ended is not known here, so nothing is believed any more. */
	if (status == STATUS_OK)
		memo_forget_all(service->standings);
	arena_clean_up(&arena);
	return status;
}
