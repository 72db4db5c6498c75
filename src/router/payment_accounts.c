#include "router/payment_steps.h"

/* What never changes about an account, so that it can be remembered. */
struct account_fact {
	struct agent_id agent;
	enum currency currency;
	bool is_customers; /* money owed to a customer: no budget, and not what the platform keeps for itself */
};

/* Facts end with the process; the memory's own bound is what makes room. */
#define FACTS_END INT64_MAX

enum fact_kind { FACT_ACCOUNT, FACT_OWN_ACCOUNT };

static struct memo_key fact_key(enum fact_kind kind, struct uuid id, enum currency currency)
{
	struct memo_key key = { { 0 } };
	memcpy(key.bytes, id.bytes, sizeof id.bytes);
	key.bytes[sizeof id.bytes] = (unsigned char)kind;
	key.bytes[sizeof id.bytes + 1] = (unsigned char)currency;
	return key;
}

static bool recall(struct payment_work *work, const struct memo_key *key, void *fact, size_t size)
{
	size_t found;
	return memo_get(work->service->accounts, key, 0, fact, size, &found) && found == size;
}

static enum status find_account(struct payment_work *work, struct account_id id, struct account_fact *ret_fact)
{
	const struct ledger_api *ledger = work->service->ledger;
	const struct memo_key key = fact_key(FACT_ACCOUNT, id.uuid, CURRENCY_NONE);
	struct ledger_account account;
	if (recall(work, &key, ret_fact, sizeof *ret_fact))
		return STATUS_OK;
	uint64_t ticket = memo_ticket(work->service->accounts, &key);
	TRY(ledger->account_get(ledger->self, id, work->arena, &account));
	*ret_fact = (struct account_fact) {
		.agent = account.agent,
		.currency = account.currency,
		.is_customers = account.book == BOOK_MONEY && account.type == ACCOUNT_LIABILITY &&
		                !account_is_of_groups(id, account.currency),
	};
	memo_put(work->service->accounts, &key, ticket, slice_make(ret_fact, sizeof *ret_fact), FACTS_END);
	return STATUS_OK;
}

static enum status find_own_account(struct payment_work *work)
{
	struct payment *payment = &work->payment;
	const struct ledger_api *ledger = work->service->ledger;
	const struct memo_key key = fact_key(FACT_OWN_ACCOUNT, payment->agent.uuid, payment->amount.currency);
	if (recall(work, &key, &payment->account, sizeof payment->account))
		return STATUS_OK;
	uint64_t ticket = memo_ticket(work->service->accounts, &key);
	TRY(ledger->account_of_agent(ledger->self, payment->agent, payment->amount.currency, &payment->account));
	memo_put(work->service->accounts, &key, ticket, slice_make(&payment->account, sizeof payment->account),
	        FACTS_END);
	return STATUS_OK;
}

void payment_accounts_forget(struct payment_work *work)
{
	const struct memo_key key = fact_key(FACT_OWN_ACCOUNT, work->payment.agent.uuid, work->payment.amount.currency);
	memo_forget(work->service->accounts, &key);
}

static enum status find_requested_account(struct payment_work *work)
{
	struct payment *payment = &work->payment;
	struct account_fact fact;
	if (!uuid_is_nil(payment->account.uuid) && !uuid_equal(payment->account.uuid, work->account_requested.uuid))
		return problem_set(
		        work->problem, ERR_INVALID_FIELD, "account_id", "The consent pays from another account.");
	TRY(find_account(work, work->account_requested, &fact));
	if (!uuid_equal(fact.agent.uuid, payment->agent.uuid) || !fact.is_customers)
		return ERR_ACCOUNT_NOT_FOUND;
	payment->account = work->account_requested;
	return STATUS_OK;
}

/* A consent may name the agent's own account or one of no agent, such as its owner's; never another agent's. Out of
 * an asset account of the platform money would come from nowhere. */
static enum status check_consented_account(struct payment_work *work)
{
	const struct payment *payment = &work->payment;
	struct account_fact fact;
	TRY(find_account(work, payment->account, &fact));
	bool is_foreign = !uuid_is_nil(fact.agent.uuid) && !uuid_equal(fact.agent.uuid, payment->agent.uuid);
	return is_foreign || !fact.is_customers ? ERR_ACCOUNT_NOT_FOUND : STATUS_OK;
}

/* Into customers' accounts only: not into budgets, nor into what the platform keeps for itself. */
static enum status check_payee_account(struct payment_work *work)
{
	const struct payment *payment = &work->payment;
	struct account_fact fact;
	TRY(find_account(work, payment->payee.account, &fact));
	if (!fact.is_customers)
		return ERR_ACCOUNT_NOT_FOUND;
	return fact.currency == payment->amount.currency ? STATUS_OK : ERR_CURRENCY_MISMATCH;
}

enum status payment_accounts_find(struct payment_work *work)
{
	enum status found = STATUS_OK;
	if (!uuid_is_nil(work->account_requested.uuid))
		found = find_requested_account(work);
	else if (uuid_is_nil(work->payment.account.uuid))
		found = find_own_account(work);
	else
		found = check_consented_account(work);
	if (found == STATUS_OK && work->payment.payee.kind == PAYEE_ACCOUNT)
		found = check_payee_account(work);
	return payment_decline_for(work, found);
}
