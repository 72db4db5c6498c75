/* What other services may know of audit: how reads by people leave their trace. Everything else reaches the trail as
 * the events that services store with their changes. */
#pragma once

#include "money/ids.h"
#include "platform/outbox.h"

/* A user has looked at something. */
struct audit_access {
	struct user_id user;
	const char *resource;    /* "payment", "statement", "audit_event" */
	const char *action;      /* "view", "list", "verify" */
	const char *entity_type; /* of what was looked at; NULL: the resource is its own kind */
	struct uuid entity;      /* nil for a list */
	int64_t at;
};

/* Stores the event `audit.access` in the caller's transaction. */
enum status audit_access_store(struct sql *sql, const struct actor *actor, const struct audit_access *access);
