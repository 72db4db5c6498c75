-- name: sandbox_payment_insert
INSERT INTO sandbox_payments (attempt_id, rail, status, code, amount, currency, network_reference, settles_at, times_taken, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: sandbox_payment_get
SELECT rail, status, code, amount, currency, network_reference, settles_at, times_taken
FROM sandbox_payments WHERE attempt_id = $1

-- name: sandbox_payment_set_status
UPDATE sandbox_payments SET status = $2, code = $3 WHERE attempt_id = $1

-- name: sandbox_payment_take
UPDATE sandbox_payments SET status = $2, code = $3, settles_at = $4, times_taken = times_taken + $5 WHERE attempt_id = $1

-- name: sandbox_payment_list
SELECT attempt_id, rail, status, code, amount, currency, network_reference, settles_at, times_taken
FROM sandbox_payments ORDER BY attempt_id

-- name: sandbox_refund_insert
INSERT INTO sandbox_refunds (refund_id, attempt_id, amount, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (refund_id) DO NOTHING

-- name: sandbox_refund_count
SELECT count(*) FROM sandbox_refunds

-- name: sandbox_notification_insert
INSERT INTO sandbox_notifications (id, attempt_id, type, code, notify_url, due_at, tries, state)
VALUES ($1, $2, $3, $4, $5, $6, 0, 'waiting')

-- name: sandbox_notification_due
SELECT n.id, n.attempt_id, n.type, n.code, n.notify_url, n.tries, p.network_reference, n.due_at
FROM sandbox_notifications n JOIN sandbox_payments p ON p.attempt_id = n.attempt_id
WHERE n.state = 'waiting' AND n.due_at <= $1 ORDER BY n.due_at LIMIT 64

-- name: sandbox_notification_done
UPDATE sandbox_notifications SET state = $2, tries = tries + 1, due_at = $3 WHERE id = $1
