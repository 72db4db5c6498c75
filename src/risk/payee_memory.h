/* The pairs of agent and payee that are known to have been paid before: a bounded memory in front of the table
 * risk_payees. A pair never becomes unknown, so only known pairs are kept and nothing is ever invalidated. Safe from
 * many threads. */
#pragma once

#include "money/ids.h"

enum { PAYEE_MEMORY_SIZE = 1 << 16 };

/* Agent and payee as one digest, which is also what the table holds: payee keys may be personal data. */
struct uuid payee_digest(struct agent_id agent, struct slice payee);

struct payee_memory;
struct payee_memory *payee_memory_new(void);
/* Accepts NULL. */
void payee_memory_free(struct payee_memory *memory);

bool payee_memory_knows(struct payee_memory *memory, struct uuid digest);
void payee_memory_add(struct payee_memory *memory, struct uuid digest);
