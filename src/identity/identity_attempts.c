#include "identity/identity_core.h"

#include <arpa/inet.h>

#include "base/clock.h"

/* Whoever has one IPv6 address has the 2^64 of its network, so these count as one. */
static struct slice network_of(struct slice address, char *buffer, size_t capacity)
{
	enum { NETWORK_BYTES = 8 };
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned char bytes[16];
	if (address.size >= capacity)
		return address;
	memcpy(buffer, address.data, address.size);
	buffer[address.size] = '\0';
	if (inet_pton(AF_INET6, buffer, bytes) != 1 || memcmp(bytes, mapped, sizeof mapped) == 0)
		return address;
	memcpy(buffer, bytes, NETWORK_BYTES);
	return slice_make(buffer, NETWORK_BYTES);
}

struct login_attempt identity_attempt(struct identity_service *service, const struct actor *actor,
        const struct sha256 *email_hash, struct user_id user)
{
	char buffer[64];
	struct slice network = network_of(actor->ip_address, buffer, sizeof buffer);
	return (struct login_attempt) {
		.actor = actor,
		.user = user,
		.email_hash = *email_hash,
		.address_hash = identity_keys_hash(&service->keys, "address", network),
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
