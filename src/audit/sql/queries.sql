-- name: audit_insert
INSERT INTO audit_events (sequence, source_sequence, id, event_type, entity_type, entity_id, user_id, action, actor,
	ip_address, user_agent, trace_id, old_values, new_values, body, created_at, previous_hash, field_sums, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)

-- name: audit_exists
SELECT 1 FROM audit_events WHERE id = $1

-- name: audit_head_create
INSERT INTO audit_head (place, sequence, source_sequence, hash)
SELECT 1, 0, 0, $1 WHERE NOT EXISTS (SELECT 1 FROM audit_events)
ON CONFLICT DO NOTHING

-- name: audit_head_lock
SELECT sequence, source_sequence, hash FROM audit_head WHERE place = 1 /*postgres: FOR UPDATE*/

-- name: audit_head_store
UPDATE audit_head SET sequence = $1, source_sequence = $2, hash = $3 WHERE place = 1

-- name: audit_bounds
SELECT head.sequence, head.hash, ends.first, ends.last
FROM (SELECT (SELECT MIN(sequence) FROM audit_events) AS first, (SELECT MAX(sequence) FROM audit_events) AS last) AS ends
LEFT JOIN audit_head AS head ON head.place = 1

-- name: audit_stream
SELECT sequence, source_sequence, id, event_type, entity_type, entity_id, user_id, action, actor, ip_address,
	user_agent, trace_id, old_values, new_values, body, created_at, previous_hash, field_sums, hash
FROM audit_events
WHERE sequence > $1
ORDER BY sequence
LIMIT $2

-- name: audit_successor
SELECT sequence FROM audit_events WHERE previous_hash = $1 AND sequence <> $2

-- name: audit_page
SELECT sequence, source_sequence, id, event_type, entity_type, entity_id, user_id, action, actor, ip_address,
	user_agent, trace_id, old_values, new_values, body, created_at, previous_hash, field_sums, hash
FROM audit_events
WHERE (created_at < $1 OR (created_at = $1 AND id < $2))
	AND created_at >= $3
	AND (CAST($4 AS TEXT) = '' OR event_type = $4)
	AND (CAST($5 AS TEXT) = '' OR entity_type = $5)
	AND (CAST($6 AS TEXT) = '' OR actor = $6)
ORDER BY created_at DESC, id DESC
LIMIT $7

-- name: audit_page_of_entity
SELECT sequence, source_sequence, id, event_type, entity_type, entity_id, user_id, action, actor, ip_address,
	user_agent, trace_id, old_values, new_values, body, created_at, previous_hash, field_sums, hash
FROM audit_events
WHERE entity_id = $8
	AND (created_at < $1 OR (created_at = $1 AND id < $2))
	AND created_at >= $3
	AND (CAST($4 AS TEXT) = '' OR event_type = $4)
	AND (CAST($5 AS TEXT) = '' OR entity_type = $5)
	AND (CAST($6 AS TEXT) = '' OR actor = $6)
ORDER BY created_at DESC, id DESC
LIMIT $7
