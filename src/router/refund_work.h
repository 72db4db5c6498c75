/* Giving money back: over the rail that brought it first, then in the ledger. */
#pragma once

#include "router/router_internal.h"

/* Does what is due now for this refund; nothing when it is not due. */
enum status refund_run(struct router_service *service, struct refund_id id);
