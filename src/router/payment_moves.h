/* Changes of a payment's state: each is checked by payment_rules against what is stored and tells of itself by an event
 * in the same transaction. All but payment_opening_make run inside a commit. */
#pragma once

#include "platform/outbox.h"
#include "router/router_store.h"

/* A new payment in its first state, made ready outside of the commit. Points into payment, actor and arena. */
struct payment_opening {
	const struct payment *payment;
	struct payment_row row;
	struct event events[2];
	size_t event_count;
};
void payment_opening_make(const struct payment *payment, const struct actor *actor, struct arena *arena,
        struct payment_opening *ret_opening);
/* ERR_DATABASE_CONSTRAINT when the payment is stored already. */
enum status payment_opening_store(struct sql *sql, const struct payment_opening *opening);

/* Moves a payment, loaded locked in this commit, and stores all else that was changed in it. ERR_STATE_CONFLICT when
 * its state does not allow that. */
enum status payment_move(struct sql *sql, const struct actor *actor, struct payment *payment, enum payment_status to,
        int64_t at, struct slice reason);

/* An event that is no change of state: "payment.late_settlement". */
enum status payment_tell(
        struct sql *sql, const struct actor *actor, const struct payment *payment, const char *type, int64_t at);
