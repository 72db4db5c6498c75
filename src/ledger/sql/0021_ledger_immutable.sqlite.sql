-- The journal is only ever added to; corrections are new transfers.
CREATE TRIGGER transactions_no_update BEFORE UPDATE ON transactions
BEGIN
	SELECT RAISE(ABORT, 'transactions are immutable');
END;
CREATE TRIGGER transactions_no_delete BEFORE DELETE ON transactions
BEGIN
	SELECT RAISE(ABORT, 'transactions are immutable');
END;
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts
BEGIN
	SELECT RAISE(ABORT, 'accounts are never deleted');
END;
CREATE TRIGGER accounts_fixed BEFORE UPDATE OF id, agent_id, type, book, currency, created_at ON accounts
BEGIN
	SELECT RAISE(ABORT, 'what an account is never changes');
END;
