/* The HTTP interface of the rail simulator, which is the interface that the router's external rails speak. */
#pragma once

#include "platform/http_server.h"
#include "sandbox/sandbox_service.h"

struct http_routes sandbox_http_routes(struct sandbox_service *service);
