/* The rails: what each can carry, to whom, for how much and how fast. One table; everything else asks it. Pure. */
#pragma once

#include "money/money.h"
#include "router/payee.h"

enum { RAIL_REACHES_MAX = 5, RAIL_WINDOWS_MAX = 3, RAIL_ANY_AMOUNT = 0 };

/* Payees of these kinds are reachable in this currency. */
struct rail_reach {
	enum currency currency; /* CURRENCY_NONE: any */
	unsigned payee_kinds;   /* bit per enum payee_kind */
};

/* A processing window of a banking day, minutes of the day in New York. */
struct rail_window {
	int cut_off, settles;
};

enum rail_clock {
	RAIL_CLOCK_ALWAYS,  /* at any time, settled within `settlement_seconds` */
	RAIL_CLOCK_WINDOWS, /* in `windows` of a banking day, else at `opens` of the next one */
	RAIL_CLOCK_HOURS,   /* between `opens` on the eve of a banking day and `closes`, then as ALWAYS */
	RAIL_CLOCK_DAYS,    /* taken at any time, settled `settlement_days` banking days later at `opens` */
};

struct rail_row {
	struct rail_reach reaches[RAIL_REACHES_MAX];
	struct fee_schedule fee; /* in minor units of the payment's currency */
	int64_t min_minor;
	int64_t max_minor;        /* RAIL_ANY_AMOUNT: no limit but AMOUNT_MINOR_MAX */
	int64_t window_max_minor; /* larger amounts miss the windows of the day */
	enum rail_clock clock;
	int64_t settlement_seconds;
	int settlement_days;
	struct rail_window windows[RAIL_WINDOWS_MAX];
	int opens, closes; /* minutes of the day in New York */
	const char *cut_off_text, *settlement_text;
};

const struct rail_row *rail_row(enum rail rail);
bool rail_carries(enum rail rail, enum currency currency);
bool rail_reaches(enum rail rail, enum currency currency, enum payee_kind kind);
/* When the money arrives if the rail gets the payment at `at`. */
int64_t rail_expected_settlement(enum rail rail, struct money amount, int64_t at);
