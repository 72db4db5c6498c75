-- Events, in the order in which their transactions were committed.
CREATE TABLE outbox (
	sequence /*sqlite: INTEGER PRIMARY KEY AUTOINCREMENT*/ /*postgres: BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY*/,
	id UUID NOT NULL,
	type VARCHAR(100) NOT NULL,
	entity_type VARCHAR(50) NOT NULL,
	entity_id UUID,
	actor VARCHAR(100) NOT NULL,
	ip_address TEXT,
	user_agent TEXT,
	trace_id VARCHAR(64),
	body TEXT NOT NULL,
	old_values TEXT,
	new_values TEXT,
	created_at TIMESTAMPTZ NOT NULL
);

-- How far each consumer has read.
CREATE TABLE outbox_offsets (
	consumer VARCHAR(100) PRIMARY KEY,
	sequence BIGINT NOT NULL
);
