/* Accounts and groups as JSON between processes (minor units), and accounts and transactions as JSON for clients
 * (decimals in major units). */
#pragma once

#include "base/json.h"
#include "ledger/ledger_store.h"

/* --- For neighbours; used by ledger_client.c and the internal routes ------------------------------------------- */

void ledger_json_group(struct writer *out, const struct ledger_group *group);
/* Refuses groups over LEDGER_GROUP_MAX and LEDGER_OPEN_MAX. Arrays and texts live in the arena. */
enum status ledger_json_read_group(
        struct slice body, struct arena *arena, struct ledger_group *ret_group, struct problem *problem);

void ledger_json_account(struct writer *out, const struct ledger_account *account);
/* ERR_NEIGHBOUR_UNAVAILABLE when it is no account. */
enum status ledger_json_read_account(const struct json *json, struct arena *arena, struct ledger_account *ret_account);

/* --- For clients ----------------------------------------------------------------------------------------------- */

void ledger_json_amount(struct json_writer *json, const char *name, struct money amount);
void ledger_json_public_account(struct json_writer *json, const struct ledger_account *account);
void ledger_json_public_entry(struct json_writer *json, const struct ledger_entry *entry);
