/* Audit's routes. */
#pragma once

#include "audit/audit_service.h"
#include "platform/http_server.h"

/* `service` may be NULL: the same table for forwarding. */
struct http_routes audit_http_routes(struct audit_service *service);
