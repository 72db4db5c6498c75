/* Which rail carries a payment: hard constraints first, then the lowest fee, then the earliest settlement, then the
 * order of rails.def. Pure: the same question has the same answer. */
#pragma once

#include "router/rail_table.h"

/* Why a rail cannot be used. ROUTE_REASON(NAME, "code") */
#define ROUTE_REASONS(ROUTE_REASON) \
	ROUTE_REASON(UNAVAILABLE, "rail_unavailable") \
	ROUTE_REASON(CURRENCY, "currency_not_carried") \
	ROUTE_REASON(PAYEE, "payee_not_reachable") \
	ROUTE_REASON(BELOW_MINIMUM, "below_minimum") \
	ROUTE_REASON(ABOVE_MAXIMUM, "above_maximum") \
	ROUTE_REASON(DEADLINE, "settles_after_deadline") \
	ROUTE_REASON(CONSENT, "not_in_consent") \
	ROUTE_REASON(NOT_REQUESTED, "another_rail_requested") \
	ROUTE_REASON(TRIED, "already_tried")

enum route_reason {
#define ROUTE_REASON(name, code) ROUTE_##name,
	ROUTE_REASONS(ROUTE_REASON)
#undef ROUTE_REASON
	        ROUTE_REASON_COUNT
};
const char *route_reason_code(enum route_reason reason);

/* Masks have a bit per enum rail. */
struct route_question {
	struct money amount;
	enum payee_kind payee;
	int64_t at;
	int64_t deadline_at; /* 0: none */
	unsigned available;  /* rails that this installation can use */
	unsigned consented;
	unsigned requested; /* RAILS_ALL unless the payer forces one */
	unsigned tried;     /* rails that refused this payment already */
};

struct route_option {
	enum rail rail;
	unsigned reasons; /* bit per enum route_reason; 0: eligible */
	struct money fee;
	int64_t expected_at;
	int rank; /* 1 = chosen; 0 = not eligible */
};

struct route_choice {
	struct route_option options[RAIL_COUNT]; /* in the order of enum rail */
	bool is_possible;
	enum rail rail; /* the chosen one */
};

struct route_choice route_choose(const struct route_question *question);
/* What to tell when no rail is left: ERR_CONSENT_RAIL when the consent alone stands in the way, else ERR_NO_RAIL. */
enum status route_refusal(const struct route_choice *choice);
