/* The only file of risk that knows SQL: alerts, and whom each agent has paid before. */
#pragma once

#include "base/arena.h"
#include "platform/outbox.h"
#include "platform/page.h"
#include "risk/risk_rules.h"

struct risk_alert {
	struct alert_id id; /* a pure function of the payment */
	struct payment_id payment;
	struct agent_id agent;
	int score;
	int threshold;         /* the one at which alerts begin, which the score has crossed */
	struct slice type;     /* code of the reason with the most points */
	struct slice decision; /* risk_decision_name */
	struct slice reasons;  /* JSON, see risk_json.h */
	struct money amount;
	struct slice status;
	int64_t created_at;
};

/* Inside a commit: stores the alert and its event, or nothing when the payment has one already. */
enum status risk_store_alert(struct sql *sql, const struct risk_alert *alert, const struct actor *actor);

/* STATUS_OK with the verdict that the payment's alert holds, ERR_NOT_FOUND when it has none. */
enum status risk_store_verdict(struct sql *sql, struct payment_id payment, struct risk_verdict *ret_verdict);

/* Newest first; a nil id does not filter. `take` gets each row, whose texts live during the call only. */
struct risk_alert_filter {
	struct agent_id agent;
	struct payment_id payment;
};
enum status risk_store_alerts(struct sql *sql, const struct risk_alert_filter *filter, const struct page *page,
        void (*take)(void *arg, const struct risk_alert *alert), void *arg);

/* Whom agents have paid before, by payee_digest. */
enum status risk_store_payee_is_known(struct sql *sql, struct uuid payee, bool *ret_is_known);

/* A payment to a new payee, to be confirmed or dropped. */
struct risk_candidate {
	struct payment_id payment;
	struct agent_id agent;
	struct uuid payee;
	int64_t created_at;
};
enum status risk_store_candidate_add(struct sql *sql, const struct risk_candidate *candidate);
/* ERR_NOT_FOUND when the payment is none. */
enum status risk_store_candidate_payee(struct sql *sql, struct payment_id payment, struct uuid *ret_payee);
/* Ends it: with `is_confirmed` its payee is known from now on. */
enum status risk_store_candidate_end(struct sql *sql, struct payment_id payment, bool is_confirmed);
enum status risk_store_has_candidates(struct sql *sql, bool *ret_has);
