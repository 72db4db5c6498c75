-- What the simulated networks took, kept so that a restart of the simulator forgets nothing.
CREATE TABLE sandbox_payments (
	attempt_id UUID PRIMARY KEY,
	rail TEXT NOT NULL,
	status TEXT NOT NULL, -- hung, accepted, settled, declined, returned
	code TEXT,
	amount TEXT NOT NULL,
	currency TEXT NOT NULL,
	network_reference TEXT NOT NULL,
	settles_at TIMESTAMPTZ,
	times_taken INTEGER NOT NULL, -- how often money was taken: never more than once
	created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE sandbox_refunds (
	refund_id TEXT PRIMARY KEY,
	attempt_id UUID NOT NULL,
	amount TEXT NOT NULL,
	created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE sandbox_notifications (
	id UUID PRIMARY KEY,
	attempt_id UUID NOT NULL,
	type TEXT NOT NULL,
	code TEXT,
	notify_url TEXT NOT NULL,
	due_at TIMESTAMPTZ NOT NULL,
	tries INTEGER NOT NULL,
	state TEXT NOT NULL -- waiting, delivered, given_up
);

CREATE INDEX sandbox_notifications_due ON sandbox_notifications (state, due_at);
