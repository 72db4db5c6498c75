/* Whom each agent has paid before. Learned from the payments' events: a payee is known once a payment to it settled.
 * The events do not name the payee, which may be personal data; the memory of verdicts does, by digest. Should that
 * have forgotten, the payee stays new. */
#pragma once

#include "money/ids.h"
#include "platform/engines.h"
#include "risk/verdict_memory.h"

struct risk_payees;
enum status risk_payees_new(
        const struct engines *engines, struct verdict_memory *verdicts, struct risk_payees **ret_payees);
/* Accepts NULL. */
void risk_payees_free(struct risk_payees *payees);

/* By payee_digest. */
enum status risk_payees_is_new(struct risk_payees *payees, struct uuid payee, bool *ret_is_new);

/* The outbox_handler; `arg` is the struct risk_payees. */
enum status risk_payees_handle(void *arg, const struct event *events, size_t count);
