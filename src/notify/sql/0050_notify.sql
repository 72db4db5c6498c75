CREATE TABLE webhooks (
	id UUID PRIMARY KEY,
	url TEXT NOT NULL,
	event_types TEXT NOT NULL,
	status VARCHAR(20) NOT NULL,
	disabled_reason TEXT,
	secret BYTEA NOT NULL,
	previous_secret BYTEA,
	previous_valid_until TIMESTAMPTZ,
	rotation_id UUID,
	created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX webhooks_newest ON webhooks (created_at, id);

-- One row for each endpoint and event. A pending one is tried at next_attempt_at; while it is being tried that is the
-- time at which another worker may take it over.
CREATE TABLE webhook_deliveries (
	id UUID PRIMARY KEY,
	webhook_id UUID NOT NULL,
	event_id UUID NOT NULL,
	event_type VARCHAR(100) NOT NULL,
	body TEXT NOT NULL,
	status VARCHAR(20) NOT NULL,
	attempts INTEGER NOT NULL,
	next_attempt_at TIMESTAMPTZ,
	last_status INTEGER,
	last_error VARCHAR(50),
	created_at TIMESTAMPTZ NOT NULL,
	delivered_at TIMESTAMPTZ,
	UNIQUE (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (status, next_attempt_at);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook_id, created_at, id);
