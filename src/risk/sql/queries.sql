-- name: risk_alert_insert
INSERT INTO risk_alerts (id, payment_id, agent_id, risk_score, alert_type, threshold, decision, reasons, amount,
	currency, status, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11)
ON CONFLICT DO NOTHING

-- name: risk_alert_of_payment
SELECT risk_score, decision, reasons FROM risk_alerts WHERE payment_id = $1

-- name: risk_alert_page
SELECT id, payment_id, agent_id, risk_score, alert_type, threshold, decision, reasons, amount, currency, status,
	created_at
FROM risk_alerts
WHERE (created_at < $1 OR (created_at = $1 AND id < $2))
ORDER BY created_at DESC, id DESC
LIMIT $3

-- name: risk_alert_page_of_agent
SELECT id, payment_id, agent_id, risk_score, alert_type, threshold, decision, reasons, amount, currency, status,
	created_at
FROM risk_alerts
WHERE agent_id = $4 AND (created_at < $1 OR (created_at = $1 AND id < $2))
ORDER BY created_at DESC, id DESC
LIMIT $3

-- name: risk_alert_page_of_payment
SELECT id, payment_id, agent_id, risk_score, alert_type, threshold, decision, reasons, amount, currency, status,
	created_at
FROM risk_alerts
WHERE payment_id = $4 AND (created_at < $1 OR (created_at = $1 AND id < $2))
ORDER BY created_at DESC, id DESC
LIMIT $3

-- name: risk_payee_known
SELECT 1 FROM risk_payees WHERE payee_hash = $1

-- name: risk_payee_insert
INSERT INTO risk_payees (payee_hash, agent_id, first_seen_at)
SELECT payee_hash, agent_id, created_at FROM risk_payee_candidates WHERE payment_id = $1
ON CONFLICT DO NOTHING

-- name: risk_candidate_insert
INSERT INTO risk_payee_candidates (payment_id, agent_id, payee_hash, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING

-- name: risk_candidate_delete
DELETE FROM risk_payee_candidates WHERE payment_id = $1

-- name: risk_candidate_of_payment
SELECT payee_hash FROM risk_payee_candidates WHERE payment_id = $1

-- name: risk_candidate_any
SELECT 1 FROM risk_payee_candidates LIMIT 1
