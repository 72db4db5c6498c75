#include "router/payment_rules.h"

static const struct {
	const char *name, *event;
} statuses[PAYMENT_STATUS_COUNT] = {
#define PAYMENT_STATUS(status, text, event_type) { text, event_type },
	PAYMENT_STATUSES(PAYMENT_STATUS)
#undef PAYMENT_STATUS
};

const char *payment_status_name(enum payment_status status)
{
	return (unsigned)status < PAYMENT_STATUS_COUNT ? statuses[status].name : "";
}

const char *payment_status_event(enum payment_status status)
{
	return (unsigned)status < PAYMENT_STATUS_COUNT ? statuses[status].event : "";
}

bool payment_status_parse(struct slice name, enum payment_status *ret_status)
{
	for (unsigned i = 0; i < PAYMENT_STATUS_COUNT; i++)
		if (slice_is(name, statuses[i].name)) {
			*ret_status = (enum payment_status)i;
			return true;
		}
	return false;
}

#define TO(name) (1u << PAYMENT_##name)

/* A row per state: where it may go. `submitted`, `unknown` and `accepted` go back to `authorized` when the attempt is
 * provably void and another rail takes over. `awaiting_approval` goes back to `created` when an approved payment is
 * about to be posted by a ledger in another process. */
static const unsigned moves[PAYMENT_STATUS_COUNT] = {
	[PAYMENT_CREATED] = TO(AUTHORIZED) | TO(SETTLED) | TO(DECLINED),
	[PAYMENT_AWAITING_APPROVAL] =
	        TO(CREATED) | TO(AUTHORIZED) | TO(SETTLED) | TO(DECLINED) | TO(CANCELED) | TO(EXPIRED),
	[PAYMENT_AUTHORIZED] = TO(SUBMITTED) | TO(CANCELED) | TO(FAILED),
	[PAYMENT_SUBMITTED] = TO(ACCEPTED) | TO(UNKNOWN) | TO(SETTLED) | TO(AUTHORIZED) | TO(FAILED),
	[PAYMENT_UNKNOWN] = TO(SUBMITTED) | TO(ACCEPTED) | TO(SETTLED) | TO(AUTHORIZED) | TO(FAILED),
	[PAYMENT_ACCEPTED] = TO(SETTLED) | TO(AUTHORIZED) | TO(FAILED),
	[PAYMENT_SETTLED] = TO(RETURNED) | TO(REFUNDED),
};

bool payment_may_move(enum payment_status from, enum payment_status to)
{
	return (unsigned)from < PAYMENT_STATUS_COUNT && (unsigned)to < PAYMENT_STATUS_COUNT && moves[from] & 1u << to;
}

bool payment_status_is_final(enum payment_status status)
{
	return (unsigned)status < PAYMENT_STATUS_COUNT && (moves[status] == 0 || status == PAYMENT_SETTLED);
}

static const char *const attempt_names[ATTEMPT_STATUS_COUNT] = {
#define ATTEMPT_STATUS(name, text) text,
	ATTEMPT_STATUSES(ATTEMPT_STATUS)
#undef ATTEMPT_STATUS
};

const char *attempt_status_name(enum attempt_status status)
{
	return (unsigned)status < ATTEMPT_STATUS_COUNT ? attempt_names[status] : "";
}

bool attempt_status_parse(struct slice name, enum attempt_status *ret_status)
{
	for (unsigned i = 0; i < ATTEMPT_STATUS_COUNT; i++)
		if (slice_is(name, attempt_names[i])) {
			*ret_status = (enum attempt_status)i;
			return true;
		}
	return false;
}

/* A row per stored state, a column per answer; what is not named is ACTION_NONE. A planned or pending attempt was never
 * sent, so no answer about it means anything. */
static const enum attempt_action reactions[ATTEMPT_STATUS_COUNT][ANSWER_COUNT] = {
	[ATTEMPT_SUBMITTED] = {
		[ANSWER_ACCEPTED] = ACTION_ACCEPT, [ANSWER_SETTLED] = ACTION_SETTLE, [ANSWER_DECLINED] = ACTION_DECLINE,
		[ANSWER_RETURNED] = ACTION_SETTLE_RETURN, [ANSWER_SILENCE] = ACTION_UNKNOWN,
		[ANSWER_NOT_SENT] = ACTION_RETRY, [ANSWER_NEVER_SEEN] = ACTION_RETRY,
	},
	/* No connection for a query says nothing about what was sent before. */
	[ATTEMPT_UNKNOWN] = {
		[ANSWER_ACCEPTED] = ACTION_ACCEPT, [ANSWER_SETTLED] = ACTION_SETTLE, [ANSWER_DECLINED] = ACTION_DECLINE,
		[ANSWER_RETURNED] = ACTION_SETTLE_RETURN, [ANSWER_SILENCE] = ACTION_UNKNOWN,
		[ANSWER_NOT_SENT] = ACTION_UNKNOWN, [ANSWER_NEVER_SEEN] = ACTION_RETRY,
	},
	[ATTEMPT_ACCEPTED] = {
		[ANSWER_SETTLED] = ACTION_SETTLE, [ANSWER_DECLINED] = ACTION_DECLINE,
		[ANSWER_RETURNED] = ACTION_SETTLE_RETURN,
	},
	[ATTEMPT_SETTLED] = { [ANSWER_RETURNED] = ACTION_RETURN },
	[ATTEMPT_DECLINED] = { [ANSWER_SETTLED] = ACTION_LATE },
	[ATTEMPT_VOID] = { [ANSWER_SETTLED] = ACTION_LATE },
	[ATTEMPT_CANCELED] = { [ANSWER_SETTLED] = ACTION_LATE },
};

enum attempt_action attempt_react(enum attempt_status stored, enum rail_answer answer)
{
	if ((unsigned)stored >= ATTEMPT_STATUS_COUNT || (unsigned)answer >= ANSWER_COUNT)
		return ACTION_NONE;
	return reactions[stored][answer];
}

int64_t backoff_seconds(int tries, int64_t first, int64_t most)
{
	int64_t seconds = first;
	for (int i = 1; i < tries && seconds < most; i++)
		seconds *= 2;
	return seconds < most ? seconds : most;
}

bool ledger_refusal_is_final(enum status status)
{
	static const enum status refusals[] = { ERR_TRANSFER_AMOUNT_ZERO, ERR_TRANSFER_SAME_ACCOUNT,
		ERR_ACCOUNT_NOT_FOUND, ERR_ACCOUNT_CLOSED, ERR_CURRENCY_MISMATCH, ERR_BOOK_MISMATCH,
		ERR_BUDGET_EXCEEDED, ERR_INSUFFICIENT_FUNDS, ERR_BALANCE_OVERFLOW };
	for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (status == refusals[i])
			return true;
	return false;
}
