/* Risk's routes. */
#pragma once

#include "platform/http_server.h"
#include "risk/risk_service.h"

/* The path on which risk_client.c asks. */
#define RISK_ASSESS_PATH "/internal/v1/risk/assess"

/* `service` may be NULL: the same table for forwarding. */
struct http_routes risk_http_routes(struct risk_service *service);
