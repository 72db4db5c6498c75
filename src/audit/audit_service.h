/* Keeps the trail: every event of the outbox becomes a record, in a database of its own. */
#pragma once

#include "audit/audit_verify.h"
#include "platform/engines.h"

struct audit_options {
	const struct engines *engines;   /* where the events are; reads of the trail are stored there as events */
	struct slice audit_database_url; /* migrated by the service itself */
};

struct audit_service;

enum status audit_service_start(
        const struct audit_options *options, struct audit_service **ret_service, struct problem *problem);
/* After the outbox was stopped. Accepts NULL. */
void audit_service_stop(struct audit_service *service);

/* Records, newest first; see audit_store_page. Stores beforehand that `user` looked. */
enum status audit_service_list(struct audit_service *service, const struct actor *actor, struct uuid user,
        const struct audit_filter *filter, const struct page *page, audit_take *take, void *arg);

/* One at a time: ERR_OVERLOADED while another runs. Stores beforehand that `user` looked. */
enum status audit_service_verify(
        struct audit_service *service, const struct actor *actor, struct uuid user, struct audit_finding *ret_finding);

/* The outbox_handler; `arg` is the struct audit_service. */
enum status audit_service_handle(void *arg, const struct event *events, size_t count);

extern const struct sql_migrations audit_migrations;
