CREATE TABLE risk_alerts (
	id UUID PRIMARY KEY,
	payment_id UUID NOT NULL UNIQUE,
	agent_id UUID NOT NULL,
	risk_score INTEGER NOT NULL,
	alert_type VARCHAR(50) NOT NULL,
	threshold INTEGER NOT NULL,
	decision VARCHAR(20) NOT NULL,
	reasons TEXT NOT NULL,
	amount BIGINT NOT NULL,
	currency VARCHAR(8) NOT NULL,
	status VARCHAR(20) NOT NULL,
	created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX risk_alerts_newest ON risk_alerts (created_at, id);
CREATE INDEX risk_alerts_agent ON risk_alerts (agent_id, created_at);

-- Whom an agent has paid before. Payee keys may be personal data: only a digest of agent and payee is kept.
CREATE TABLE risk_payees (
	payee_hash UUID PRIMARY KEY,
	agent_id UUID NOT NULL,
	first_seen_at TIMESTAMPTZ NOT NULL
);

-- Payments to a new payee that are not settled yet: only a settled one makes the payee known, so that trying again
-- after a review or a block does not.
CREATE TABLE risk_payee_candidates (
	payment_id UUID PRIMARY KEY,
	agent_id UUID NOT NULL,
	payee_hash UUID NOT NULL,
	created_at TIMESTAMPTZ NOT NULL
);
