/* Carrying out attempts over external rails: what is due next for one, and what a rail's answer brings about. */
#pragma once

#include "router/router_internal.h"

/* Does all that is due now for this attempt. Safe from several threads and processes: a step that somebody else did
 * meanwhile is left alone. */
enum status attempt_run(struct router_service *service, const struct actor *actor, struct attempt_id id);

/* Takes an attempt back that was never sent, and its payment with it. ERR_STATE_CONFLICT when it was. */
enum status attempt_cancel(
        struct router_service *service, const struct actor *actor, const struct payment *payment, struct attempt_id id);

/* The attempt that brought the money to the payee. ERR_NOT_FOUND for a payment on book. */
enum status attempt_settled_of(
        struct router_service *service, struct payment_id payment, struct arena *arena, struct attempt *ret_attempt);
