/* Risk in another process: the same risk_api over HTTP. */
#pragma once

#include "platform/neighbour.h"
#include "risk/risk_api.h"

/* The neighbour stays the caller's and outlives the interface. */
struct risk_api risk_client_api(struct neighbour *neighbour);
