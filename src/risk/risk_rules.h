/* Which payments look risky, and why: one table of rules over facts. Pure: facts and settings are arguments. */
#pragma once

#include "risk/risk_api.h"

enum risk_window { RISK_MINUTE, RISK_HOUR, RISK_DAY, RISK_WINDOW_COUNT };

/* The length of a window. */
int64_t risk_window_microseconds(enum risk_window window);

/* What one agent did inside a window, over all currencies. */
struct risk_figures {
	int64_t count;
	int64_t sum_cents; /* US cents, see rates.def; INT64_MAX when it is more than that */
};

struct risk_facts {
	int64_t amount_cents;
	int64_t usual_cents; /* mean of the agent's earlier payments of the day; 0 while there are too few */
	struct risk_figures windows[RISK_WINDOW_COUNT]; /* this payment included */
	bool payee_is_new;
	bool country_changed; /* the agent's address is in another country than at its last payment */
	bool country_is_blocked;
};

/* Zero means the default, see risk_settings_complete. */
struct risk_settings {
	int review_threshold;
	int block_threshold;
	int64_t count_limits[RISK_WINDOW_COUNT]; /* payments of one agent */
	int64_t sum_limits[RISK_WINDOW_COUNT];   /* whole US dollars of one agent */
};

/* Puts the defaults in place of zeros. ERR_INVALID_PARAMETER when a threshold is outside 1-101 (101: never), block is
 * below review or a limit is negative. */
enum status risk_settings_complete(struct risk_settings *settings, struct problem *problem);

/* The amount's magnitude in US cents. */
int64_t risk_cents(struct money amount);

/* How many earlier payments of the day make a mean worth comparing with. */
enum { RISK_USUAL_COUNT_MIN = 10 };
/* The facts' usual_cents from the day's figures, this payment included. */
int64_t risk_usual_cents(struct risk_figures day, int64_t amount_cents);

/* Adds up the points of all rules that apply, of rules with the same code the one with the most, and decides. */
void risk_rules_judge(
        const struct risk_settings *settings, const struct risk_facts *facts, struct risk_verdict *ret_verdict);

/* Reason codes by number, for keeping verdicts small; "" beyond the last. The order never matters outside a process. */
enum { RISK_CODE_COUNT = 7 };
const char *risk_code_name(unsigned code);
unsigned risk_code_find(struct slice name); /* RISK_CODE_COUNT when unknown */

/* "allow", "review", "block" */
const char *risk_decision_name(enum risk_decision decision);
bool risk_decision_parse(struct slice name, enum risk_decision *ret_decision);
