/* How the rail simulator behaves: what a directive, a scripted rule or a seed asks for. Pure. */
#pragma once

#include "base/slice.h"
#include "base/status.h"
#include "base/uuid.h"
#include "money/money.h"

enum { SANDBOX_CODE_MAX = 16, SANDBOX_RULES_MAX = 64 };

/* What happens to one payment. All zero: accepted, and settled after the rail's usual time. */
struct sandbox_behaviour {
	char decline[SANDBOX_CODE_MAX]; /* "" = not declined */
	char returns[SANDBOX_CODE_MAX]; /* a return with this code follows the settlement */
	int64_t return_after_us;
	int64_t late_us;     /* how much later than usual the notification is sent */
	int64_t slow_us;     /* how long the answer takes */
	int error;           /* answer with this HTTP status, once, and take nothing */
	bool timeout_before; /* the first call hangs and takes nothing */
	bool timeout_after;  /* the first call takes the money, then hangs */
	bool duplicate;      /* every notification is sent twice */
};

/* Reads directives "[sandbox: decline=R03, late=5s]" anywhere in the text; several brackets add up. Unknown words:
 * ERR_INVALID_FIELD, so that a misspelt test does not pass by accident. Durations are "5s" or "250ms". */
enum status sandbox_parse_directives(struct slice text, struct sandbox_behaviour *behaviour);
/* The inside of the brackets: "decline=R03 late=5s". */
enum status sandbox_parse_words(struct slice words, struct sandbox_behaviour *behaviour);

/* A scripted rule: the first that matches is applied, at most `times` times. */
struct sandbox_rule {
	char rail[16]; /* "" = any */
	char payee_contains[64];
	int64_t amount_min_minor, amount_max_minor; /* 0 = no bound */
	struct sandbox_behaviour behaviour;
	int64_t times_left; /* -1 = without end */
};
bool sandbox_rule_matches(const struct sandbox_rule *rule, struct slice rail, struct slice payee, struct money amount);

/* Shares of payments, in 1/10,000, that meet each fate by chance. */
struct sandbox_odds {
	int decline, timeout_before, timeout_after, duplicate, late, returned;
};
/* The fate of an attempt: a pure function of seed and attempt, so that a run can be repeated whatever the order. */
void sandbox_draw(uint64_t seed, struct uuid attempt, const struct sandbox_odds *odds, struct slice rail,
        struct sandbox_behaviour *behaviour);

/* "2.5%" or "0.01" as 1/10,000 shares, at most 100 %. */
bool sandbox_parse_odds(struct slice text, int *ret_odds);
/* How long after acceptance a rail settles, before any lateness; 0 = at once. */
int64_t sandbox_settles_after_us(struct slice rail, int64_t base_us);
