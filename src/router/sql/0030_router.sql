-- Payments, the attempts to carry them out over rails, refunds, and the states a payment went through.
CREATE TABLE payments (
	id UUID PRIMARY KEY,
	agent_id UUID NOT NULL,
	consent_id UUID,
	account_id UUID,
	amount BIGINT NOT NULL,
	currency VARCHAR(5) NOT NULL DEFAULT 'USD',
	fee BIGINT NOT NULL DEFAULT 0,
	payee TEXT NOT NULL,
	payee_key TEXT NOT NULL,
	status VARCHAR(50) NOT NULL DEFAULT 'pending',
	rail VARCHAR(50),
	rails_requested INTEGER NOT NULL,
	rails_consented INTEGER NOT NULL,
	deadline_at TIMESTAMPTZ,
	budget_daily UUID,
	budget_daily_limit BIGINT NOT NULL DEFAULT 0,
	budget_monthly UUID,
	budget_monthly_limit BIGINT NOT NULL DEFAULT 0,
	risk_score INTEGER,
	risk_reasons TEXT,
	decline_code TEXT,
	decline_reason TEXT,
	reference TEXT,
	description TEXT,
	refunded BIGINT NOT NULL DEFAULT 0,
	refunding BIGINT NOT NULL DEFAULT 0,
	body_hash BYTEA NOT NULL,
	ip_address TEXT,
	version INTEGER NOT NULL DEFAULT 0,
	expected_settlement_at TIMESTAMPTZ,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL,
	completed_at TIMESTAMPTZ
);
CREATE INDEX payments_by_agent ON payments (agent_id, created_at, id);
CREATE INDEX payments_by_time ON payments (created_at, id);
CREATE INDEX payments_waiting ON payments (updated_at) WHERE status IN ('created', 'awaiting_approval');

-- Every state after the first, but for payments that were settled when they were stored.
CREATE TABLE payment_history (
	payment_id UUID NOT NULL,
	version INTEGER NOT NULL,
	status VARCHAR(50) NOT NULL,
	reason TEXT,
	at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (payment_id, version)
);

-- due_at: when a worker must look at it next; NULL when nothing is left to do. A worker claims a row by moving due_at
-- into the future, so that the row comes back by itself when the worker dies.
CREATE TABLE attempts (
	id UUID PRIMARY KEY,
	payment_id UUID NOT NULL,
	ordinal INTEGER NOT NULL,
	rail VARCHAR(50) NOT NULL,
	status VARCHAR(50) NOT NULL,
	fee BIGINT NOT NULL,
	tries INTEGER NOT NULL DEFAULT 0,
	due_at TIMESTAMPTZ,
	network_reference TEXT,
	decline_code TEXT,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL,
	UNIQUE (payment_id, ordinal)
);
CREATE INDEX attempts_due ON attempts (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE refunds (
	id UUID PRIMARY KEY,
	payment_id UUID NOT NULL,
	amount BIGINT NOT NULL,
	status VARCHAR(50) NOT NULL,
	reason TEXT,
	requested_by VARCHAR(100) NOT NULL,
	tries INTEGER NOT NULL DEFAULT 0,
	due_at TIMESTAMPTZ,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;
