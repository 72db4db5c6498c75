-- Eight at once, so that PostgreSQL needs one round trip and takes the locks in the order of the identifiers.
-- name: ledger_accounts_lock sqlite
SELECT a.id, a.type, a.book, a.currency, a.status, a.overdraft, a.debits_pending, a.debits_posted, a.credits_pending,
	a.credits_posted, a.created_at, a.updated_at, a.rowid
FROM (VALUES ($1), ($2), ($3), ($4), ($5), ($6), ($7), ($8)) AS wanted
CROSS JOIN accounts AS a ON a.id = wanted.column1

-- name: ledger_accounts_lock postgres
SELECT id, type, book, currency, status, overdraft, debits_pending, debits_posted, credits_pending,
	credits_posted, created_at, updated_at, 0
FROM accounts WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8) ORDER BY id FOR UPDATE

-- name: ledger_records_get sqlite
SELECT t.id, t.kind, t.debit_account_id, t.credit_account_id, t.amount, t.currency, t.reference_id, t.payment_id,
	t.description,
	(SELECT e.kind FROM transactions AS e WHERE e.reference_id = t.id AND e.kind IN ('post', 'void')),
	(SELECT sum(r.amount) FROM transactions AS r WHERE r.reference_id = t.id AND r.kind = 'reversal')
FROM (VALUES ($1), ($2), ($3), ($4), ($5), ($6), ($7), ($8)) AS wanted
CROSS JOIN transactions AS t ON t.id = wanted.column1

-- name: ledger_records_get postgres
SELECT t.id, t.kind, t.debit_account_id, t.credit_account_id, t.amount, t.currency, t.reference_id, t.payment_id,
	t.description,
	(SELECT e.kind FROM transactions AS e WHERE e.reference_id = t.id AND e.kind IN ('post', 'void')),
	(SELECT CAST(sum(r.amount) AS BIGINT) FROM transactions AS r WHERE r.reference_id = t.id AND r.kind = 'reversal')
FROM transactions AS t WHERE t.id IN ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: ledger_account_insert
INSERT INTO accounts (id, agent_id, type, book, currency, overdraft, name, created_at, updated_at, debits_pending,
	debits_posted, credits_pending, credits_posted, balance)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- SQLite finds the row that was just read by its number, without the index.
-- name: ledger_account_update
UPDATE accounts SET debits_pending = $2, debits_posted = $3, credits_pending = $4, credits_posted = $5, balance = $6,
	updated_at = $7
WHERE /*sqlite: rowid = $8*/ /*postgres: id = $1*/

-- name: ledger_transaction_insert
INSERT INTO transactions (id, kind, book, debit_account_id, credit_account_id, amount, currency, released,
	debit_balance, credit_balance, reference_id, payment_id, description, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: ledger_account_get
SELECT id, agent_id, type, book, currency, status, overdraft, debits_pending, debits_posted, credits_pending,
	credits_posted, name, created_at
FROM accounts WHERE id = $1

-- name: ledger_account_of_agent
SELECT id FROM accounts
WHERE agent_id = $1 AND currency = $2 AND type = 'liability' AND book = 'money' AND status = 'open'
ORDER BY created_at, id LIMIT 1

-- name: ledger_accounts_list
SELECT id, agent_id, type, book, currency, status, overdraft, debits_pending, debits_posted, credits_pending,
	credits_posted, name, created_at
FROM accounts
WHERE book = 'money' AND ($1 = '' OR currency = $1) AND (created_at, id) < ($2, $3)
ORDER BY created_at DESC, id DESC LIMIT $4

-- name: ledger_accounts_list_agent
SELECT id, agent_id, type, book, currency, status, overdraft, debits_pending, debits_posted, credits_pending,
	credits_posted, name, created_at
FROM accounts
WHERE book = 'money' AND ($1 = '' OR currency = $1) AND (created_at, id) < ($2, $3) AND agent_id = $5
ORDER BY created_at DESC, id DESC LIMIT $4

-- name: ledger_transaction_get
SELECT id, kind, debit_account_id, credit_account_id, amount, currency, reference_id, payment_id, description,
	created_at, sequence
FROM transactions WHERE id = $1

-- Lists: newest first, behind the sequence $1. Budgets are not shown.
-- name: ledger_transactions_list
SELECT id, kind, debit_account_id, credit_account_id, amount, currency, reference_id, payment_id, description,
	created_at, sequence
FROM transactions
WHERE book = 'money' AND sequence < $1
ORDER BY sequence DESC LIMIT $2

-- name: ledger_transactions_list_payment
SELECT id, kind, debit_account_id, credit_account_id, amount, currency, reference_id, payment_id, description,
	created_at, sequence
FROM transactions
WHERE book = 'money' AND sequence < $1 AND payment_id = $3
	AND (debit_account_id IN (SELECT id FROM accounts WHERE agent_id = $4)
		OR credit_account_id IN (SELECT id FROM accounts WHERE agent_id = $4) OR $4 IS NULL)
ORDER BY sequence DESC LIMIT $2

-- name: ledger_transactions_list_account
SELECT id, kind, debit_account_id, credit_account_id, amount, currency, reference_id, payment_id, description,
	created_at, sequence
FROM transactions
WHERE book = 'money' AND debit_account_id = $3 AND (created_at, sequence) < ($5, $1)
	AND (payment_id = $4 OR $4 IS NULL)
UNION ALL
SELECT id, kind, debit_account_id, credit_account_id, amount, currency, reference_id, payment_id, description,
	created_at, sequence
FROM transactions
WHERE book = 'money' AND credit_account_id = $3 AND (created_at, sequence) < ($5, $1)
	AND (payment_id = $4 OR $4 IS NULL)
ORDER BY created_at DESC, sequence DESC LIMIT $2

-- name: ledger_transactions_list_agent
SELECT id, kind, debit_account_id, credit_account_id, amount, currency, reference_id, payment_id, description,
	created_at, sequence
FROM transactions
WHERE book = 'money' AND sequence < $1
	AND (debit_account_id IN (SELECT id FROM accounts WHERE agent_id = $3)
		OR credit_account_id IN (SELECT id FROM accounts WHERE agent_id = $3))
ORDER BY sequence DESC LIMIT $2

-- Money moved on an account, oldest first, behind ($4, $5).
-- name: ledger_statement
SELECT id, kind, TRUE AS is_debit, amount, debit_balance AS balance, description, payment_id, created_at, sequence
FROM transactions
WHERE book = 'money' AND debit_account_id = $1 AND kind IN ('single', 'post', 'reversal')
	AND created_at >= $2 AND created_at < $3 AND (created_at, sequence) > ($4, $5)
UNION ALL
SELECT id, kind, FALSE AS is_debit, amount, credit_balance AS balance, description, payment_id, created_at, sequence
FROM transactions
WHERE book = 'money' AND credit_account_id = $1 AND kind IN ('single', 'post', 'reversal')
	AND created_at >= $2 AND created_at < $3 AND (created_at, sequence) > ($4, $5)
ORDER BY created_at, sequence LIMIT $6

-- name: ledger_balance_before
SELECT debit_balance AS balance, created_at, sequence FROM transactions
WHERE book = 'money' AND debit_account_id = $1 AND kind IN ('single', 'post', 'reversal') AND created_at < $2
UNION ALL
SELECT credit_balance AS balance, created_at, sequence FROM transactions
WHERE book = 'money' AND credit_account_id = $1 AND kind IN ('single', 'post', 'reversal') AND created_at < $2
ORDER BY created_at DESC, sequence DESC LIMIT 1

-- One statement sees one snapshot: the journal's sums beside those that the accounts keep.
-- name: ledger_trial_balance
SELECT a.id, a.name, a.type, a.currency, a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted,
	d.pending, d.posted, c.pending, c.posted, a.balance, (SELECT max(sequence) FROM transactions)
FROM accounts AS a
LEFT JOIN (
	SELECT debit_account_id AS id,
		CAST(sum(CASE WHEN kind = 'hold' THEN amount ELSE -released END) AS BIGINT) AS pending,
		CAST(sum(CASE WHEN kind IN ('single', 'post', 'reversal') THEN amount ELSE 0 END) AS BIGINT) AS posted
	FROM transactions WHERE book = 'money' GROUP BY debit_account_id
) AS d ON d.id = a.id
LEFT JOIN (
	SELECT credit_account_id AS id,
		CAST(sum(CASE WHEN kind = 'hold' THEN amount ELSE -released END) AS BIGINT) AS pending,
		CAST(sum(CASE WHEN kind IN ('single', 'post', 'reversal') THEN amount ELSE 0 END) AS BIGINT) AS posted
	FROM transactions WHERE book = 'money' GROUP BY credit_account_id
) AS c ON c.id = a.id
WHERE a.book = 'money' AND ($1 = '' OR a.currency = $1)
ORDER BY a.currency, a.created_at, a.id
