/* The ledger's public and internal addresses. */
#pragma once

#include "ledger/ledger_service.h"
#include "platform/http_server.h"

/* `service` may be NULL: the same table, to be forwarded or described. */
struct http_routes ledger_http_routes(struct ledger_service *service);

/* --- Between the files of the family ----------------------------------------------------------------------------- */

http_handler ledger_accounts_create, ledger_accounts_list, ledger_accounts_get, ledger_accounts_statement;
http_handler ledger_transactions_create, ledger_transactions_list, ledger_transactions_get;
http_handler ledger_trial_balance_get;
http_handler ledger_internal_post, ledger_internal_account_get, ledger_internal_account_of_agent;

/* The account of the path or of a parameter, when the caller may see it; ERR_NOT_FOUND. */
enum status ledger_http_visible_account(struct ledger_service *service, const struct http_request *request,
        struct account_id id, struct ledger_account *ret_account);
/* Query parameters; absent ones leave the target as it is. ERR_INVALID_PARAMETER. */
enum status ledger_http_id(
        const struct http_request *request, const char *name, const char *prefix, struct uuid *ret_id);
enum status ledger_http_currency(const struct http_request *request, enum currency *ret_currency);
/* A page's cursor carries the journal's sequence where other lists have an identifier. */
struct uuid ledger_http_cursor(int64_t sequence);
int64_t ledger_http_sequence(struct uuid cursor);
