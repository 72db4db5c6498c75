/* Scores payments, counts them, and raises alerts. */
#pragma once

#include "platform/engines.h"
#include "risk/risk_rules.h"
#include "risk/risk_store.h"

struct risk_options {
	const struct engines *engines;
	int review_threshold;                    /* 0 = 65 */
	int block_threshold;                     /* 0 = 75; never below review */
	struct slice country_database;           /* .mmdb path or "" */
	struct slice blocked_countries;          /* "KP,IR"; without data the standard list, "" none */
	int64_t count_limits[RISK_WINDOW_COUNT]; /* payments of one agent in a minute, hour, day; 0 = risk_rules.c */
	int64_t sum_limits[RISK_WINDOW_COUNT];   /* and whole US dollars */
};

struct risk_service;

/* Rebuilds the windows from the events of the last 24 hours, then follows the events if there is an outbox.
 * ERR_INVALID_PARAMETER or ERR_IO with a sentence when an option is wrong. */
enum status risk_service_start(
        const struct risk_options *options, struct risk_service **ret_service, struct problem *problem);
/* After the outbox was stopped. Accepts NULL. */
void risk_service_stop(struct risk_service *service);
struct risk_api risk_service_api(struct risk_service *service);

/* The alerts, newest first; see risk_store_alerts. Stores that `user` looked unless it is nil. */
enum status risk_service_alerts(struct risk_service *service, const struct actor *actor, struct uuid user,
        const struct risk_alert_filter *filter, const struct page *page,
        void (*take)(void *arg, const struct risk_alert *alert), void *arg);

/* The outbox_handler; `arg` is the struct risk_service. */
enum status risk_service_handle(void *arg, const struct event *events, size_t count);

extern const struct sql_migrations risk_migrations;
