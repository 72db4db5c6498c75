/* The life of a payment and of its attempts, as tables. Pure. Every change of a stored state asks here first, inside
 * the commit that makes it, against the state that is stored then. */
#pragma once

#include "base/slice.h"
#include "base/status.h"

/* PAYMENT_STATUS(NAME, "name", "event that tells of it") */
#define PAYMENT_STATUSES(PAYMENT_STATUS) \
	PAYMENT_STATUS(CREATED, "created", "payment.initiated") \
	PAYMENT_STATUS(AWAITING_APPROVAL, "awaiting_approval", "payment.awaiting_approval") \
	PAYMENT_STATUS(AUTHORIZED, "authorized", "payment.authorized") \
	PAYMENT_STATUS(SUBMITTED, "submitted", "payment.submitted") \
	PAYMENT_STATUS(ACCEPTED, "accepted", "payment.accepted") \
	PAYMENT_STATUS(UNKNOWN, "unknown", "payment.unknown") \
	PAYMENT_STATUS(SETTLED, "settled", "payment.settled") \
	PAYMENT_STATUS(RETURNED, "returned", "payment.returned") \
	PAYMENT_STATUS(REFUNDED, "refunded", "payment.refunded") \
	PAYMENT_STATUS(DECLINED, "declined", "payment.declined") \
	PAYMENT_STATUS(FAILED, "failed", "payment.failed") \
	PAYMENT_STATUS(CANCELED, "canceled", "payment.canceled") \
	PAYMENT_STATUS(EXPIRED, "expired", "payment.expired")

enum payment_status {
#define PAYMENT_STATUS(name, text, event) PAYMENT_##name,
	PAYMENT_STATUSES(PAYMENT_STATUS)
#undef PAYMENT_STATUS
	        PAYMENT_STATUS_COUNT
};
const char *payment_status_name(enum payment_status status);
const char *payment_status_event(enum payment_status status);
bool payment_status_parse(struct slice name, enum payment_status *ret_status);

/* The table of transitions. */
bool payment_may_move(enum payment_status from, enum payment_status to);
/* Nothing more happens by itself. */
bool payment_status_is_final(enum payment_status status);

/* ATTEMPT_STATUS(NAME, "name") */
#define ATTEMPT_STATUSES(ATTEMPT_STATUS) \
	ATTEMPT_STATUS(PLANNED, "planned")           /* the next rail is chosen, its hold not yet placed */ \
	ATTEMPT_STATUS(PENDING, "pending")           /* held, never sent */ \
	ATTEMPT_STATUS(SUBMITTED, "submitted")       /* stored before it is sent: perhaps at the rail */ \
	ATTEMPT_STATUS(UNKNOWN, "unknown")           /* sent, no answer */ \
	ATTEMPT_STATUS(ACCEPTED, "accepted")         /* the rail has it and will tell how it ends */ \
	ATTEMPT_STATUS(SETTLED, "settled")           /* the money arrived */ \
	ATTEMPT_STATUS(RETURNED, "returned")         /* it arrived and came back */ \
	ATTEMPT_STATUS(DECLINED, "declined")         /* the rail refused: provably void */ \
	ATTEMPT_STATUS(VOID, "void")                 /* the rail provably never had it */ \
	ATTEMPT_STATUS(CANCELED, "canceled")         /* taken back before it was sent */ \
	ATTEMPT_STATUS(SETTLED_LATE, "settled_late") /* settled after it counted as void; booked to suspense */

enum attempt_status {
#define ATTEMPT_STATUS(name, text) ATTEMPT_##name,
	ATTEMPT_STATUSES(ATTEMPT_STATUS)
#undef ATTEMPT_STATUS
	        ATTEMPT_STATUS_COUNT
};
const char *attempt_status_name(enum attempt_status status);
bool attempt_status_parse(struct slice name, enum attempt_status *ret_status);

/* What is learnt about an attempt: from the rail's answer, a status query, a notification, or from no answer. */
enum rail_answer {
	ANSWER_ACCEPTED,
	ANSWER_SETTLED,
	ANSWER_DECLINED,
	ANSWER_RETURNED,
	ANSWER_SILENCE,    /* sent, but no answer: nobody knows */
	ANSWER_NOT_SENT,   /* no connection: the rail cannot have it */
	ANSWER_NEVER_SEEN, /* the rail says that it has no such attempt */
	ANSWER_COUNT
};

/* What follows. Answers may come late, twice and in any order. */
enum attempt_action {
	ACTION_NONE,          /* known already, or without meaning */
	ACTION_ACCEPT,        /* the attempt is accepted: wait */
	ACTION_SETTLE,        /* post the holds */
	ACTION_DECLINE,       /* the attempt is void: another rail, or the payment failed */
	ACTION_RETURN,        /* give the money back */
	ACTION_SETTLE_RETURN, /* the return overtook the settlement: post, then give back */
	ACTION_UNKNOWN,       /* ask again, for ever */
	ACTION_RETRY,         /* send again, with the same key */
	ACTION_LATE,          /* money moved that we had given up: book it to suspense */
};
enum attempt_action attempt_react(enum attempt_status stored, enum rail_answer answer);

/* How long to wait before the next try or query: doubling from `first`, at most `most` seconds. */
int64_t backoff_seconds(int tries, int64_t first, int64_t most);

enum {
	ATTEMPT_TRIES_MAX = 5,      /* sends without reaching the rail, before the next rail */
	APPROVAL_HOURS = 24,        /* waiting payments expire */
	CREATED_RESUME_SECONDS = 5, /* a payment left in `created` is taken up again */
};

/* True when a failure to post is the ledger's word on this payment (funds, accounts, budget), false when it is trouble
 * that a repeat may survive. */
bool ledger_refusal_is_final(enum status status);
