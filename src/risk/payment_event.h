/* What risk reads in an event `payment.initiated`. */
#pragma once

#include "base/arena.h"
#include "money/ids.h"
#include "money/money.h"
#include "platform/outbox.h"

struct payment_event {
	struct payment_id id;
	struct agent_id agent;
	struct money amount;
};

/* False when the event is not as its schema says. The arena is for working space. */
bool payment_event_read(const struct event *event, struct arena *arena, struct payment_event *ret_payment);
