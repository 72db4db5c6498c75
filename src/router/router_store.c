#include "router/router_store.h"

#include "router_sql.h"

const struct sql_migrations router_migrations = { router_migration_rows, ROUTER_MIGRATION_COUNT };

/* The columns of every SELECT of payments, in order. */
enum payment_column {
	COLUMN_ID,
	COLUMN_AGENT,
	COLUMN_CONSENT,
	COLUMN_ACCOUNT,
	COLUMN_AMOUNT,
	COLUMN_CURRENCY,
	COLUMN_FEE,
	COLUMN_PAYEE,
	COLUMN_PAYEE_KEY,
	COLUMN_STATUS,
	COLUMN_RAIL,
	COLUMN_RAILS_REQUESTED,
	COLUMN_RAILS_CONSENTED,
	COLUMN_DEADLINE,
	COLUMN_BUDGET_DAILY,
	COLUMN_DAILY_LIMIT,
	COLUMN_BUDGET_MONTHLY,
	COLUMN_MONTHLY_LIMIT,
	COLUMN_RISK_SCORE,
	COLUMN_RISK_REASONS,
	COLUMN_DECLINE_CODE,
	COLUMN_DECLINE_REASON,
	COLUMN_REFERENCE,
	COLUMN_DESCRIPTION,
	COLUMN_REFUNDED,
	COLUMN_REFUNDING,
	COLUMN_BODY_HASH,
	COLUMN_IP_ADDRESS,
	COLUMN_VERSION,
	COLUMN_EXPECTED,
	COLUMN_CREATED,
	COLUMN_UPDATED,
	COLUMN_COMPLETED,
};

static void read_budget(const struct sql_rows *rows, int column, enum budget_period period, struct payment *payment)
{
	struct uuid account = sql_column_uuid(rows, column);
	if (uuid_is_nil(account))
		return;
	payment->budgets[payment->budget_count++] = (struct consent_budget) {
		.period = period, .account = { account }, .limit_minor = sql_column_integer(rows, column + 1)
	};
}

/* The stored object is the one that was understood, so parsing it again cannot fail. */
static enum status read_payee(const struct sql_rows *rows, struct arena *arena, struct payee *ret_payee)
{
	const struct json *value;
	struct problem ignored;
	if (json_parse(sql_column_copy(rows, COLUMN_PAYEE, arena), arena, &value, &ignored) != STATUS_OK ||
	        payee_parse(value, arena, ret_payee, &ignored) != STATUS_OK)
		return ERR_DATABASE_CORRUPT;
	return STATUS_OK;
}

static enum status read_payment(const struct sql_rows *rows, struct arena *arena, struct payment *ret_payment)
{
	struct slice hash = sql_column_bytes(rows, COLUMN_BODY_HASH);
	struct payment payment = {
		.id = { sql_column_uuid(rows, COLUMN_ID) },
		.agent = { sql_column_uuid(rows, COLUMN_AGENT) },
		.consent = { sql_column_uuid(rows, COLUMN_CONSENT) },
		.account = { sql_column_uuid(rows, COLUMN_ACCOUNT) },
		.amount = { .minor_units = sql_column_integer(rows, COLUMN_AMOUNT) },
		.fee_minor = sql_column_integer(rows, COLUMN_FEE),
		.has_rail = !sql_column_is_null(rows, COLUMN_RAIL),
		.rails_requested = (unsigned)sql_column_integer(rows, COLUMN_RAILS_REQUESTED),
		.rails_consented = (unsigned)sql_column_integer(rows, COLUMN_RAILS_CONSENTED),
		.deadline_at = sql_column_instant(rows, COLUMN_DEADLINE),
		.risk_score = sql_column_is_null(rows, COLUMN_RISK_SCORE)
		                      ? -1
		                      : (int)sql_column_integer(rows, COLUMN_RISK_SCORE),
		.risk_reasons = sql_column_copy(rows, COLUMN_RISK_REASONS, arena),
		.decline_code = sql_column_copy(rows, COLUMN_DECLINE_CODE, arena),
		.decline_reason = sql_column_copy(rows, COLUMN_DECLINE_REASON, arena),
		.reference = sql_column_copy(rows, COLUMN_REFERENCE, arena),
		.description = sql_column_copy(rows, COLUMN_DESCRIPTION, arena),
		.refunded_minor = sql_column_integer(rows, COLUMN_REFUNDED),
		.refunding_minor = sql_column_integer(rows, COLUMN_REFUNDING),
		.ip_address = sql_column_copy(rows, COLUMN_IP_ADDRESS, arena),
		.version = (int)sql_column_integer(rows, COLUMN_VERSION),
		.expected_at = sql_column_instant(rows, COLUMN_EXPECTED),
		.created_at = sql_column_instant(rows, COLUMN_CREATED),
		.updated_at = sql_column_instant(rows, COLUMN_UPDATED),
		.completed_at = sql_column_instant(rows, COLUMN_COMPLETED),
	};
	if (hash.size != sizeof payment.body_hash.bytes)
		return ERR_DATABASE_CORRUPT;
	memcpy(payment.body_hash.bytes, hash.data, hash.size);
	if (currency_parse(sql_column_bytes(rows, COLUMN_CURRENCY), &payment.amount.currency) != STATUS_OK ||
	        !payment_status_parse(sql_column_bytes(rows, COLUMN_STATUS), &payment.status) ||
	        (payment.has_rail && !rail_parse(sql_column_bytes(rows, COLUMN_RAIL), &payment.rail)))
		return ERR_DATABASE_CORRUPT;
	read_budget(rows, COLUMN_BUDGET_DAILY, BUDGET_DAILY, &payment);
	read_budget(rows, COLUMN_BUDGET_MONTHLY, BUDGET_MONTHLY, &payment);
	TRY(read_payee(rows, arena, &payment.payee));
	*ret_payment = payment;
	return STATUS_OK;
}

static enum status load_with(struct sql *sql, const struct sql_query *query, struct payment_id id, struct arena *arena,
        struct payment *ret_payment)
{
	const struct sql_value values[] = { SQL_UUID(id.uuid) };
	struct sql_rows *rows;
	TRY(sql_select(sql, query, values, 1, &rows));
	enum status found = sql_next(rows) ? read_payment(rows, arena, ret_payment) : ERR_NOT_FOUND;
	TRY(sql_end(rows));
	return found;
}

enum status payment_load(struct sql *sql, struct payment_id id, struct arena *arena, struct payment *ret_payment)
{
	return load_with(sql, &payment_get, id, arena, ret_payment);
}

enum status payment_load_locked(struct sql *sql, struct payment_id id, struct arena *arena, struct payment *ret_payment)
{
	return load_with(sql, &payment_lock, id, arena, ret_payment);
}

static const struct consent_budget *find_budget(const struct payment *payment, enum budget_period period)
{
	static const struct consent_budget none;
	for (size_t i = 0; i < payment->budget_count; i++)
		if (payment->budgets[i].period == period)
			return &payment->budgets[i];
	return &none;
}

static struct sql_value rail_value(const struct payment *payment)
{
	return payment->has_rail ? SQL_TEXT(slice_from(rail_name(payment->rail))) : SQL_NULL;
}

void payment_row_make(const struct payment *payment, struct arena *arena, struct payment_row *ret_row)
{
	struct writer out = writer_growing(arena);
	struct json_writer json = { .out = &out };
	const struct consent_budget *daily = find_budget(payment, BUDGET_DAILY);
	const struct consent_budget *monthly = find_budget(payment, BUDGET_MONTHLY);
	write_payee_plain(&json, &payment->payee);
	const struct sql_value values[] = {
		SQL_UUID(payment->id.uuid),
		SQL_UUID(payment->agent.uuid),
		SQL_UUID_OR_NULL(payment->consent.uuid),
		SQL_UUID_OR_NULL(payment->account.uuid),
		SQL_INTEGER(payment->amount.minor_units),
		SQL_TEXT(slice_from(currency_code(payment->amount.currency))),
		SQL_INTEGER(payment->fee_minor),
		SQL_TEXT(writer_slice(&out)),
		SQL_TEXT(payment->payee.key),
		SQL_TEXT(slice_from(payment_status_name(payment->status))),
		rail_value(payment),
		SQL_INTEGER(payment->rails_requested),
		SQL_INTEGER(payment->rails_consented),
		SQL_INSTANT_OR_NULL(payment->deadline_at),
		SQL_UUID_OR_NULL(daily->account.uuid),
		SQL_INTEGER(daily->limit_minor),
		SQL_UUID_OR_NULL(monthly->account.uuid),
		SQL_INTEGER(monthly->limit_minor),
		payment->risk_score < 0 ? SQL_NULL : SQL_INTEGER(payment->risk_score),
		SQL_TEXT_OR_NULL(payment->risk_reasons),
		SQL_TEXT_OR_NULL(payment->decline_code),
		SQL_TEXT_OR_NULL(payment->decline_reason),
		SQL_TEXT_OR_NULL(payment->reference),
		SQL_TEXT_OR_NULL(payment->description),
		SQL_BLOB(slice_make(payment->body_hash.bytes, SHA256_SIZE)),
		SQL_TEXT_OR_NULL(payment->ip_address),
		SQL_INSTANT_OR_NULL(payment->expected_at),
		SQL_INSTANT(payment->created_at),
		SQL_INSTANT_OR_NULL(payment->completed_at),
	};
	_Static_assert(sizeof values == sizeof ret_row->values, "a value for each column");
	memcpy(ret_row->values, values, sizeof values);
}

enum status payment_row_store(struct sql *sql, const struct payment_row *row)
{
	return sql_execute(sql, &payment_insert, row->values, PAYMENT_ROW_VALUES);
}

enum status payment_store_change(struct sql *sql, const struct payment *payment)
{
	const struct consent_budget *daily = find_budget(payment, BUDGET_DAILY);
	const struct consent_budget *monthly = find_budget(payment, BUDGET_MONTHLY);
	const struct sql_value values[] = {
		SQL_UUID(payment->id.uuid),
		SQL_UUID_OR_NULL(payment->consent.uuid),
		SQL_UUID_OR_NULL(payment->account.uuid),
		SQL_INTEGER(payment->fee_minor),
		SQL_TEXT(slice_from(payment_status_name(payment->status))),
		rail_value(payment),
		SQL_INTEGER(payment->rails_consented),
		SQL_UUID_OR_NULL(daily->account.uuid),
		SQL_INTEGER(daily->limit_minor),
		SQL_UUID_OR_NULL(monthly->account.uuid),
		SQL_INTEGER(monthly->limit_minor),
		SQL_TEXT_OR_NULL(payment->decline_code),
		SQL_TEXT_OR_NULL(payment->decline_reason),
		SQL_INTEGER(payment->refunded_minor),
		SQL_INTEGER(payment->refunding_minor),
		SQL_INTEGER(payment->version),
		SQL_INSTANT_OR_NULL(payment->expected_at),
		SQL_INSTANT(payment->updated_at),
		SQL_INSTANT_OR_NULL(payment->completed_at),
	};
	return sql_execute(sql, &payment_update, values, sizeof values / sizeof *values);
}

enum status payments_list_each(struct sql *sql, const struct page *page, struct agent_id agent, struct slice status,
        struct arena *arena, bool (*each)(void *arg, const struct payment *payment), void *arg)
{
	bool of_agent = !uuid_is_nil(agent.uuid);
	const struct sql_value values[] = { SQL_INSTANT(page->before_at), SQL_UUID(page->before_id), SQL_TEXT(status),
		SQL_INTEGER(page->limit + 1), SQL_UUID(agent.uuid) };
	struct sql_rows *rows;
	struct payment payment;
	enum status read = STATUS_OK;
	TRY(sql_select(sql, of_agent ? &payments_list_of_agent : &payments_list, values, of_agent ? 5 : 4, &rows));
	while (read == STATUS_OK && sql_next(rows)) {
		read = read_payment(rows, arena, &payment);
		if (read == STATUS_OK && !each(arg, &payment))
			break;
	}
	TRY(sql_end(rows));
	return read;
}

enum status history_store(struct sql *sql, const struct payment *payment, struct slice reason)
{
	const struct sql_value values[] = { SQL_UUID(payment->id.uuid), SQL_INTEGER(payment->version),
		SQL_TEXT(slice_from(payment_status_name(payment->status))), SQL_TEXT_OR_NULL(reason),
		SQL_INSTANT(payment->updated_at) };
	return sql_execute(sql, &history_insert, values, sizeof values / sizeof *values);
}

enum status history_load(struct sql *sql, struct payment_id id, struct arena *arena, struct history_row *rows,
        size_t capacity, size_t *ret_count)
{
	const struct sql_value values[] = { SQL_UUID(id.uuid) };
	struct sql_rows *found;
	size_t count = 0;
	TRY(sql_select(sql, &history_list, values, 1, &found));
	while (count < capacity && sql_next(found))
		rows[count++] = (struct history_row) { .status = sql_column_copy(found, 0, arena),
			.reason = sql_column_copy(found, 1, arena),
			.at = sql_column_instant(found, 2) };
	TRY(sql_end(found));
	*ret_count = count;
	return STATUS_OK;
}

enum status payments_waiting(struct sql *sql, enum payment_status status, int64_t before_at, struct payment_id *ids,
        size_t capacity, size_t *ret_count)
{
	const struct sql_value values[] = { SQL_TEXT(slice_from(payment_status_name(status))), SQL_INSTANT(before_at),
		SQL_INTEGER(capacity) };
	struct sql_rows *rows;
	size_t count = 0;
	TRY(sql_select(sql, &payments_waiting_since, values, 3, &rows));
	while (count < capacity && sql_next(rows))
		ids[count++] = (struct payment_id) { sql_column_uuid(rows, 0) };
	TRY(sql_end(rows));
	*ret_count = count;
	return STATUS_OK;
}
