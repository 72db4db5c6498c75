-- name: answer_select
SELECT body_hash, http_status, content_type, sealed_body FROM idempotency_answers WHERE operation_id = $1

-- name: answer_insert
INSERT INTO idempotency_answers (operation_id, body_hash, http_status, content_type, sealed_body, created_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (operation_id) DO NOTHING

-- name: answer_delete_old
DELETE FROM idempotency_answers WHERE operation_id IN
	(SELECT operation_id FROM idempotency_answers WHERE created_at < $1 LIMIT 1000)

-- name: database_ping
SELECT 1

-- name: migrations_applied
SELECT service, number FROM migrations ORDER BY service, number
