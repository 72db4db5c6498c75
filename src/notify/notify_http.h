/* Notify's routes. */
#pragma once

#include "notify/notify_service.h"
#include "platform/http_server.h"

/* `service` may be NULL: the same table for forwarding. */
struct http_routes notify_http_routes(struct notify_service *service);
