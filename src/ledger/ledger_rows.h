/* Columns of the ledger's queries to its types; what cannot be read back was not written by this program and is
 * ERR_DATABASE_CORRUPT. */
#pragma once

#include "ledger/ledger_rules.h"
#include "platform/sql.h"

enum status ledger_row_currency(const struct sql_rows *rows, int column, enum currency *ret_currency);
/* type, book, currency, status, overdraft, debits_pending, debits_posted, credits_pending, credits_posted from `column`
 * on. */
enum status ledger_row_account(const struct sql_rows *rows, int column, struct ledger_account *account);
/* id, kind, debit, credit, amount, currency, reference, payment, description from column 0 on. */
enum status ledger_row_transfer(const struct sql_rows *rows, struct arena *arena, struct ledger_transfer *transfer);
