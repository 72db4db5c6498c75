/* How a payment is decided and begun: a table of steps, run in order until one declines it, makes it wait, or fails. */
#pragma once

#include "router/router_internal.h"

struct payment_work {
	struct router_service *service;
	const struct actor *actor;
	struct arena *arena;
	struct problem *problem;
	struct payment payment;
	struct account_id account_requested;
	bool is_approved; /* somebody has: threshold and risk do not stop it again */
	bool is_stored;   /* the row stands already, in the state payment.status */
	bool is_dry_run;
	struct slice reason;    /* why somebody approved */
	bool must_wait;         /* for an approval */
	enum status refusal;    /* not STATUS_OK: the payment is declined for this */
	struct attempt attempt; /* the first one, on an external rail */
	struct payment_group group;
	struct payment_opening opening;
};

/* Runs the steps that the payment still needs. STATUS_OK: payment.status says where it got to and is stored. A failure
 * leaves either nothing or a payment in `created`, which is run again later. */
enum status payment_steps_run(struct payment_work *work);
/* A word of the ledger about this payment declines it (work->refusal); trouble is handed up. */
enum status payment_decline_for(struct payment_work *work, enum status status);
/* Work on a payment that is stored already; allocated in the arena, where it stays. */
struct payment_work *payment_work_of(struct router_service *service, const struct actor *actor,
        const struct payment *payment, struct arena *arena, struct problem *problem);

/* --- payment_accounts.c ------------------------------------------------------------------------------------------ */

/* The account to pay from, and whether the payee's account can be paid into. */
enum status payment_accounts_find(struct payment_work *work);
/* The agent's account was found closed: the next payment looks for another one. */
void payment_accounts_forget(struct payment_work *work);
