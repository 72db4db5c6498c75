-- People who operate the platform or own agents. The address is sealed (AES-256-GCM) and found by its keyed hash.
CREATE TABLE users (
	id UUID PRIMARY KEY,
	email BYTEA NOT NULL,
	email_hash BYTEA NOT NULL UNIQUE,
	name VARCHAR(255) NOT NULL,
	roles INTEGER NOT NULL,
	status VARCHAR(50) NOT NULL DEFAULT 'active',
	password_hash TEXT NOT NULL,
	must_change_password BOOLEAN NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX users_by_time ON users (created_at, id);

-- Wrong passwords by subject: the keyed hash of an address of a user, known or not, or of a network address.
CREATE TABLE login_failures (
	subject BYTEA PRIMARY KEY,
	failures INTEGER NOT NULL,
	window_ends_at TIMESTAMPTZ NOT NULL,
	locked_until TIMESTAMPTZ
);
CREATE INDEX login_failures_by_end ON login_failures (window_ends_at);

-- A login; its refresh tokens are one family.
CREATE TABLE sessions (
	id UUID PRIMARY KEY,
	user_id UUID NOT NULL REFERENCES users (id),
	created_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL,
	revoked_at TIMESTAMPTZ
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Only the SHA-256 of a token is kept. A used one stays, so that its reuse is noticed.
CREATE TABLE refresh_tokens (
	token_hash BYTEA PRIMARY KEY,
	session_id UUID NOT NULL REFERENCES sessions (id),
	created_at TIMESTAMPTZ NOT NULL,
	used_at TIMESTAMPTZ
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

CREATE TABLE agents (
	id UUID PRIMARY KEY,
	name VARCHAR(255) NOT NULL,
	email BYTEA NOT NULL,
	email_hash BYTEA NOT NULL UNIQUE,
	owner_id UUID NOT NULL REFERENCES users (id),
	secret_hash BYTEA NOT NULL,
	status VARCHAR(50) NOT NULL DEFAULT 'active',
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX agents_by_time ON agents (created_at, id);

-- Spending authority. Only revoked_at and revoke_reason ever change.
CREATE TABLE consents (
	id UUID PRIMARY KEY,
	agent_id UUID NOT NULL REFERENCES agents (id),
	granted_by UUID NOT NULL REFERENCES users (id),
	currency VARCHAR(8) NOT NULL,
	per_payment_limit BIGINT NOT NULL,
	daily_limit BIGINT NOT NULL,
	monthly_limit BIGINT NOT NULL,
	approval_threshold BIGINT NOT NULL,
	payees TEXT NOT NULL,
	rails INTEGER NOT NULL,
	account_id UUID,
	purpose TEXT NOT NULL,
	valid_from TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ,
	created_at TIMESTAMPTZ NOT NULL,
	revoked_at TIMESTAMPTZ,
	revoke_reason TEXT
);
CREATE INDEX consents_by_time ON consents (created_at, id);
CREATE INDEX consents_by_agent ON consents (agent_id, created_at, id);
