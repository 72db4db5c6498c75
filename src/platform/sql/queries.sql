-- name: migration_checksum
SELECT checksum FROM migrations WHERE service = $1 AND number = $2

-- name: migration_insert
INSERT INTO migrations (service, number, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)

-- name: outbox_insert
INSERT INTO outbox (id, type, entity_type, entity_id, actor, ip_address, user_agent, trace_id, body, old_values,
	new_values, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: outbox_lock sqlite
SELECT 1
-- name: outbox_lock postgres
SELECT pg_advisory_xact_lock(4702394921427289928)

-- name: outbox_select_after
SELECT sequence, id, type, entity_type, entity_id, actor, ip_address, user_agent, trace_id, body, old_values,
	new_values, created_at
FROM outbox WHERE sequence > $1 AND created_at >= $2 ORDER BY sequence LIMIT $3

-- name: outbox_select_last
SELECT COALESCE(MAX(sequence), 0) FROM outbox

-- name: outbox_offset_select
SELECT sequence FROM outbox_offsets WHERE consumer = $1

-- name: outbox_offset_store
INSERT INTO outbox_offsets (consumer, sequence) VALUES ($1, $2)
ON CONFLICT (consumer) DO UPDATE SET sequence = excluded.sequence
