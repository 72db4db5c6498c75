/* What every process answers about itself: health, readiness, metrics, the API's document, a first page. */
#pragma once

#include "platform/engines.h"
#include "platform/http_server.h"

/* `engines` may be NULL when only the table is wanted. */
struct http_routes meta_http_routes(struct engines *engines);
