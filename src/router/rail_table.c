#include "router/rail_table.h"

#include "router/business_calendar.h"

#include <assert.h>

#define KIND(name) (1u << PAYEE_##name)
#define AT(hour, minute) ((hour)*60 + (minute))

/* Fees are wholesale prices rounded up to the currency's smallest unit, card fees are a processor's retail price.
 * [U] marks what public sources only quote, not state. */
static const struct rail_row rows[RAIL_COUNT] = {
	/* A posting in our own ledger. */
	[RAIL_BOOK] = {
		.reaches = { { CURRENCY_NONE, KIND(ACCOUNT) } },
		.min_minor = 1,
		.clock = RAIL_CLOCK_ALWAYS,
		.cut_off_text = "none, 24x7", .settlement_text = "at once",
	},
	/* FedNow: $0.045 a credit transfer, $10 M since November 2025, 24x7, seconds. RTP: $10 M, $0.045 [U].
	 * SCT Inst: EUR 0.002 a transaction, 10 s by law, 24x7. */
	[RAIL_INSTANT] = {
		.reaches = { { CURRENCY_USD, KIND(US_ACCOUNT) }, { CURRENCY_EUR, KIND(IBAN) } },
		.fee = { .fixed_minor = 5 },
		.min_minor = 1,
		.max_minor = 1000000000,
		.clock = RAIL_CLOCK_ALWAYS,
		.settlement_seconds = 10,
		.cut_off_text = "none, 24x7", .settlement_text = "within 10 seconds",
	},
	/* FedACH origination $0.0035 an item (2022 schedule). Same day to $1,000,000: 10:30, 14:45, 16:45 ET settle 13:00,
	 * 17:00, 18:00 ET; otherwise 08:30 ET of the next banking day. The entry's amount field has ten digits. */
	[RAIL_ACH] = {
		.reaches = { { CURRENCY_USD, KIND(US_ACCOUNT) } },
		.fee = { .fixed_minor = 1 },
		.min_minor = 1,
		.max_minor = 9999999999,
		.window_max_minor = 100000000,
		.clock = RAIL_CLOCK_WINDOWS,
		.windows = { { AT(10, 30), AT(13, 0) }, { AT(14, 45), AT(17, 0) }, { AT(16, 45), AT(18, 0) } },
		.opens = AT(8, 30),
		.cut_off_text = "10:30, 14:45, 16:45 ET on banking days",
		.settlement_text = "13:00, 17:00, 18:00 ET the same day up to 1000000.00, else 08:30 ET next banking day",
	},
	/* Fedwire: $0.94 in the first tier (2024), opens 21:00 ET the evening before, third-party cut-off 18:45 ET, final.
	 * A beneficiary abroad is named by its IBAN and reached through the wire's correspondent. */
	[RAIL_WIRE] = {
		.reaches = { { CURRENCY_USD, KIND(US_ACCOUNT) | KIND(IBAN) } },
		.fee = { .fixed_minor = 94 },
		.min_minor = 1,
		.clock = RAIL_CLOCK_HOURS,
		.settlement_seconds = 60,
		.opens = AT(21, 0), .closes = AT(18, 45),
		.cut_off_text = "18:45 ET on banking days", .settlement_text = "within a minute while open from 21:00 ET the evening before",
	},
	/* 2.9 % + 0.30 retail (2026), payout two banking days later [U]. The ceiling is the processor's. */
	[RAIL_CARD] = {
		.reaches = { { CURRENCY_USD, KIND(CARD) }, { CURRENCY_EUR, KIND(CARD) }, { CURRENCY_GBP, KIND(CARD) },
		        { CURRENCY_CAD, KIND(CARD) }, { CURRENCY_AUD, KIND(CARD) } },
		.fee = { .fixed_minor = 30, .basis_points = 290 },
		.min_minor = 50,
		.max_minor = 99999999,
		.clock = RAIL_CLOCK_DAYS,
		.settlement_days = 2,
		.opens = AT(17, 0),
		.cut_off_text = "none, 24x7", .settlement_text = "two banking days later",
	},
};

const struct rail_row *rail_row(enum rail rail)
{
	assert((unsigned)rail < RAIL_COUNT);
	return &rows[rail];
}

/* Rows are ended by a reach without payees. */
static const struct rail_reach *find_reach(enum rail rail, enum currency currency)
{
	const struct rail_row *row = rail_row(rail);
	for (size_t i = 0; i < RAIL_REACHES_MAX && row->reaches[i].payee_kinds; i++)
		if (row->reaches[i].currency == CURRENCY_NONE || row->reaches[i].currency == currency)
			return &row->reaches[i];
	return NULL;
}

bool rail_carries(enum rail rail, enum currency currency)
{
	return find_reach(rail, currency) != NULL;
}

bool rail_reaches(enum rail rail, enum currency currency, enum payee_kind kind)
{
	const struct rail_reach *reach = find_reach(rail, currency);
	return reach && reach->payee_kinds & 1u << kind;
}

static int64_t expect_windows(const struct rail_row *row, struct money amount, int64_t at)
{
	struct eastern now = eastern_from_instant(at);
	if (!is_banking_day(now.day))
		now = (struct eastern) { .day = banking_day_after(now.day, 0) };
	for (size_t i = 0; i < RAIL_WINDOWS_MAX && amount.minor_units <= row->window_max_minor; i++)
		if (now.minute < row->windows[i].cut_off)
			return eastern_to_instant((struct eastern) { now.day, row->windows[i].settles });
	return eastern_to_instant((struct eastern) { banking_day_after(now.day, 1), row->opens });
}

static int64_t expect_hours(const struct rail_row *row, int64_t at)
{
	struct eastern now = eastern_from_instant(at);
	calendar_day day = banking_day_after(now.day, 0);
	if (day == now.day && now.minute >= row->closes)
		day = banking_day_after(now.day, 1);
	int64_t opens = eastern_to_instant((struct eastern) { day - 1, row->opens });
	return (at > opens ? at : opens) + row->settlement_seconds * MICROSECONDS_PER_SECOND;
}

static int64_t expect_days(const struct rail_row *row, int64_t at)
{
	struct eastern now = eastern_from_instant(at);
	return eastern_to_instant((struct eastern) { banking_day_after(now.day, row->settlement_days), row->opens });
}

int64_t rail_expected_settlement(enum rail rail, struct money amount, int64_t at)
{
	const struct rail_row *row = rail_row(rail);
	switch (row->clock) {
	case RAIL_CLOCK_ALWAYS:
		return at + row->settlement_seconds * MICROSECONDS_PER_SECOND;
	case RAIL_CLOCK_WINDOWS:
		return expect_windows(row, amount, at);
	case RAIL_CLOCK_HOURS:
		return expect_hours(row, at);
	case RAIL_CLOCK_DAYS:
		return expect_days(row, at);
	}
	return at;
}
