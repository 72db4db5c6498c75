#include "identity/identity_core.h"

#include "base/clock.h"

struct login_attempt identity_attempt(struct identity_service *service, const struct actor *actor,
        const struct sha256 *email_hash, struct user_id user)
{
	return (struct login_attempt) {
		.actor = actor,
		.user = user,
		.email_hash = *email_hash,
		.address_hash = identity_keys_hash(&service->keys, "address", actor->ip_address),
		.now = clock_now(),
	};
}

enum status identity_attempt_check(struct sql *sql, const struct login_attempt *attempt)
{
	struct login_failures failures;
	TRY(failures_read(sql, &attempt->email_hash, &failures));
	if (login_rules_is_locked(&failures, attempt->now))
		return ERR_ACCOUNT_LOCKED;
	TRY(failures_read(sql, &attempt->address_hash, &failures));
	return login_rules_is_locked(&failures, attempt->now) ? ERR_ACCOUNT_LOCKED : STATUS_OK;
}

static enum status count_failure(
        struct sql *sql, const struct sha256 *subject, int64_t limit, int64_t now, bool *ret_locks)
{
	struct login_failures failures;
	TRY(failures_read(sql, subject, &failures));
	bool locks = login_rules_fail(&failures, limit, now);
	TRY(failures_write(sql, subject, &failures, now));
	*ret_locks = locks;
	return STATUS_OK;
}

/* An unknown user has the nil identifier in the trail: the address that was tried is not kept. */
static enum status attempt_event(struct sql *sql, const struct login_attempt *attempt, const char *type)
{
	return identity_event_add(sql, attempt->actor, attempt->now,
	        &(struct identity_event) {
	                .type = type,
	                .entity_type = "user",
	                .ids = { { "user_id", ID_PREFIX_user, attempt->user.uuid } },
	        });
}

enum status identity_attempt_failed(struct sql *sql, const struct login_attempt *attempt)
{
	bool user_locks, address_locks;
	TRY(count_failure(sql, &attempt->email_hash, LOGIN_FAILURES_OF_USER, attempt->now, &user_locks));
	TRY(count_failure(sql, &attempt->address_hash, LOGIN_FAILURES_OF_ADDRESS, attempt->now, &address_locks));
	TRY(attempt_event(sql, attempt, "user.login_failed"));
	return user_locks ? attempt_event(sql, attempt, "user.locked") : STATUS_OK;
}
