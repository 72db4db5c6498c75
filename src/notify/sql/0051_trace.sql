-- The trace of the event's request, passed on to the receiver.
ALTER TABLE webhook_deliveries ADD COLUMN trace_id VARCHAR(64);
