#include "router/attempt_change.h"

#include "base/clock.h"
#include "base/log.h"
#include "platform/metrics.h"

/* Waits between tries to send, questions after a lost answer, and looks at what a rail has accepted. */
enum { REPORT_TRIES_MAX = 4, RETRY_FIRST_SECONDS = 1, RETRY_MOST_SECONDS = 60 };
enum { ASK_FIRST_SECONDS = 1, ASK_MOST_SECONDS = 300, LOOK_AFTER_SECONDS = 5 };

static enum status react_accept(struct attempt_case *c)
{
	struct attempt_change change = attempt_change_of(c, ATTEMPT_ACCEPTED, in_seconds(LOOK_AFTER_SECONDS));
	change.tries = 0;
	change.network_reference = c->report.network_reference;
	change.payment_to = PAYMENT_ACCEPTED;
	return attempt_change_commit(c->service, &change);
}

static enum status react_late(struct attempt_case *c)
{
	struct attempt_change change = attempt_change_of(c, ATTEMPT_SETTLED_LATE, 0);
	change.network_reference = c->report.network_reference;
	change.is_late = true;
	group_suspense(&c->group, &c->payment, &c->attempt);
	log_event(LOG_WARNING, "router", "late settlement", LOG_ID("attempt_id", ID_PREFIX_attempt, c->attempt.id.uuid),
	        LOG_ID("payment_id", ID_PREFIX_payment, c->payment.id.uuid));
	return attempt_change_post(c->service, &c->group, &change);
}

/* Holds are posted at settlement on every rail: until then the money is neither the payee's nor free. */
static enum status react_settle(struct attempt_case *c)
{
	struct attempt_change change = attempt_change_of(c, ATTEMPT_SETTLED, 0);
	change.network_reference = c->report.network_reference;
	change.payment_to = PAYMENT_SETTLED;
	group_settle(&c->group, &c->payment, &c->attempt);
	return attempt_change_post(c->service, &c->group, &change);
}

static enum status react_decline(struct attempt_case *c)
{
	struct attempt_change change = attempt_change_of(c, ATTEMPT_DECLINED, clock_now());
	change.network_reference = c->report.network_reference;
	change.code = c->report.code;
	return attempt_change_commit(c->service, &change);
}

/* What is left of the payment goes back to the wallet; of a refunded one, nothing is. */
static enum status react_return(struct attempt_case *c)
{
	struct attempt_change change = attempt_change_of(c, ATTEMPT_RETURNED, 0);
	change.code = change.reason = c->report.code;
	if (c->payment.status != PAYMENT_SETTLED)
		return attempt_change_commit(c->service, &change);
	change.payment_to = PAYMENT_RETURNED;
	group_return(&c->group, &c->payment, &c->attempt);
	return attempt_change_post(c->service, &c->group, &change);
}

static enum status react_unknown(struct attempt_case *c)
{
	int tries = c->attempt.tries + 1;
	struct attempt_change change = attempt_change_of(
	        c, ATTEMPT_UNKNOWN, in_seconds(backoff_seconds(tries, ASK_FIRST_SECONDS, ASK_MOST_SECONDS)));
	change.tries = tries;
	change.payment_to = PAYMENT_UNKNOWN;
	return attempt_change_commit(c->service, &change);
}

/* The rail provably has nothing of it: once more with the same key, or, after enough tries, void. */
static enum status react_retry(struct attempt_case *c)
{
	int tries = c->attempt.tries + 1;
	bool is_enough = tries >= ATTEMPT_TRIES_MAX;
	struct attempt_change change = attempt_change_of(c, is_enough ? ATTEMPT_VOID : ATTEMPT_PENDING,
	        is_enough ? clock_now() : in_seconds(backoff_seconds(tries, RETRY_FIRST_SECONDS, RETRY_MOST_SECONDS)));
	change.tries = tries;
	if (is_enough)
		change.code = slice_from(status_code(ERR_RAIL_UNAVAILABLE));
	return attempt_change_commit(c->service, &change);
}

static enum status react_nothing(struct attempt_case *c)
{
	(void)c;
	return STATUS_OK;
}

static const struct {
	enum status (*run)(struct attempt_case *c);
	const char *outcome; /* for the metric */
} reactions[] = {
	[ACTION_NONE] = { react_nothing, NULL },
	[ACTION_ACCEPT] = { react_accept, "accepted" },
	[ACTION_SETTLE] = { react_settle, "settled" },
	[ACTION_DECLINE] = { react_decline, "declined" },
	[ACTION_RETURN] = { react_return, "returned" },
	[ACTION_SETTLE_RETURN] = { react_settle, "settled" }, /* and looked at again: then it is a return */
	[ACTION_UNKNOWN] = { react_unknown, "unknown" },
	[ACTION_RETRY] = { react_retry, "not_sent" },
	[ACTION_LATE] = { react_late, "late" },
};

static void count_outcome(const struct attempt *attempt, const char *outcome)
{
	char label[40];
	struct writer out = writer_fixed(label, sizeof label - 1);
	label[sizeof label - 1] = 0;
	if (!outcome)
		return;
	writef(&out, "%s_%s", rail_name(attempt->rail), outcome);
	write_char(&out, 0);
	metric_add(METRIC_rail_attempts_total, label, 1);
}

/* A hold that was voided cannot be posted: the rail settled what it had declined before. */
static enum status react(struct attempt_case *c, enum attempt_action action)
{
	enum status status = reactions[action].run(c);
	if (status == ERR_HOLD_ALREADY_VOIDED)
		return react_late(c);
	if (status == STATUS_OK)
		count_outcome(&c->attempt, reactions[action].outcome);
	return status;
}

enum status attempt_case_report(struct attempt_case *c, struct attempt_id id, const struct rail_report *said)
{
	enum status status = ERR_STATE_CONFLICT;
	for (int i = 0; i < REPORT_TRIES_MAX; i++) {
		TRY(attempt_case_load(c, id));
		c->report = *said;
		enum attempt_action action = attempt_react(c->attempt.status, said->answer);
		status = react(c, action);
		if (status != ERR_STATE_CONFLICT && !(status == STATUS_OK && action == ACTION_SETTLE_RETURN))
			break;
	}
	return status;
}

enum status attempt_report(struct router_service *service, struct attempt_id id, const struct rail_report *said)
{
	struct arena arena = { 0 };
	struct attempt_case *c = attempt_case_new(service, &actor_system, &arena);
	enum status status = attempt_case_report(c, id, said);
	arena_clean_up(&arena);
	if (status == STATUS_OK && said->answer == ANSWER_DECLINED)
		router_ring(service);
	return status;
}
