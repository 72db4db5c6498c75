/* One attempt under work, and a change of it with its payment in one commit. */
#pragma once

#include "router/router_internal.h"

/* An attempt with its payment, as read; on the heap of the arena, since a group is large. */
struct attempt_case {
	struct router_service *service;
	const struct actor *actor; /* whose doing it is: the system's, unless somebody cancels */
	struct actor traced;       /* the same in the trace of the attempt, when the doer has none */
	struct arena *arena;
	struct attempt attempt;
	struct payment payment;
	struct rail_report report;
	struct payment_group group;
};

struct attempt_case *attempt_case_new(struct router_service *service, const struct actor *actor, struct arena *arena);
/* Reads attempt and payment as they are now. ERR_NOT_FOUND. */
enum status attempt_case_load(struct attempt_case *c, struct attempt_id id);
/* What the rail said is done about the attempt as it stands now; see attempt_report. */
enum status attempt_case_report(struct attempt_case *c, struct attempt_id id, const struct rail_report *said);

struct attempt_change {
	const struct actor *actor;
	struct attempt seen; /* the change is refused when the stored one is not like this any more */
	enum attempt_status to;
	int64_t due_at;
	int tries;
	struct slice network_reference, code; /* "": as stored */
	enum payment_status payment_to;       /* PAYMENT_STATUS_COUNT: stays */
	struct slice reason;
	bool must_be_authorized;    /* the payment: for a cancelation */
	const struct attempt *next; /* to be stored too; NULL: none */
	bool takes_rail;            /* the payment goes on over this attempt's rail */
	int64_t expected_at;        /* with takes_rail */
	bool is_late;               /* tell of a late settlement */
	bool has_moved;             /* set: the payment changed its state */
};

/* To `to` and due at `due_at` (0: never), all else as it was seen. */
struct attempt_change attempt_change_of(const struct attempt_case *c, enum attempt_status to, int64_t due_at);
/* ERR_STATE_CONFLICT when the stored attempt is not the seen one any more. */
enum status attempt_change_commit(struct router_service *service, struct attempt_change *change);
/* Together with a posting. With a ledger in another process the group comes first. That is safe: an attempt reaches
 * each of these postings from one state only, a hold ends once, and a repeat changes nothing. */
enum status attempt_change_post(
        struct router_service *service, const struct payment_group *group, struct attempt_change *change);
/* An instant from now. */
int64_t in_seconds(int64_t seconds);
