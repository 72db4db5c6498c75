/* Which addresses a webhook may have. What a name resolves to is checked when it is connected to (http_client.h);
 * here is refused what can be seen to be wrong beforehand. */
#pragma once

#include "base/problem.h"

enum { WEBHOOK_URL_MAX = 2000 };

/* http or https, a host, no user name or password, no blank or control character. Unless `may_be_private`, no literal
 * address that is not public, in whatever notation, and no name that only means this machine or network.
 * ERR_WEBHOOK_URL_REFUSED with a sentence. */
enum status webhook_url_check(struct slice url, bool may_be_private, struct problem *problem);
