#include "identity/login_rules.h"

#include "base/clock.h"

bool login_rules_is_locked(const struct login_failures *failures, int64_t now)
{
	return now < failures->locked_until;
}

bool login_rules_fail(struct login_failures *failures, int64_t limit, int64_t now)
{
	if (now >= failures->window_ends_at) {
		failures->failures = 0;
		failures->window_ends_at = now + LOGIN_WINDOW_SECONDS * MICROSECONDS_PER_SECOND;
		failures->locked_until = 0;
	}
	failures->failures++;
	if (failures->failures < limit)
		return false;
	failures->failures = 0;
	failures->locked_until = now + LOGIN_LOCK_SECONDS * MICROSECONDS_PER_SECOND;
	failures->window_ends_at = failures->locked_until;
	return true;
}
