-- name: identity_sql_user_insert
INSERT INTO users (id, email, email_hash, name, roles, status, password_hash, must_change_password, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
-- name: identity_sql_user_by_id
SELECT id, email, name, roles, status, password_hash, must_change_password, created_at FROM users WHERE id = $1
-- name: identity_sql_user_by_email
SELECT id, email, name, roles, status, password_hash, must_change_password, created_at FROM users WHERE email_hash = $1
-- name: identity_sql_user_list
SELECT id, email, name, roles, status, password_hash, must_change_password, created_at FROM users
WHERE created_at < $1 OR (created_at = $1 AND id < $2)
ORDER BY created_at DESC, id DESC LIMIT $3
-- name: identity_sql_user_any
SELECT id FROM users LIMIT 1
-- name: identity_sql_user_set_password
UPDATE users SET password_hash = $2, must_change_password = $3, updated_at = $4 WHERE id = $1

-- name: identity_sql_failures_read
SELECT failures, window_ends_at, locked_until FROM login_failures WHERE subject = $1
-- name: identity_sql_failures_write
INSERT INTO login_failures (subject, failures, window_ends_at, locked_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, window_ends_at = excluded.window_ends_at,
	locked_until = excluded.locked_until
-- name: identity_sql_failures_clear
DELETE FROM login_failures WHERE subject = $1
-- name: identity_sql_failures_forget
DELETE FROM login_failures WHERE window_ends_at < $1

-- name: identity_sql_session_insert
INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)
-- name: identity_sql_session_by_id
SELECT s.user_id, s.expires_at, s.revoked_at, u.status FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1
-- name: identity_sql_session_revoke
UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL
-- name: identity_sql_session_revoke_others
UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL
-- name: identity_sql_session_forget
DELETE FROM sessions WHERE user_id = $1 AND expires_at < $2
-- name: identity_sql_refresh_insert
INSERT INTO refresh_tokens (token_hash, session_id, created_at) VALUES ($1, $2, $3)
-- name: identity_sql_refresh_by_hash
SELECT session_id, used_at FROM refresh_tokens WHERE token_hash = $1 /*postgres: FOR UPDATE*/
-- name: identity_sql_refresh_use
UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1
-- name: identity_sql_refresh_forget
DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1 AND expires_at < $2)

-- name: identity_sql_agent_insert
INSERT INTO agents (id, name, email, email_hash, owner_id, secret_hash, status, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $7)
-- name: identity_sql_agent_by_id
SELECT id, name, email, owner_id, secret_hash, status, created_at, updated_at FROM agents WHERE id = $1
-- name: identity_sql_agent_by_email
SELECT id, name, email, owner_id, secret_hash, status, created_at, updated_at FROM agents WHERE email_hash = $1
-- name: identity_sql_agent_list
SELECT id, name, email, owner_id, secret_hash, status, created_at, updated_at FROM agents
WHERE created_at < $1 OR (created_at = $1 AND id < $2)
ORDER BY created_at DESC, id DESC LIMIT $3
-- name: identity_sql_agent_set_status
UPDATE agents SET status = $2, updated_at = $3 WHERE id = $1
-- name: identity_sql_agent_set_secret
UPDATE agents SET secret_hash = $2, updated_at = $3 WHERE id = $1

-- name: identity_sql_consent_insert
INSERT INTO consents (id, agent_id, granted_by, currency, per_payment_limit, daily_limit, monthly_limit,
	approval_threshold, payees, rails, account_id, purpose, valid_from, expires_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
-- name: identity_sql_consent_by_id
SELECT id, agent_id, currency, per_payment_limit, daily_limit, monthly_limit, approval_threshold, payees, rails,
	account_id, purpose, valid_from, expires_at, created_at, revoked_at, revoke_reason
FROM consents WHERE id = $1
-- name: identity_sql_consent_oldest_active
SELECT id, agent_id, currency, per_payment_limit, daily_limit, monthly_limit, approval_threshold, payees, rails,
	account_id, purpose, valid_from, expires_at, created_at, revoked_at, revoke_reason
FROM consents WHERE agent_id = $1 AND currency = $2 AND revoked_at IS NULL AND valid_from <= $3
	AND (expires_at IS NULL OR expires_at > $3)
ORDER BY created_at, id LIMIT 1
-- name: identity_sql_consent_list
SELECT id, agent_id, currency, per_payment_limit, daily_limit, monthly_limit, approval_threshold, payees, rails,
	account_id, purpose, valid_from, expires_at, created_at, revoked_at, revoke_reason
FROM consents WHERE created_at < $1 OR (created_at = $1 AND id < $2)
ORDER BY created_at DESC, id DESC LIMIT $3
-- name: identity_sql_consent_list_of_agent
SELECT id, agent_id, currency, per_payment_limit, daily_limit, monthly_limit, approval_threshold, payees, rails,
	account_id, purpose, valid_from, expires_at, created_at, revoked_at, revoke_reason
FROM consents WHERE agent_id = $4 AND (created_at < $1 OR (created_at = $1 AND id < $2))
ORDER BY created_at DESC, id DESC LIMIT $3
-- name: identity_sql_consent_revoke
UPDATE consents SET revoked_at = $2, revoke_reason = $3 WHERE id = $1 AND revoked_at IS NULL
