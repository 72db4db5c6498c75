/* The ledger in this process: posts groups through the committer, reads through the pool. */
#pragma once

#include "ledger/ledger_store.h"
#include "platform/engines.h"

struct ledger_options {
	const struct engines *engines;
};

struct ledger_service;

/* The migrations have been run. */
enum status ledger_service_start(
        const struct ledger_options *options, struct ledger_service **ret_service, struct problem *problem);
/* Accepts NULL. */
void ledger_service_stop(struct ledger_service *service);
struct ledger_api ledger_service_api(struct ledger_service *service);

extern const struct sql_migrations ledger_migrations;

/* As ledger_api.post of a stand-alone transfer or account: each new transfer stores an event `ledger.posted`. */
enum status ledger_service_post(struct ledger_service *service, const struct actor *actor,
        const struct ledger_group *group, struct ledger_refusal *refusal);

/* Reads run on a connection of the pool. */
typedef enum status ledger_read_fn(struct sql *sql, void *arg);
enum status ledger_service_read(struct ledger_service *service, ledger_read_fn *read, void *arg);
/* Stores that a user looked at an account's statement. */
enum status ledger_service_viewed(
        struct ledger_service *service, const struct actor *actor, struct user_id user, struct account_id account);
