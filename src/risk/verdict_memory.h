/* Which payments were judged, and how, so that a repeated question gets the same answer and counts once. Remembers
 * the newest of about VERDICT_MEMORY_SIZE payments; those at review or above are found in the store afterwards. Safe
 * from many threads. */
#pragma once

#include "risk/risk_rules.h"

enum { VERDICT_MEMORY_SIZE = 1 << 17 };

struct verdict_memory;
struct verdict_memory *verdict_memory_new(void);
/* Accepts NULL. */
void verdict_memory_free(struct verdict_memory *memory);

enum verdict_state {
	VERDICT_FRESH,   /* never seen; it is noted as seen from now on */
	VERDICT_COUNTED, /* seen, and counted in its windows, but the verdict is not known */
	VERDICT_JUDGED,
};

/* The verdict is set for VERDICT_JUDGED only. */
enum verdict_state verdict_memory_ask(
        struct verdict_memory *memory, struct payment_id payment, struct risk_verdict *ret_verdict);
/* `new_payee` is the payee_digest of a payee that was not known, else nil. */
void verdict_memory_keep(struct verdict_memory *memory, struct payment_id payment, const struct risk_verdict *verdict,
        struct uuid new_payee);

/* What was kept as the payment's new payee; nil when there was none, or the payment is not remembered. */
struct uuid verdict_memory_new_payee(struct verdict_memory *memory, struct payment_id payment);
