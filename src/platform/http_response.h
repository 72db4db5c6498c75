/* What http_server.c needs to know of a response beyond http_server.h. */
#pragma once

#include "platform/http_server.h"

/* True when the response has a header of this name, in any letter case. */
bool http_response_has_header(const struct http_response *response, const char *name);
/* The sentence of RFC 9110 for a status code, "" for a code this server never sends. */
const char *http_reason(int status);
