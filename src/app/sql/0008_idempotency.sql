-- Answers of POSTs by the identifier derived from principal, address and Idempotency-Key. The body is sealed: it may
-- hold a secret that is shown only once.
CREATE TABLE idempotency_answers (
	operation_id UUID PRIMARY KEY,
	body_hash BYTEA NOT NULL,
	http_status INTEGER NOT NULL,
	content_type TEXT,
	sealed_body BYTEA NOT NULL,
	created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idempotency_answers_by_age ON idempotency_answers (created_at);
