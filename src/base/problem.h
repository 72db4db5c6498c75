/* What a client is told beyond the status: which part of the input is wrong, and how. Filled where the fault is
 * found, shown as RFC 9457 problem+json. Never holds a secret or personal data. */
#pragma once

#include "base/slice.h"
#include "base/status.h"

struct problem {
	char param[64];    /* the member, parameter or header at fault; "" when none */
	char detail[200];  /* one sentence for a person; "" means the status' own sentence */
	char members[160]; /* further members of the document as JSON without braces: "\"payment_id\":\"pay-…\"" */
};

/* Fills the problem (which may be NULL) and returns `status`, so that a check reads `return problem_set(...)`. */
enum status problem_set(struct problem *problem, enum status status, const char *param, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
