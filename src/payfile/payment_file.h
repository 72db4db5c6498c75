/* A payment file: what its owner wants paid, and what became of each order. Read from ISO 20022 pain.001 or CSV,
 * answered with pain.002 and CSV. */
#pragma once

#include "base/arena.h"
#include "base/problem.h"
#include "money/money.h"

enum { PAYMENT_FILE_SIZE_MAX = 64 * 1024 * 1024, PAYMENT_ORDERS_MAX = 100000 };

/* One order: a CdtTrfTxInf of pain.001, a row of a CSV file. Empty slices are absent. */
struct payment_order {
	int line;                    /* where it stands in the file */
	struct slice group_id;       /* PmtInfId */
	struct slice instruction_id; /* InstrId */
	struct slice end_to_end_id;  /* EndToEndId; the id column of a CSV file */
	struct slice amount;         /* with the currency's decimals, once it was found good */
	struct slice currency;
	struct slice payee_name;
	struct slice iban, bic, routing_number, account_number, account_id, card_token;
	struct slice reference; /* remittance information */

	/* Refused before it was sent: an ISO 20022 reason code and a sentence. */
	const char *refusal;
	struct slice refusal_detail;

	/* What the platform answered. */
	bool is_answered;
	struct slice payment_id;
	struct slice status; /* of the payment: "settled", "declined", … */
	struct slice rail, fee;
	struct slice code; /* why not: "consent_daily_limit", "R03" */
	struct slice detail;
};

enum payment_file_format { PAYMENT_FILE_PAIN001, PAYMENT_FILE_CSV };

struct payment_file {
	enum payment_file_format format;
	int version;             /* of pain.001: 3 for pain.001.001.03 */
	struct slice message_id; /* GrpHdr/MsgId; of a CSV file its name without folder */
	struct slice created;    /* GrpHdr/CreDtTm as written */
	struct slice initiator;  /* InitgPty/Nm */
	struct slice declared_count, declared_sum;
	struct payment_order *orders;
	size_t count;
};

/* Reads a whole file, CSV or pain.001 by its first character. `schemas`: folder of the ISO 20022 schemas
 * (pain.001.001.09.xsd …), "" to check the structure without them. A file that cannot be understood as a whole is an
 * error with line and reason in the problem; a single bad order is kept with its `refusal` set. Texts live in the
 * arena. */
enum status payment_file_read(struct slice bytes, struct slice name, struct slice schemas, struct arena *arena,
        struct payment_file *ret_file, struct problem *problem);

/* Grows the list by one. */
struct payment_order *payment_file_add(struct payment_file *file, struct arena *arena);
/* Checks one order by itself: amount, currency, payee. Sets `refusal` where it is bad. */
void payment_order_check(struct payment_order *order, struct arena *arena);
void payment_order_refuse(struct payment_order *order, const char *code, struct slice detail);

/* The formats; called by payment_file_read. */
enum status pain001_read(struct slice bytes, struct slice schemas, struct arena *arena, struct payment_file *file,
        struct problem *problem);
enum status csv_read(struct slice bytes, struct arena *arena, struct payment_file *file, struct problem *problem);

/* The reports. */
struct slice pain002_write(const struct payment_file *file, struct slice report_id, int64_t now, struct arena *arena);
struct slice csv_report_write(const struct payment_file *file, struct arena *arena);

/* The Idempotency-Key of an order: a function of file, group, order id, what is paid to whom, and how many equal orders
 * stand before it, so that the same file sent again pays nothing twice, while two equal orders in one file are two.
 * 64 hex digits and a NUL into `ret_key`. */
enum { ORDER_KEY_SIZE = 65 };
void payment_order_keys(const struct payment_file *file, char (*ret_keys)[ORDER_KEY_SIZE], struct arena *arena);

/* TransactionIndividualStatus (ACSC, ACSP, PDNG, RJCT, CANC) and reason of an order for pain.002. */
const char *payment_order_iso_status(const struct payment_order *order);
const char *payment_order_iso_reason(const struct payment_order *order);
