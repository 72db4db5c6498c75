-- name: payment_insert
INSERT INTO payments (id, agent_id, consent_id, account_id, amount, currency, fee, payee, payee_key, status, rail,
	rails_requested, rails_consented, deadline_at, budget_daily, budget_daily_limit, budget_monthly,
	budget_monthly_limit, risk_score, risk_reasons, decline_code, decline_reason, reference, description, body_hash,
	ip_address, expected_settlement_at, created_at, updated_at, completed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
	$25, $26, $27, $28, $28, $29)

-- name: payment_get
SELECT id, agent_id, consent_id, account_id, amount, currency, fee, payee, payee_key, status, rail, rails_requested,
	rails_consented, deadline_at, budget_daily, budget_daily_limit, budget_monthly, budget_monthly_limit, risk_score,
	risk_reasons, decline_code, decline_reason, reference, description, refunded, refunding, body_hash, ip_address,
	version, expected_settlement_at, created_at, updated_at, completed_at
FROM payments WHERE id = $1

-- The same columns, and the row is ours until the commit.
-- name: payment_lock
SELECT id, agent_id, consent_id, account_id, amount, currency, fee, payee, payee_key, status, rail, rails_requested,
	rails_consented, deadline_at, budget_daily, budget_daily_limit, budget_monthly, budget_monthly_limit, risk_score,
	risk_reasons, decline_code, decline_reason, reference, description, refunded, refunding, body_hash, ip_address,
	version, expected_settlement_at, created_at, updated_at, completed_at
FROM payments WHERE id = $1 /*postgres: FOR UPDATE*/

-- name: payments_list
SELECT id, agent_id, consent_id, account_id, amount, currency, fee, payee, payee_key, status, rail, rails_requested,
	rails_consented, deadline_at, budget_daily, budget_daily_limit, budget_monthly, budget_monthly_limit, risk_score,
	risk_reasons, decline_code, decline_reason, reference, description, refunded, refunding, body_hash, ip_address,
	version, expected_settlement_at, created_at, updated_at, completed_at
FROM payments
WHERE (created_at < $1 OR (created_at = $1 AND id < $2)) AND ($3 = '' OR status = $3)
ORDER BY created_at DESC, id DESC LIMIT $4

-- name: payments_list_of_agent
SELECT id, agent_id, consent_id, account_id, amount, currency, fee, payee, payee_key, status, rail, rails_requested,
	rails_consented, deadline_at, budget_daily, budget_daily_limit, budget_monthly, budget_monthly_limit, risk_score,
	risk_reasons, decline_code, decline_reason, reference, description, refunded, refunding, body_hash, ip_address,
	version, expected_settlement_at, created_at, updated_at, completed_at
FROM payments
WHERE agent_id = $5 AND (created_at < $1 OR (created_at = $1 AND id < $2)) AND ($3 = '' OR status = $3)
ORDER BY created_at DESC, id DESC LIMIT $4

-- name: payment_update
UPDATE payments SET consent_id = $2, account_id = $3, fee = $4, status = $5, rail = $6, rails_consented = $7,
	budget_daily = $8, budget_daily_limit = $9, budget_monthly = $10, budget_monthly_limit = $11, decline_code = $12,
	decline_reason = $13, refunded = $14, refunding = $15, version = $16, expected_settlement_at = $17,
	updated_at = $18, completed_at = $19
WHERE id = $1

-- name: history_insert
INSERT INTO payment_history (payment_id, version, status, reason, at) VALUES ($1, $2, $3, $4, $5)

-- name: history_list
SELECT status, reason, at FROM payment_history WHERE payment_id = $1 ORDER BY version

-- name: payments_waiting_since
SELECT id FROM payments WHERE status IN ('created', 'awaiting_approval') AND status = $1 AND updated_at < $2
ORDER BY updated_at LIMIT $3

-- name: attempt_insert
INSERT INTO attempts (id, payment_id, ordinal, rail, status, fee, due_at, created_at, updated_at, trace_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)

-- name: attempt_get
SELECT id, payment_id, ordinal, rail, status, fee, tries, due_at, network_reference, decline_code, created_at,
	updated_at, trace_id
FROM attempts WHERE id = $1

-- name: attempt_lock
SELECT id, payment_id, ordinal, rail, status, fee, tries, due_at, network_reference, decline_code, created_at,
	updated_at, trace_id
FROM attempts WHERE id = $1 /*postgres: FOR UPDATE*/

-- name: attempts_of_payment
SELECT id, payment_id, ordinal, rail, status, fee, tries, due_at, network_reference, decline_code, created_at,
	updated_at, trace_id
FROM attempts WHERE payment_id = $1 ORDER BY ordinal

-- name: attempt_update
UPDATE attempts SET status = $2, tries = $3, due_at = $4, network_reference = $5, decline_code = $6, updated_at = $7
WHERE id = $1

-- name: attempts_due_list
SELECT id FROM attempts WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2

-- name: refund_insert
INSERT INTO refunds (id, payment_id, amount, status, reason, due_at, created_at, updated_at, requested_by, trace_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)

-- name: refund_get
SELECT id, payment_id, amount, status, reason, tries, due_at, created_at, updated_at, requested_by, trace_id
FROM refunds WHERE id = $1

-- name: refund_lock
SELECT id, payment_id, amount, status, reason, tries, due_at, created_at, updated_at, requested_by, trace_id
FROM refunds WHERE id = $1 /*postgres: FOR UPDATE*/

-- name: refund_update
UPDATE refunds SET status = $2, tries = $3, due_at = $4, updated_at = $5 WHERE id = $1

-- name: refunds_due_list
SELECT id FROM refunds WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2
