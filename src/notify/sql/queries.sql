-- name: webhook_insert
INSERT INTO webhooks (id, url, event_types, status, secret, created_at) VALUES ($1, $2, $3, 'enabled', $4, $5)
ON CONFLICT DO NOTHING

-- name: webhook_get
SELECT id, url, event_types, status, disabled_reason, secret, previous_secret, previous_valid_until, rotation_id,
	created_at
FROM webhooks WHERE id = $1

-- name: webhook_page
SELECT id, url, event_types, status, disabled_reason, secret, previous_secret, previous_valid_until, rotation_id,
	created_at
FROM webhooks
WHERE (created_at < $1 OR (created_at = $1 AND id < $2))
ORDER BY created_at DESC, id DESC
LIMIT $3

-- name: webhook_enabled
SELECT id, url, event_types, status, disabled_reason, secret, previous_secret, previous_valid_until, rotation_id,
	created_at
FROM webhooks WHERE status = 'enabled'

-- name: webhook_rotate
UPDATE webhooks SET previous_secret = secret, previous_valid_until = $2, secret = $3, rotation_id = $4 WHERE id = $1

-- name: webhook_set_status
UPDATE webhooks SET status = $2, disabled_reason = $3 WHERE id = $1 AND status <> $2

-- name: webhook_delete
DELETE FROM webhooks WHERE id = $1

-- name: webhook_count
SELECT COUNT(*) FROM webhooks

-- name: delivery_insert
INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, body, status, attempts, next_attempt_at, created_at,
	trace_id)
VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, $6, $7)
ON CONFLICT DO NOTHING

-- name: delivery_delete_all
DELETE FROM webhook_deliveries WHERE webhook_id = $1

-- name: delivery_get
SELECT id, webhook_id, event_id, event_type, body, status, attempts, next_attempt_at, last_status, last_error,
	created_at, delivered_at, trace_id
FROM webhook_deliveries WHERE id = $1

-- name: delivery_page
SELECT id, webhook_id, event_id, event_type, body, status, attempts, next_attempt_at, last_status, last_error,
	created_at, delivered_at, trace_id
FROM webhook_deliveries
WHERE webhook_id = $4 AND (created_at < $1 OR (created_at = $1 AND id < $2))
ORDER BY created_at DESC, id DESC
LIMIT $3

-- name: delivery_due_webhook
SELECT delivery.webhook_id
FROM webhook_deliveries AS delivery JOIN webhooks AS webhook ON webhook.id = delivery.webhook_id
WHERE delivery.status = 'pending' AND delivery.next_attempt_at <= $1 AND webhook.status = 'enabled'
	AND delivery.webhook_id NOT IN ($2, $3, $4, $5)
ORDER BY delivery.next_attempt_at
LIMIT 1

-- name: delivery_due
SELECT id, webhook_id, event_id, event_type, body, status, attempts, next_attempt_at, last_status, last_error,
	created_at, delivered_at, trace_id
FROM webhook_deliveries
WHERE webhook_id = $1 AND status = 'pending' AND next_attempt_at <= $2
ORDER BY created_at, id
LIMIT $3
/*postgres: FOR UPDATE SKIP LOCKED*/

-- name: delivery_lease
UPDATE webhook_deliveries SET next_attempt_at = $2 WHERE id = $1 AND status = 'pending'

-- name: delivery_outcome
UPDATE webhook_deliveries
SET status = $2, attempts = $3, next_attempt_at = $4, last_status = $5, last_error = $6, delivered_at = $7
WHERE id = $1

-- name: delivery_replay
UPDATE webhook_deliveries SET status = 'pending', attempts = 0, next_attempt_at = $2, delivered_at = NULL WHERE id = $1
