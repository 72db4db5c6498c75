/* What the router's own files share. */
#pragma once

#include "identity/identity_api.h"
#include "ledger/ledger_api.h"
#include "platform/engines.h"
#include "platform/flight_set.h"
#include "platform/memo.h"
#include "platform/webhook_signature.h"
#include "risk/risk_api.h"
#include "router/payment_groups.h"
#include "router/payment_moves.h"
#include "router/router_service.h"

struct rail_client;
struct router_worker;

struct router_service {
	const struct engines *engines;
	const struct identity_api *identity;
	const struct ledger_api *ledger;
	const struct risk_api *risk;
	unsigned rails_available;  /* bit per enum rail */
	struct rail_client *rails; /* NULL: only book */
	struct webhook_secret rails_secret;
	bool has_rails_secret;
	struct memo *accounts;       /* facts about accounts that never change */
	struct flight_set in_flight; /* payments being created in this process */
	struct router_worker *worker;
};

/* Reads and writes of the router's own tables outside of a ledger posting. */
enum status router_read_payment(
        struct router_service *service, struct payment_id id, struct arena *arena, struct payment *ret_payment);
enum status router_commit(struct router_service *service, commit_fn *work, void *arg);
/* The workers look for what is due now. */
void router_ring(struct router_service *service);
