/* Payments: taken, decided, carried out over rails, given back. The shell around route_rules and payment_rules. */
#pragma once

#include "identity/identity_api.h"
#include "ledger/ledger_api.h"
#include "platform/engines.h"
#include "platform/http_server.h"
#include "risk/risk_api.h"
#include "router/payment.h"

struct router_options {
	const struct engines *engines;
	const struct identity_api *identity;
	const struct ledger_api *ledger;
	const struct risk_api *risk;
	struct slice rails_url;    /* base address of the rail processor; "": only book */
	struct slice rails_secret; /* whsec_…: signs its notifications; "": none are taken */
	struct slice public_url;   /* where the rail processor reaches us */
};

struct router_service;

/* Starts the workers that carry attempts out. ERR_INVALID_PARAMETER for a secret that is none. */
enum status router_service_start(
        const struct router_options *options, struct router_service **ret_service, struct problem *problem);
/* Lets the attempts that are being sent end, then stops. Accepts NULL. */
void router_service_stop(struct router_service *service);

extern const struct sql_migrations router_migrations;

/* What an agent asks for. */
struct payment_order {
	struct payment_id id;
	struct agent_id agent;
	struct consent_id consent; /* nil: whichever covers it */
	struct account_id account; /* nil: the agent's own */
	struct money amount;
	struct payee payee;
	unsigned rails_requested;
	struct slice description, reference;
	int64_t deadline_at;
	struct sha256 body_hash;
	bool is_dry_run; /* decide, but store and move nothing */
};

/* Decides and begins (book: completes) a payment. STATUS_OK whenever the payment is stored, declined ones included:
 * *ret_payment says. With an order whose id is stored already: the stored payment and *ret_is_replay, or
 * ERR_IDEMPOTENCY_CONFLICT when its body was another, ERR_IDEMPOTENCY_IN_FLIGHT while another thread works on it. After
 * any other failure the same order may be sent again. */
enum status payment_create(struct router_service *service, const struct actor *actor, const struct payment_order *order,
        struct arena *arena, struct problem *problem, struct payment *ret_payment, bool *ret_is_replay);

/* Ends the waiting of a payment in awaiting_approval: the consent is asked again, then it goes on as if created now.
 * ERR_NOT_FOUND, ERR_STATE_CONFLICT. */
enum status payment_approve(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct slice reason, struct arena *arena, struct problem *problem, struct payment *ret_payment);
enum status payment_disapprove(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct slice reason, struct arena *arena, struct payment *ret_payment);

/* Takes back what was not sent to a rail yet. ERR_NOT_FOUND, ERR_STATE_CONFLICT. */
enum status payment_cancel(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct arena *arena, struct payment *ret_payment);

/* Gives back part of a settled payment, never more in total than was paid: ERR_REVERSAL_EXCEEDED. `amount_minor` 0: all
 * that is left. A repeat with the same refund id answers as the first time. Over a rail it goes on in the background.
 */
enum status payment_refund(struct router_service *service, const struct actor *actor, struct payment_id id,
        struct refund_id refund_id, int64_t amount_minor, struct slice reason, struct arena *arena,
        struct payment *ret_payment, struct refund *ret_refund);

/* What a rail says about an attempt, from whichever side; late, repeated and out of order is fine. ERR_NOT_FOUND. */
struct rail_report {
	enum rail_answer answer;
	struct slice network_reference, code;
};
enum status attempt_report(struct router_service *service, struct attempt_id id, const struct rail_report *report);
