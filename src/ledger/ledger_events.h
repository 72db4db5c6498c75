/* What the ledger tells the world, stored inside the caller's transaction. Transfers of a payment are told by the
 * payment's own events. */
#pragma once

#include "ledger/ledger_api.h"

enum status ledger_event_opened(struct sql *sql, const struct actor *actor, const struct ledger_account *account);
enum status ledger_event_posted(
        struct sql *sql, const struct actor *actor, const struct ledger_transfer *transfer, int64_t at);
/* A user looked at an account's statement. */
enum status ledger_event_viewed(
        struct sql *sql, const struct actor *actor, struct user_id user, struct account_id account, int64_t at);
