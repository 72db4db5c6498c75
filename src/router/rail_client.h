/* The external rails: one rail processor spoken to over HTTP. Sends nothing twice: a repeat has the same key, which the
 * processor answers as the first time. */
#pragma once

#include "base/arena.h"
#include "router/payment.h"
#include "router/router_service.h"

struct rail_client;

/* `rails_url`: where the processor is; `public_url`: where it reaches us. */
struct rail_client *rail_client_new(struct slice rails_url, struct slice public_url);
/* Accepts NULL. */
void rail_client_free(struct rail_client *client);

/* What is known afterwards; never fails, since not to know is an answer. Texts live in the arena. */
struct rail_report rail_send(
        struct rail_client *client, const struct payment *payment, const struct attempt *attempt, struct arena *arena);
struct rail_report rail_ask(struct rail_client *client, const struct attempt *attempt, struct arena *arena);
/* ANSWER_SETTLED, ANSWER_DECLINED, or an answer that means to try again. */
struct rail_report rail_refund(struct rail_client *client, const struct payment *payment, const struct attempt *attempt,
        const struct refund *refund, struct arena *arena);
