/* The words of the ledger in JSON and in the database. */
#pragma once

#include "ledger/ledger_api.h"

enum { TRANSFER_KIND_COUNT = TRANSFER_REVERSAL + 1 };

const char *account_type_name(enum account_type type);
const char *account_state_name(enum account_state state);
const char *ledger_book_name(enum ledger_book book);
const char *transfer_kind_name(enum transfer_kind kind);

/* False when the word is not known. */
bool account_type_parse(struct slice name, enum account_type *ret_type);
bool account_state_parse(struct slice name, enum account_state *ret_state);
bool ledger_book_parse(struct slice name, enum ledger_book *ret_book);
bool transfer_kind_parse(struct slice name, enum transfer_kind *ret_kind);
