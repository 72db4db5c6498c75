/* When wrong passwords lock. Pure: time is an argument. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	LOGIN_FAILURES_OF_USER = 10,
	LOGIN_FAILURES_OF_ADDRESS = 50,
	LOGIN_WINDOW_SECONDS = 15 * 60,
	LOGIN_LOCK_SECONDS = 30 * 60,
};

/* What is remembered of one subject: a user's address, or a network address. All zero at first. */
struct login_failures {
	int64_t failures; /* in the window */
	int64_t window_ends_at;
	int64_t locked_until; /* 0: not locked */
};

bool login_rules_is_locked(const struct login_failures *failures, int64_t now);

/* Counts one more failure, starting a new window when the last is over; true when this one locks. */
bool login_rules_fail(struct login_failures *failures, int64_t limit, int64_t now);
