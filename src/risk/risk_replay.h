/* Rebuilds, at start, what risk keeps in memory: the windows of the last 24 hours, and which payments they count. */
#pragma once

#include "platform/engines.h"
#include "risk/country.h"
#include "risk/velocity.h"
#include "risk/verdict_memory.h"

struct risk_state {
	struct velocity *velocity;
	struct verdict_memory *memory;
	const struct country_database *countries; /* may be NULL */
};

enum status risk_replay(const struct engines *engines, const struct risk_state *state, int64_t now);
