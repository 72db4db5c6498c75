-- The trace of the request that asked for the payment or the refund: what is done later in its behalf belongs to it.
ALTER TABLE attempts ADD COLUMN trace_id VARCHAR(64);
ALTER TABLE refunds ADD COLUMN trace_id VARCHAR(64);
