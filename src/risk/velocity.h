/* What each agent did in the last minute, hour and day: sliding windows, exact for the newest VELOCITY_EXACT payments
 * of an agent. Older ones are counted in sixtieths of the window and leave it up to one sixtieth late, so that a
 * window never reports less than there was. Sums are 128 bits inside; adding costs constant time on average. Safe from
 * many threads. */
#pragma once

#include "risk/risk_rules.h"

enum {
	VELOCITY_EXACT = 1024,
	VELOCITY_SHARDS = 64,
	VELOCITY_AGENTS_PER_SHARD = 128, /* of more agents the one idle for longest is forgotten */
};

struct velocity;
struct velocity *velocity_new(void);
/* Accepts NULL. */
void velocity_free(struct velocity *velocity);

/* Two upper-case letters (ISO 3166-1), or nothing known. */
struct country_code {
	char letters[2];
};
static inline bool country_is_known(struct country_code country)
{
	return country.letters[0] != 0;
}
static inline bool country_equal(struct country_code a, struct country_code b)
{
	return a.letters[0] == b.letters[0] && a.letters[1] == b.letters[1];
}

struct velocity_report {
	struct risk_figures windows[RISK_WINDOW_COUNT];
	bool is_approximate;         /* the day held more than VELOCITY_EXACT payments */
	struct country_code country; /* where the agent was before */
};

/* Counts a payment and tells the windows with it. A time before the agent's latest counts as that latest. */
void velocity_add(struct velocity *velocity, struct agent_id agent, int64_t at, int64_t cents,
        struct country_code country, struct velocity_report *ret_report);
/* The windows as they are at that time, without counting. */
void velocity_peek(struct velocity *velocity, struct agent_id agent, int64_t at, struct velocity_report *ret_report);
