-- One row for each event, chained by hash. Values are kept as the very text that was hashed, so columns that hold
-- JSON or an address are TEXT: JSONB and INET would write them anew.
CREATE TABLE audit_events (
	id UUID NOT NULL UNIQUE,
	event_type VARCHAR(100) NOT NULL,
	entity_type VARCHAR(50),
	entity_id UUID,
	user_id UUID,
	action VARCHAR(50),
	old_values TEXT,
	new_values TEXT,
	ip_address TEXT,
	user_agent TEXT,
	created_at TIMESTAMPTZ NOT NULL,
	sequence /*sqlite: INTEGER*/ /*postgres: BIGINT*/ NOT NULL PRIMARY KEY,
	source_sequence BIGINT NOT NULL,
	actor VARCHAR(100) NOT NULL,
	trace_id VARCHAR(64),
	body TEXT NOT NULL,
	previous_hash BYTEA NOT NULL,
	field_sums BYTEA NOT NULL,
	hash BYTEA NOT NULL
);
CREATE INDEX audit_events_newest ON audit_events (created_at, id);
CREATE INDEX audit_events_entity ON audit_events (entity_id, created_at, id);

-- The newest record, so that cutting off the end of the trail is noticed. One row.
CREATE TABLE audit_head (
	place INTEGER PRIMARY KEY,
	sequence BIGINT NOT NULL,
	source_sequence BIGINT NOT NULL,
	hash BYTEA NOT NULL
);

CREATE TABLE compliance_reports (
	id UUID PRIMARY KEY,
	report_type VARCHAR(50) NOT NULL,
	period_start DATE NOT NULL,
	period_end DATE NOT NULL,
	data TEXT NOT NULL,
	generated_at TIMESTAMPTZ NOT NULL,
	generated_by UUID
);
