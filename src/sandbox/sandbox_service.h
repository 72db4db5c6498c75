/* A stateful simulator of external rails: it takes money at most once per attempt, answers, declines, hangs, notifies
 * late or twice, as directives, scripted rules or a seed say. What it took survives a restart. */
#pragma once

#include "base/arena.h"
#include "base/problem.h"
#include "sandbox/sandbox_rules.h"
#include "sandbox/sandbox_store.h"

struct sandbox_options {
	struct slice database_url; /* of its own: "sqlite:var/sandbox.db" */
	struct slice secret;       /* whsec_…: signs notifications */
	uint64_t seed;
	struct sandbox_odds odds;
	int64_t settle_base_us; /* 0 = 2 s; see sandbox_settles_after_us */
	int64_t hang_us;        /* how long a time-out hangs; 0 = 30 s */
};

struct sandbox_service;
enum status sandbox_service_start(
        const struct sandbox_options *options, struct sandbox_service **ret_service, struct problem *problem);
/* Ends hanging answers and notifications; answers stay possible until sandbox_service_stop. */
void sandbox_service_interrupt(struct sandbox_service *service);
/* Accepts NULL. */
void sandbox_service_stop(struct sandbox_service *service);

struct sandbox_order {
	struct uuid attempt;
	struct slice rail;
	struct money amount;
	struct slice amount_text;
	struct slice payee; /* JSON as sent: searched for directives */
	struct slice reference;
	struct slice notify_url; /* "" = no notifications */
};

/* STATUS_OK with the payment as the network sees it; ERR_RAIL_UNAVAILABLE after a simulated time-out;
 * ERR_INVALID_FIELD for a misspelt directive. `ret_http` is the status to answer with (a scripted error, or 200). */
enum status sandbox_pay(struct sandbox_service *service, const struct sandbox_order *order, struct arena *arena,
        int *ret_http, struct sandbox_payment *ret_payment);
/* ERR_NOT_FOUND when the attempt never reached the network. */
enum status sandbox_find(
        struct sandbox_service *service, struct uuid attempt, struct arena *arena, struct sandbox_payment *ret_payment);
/* Idempotent by the refund's id. ERR_NOT_FOUND, or ERR_STATE_CONFLICT when nothing was taken. */
enum status sandbox_refund(
        struct sandbox_service *service, struct uuid attempt, struct slice refund_id, struct slice amount);
/* Puts rules before those that are there, or clears all when `count` is 0. ERR_OVERLOADED past SANDBOX_RULES_MAX. */
enum status sandbox_script(struct sandbox_service *service, const struct sandbox_rule *rules, size_t count);
enum status sandbox_list(struct sandbox_service *service, struct arena *arena, struct sandbox_payment **ret_payments,
        size_t *ret_count, int64_t *ret_refunds);
