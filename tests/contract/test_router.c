#include "router_stage.h"

#include "router/attempt_change.h"
#include "router/attempt_work.h"

static void a_book_payment_is_one_commit(void **state)
{
	stage_open(state);
	stage_fund(10000);
	stage.consent.budgets[0] = (struct consent_budget) { BUDGET_DAILY, account_id_new(), 5000 };
	stage.consent.budgets[1] = (struct consent_budget) { BUDGET_MONTHLY, account_id_new(), 9000 };
	stage.consent.budget_count = 2;
	struct payment_order order = stage_order(1000, NULL);
	uint64_t commits = committer_figures(stage.house.committer).commits;
	struct payment payment = stage_paid(&order);
	assert_int_equal(committer_figures(stage.house.committer).commits, commits + 1);
	assert_int_equal(payment.status, PAYMENT_SETTLED);
	assert_int_equal(payment.rail, RAIL_BOOK);
	assert_int_equal(payment.completed_at, payment.created_at);
	assert_int_equal(stage_balance(stage.wallet), 9000);
	assert_int_equal(stage_balance(stage.payee), 1000);
	assert_int_equal(stage_balance(stage.consent.budgets[0].account), -1000);
	assert_int_equal(stage_balance(stage.consent.budgets[1].account), -1000);
	struct payment stored = stage_payment(order.id);
	assert_int_equal(stored.status, PAYMENT_SETTLED);
	assert_int_equal(stored.budget_count, 2);
	assert_slice(stored.payee.key, arena_text(&stage.arena, payment.payee.key));
	assert_int_equal(stage_number("SELECT count(*) FROM outbox WHERE entity_type = 'payment'"), 2);
	stage_close();
}

static void a_repeat_is_answered_and_another_body_refused(void **state)
{
	stage_open(state);
	stage_fund(10000);
	struct payment_order order = stage_order(1000, NULL);
	struct payment payment = stage_paid(&order);
	bool is_replay = false;
	stage.consent.refusal = ERR_CONSENT_REVOKED; /* a repeat is not decided again */
	assert_status(stage_pay(&order, &payment, &is_replay), STATUS_OK);
	assert_true(is_replay);
	assert_int_equal(payment.status, PAYMENT_SETTLED);
	order.body_hash.bytes[0] ^= 1;
	assert_status(stage_pay(&order, &payment, &is_replay), ERR_IDEMPOTENCY_CONFLICT);
	assert_int_equal(stage_balance(stage.payee), 1000);
	stage_close();
}

static void a_declined_payment_stays_declined(void **state)
{
	stage_open(state);
	struct payment_order order = stage_order(1000, NULL);
	struct payment payment = stage_paid(&order);
	bool is_replay = false;
	assert_int_equal(payment.status, PAYMENT_DECLINED);
	assert_slice(payment.decline_code, "insufficient_funds");
	stage_fund(10000);
	assert_status(stage_pay(&order, &payment, &is_replay), STATUS_OK);
	assert_true(is_replay);
	assert_int_equal(payment.status, PAYMENT_DECLINED);
	assert_int_equal(stage_balance(stage.wallet), 10000);
	stage_close();
}

static void what_declines_a_payment_is_stored_and_moves_nothing(void **state)
{
	stage_open(state);
	stage_fund(10000);
	const struct {
		enum status consent;
		enum risk_decision risk;
		unsigned rails;
		int64_t amount, daily, monthly;
		const char *payee;
		const char *code;
	} rows[] = {
		{ ERR_CONSENT_REVOKED, RISK_ALLOW, RAILS_ALL, 100, 0, 0, NULL, "consent_revoked" },
		{ STATUS_OK, RISK_BLOCK, RAILS_ALL, 100, 0, 0, NULL, "risk_blocked" },
		{ STATUS_OK, RISK_ALLOW, 1u << RAIL_ACH, 100, 0, 0, NULL, "consent_rail" },
		{ STATUS_OK, RISK_ALLOW, RAILS_ALL, 100000001, 0, 0, "{\"card_token\":\"tok\"}", "no_rail" },
		{ STATUS_OK, RISK_ALLOW, RAILS_ALL, 10001, 0, 0, NULL, "insufficient_funds" },
		{ STATUS_OK, RISK_ALLOW, RAILS_ALL, 100, 99, 1000, NULL, "consent_daily_limit" },
		{ STATUS_OK, RISK_ALLOW, RAILS_ALL, 100, 1000, 99, NULL, "consent_monthly_limit" },
		{ STATUS_OK, RISK_ALLOW, RAILS_ALL, 100, 0, 0,
		        "{\"account_id\":\"acct-01890a5d-ac96-774b-bcce-b302099a8057\"}", "account_not_found" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		stage.consent.refusal = rows[i].consent;
		stage.consent.rails = rows[i].rails;
		stage.risk.decision = rows[i].risk;
		stage.consent.budget_count = rows[i].daily ? 2 : 0;
		stage.consent.budgets[0] = (struct consent_budget) { BUDGET_DAILY, account_id_new(), rows[i].daily };
		stage.consent.budgets[1] =
		        (struct consent_budget) { BUDGET_MONTHLY, account_id_new(), rows[i].monthly };
		struct payment_order order = stage_order(rows[i].amount, rows[i].payee);
		struct payment payment = stage_paid(&order);
		if (payment.status != PAYMENT_DECLINED || !slice_is(payment.decline_code, rows[i].code))
			fail_msg("%s: %s %.*s", rows[i].code, payment_status_name(payment.status),
			        SLICE_ARGS(payment.decline_code));
		assert_int_equal(stage_payment(order.id).status, PAYMENT_DECLINED);
	}
	assert_int_equal(stage_balance(stage.wallet), 10000);
	assert_int_equal(stage_held(stage.wallet), 0);
	assert_int_equal(stage_number("SELECT count(*) FROM outbox WHERE type = 'payment.declined'"), 8);
	stage_close();
}

static void nobody_is_paid_into_the_platforms_own_accounts(void **state)
{
	stage_open(state);
	stage_fund(10000);
	static struct payment_group group;
	struct payment_order external = stage_order(100, US_PAYEE);
	struct payment payment = stage_paid(&external);
	const struct attempt attempt = { .id = stage_attempt(external.id, 1), .rail = RAIL_ACH };
	group_hold(&group, &payment, &attempt);
	stage_await(external.id, PAYMENT_SETTLED);
	assert_slice(group.open[0].name, "Clearing ach USD");
	const struct account_id forbidden[] = { stage.cash, group.open[0].id };
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		stage.payee = forbidden[i];
		struct payment_order order = stage_order(100, NULL);
		assert_slice(stage_paid(&order).decline_code, "account_not_found");
	}
	stage.payee = stage_account(ACCOUNT_LIABILITY, stage.agent, CURRENCY_EUR);
	struct payment_order order = stage_order(100, NULL);
	assert_slice(stage_paid(&order).decline_code, "currency_mismatch");
	stage.payee = stage.wallet;
	order = stage_order(100, NULL);
	assert_slice(stage_paid(&order).decline_code, "transfer_same_account");
	/* another agent's account cannot be paid from */
	order = stage_order(100, NULL);
	order.account = stage_account(ACCOUNT_LIABILITY, agent_id_new(), CURRENCY_USD);
	assert_slice(stage_paid(&order).decline_code, "account_not_found");
	stage_close();
}

enum { PAYERS = 8, PAYMENTS_EACH = 6 };

static void *pay_often(void *arg)
{
	const struct payment_order *orders = arg;
	for (int i = 0; i < PAYMENTS_EACH; i++) {
		struct arena arena = { 0 };
		struct problem problem;
		struct payment payment;
		bool is_replay;
		assert_status(
		        payment_create(stage.router, &actor_system, &orders[i], &arena, &problem, &payment, &is_replay),
		        STATUS_OK);
		arena_clean_up(&arena);
	}
	return NULL;
}

static void a_budget_holds_under_concurrency(void **state)
{
	static struct payment_order orders[PAYERS][PAYMENTS_EACH];
	pthread_t threads[PAYERS];
	stage_open(state);
	stage_fund(1000000);
	stage.consent.budgets[0] = (struct consent_budget) { BUDGET_DAILY, account_id_new(), 1050 };
	stage.consent.budget_count = 1;
	for (int i = 0; i < PAYERS; i++)
		for (int k = 0; k < PAYMENTS_EACH; k++)
			orders[i][k] = stage_order(100, NULL);
	for (int i = 0; i < PAYERS; i++)
		pthread_create(&threads[i], NULL, pay_often, orders[i]);
	for (int i = 0; i < PAYERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(stage_balance(stage.payee), 1000);
	assert_int_equal(stage_number("SELECT count(*) FROM payments WHERE status = 'settled'"), 10);
	assert_int_equal(stage_number("SELECT count(*) FROM payments WHERE decline_code = 'consent_daily_limit'"),
	        PAYERS * PAYMENTS_EACH - 10);
	stage_close();
}

static void *pay_the_same(void *arg)
{
	const struct payment_order *order = arg;
	struct arena arena = { 0 };
	struct problem problem;
	struct payment payment;
	bool is_replay;
	enum status status = payment_create(stage.router, &actor_system, order, &arena, &problem, &payment, &is_replay);
	assert_true(status == STATUS_OK || status == ERR_IDEMPOTENCY_IN_FLIGHT);
	arena_clean_up(&arena);
	return NULL;
}

static void one_order_sent_at_once_is_one_payment(void **state)
{
	pthread_t threads[PAYERS];
	stage_open(state);
	stage_fund(10000);
	struct payment_order order = stage_order(100, NULL);
	for (int i = 0; i < PAYERS; i++)
		pthread_create(&threads[i], NULL, pay_the_same, &order);
	for (int i = 0; i < PAYERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(stage_balance(stage.payee), 100);
	stage_close();
}

static struct payment_order stage_overtaken_by;

/* While the consent is being asked, a second router does the whole payment. */
static enum status consent_overtaken(
        void *self, const struct consent_question *question, struct consent_verdict *ret_verdict)
{
	struct router_service *own = stage.router;
	struct payment payment;
	bool is_replay;
	stage.identity.consent_check = stage_consent;
	stage_start_router();
	assert_status(stage_pay(&stage_overtaken_by, &payment, &is_replay), STATUS_OK);
	router_service_stop(stage.router);
	stage.router = own;
	return stage_consent(self, question, ret_verdict);
}

/* Another process stored the payment between our look and our commit: the primary key tells, inside the commit, and the
 * stored payment is the answer. */
static void a_payment_stored_meanwhile_is_answered(void **state)
{
	struct payment payment;
	bool is_replay = false;
	stage_open(state);
	stage_fund(10000);
	stage_overtaken_by = stage_order(100, NULL);
	struct payment_order order = stage_overtaken_by;
	stage.identity.consent_check = consent_overtaken;
	assert_status(stage_pay(&order, &payment, &is_replay), STATUS_OK);
	assert_true(is_replay);
	assert_int_equal(payment.status, PAYMENT_SETTLED);
	assert_int_equal(stage_balance(stage.payee), 100);
	stage_close();
}

static void a_waiting_payment_is_approved_declined_or_canceled(void **state)
{
	struct problem problem = { 0 };
	struct payment payment;
	stage_open(state);
	stage_fund(10000);
	stage.risk.decision = RISK_REVIEW;
	struct payment_order orders[4];
	for (int i = 0; i < 4; i++) {
		orders[i] = stage_order(100, NULL);
		assert_int_equal(stage_paid(&orders[i]).status, PAYMENT_AWAITING_APPROVAL);
	}
	assert_int_equal(stage_held(stage.wallet), 0);
	assert_status(payment_approve(stage.router, &actor_system, orders[0].id, SLICE("fine"), &stage.arena, &problem,
	                      &payment),
	        STATUS_OK);
	assert_int_equal(payment.status, PAYMENT_SETTLED);
	assert_status(payment_approve(
	                      stage.router, &actor_system, orders[0].id, SLICE_EMPTY, &stage.arena, &problem, &payment),
	        ERR_STATE_CONFLICT);
	assert_int_equal(stage_balance(stage.payee), 100);
	assert_status(
	        payment_disapprove(stage.router, &actor_system, orders[1].id, SLICE("no"), &stage.arena, &payment),
	        STATUS_OK);
	assert_int_equal(stage_payment(orders[1].id).status, PAYMENT_DECLINED);
	assert_status(payment_cancel(stage.router, &actor_system, orders[2].id, &stage.arena, &payment), STATUS_OK);
	assert_int_equal(payment.status, PAYMENT_CANCELED);
	assert_status(
	        payment_cancel(stage.router, &actor_system, orders[0].id, &stage.arena, &payment), ERR_STATE_CONFLICT);
	stage.consent.refusal = ERR_CONSENT_REVOKED;
	assert_status(payment_approve(
	                      stage.router, &actor_system, orders[3].id, SLICE_EMPTY, &stage.arena, &problem, &payment),
	        STATUS_OK);
	assert_int_equal(payment.status, PAYMENT_DECLINED);
	assert_slice(payment.decline_code, "consent_revoked");
	assert_int_equal(stage_balance(stage.payee), 100);
	stage_close();
}

static void a_waiting_payment_expires(void **state)
{
	stage_open(state);
	stage_fund(10000);
	stage.consent.needs_approval = true;
	struct payment_order order = stage_order(100, NULL);
	assert_int_equal(stage_paid(&order).status, PAYMENT_AWAITING_APPROVAL);
	assert_status(payment_expire(stage.router, order.id), STATUS_OK);
	assert_int_equal(stage_payment(order.id).status, PAYMENT_EXPIRED);
	assert_status(payment_expire(stage.router, order.id), STATUS_OK);
	stage_close();
}

static void a_dry_run_stores_nothing(void **state)
{
	struct payment payment;
	bool is_replay = false;
	stage_open(state);
	stage_fund(10000);
	struct payment_order order = stage_order(100, US_PAYEE);
	order.is_dry_run = true;
	assert_status(stage_pay(&order, &payment, &is_replay), STATUS_OK);
	assert_int_equal(payment.rail, RAIL_ACH);
	stage.consent.refusal = ERR_CONSENT_EXPIRED;
	assert_status(stage_pay(&order, &payment, &is_replay), ERR_CONSENT_EXPIRED);
	assert_int_equal(stage_number("SELECT count(*) FROM payments"), 0);
	stage_close();
}

/* The ledger elsewhere, and the process dying before or after the posting: the money moves once all the same. */
static void a_far_ledger_loses_nothing(void **state)
{
	struct payment payment;
	bool is_replay;
	stage_open(state);
	stage_fund(10000);
	stage_go_far();
	static const char *const payees[] = { NULL, US_PAYEE };
	int64_t paid = 0;
	for (unsigned crash = CRASH_BEFORE_POST; crash <= CRASH_AFTER_POST; crash++)
		for (int resumes = 0; resumes < 2; resumes++)
			for (int external = 0; external < 2; external++) {
				struct payment_order order = stage_order(100, payees[external]);
				stage.crash = crash;
				assert_true(stage_pay(&order, &payment, &is_replay) != STATUS_OK);
				assert_int_equal(stage_payment(order.id).status, PAYMENT_CREATED);
				stage.crash = CRASH_NEVER;
				if (resumes)
					assert_status(payment_resume(stage.router, order.id), STATUS_OK);
				else
					assert_status(stage_pay(&order, &payment, &is_replay), STATUS_OK);
				stage_await(order.id, PAYMENT_SETTLED);
				paid += external ? 101 : 100;
				assert_int_equal(stage_balance(stage.wallet), 10000 - paid);
				assert_int_equal(stage_held(stage.wallet), 0);
			}
	struct payment_order order = stage_order(100000, NULL);
	payment = stage_paid(&order);
	assert_int_equal(payment.status, PAYMENT_DECLINED);
	assert_slice(payment.decline_code, "insufficient_funds");
	stage_close();
}

static void an_external_payment_settles(void **state)
{
	stage_open(state);
	stage_fund(10000);
	stage.consent.budgets[0] = (struct consent_budget) { BUDGET_DAILY, account_id_new(), 5000 };
	stage.consent.budget_count = 1;
	struct payment_order order = stage_order(1000, US_PAYEE);
	struct payment payment = stage_paid(&order);
	assert_int_equal(payment.status, PAYMENT_AUTHORIZED);
	assert_int_equal(payment.rail, RAIL_ACH);
	payment = stage_await(order.id, PAYMENT_SETTLED);
	assert_int_equal(stage_balance(stage.wallet), 10000 - 1000 - 1);
	assert_int_equal(stage_held(stage.wallet), 0);
	assert_int_equal(stage_balance(stage.consent.budgets[0].account), -1000);
	assert_int_equal(fake_rails.count, 1);
	assert_int_equal(fake_rails.taken[0].sends, 1);
	assert_string_equal(fake_rails.taken[0].trace, STAGE_TRACE);
	assert_int_equal(
	        stage_number(
	                "SELECT count(*) FROM outbox WHERE type = 'payment.settled' AND trace_id = '" STAGE_TRACE "'"),
	        1);
	assert_true(payment.completed_at >= payment.created_at);
	stage_close();
}

static void a_rail_that_refuses_is_left_for_the_next(void **state)
{
	stage_open(state);
	stage_fund(10000);
	fake_behave(RAIL_ACH, RAIL_DECLINES);
	struct payment_order order = stage_order(1000, US_PAYEE);
	stage_paid(&order);
	struct payment payment = stage_await(order.id, PAYMENT_SETTLED);
	assert_int_equal(payment.rail, RAIL_INSTANT);
	assert_int_equal(payment.fee_minor, 5);
	assert_int_equal(stage_balance(stage.wallet), 10000 - 1000 - 5);
	assert_int_equal(stage_held(stage.wallet), 0);
	fake_behave(RAIL_INSTANT, RAIL_DECLINES);
	fake_behave(RAIL_WIRE, RAIL_DECLINES);
	stage.consent.budgets[0] = (struct consent_budget) { BUDGET_DAILY, account_id_new(), 5000 };
	stage.consent.budget_count = 1;
	order = stage_order(1000, US_PAYEE);
	stage_paid(&order);
	payment = stage_await(order.id, PAYMENT_FAILED);
	assert_slice(payment.decline_code, "R03");
	assert_int_equal(stage_balance(stage.wallet), 10000 - 1000 - 5);
	assert_int_equal(stage_held(stage.wallet), 0);
	assert_int_equal(stage_held(stage.consent.budgets[0].account), 0);
	assert_int_equal(fake_rails.count, 5);
	stage_close();
}

/* The next rail costs more than the wallet has: the payment fails and the hold is given back. */
static void a_fallback_that_cannot_be_held_fails(void **state)
{
	stage_open(state);
	stage_fund(1001);
	fake_behave(RAIL_ACH, RAIL_DECLINES);
	struct payment_order order = stage_order(1000, US_PAYEE);
	stage_paid(&order);
	struct payment payment = stage_await(order.id, PAYMENT_FAILED);
	assert_slice(payment.decline_code, "insufficient_funds");
	assert_int_equal(stage_held(stage.wallet), 0);
	assert_int_equal(stage_balance(stage.wallet), 1001);
	stage_close();
}

static void a_lost_answer_is_asked_for_and_never_paid_twice(void **state)
{
	static const enum rail_manner manners[] = { RAIL_FAILS_BEFORE, RAIL_FAILS_AFTER };
	for (size_t i = 0; i < 2; i++) {
		stage_open(state);
		stage_fund(10000);
		fake_behave(RAIL_ACH, manners[i]);
		struct payment_order order = stage_order(1000, US_PAYEE);
		stage_paid(&order);
		stage_await(order.id, PAYMENT_UNKNOWN);
		struct payment payment = stage_await(order.id, PAYMENT_SETTLED);
		assert_int_equal(payment.rail, RAIL_ACH);
		assert_int_equal(fake_rails.count, 1);
		assert_int_equal(fake_rails.taken[0].sends, manners[i] == RAIL_FAILS_BEFORE ? 2 : 1);
		assert_int_equal(stage_balance(stage.wallet), 10000 - 1000 - 1);
		stage_close();
	}
}

static void notifications_may_repeat_and_overtake(void **state)
{
	static const struct {
		enum rail_answer answers[4];
		size_t count;
		enum payment_status ends;
		int64_t wallet;
	} rows[] = {
		{ { ANSWER_SETTLED, ANSWER_SETTLED, ANSWER_ACCEPTED }, 3, PAYMENT_SETTLED, 8999 },
		{ { ANSWER_ACCEPTED, ANSWER_SETTLED, ANSWER_DECLINED }, 3, PAYMENT_SETTLED, 8999 },
		{ { ANSWER_SETTLED, ANSWER_RETURNED, ANSWER_RETURNED, ANSWER_SETTLED }, 4, PAYMENT_RETURNED, 9999 },
		{ { ANSWER_RETURNED, ANSWER_SETTLED }, 2, PAYMENT_RETURNED, 9999 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		stage_open(state);
		stage_fund(10000);
		stage.consent.budgets[0] = (struct consent_budget) { BUDGET_DAILY, account_id_new(), 5000 };
		stage.consent.budget_count = 1;
		fake_behave(RAIL_ACH, RAIL_ACCEPTS);
		struct payment_order order = stage_order(1000, US_PAYEE);
		stage_paid(&order);
		stage_await(order.id, PAYMENT_ACCEPTED);
		assert_int_equal(stage_held(stage.wallet), 1001);
		for (size_t k = 0; k < rows[i].count; k++)
			stage_report(stage_attempt(order.id, 1), rows[i].answers[k]);
		assert_int_equal(stage_payment(order.id).status, rows[i].ends);
		assert_int_equal(stage_balance(stage.wallet), rows[i].wallet);
		assert_int_equal(stage_held(stage.wallet), 0);
		assert_int_equal(
		        stage_balance(stage.consent.budgets[0].account), rows[i].ends == PAYMENT_RETURNED ? 0 : -1000);
		stage_close();
	}
}

static void a_late_settlement_is_booked_to_suspense(void **state)
{
	stage_open(state);
	stage_fund(10000);
	for (unsigned rail = 0; rail < RAIL_COUNT; rail++)
		fake_behave((enum rail)rail, RAIL_DECLINES);
	struct payment_order order = stage_order(1000, US_PAYEE);
	stage_paid(&order);
	stage_await(order.id, PAYMENT_FAILED);
	stage_report(stage_attempt(order.id, 1), ANSWER_SETTLED);
	stage_report(stage_attempt(order.id, 1), ANSWER_SETTLED);
	assert_int_equal(stage_payment(order.id).status, PAYMENT_FAILED);
	assert_int_equal(stage_balance(stage.wallet), 10000);
	assert_int_equal(stage_number("SELECT sum(balance) FROM accounts WHERE name = 'Suspense USD'"), 1000);
	assert_int_equal(stage_number("SELECT count(*) FROM outbox WHERE type = 'payment.late_settlement'"), 1);
	stage_close();
}

/* While all workers wait for a rail, the next payment is still ours to take back. */
static void what_was_not_sent_can_be_canceled(void **state)
{
	struct payment payment;
	stage_open(state);
	stage_fund(100000);
	fake_behave(RAIL_ACH, RAIL_WAITS);
	struct payment_order orders[9];
	for (int i = 0; i < 9; i++) {
		orders[i] = stage_order(1000, US_PAYEE);
		stage_paid(&orders[i]);
		if (i < 8)
			stage_await(orders[i].id, PAYMENT_SUBMITTED);
	}
	assert_int_equal(stage_held(stage.wallet), 9 * 1001);
	assert_status(
	        payment_cancel(stage.router, &actor_system, orders[0].id, &stage.arena, &payment), ERR_STATE_CONFLICT);
	assert_status(payment_cancel(stage.router, &actor_system, orders[8].id, &stage.arena, &payment), STATUS_OK);
	assert_int_equal(payment.status, PAYMENT_CANCELED);
	assert_int_equal(stage_held(stage.wallet), 8 * 1001);
	fake_behave(RAIL_ACH, RAIL_SETTLES);
	for (int i = 0; i < 8; i++)
		stage_await(orders[i].id, PAYMENT_SETTLED);
	assert_int_equal(stage_payment(orders[8].id).status, PAYMENT_CANCELED);
	assert_int_equal(fake_rails.count, 8);
	stage_close();
}

static enum status refund(struct payment_id id, struct refund_id refund_id, int64_t minor, struct refund *ret_refund)
{
	struct payment payment;
	return payment_refund(
	        stage.router, &actor_system, id, refund_id, minor, SLICE("test"), &stage.arena, &payment, ret_refund);
}

static void refunds_never_exceed_what_was_paid(void **state)
{
	static const char *const payees[] = { NULL, US_PAYEE };
	struct refund made;
	for (int external = 0; external < 2; external++) {
		stage_open(state);
		stage_fund(10000);
		struct payment_order order = stage_order(1000, payees[external]);
		stage_paid(&order);
		stage_await(order.id, PAYMENT_SETTLED);
		int64_t before = stage_balance(stage.wallet);
		struct refund_id first = refund_id_new();
		assert_status(refund(order.id, first, 400, &made), STATUS_OK);
		assert_status(refund(order.id, first, 400, &made), STATUS_OK); /* the same one */
		assert_status(refund(order.id, refund_id_new(), 601, &made), ERR_REVERSAL_EXCEEDED);
		assert_status(refund(order.id, refund_id_new(), 0, &made), STATUS_OK);
		assert_int_equal(made.amount_minor, 600);
		stage_await(order.id, PAYMENT_REFUNDED);
		assert_int_equal(stage_balance(stage.wallet), before + 1000);
		assert_status(refund(order.id, refund_id_new(), 1, &made), ERR_REVERSAL_EXCEEDED);
		assert_int_equal(fake_rails.refunds, external ? 2 : 0);
		stage_close();
	}
}

static void a_refund_that_the_payee_cannot_give_fails(void **state)
{
	struct refund made;
	stage_open(state);
	stage_fund(1000);
	struct payment_order order = stage_order(1000, NULL);
	stage_paid(&order);
	const struct ledger_transfer spent = { .id = transfer_id_new(),
		.kind = TRANSFER_SINGLE,
		.debit = stage.payee,
		.credit = stage.cash,
		.amount = { 1000, CURRENCY_USD },
		.description = SLICE_EMPTY };
	const struct ledger_group group = { .transfers = &spent, .count = 1 };
	assert_status(stage.house.api.post(stage.house.api.self, &actor_system, &group, NULL, NULL), STATUS_OK);
	assert_status(refund(order.id, refund_id_new(), 400, &made), ERR_INSUFFICIENT_FUNDS);
	struct payment payment = stage_payment(order.id);
	assert_int_equal(payment.refunding_minor, 0);
	assert_int_equal(payment.refunded_minor, 0);
	stage_close();
}

/* --- Somebody else was quicker ------------------------------------------------------------------------------------ */

static void a_stale_change_of_an_attempt_is_refused(void **state)
{
	struct attempt_case *cases[3];
	stage_open(state);
	stage_fund(10000);
	fake_behave(RAIL_ACH, RAIL_WAITS);
	struct payment_order order = stage_order(1000, US_PAYEE);
	stage_paid(&order);
	stage_await(order.id, PAYMENT_SUBMITTED);
	for (int i = 0; i < 3; i++) {
		cases[i] = attempt_case_new(stage.router, &actor_system, &stage.arena);
		assert_status(attempt_case_load(cases[i], stage_attempt(order.id, 1)), STATUS_OK);
	}
	int64_t due_at = cases[0]->attempt.due_at;
	struct attempt_change change = attempt_change_of(cases[0], ATTEMPT_ACCEPTED, due_at);
	assert_status(attempt_change_commit(stage.router, &change), STATUS_OK);
	/* another state, due as before */
	change = attempt_change_of(cases[1], ATTEMPT_DECLINED, due_at);
	assert_status(attempt_change_commit(stage.router, &change), ERR_STATE_CONFLICT);
	/* the same state, claimed by another worker */
	assert_status(attempt_case_load(cases[0], stage_attempt(order.id, 1)), STATUS_OK);
	assert_status(attempt_case_load(cases[1], stage_attempt(order.id, 1)), STATUS_OK);
	change = attempt_change_of(cases[0], ATTEMPT_ACCEPTED, due_at + 1);
	assert_status(attempt_change_commit(stage.router, &change), STATUS_OK);
	change = attempt_change_of(cases[1], ATTEMPT_ACCEPTED, due_at + 2);
	assert_status(attempt_change_commit(stage.router, &change), ERR_STATE_CONFLICT);
	fake_behave(RAIL_ACH, RAIL_SETTLES);
	stage_await(order.id, PAYMENT_SETTLED);
	stage_close();
}

static void what_may_be_at_the_rail_is_not_canceled(void **state)
{
	stage_open(state);
	stage_fund(10000);
	fake_behave(RAIL_ACH, RAIL_FAILS_BEFORE);
	struct payment_order order = stage_order(1000, US_PAYEE);
	stage_paid(&order);
	struct attempt_case *c = attempt_case_new(stage.router, &actor_system, &stage.arena);
	do {
		usleep(10000);
		assert_status(attempt_case_load(c, stage_attempt(order.id, 1)), STATUS_OK);
		assert_int_not_equal(c->payment.status, PAYMENT_SETTLED);
	} while (c->attempt.status != ATTEMPT_PENDING || !c->attempt.tries);
	/* it will be sent again, so it is pending, but the payment was submitted once */
	assert_status(attempt_cancel(stage.router, &actor_system, &c->payment, c->attempt.id), ERR_STATE_CONFLICT);
	stage_await(order.id, PAYMENT_SETTLED);
	stage_close();
}

static struct payment_id canceled_meanwhile;

static enum status consent_canceled_meanwhile(
        void *self, const struct consent_question *question, struct consent_verdict *ret_verdict)
{
	struct payment payment;
	assert_status(
	        payment_cancel(stage.router, &actor_system, canceled_meanwhile, &stage.arena, &payment), STATUS_OK);
	return stage_consent(self, question, ret_verdict);
}

static void an_approval_that_a_cancelation_overtakes_moves_nothing(void **state)
{
	struct problem problem;
	struct payment payment;
	stage_open(state);
	stage_fund(10000);
	stage.consent.needs_approval = true;
	struct payment_order order = stage_order(1000, NULL);
	stage_paid(&order);
	canceled_meanwhile = order.id;
	stage.identity.consent_check = consent_canceled_meanwhile;
	assert_status(
	        payment_approve(stage.router, &actor_system, order.id, SLICE_EMPTY, &stage.arena, &problem, &payment),
	        ERR_STATE_CONFLICT);
	assert_int_equal(stage_payment(order.id).status, PAYMENT_CANCELED);
	assert_int_equal(stage_balance(stage.wallet), 10000);
	stage_close();
}

static void only_a_waiting_payment_can_be_decided(void **state)
{
	struct problem problem;
	struct payment payment;
	bool is_replay;
	stage_open(state);
	stage_fund(10000);
	stage_go_far();
	struct payment_order order = stage_order(1000, NULL);
	stage.crash = CRASH_AFTER_POST;
	assert_true(stage_pay(&order, &payment, &is_replay) != STATUS_OK);
	assert_int_equal(stage_payment(order.id).status, PAYMENT_CREATED);
	assert_status(payment_disapprove(stage.router, &actor_system, order.id, SLICE_EMPTY, &stage.arena, &payment),
	        ERR_STATE_CONFLICT);
	assert_status(
	        payment_approve(stage.router, &actor_system, order.id, SLICE_EMPTY, &stage.arena, &problem, &payment),
	        ERR_STATE_CONFLICT);
	assert_status(payment_expire(stage.router, order.id), STATUS_OK);
	assert_status(
	        payment_cancel(stage.router, &actor_system, order.id, &stage.arena, &payment), ERR_STATE_CONFLICT);
	assert_int_equal(stage_payment(order.id).status, PAYMENT_CREATED);
	stage.crash = CRASH_NEVER;
	stage_close();
}

static enum status move_back(struct sql *sql, void *arg)
{
	struct payment *payment = arg;
	return payment_move(sql, &actor_system, payment, PAYMENT_AUTHORIZED, clock_now(), SLICE_EMPTY);
}

static void a_settled_payment_does_not_go_back(void **state)
{
	stage_open(state);
	stage_fund(10000);
	struct payment_order order = stage_order(1000, NULL);
	struct payment payment = stage_paid(&order);
	assert_status(router_commit(stage.router, move_back, &payment), ERR_STATE_CONFLICT);
	assert_int_equal(stage_payment(order.id).status, PAYMENT_SETTLED);
	stage_close();
}

/* The rail says settled, but the hold is gone already: the money left all the same. */
static void a_settlement_without_its_hold_is_late(void **state)
{
	static struct payment_group release;
	stage_open(state);
	stage_fund(10000);
	fake_behave(RAIL_ACH, RAIL_ACCEPTS);
	struct payment_order order = stage_order(1000, US_PAYEE);
	stage_paid(&order);
	stage_await(order.id, PAYMENT_ACCEPTED);
	struct attempt_case *c = attempt_case_new(stage.router, &actor_system, &stage.arena);
	assert_status(attempt_case_load(c, stage_attempt(order.id, 1)), STATUS_OK);
	group_release(&release, &c->payment, &c->attempt);
	const struct ledger_group group = group_view(&release);
	assert_status(stage.house.api.post(stage.house.api.self, &actor_system, &group, NULL, NULL), STATUS_OK);
	stage_report(c->attempt.id, ANSWER_SETTLED);
	assert_int_equal(stage_number("SELECT sum(balance) FROM accounts WHERE name = 'Suspense USD'"), 1000);
	stage_close();
}

TESTS(ON_BOTH(a_book_payment_is_one_commit), ON_BOTH(a_repeat_is_answered_and_another_body_refused),
        ON_BOTH(a_declined_payment_stays_declined), ON_BOTH(what_declines_a_payment_is_stored_and_moves_nothing),
        ON_BOTH(nobody_is_paid_into_the_platforms_own_accounts), ON_BOTH(a_budget_holds_under_concurrency),
        ON_BOTH(one_order_sent_at_once_is_one_payment), ON_BOTH(a_payment_stored_meanwhile_is_answered),
        ON_BOTH(a_waiting_payment_is_approved_declined_or_canceled), ON_BOTH(a_waiting_payment_expires),
        ON_BOTH(a_dry_run_stores_nothing), ON_BOTH(a_far_ledger_loses_nothing), ON_BOTH(an_external_payment_settles),
        ON_BOTH(a_rail_that_refuses_is_left_for_the_next), ON_BOTH(a_fallback_that_cannot_be_held_fails),
        ON_BOTH(a_lost_answer_is_asked_for_and_never_paid_twice), ON_BOTH(notifications_may_repeat_and_overtake),
        ON_BOTH(a_late_settlement_is_booked_to_suspense), ON_BOTH(what_was_not_sent_can_be_canceled),
        ON_BOTH(refunds_never_exceed_what_was_paid), ON_BOTH(a_refund_that_the_payee_cannot_give_fails),
        ON_BOTH(a_stale_change_of_an_attempt_is_refused), ON_BOTH(what_may_be_at_the_rail_is_not_canceled),
        ON_BOTH(an_approval_that_a_cancelation_overtakes_moves_nothing), ON_BOTH(only_a_waiting_payment_can_be_decided),
        ON_BOTH(a_settled_payment_does_not_go_back), ON_BOTH(a_settlement_without_its_hold_is_late))
