#include "risk/risk_replay.h"

#include "base/clock.h"
#include "risk/payment_event.h"

enum { PAGE_EVENTS = 4096 };

static void replay_event(const struct risk_state *state, const struct event *event)
{
	if (!slice_is(event->type, "payment.initiated"))
		return;
	struct arena arena = { 0 };
	struct payment_event payment;
	struct risk_verdict unused;
	struct velocity_report report;
	if (payment_event_read(event, &arena, &payment) &&
	        verdict_memory_ask(state->memory, payment.id, &unused) == VERDICT_FRESH)
		velocity_add(state->velocity, payment.agent, event->created_at, risk_cents(payment.amount),
		        country_of_address(state->countries, event->ip_address), &report);
	arena_clean_up(&arena);
}

/* Replays one page and moves `after` behind it. */
static enum status replay_page(
        struct sql *sql, const struct risk_state *state, int64_t since_at, int64_t *after, size_t *ret_count)
{
	struct arena arena = { 0 };
	struct event *events;
	enum status status = outbox_read(sql, *after, since_at, PAGE_EVENTS, &arena, &events, ret_count);
	if (status == STATUS_OK) {
		for (size_t i = 0; i < *ret_count; i++)
			replay_event(state, &events[i]);
		if (*ret_count)
			*after = events[*ret_count - 1].sequence;
	}
	arena_clean_up(&arena);
	return status;
}

enum status risk_replay(const struct engines *engines, const struct risk_state *state, int64_t now)
{
	struct sql *sql;
	TRY(sql_pool_take(engines->readers, &sql));
	int64_t after = 0;
	size_t count = PAGE_EVENTS;
	enum status status = STATUS_OK;
	while (status == STATUS_OK && count == PAGE_EVENTS)
		status = replay_page(sql, state, now - risk_window_microseconds(RISK_DAY), &after, &count);
	sql_pool_give(engines->readers, sql);
	return status;
}
