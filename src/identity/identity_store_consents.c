#include "identity/identity_store.h"
#include "identity/identity_store_sql.h"

enum status consent_insert(struct sql *sql, const struct consent *consent, struct user_id granted_by)
{
	const struct consent_terms *terms = &consent->terms;
	return sql_execute(sql, &identity_sql_consent_insert,
	        PARAMETERS(SQL_UUID(terms->id.uuid), SQL_UUID(terms->agent.uuid), SQL_UUID(granted_by.uuid),
	                SQL_TEXT(slice_from(currency_code(terms->currency))), SQL_INTEGER(terms->per_payment_minor),
	                SQL_INTEGER(terms->daily_minor), SQL_INTEGER(terms->monthly_minor),
	                SQL_INTEGER(terms->approval_minor), SQL_TEXT(terms->payees), SQL_INTEGER(terms->rails),
	                SQL_UUID_OR_NULL(terms->account.uuid), SQL_TEXT(consent->purpose),
	                SQL_INSTANT(terms->valid_from), SQL_INSTANT_OR_NULL(terms->expires_at),
	                SQL_INSTANT(terms->created_at)));
}

static enum status consent_read(const struct sql_rows *rows, struct arena *arena, struct consent *ret_consent)
{
	struct consent consent = {
		.terms = {
			.id = { sql_column_uuid(rows, 0) },
			.agent = { sql_column_uuid(rows, 1) },
			.per_payment_minor = sql_column_integer(rows, 3),
			.daily_minor = sql_column_integer(rows, 4),
			.monthly_minor = sql_column_integer(rows, 5),
			.approval_minor = sql_column_integer(rows, 6),
			.payees = sql_column_copy(rows, 7, arena),
			.rails = (unsigned)sql_column_integer(rows, 8),
			.account = { sql_column_uuid(rows, 9) },
			.valid_from = sql_column_instant(rows, 11),
			.expires_at = sql_column_instant(rows, 12),
			.created_at = sql_column_instant(rows, 13),
			.revoked_at = sql_column_instant(rows, 14),
		},
		.purpose = sql_column_copy(rows, 10, arena),
		.revoke_reason = sql_column_copy(rows, 15, arena),
	};
	if (currency_parse(sql_column_bytes(rows, 2), &consent.terms.currency) != STATUS_OK)
		return ERR_DATABASE_CORRUPT;
	*ret_consent = consent;
	return STATUS_OK;
}

/* At most `max` rows; one that cannot be read fails the whole. */
static enum status consent_rows(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t value_count, struct arena *arena, struct consent *consents, size_t max, size_t *ret_count)
{
	size_t count = 0;
	struct sql_rows *rows;
	enum status status = STATUS_OK;
	TRY(sql_select(sql, query, values, value_count, &rows));
	while (status == STATUS_OK && count < max && sql_next(rows))
		status = consent_read(rows, arena, &consents[count++]);
	TRY(sql_end(rows));
	TRY(status);
	*ret_count = count;
	return STATUS_OK;
}

static enum status consent_one(struct sql *sql, const struct sql_query *query, const struct sql_value *values,
        size_t value_count, struct arena *arena, struct consent *ret_consent)
{
	struct consent consent = { 0 };
	size_t count = 0;
	TRY(consent_rows(sql, query, values, value_count, arena, &consent, 1, &count));
	if (!count)
		return ERR_NOT_FOUND;
	*ret_consent = consent;
	return STATUS_OK;
}

enum status consent_by_id(struct sql *sql, struct consent_id id, struct arena *arena, struct consent *ret_consent)
{
	return consent_one(sql, &identity_sql_consent_by_id, PARAMETERS(SQL_UUID(id.uuid)), arena, ret_consent);
}

enum status consent_oldest_active(struct sql *sql, struct agent_id agent, enum currency currency, int64_t at,
        struct arena *arena, struct consent *ret_consent)
{
	return consent_one(sql, &identity_sql_consent_oldest_active,
	        PARAMETERS(SQL_UUID(agent.uuid), SQL_TEXT(slice_from(currency_code(currency))), SQL_INSTANT(at)), arena,
	        ret_consent);
}

enum status consent_list(struct sql *sql, const struct page *page, struct agent_id agent, struct arena *arena,
        struct consent **ret_consents, size_t *ret_count)
{
	struct consent *consents = ARENA_ARRAY(arena, struct consent, page->limit + 1);
	bool of_one = !uuid_is_nil(agent.uuid);
	const struct sql_value values[] = { SQL_INSTANT(page->before_at), SQL_UUID(page->before_id),
		SQL_INTEGER(page->limit + 1), SQL_UUID(agent.uuid) };
	TRY(consent_rows(sql, of_one ? &identity_sql_consent_list_of_agent : &identity_sql_consent_list, values,
	        of_one ? 4 : 3, arena, consents, page->limit + 1, ret_count));
	*ret_consents = consents;
	return STATUS_OK;
}

enum status consent_revoke(struct sql *sql, struct consent_id id, struct slice reason, int64_t now)
{
	return sql_execute(sql, &identity_sql_consent_revoke,
	        PARAMETERS(SQL_UUID(id.uuid), SQL_INSTANT(now), SQL_TEXT_OR_NULL(reason)));
}
