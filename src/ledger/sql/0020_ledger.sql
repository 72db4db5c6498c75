-- Accounts keep the sums; transactions are the journal, one debit and one credit account in each row. No foreign keys:
-- the writer has read both accounts before it inserts.
CREATE TABLE accounts (
	id UUID NOT NULL PRIMARY KEY,
	agent_id UUID,
	type VARCHAR(16) NOT NULL CHECK (type IN ('asset', 'liability', 'equity', 'revenue', 'expense')),
	book VARCHAR(16) NOT NULL DEFAULT 'money' CHECK (book IN ('money', 'budget')),
	currency VARCHAR(8) NOT NULL,
	status VARCHAR(16) NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
	overdraft BIGINT NOT NULL DEFAULT 0 CHECK (overdraft >= 0),
	debits_pending BIGINT NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
	debits_posted BIGINT NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
	credits_pending BIGINT NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
	credits_posted BIGINT NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
	-- posted, on the account's normal side
	balance BIGINT NOT NULL DEFAULT 0,
	name VARCHAR(255) NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	-- of the last posting; the next one is not earlier, so that an account's journal is in order of time
	updated_at TIMESTAMPTZ NOT NULL
) /*postgres: WITH (fillfactor = 50)*/;

CREATE INDEX accounts_by_agent ON accounts (agent_id, created_at, id);
CREATE INDEX accounts_by_time ON accounts (created_at, id);

CREATE TABLE transactions (
	sequence /*sqlite: INTEGER PRIMARY KEY*/ /*postgres: BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE*/,
	id UUID NOT NULL UNIQUE,
	-- single, hold, post, void, reversal
	kind VARCHAR(16) NOT NULL,
	book VARCHAR(16) NOT NULL,
	debit_account_id UUID NOT NULL,
	credit_account_id UUID NOT NULL,
	amount BIGINT NOT NULL CHECK (amount > 0),
	currency VARCHAR(8) NOT NULL,
	-- how much of the pending sums a post or void takes away: the amount of its hold
	released BIGINT NOT NULL DEFAULT 0,
	-- posted balances after this transfer, on each account's normal side
	debit_balance BIGINT NOT NULL,
	credit_balance BIGINT NOT NULL,
	reference_id UUID,
	payment_id UUID,
	description TEXT,
	created_at TIMESTAMPTZ NOT NULL,
	CHECK (debit_account_id <> credit_account_id)
);

-- Budgets are never listed, and two of the three transfers of a payment are theirs.
CREATE INDEX transactions_by_debit ON transactions (debit_account_id, created_at, sequence) WHERE book = 'money';
CREATE INDEX transactions_by_credit ON transactions (credit_account_id, created_at, sequence) WHERE book = 'money';
CREATE INDEX transactions_by_payment ON transactions (payment_id, sequence)
	WHERE book = 'money' AND payment_id IS NOT NULL;
-- A hold ends once, whatever the program believes.
CREATE UNIQUE INDEX transactions_hold_ends ON transactions (reference_id) WHERE kind IN ('post', 'void');
CREATE INDEX transactions_reversals ON transactions (reference_id) WHERE kind = 'reversal';
