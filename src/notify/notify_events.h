/* The events of notify itself: what was done to an endpoint. */
#pragma once

#include "notify/notify_store.h"
#include "platform/outbox.h"

/* Inside a commit. `type` such as "webhook.created"; `old_values` and `new_values` are JSON without secrets, or "". */
enum status notify_event_store(struct sql *sql, const char *type, const struct actor *actor, struct webhook_id webhook,
        int64_t at, struct slice old_values, struct slice new_values);
