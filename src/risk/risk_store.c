#include "risk/risk_store.h"

#include "base/clock.h"
#include "risk/risk_json.h"
#include "risk_sql.h"

static enum status alert_event(struct sql *sql, const struct risk_alert *alert, const struct actor *actor);

enum status risk_store_alert(struct sql *sql, const struct risk_alert *alert, const struct actor *actor)
{
	int64_t inserted;
	TRY(sql_execute_counted(sql, &risk_alert_insert,
	        (struct sql_value[]) { SQL_UUID(alert->id.uuid), SQL_UUID(alert->payment.uuid),
	                SQL_UUID(alert->agent.uuid), SQL_INTEGER(alert->score), SQL_TEXT(alert->type),
	                SQL_INTEGER(alert->threshold), SQL_TEXT(alert->decision), SQL_TEXT(alert->reasons),
	                SQL_INTEGER(alert->amount.minor_units),
	                SQL_TEXT(slice_from(currency_code(alert->amount.currency))), SQL_INSTANT(alert->created_at) },
	        11, &inserted));
	return inserted ? alert_event(sql, alert, actor) : STATUS_OK;
}

static enum status alert_event(struct sql *sql, const struct risk_alert *alert, const struct actor *actor)
{
	char body[512], after[1024];
	struct writer out = writer_fixed(body, sizeof body);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "event_type", SLICE("risk.alert"));
	json_key_id(&json, "payment_id", ID_PREFIX_payment, alert->payment.uuid);
	json_key_i64(&json, "risk_score", alert->score);
	json_key_text(&json, "alert_type", alert->type);
	json_key_i64(&json, "threshold", alert->threshold);
	json_key_instant(&json, "timestamp", alert->created_at);
	json_object_close(&json);

	struct writer change = writer_fixed(after, sizeof after);
	json = (struct json_writer) { .out = &change };
	json_object_open(&json);
	json_key_id(&json, "alert_id", ID_PREFIX_alert, alert->id.uuid);
	json_key_text(&json, "status", SLICE("open"));
	json_key_text(&json, "decision", alert->decision);
	json_key_raw(&json, "reasons", alert->reasons);
	json_object_close(&json);
	if (out.overflowed || change.overflowed)
		return ERR_INTERNAL;

	const struct event event = { .id = uuid_new(),
		.type = SLICE("risk.alert"),
		.entity_type = SLICE("payment"),
		.entity_id = alert->payment.uuid,
		.actor = actor->name,
		.ip_address = actor->ip_address,
		.user_agent = actor->user_agent,
		.trace_id = actor->trace_id,
		.body = writer_slice(&out),
		.new_values = writer_slice(&change),
		.created_at = alert->created_at };
	return outbox_add(sql, &event);
}

/* Fills the verdict from the columns score, decision and reasons. */
static enum status read_verdict(const struct sql_rows *rows, struct risk_verdict *ret_verdict)
{
	struct risk_verdict verdict = { .score = (int)sql_column_integer(rows, 0) };
	if (!risk_decision_parse(sql_column_bytes(rows, 1), &verdict.decision))
		return ERR_DATABASE_CORRUPT;
	struct arena arena = { 0 };
	const struct json *reasons;
	enum status status = json_parse(sql_column_bytes(rows, 2), &arena, &reasons, NULL);
	if (status != STATUS_OK || !risk_reasons_read(reasons, &verdict))
		status = ERR_DATABASE_CORRUPT;
	arena_clean_up(&arena);
	if (status == STATUS_OK)
		*ret_verdict = verdict;
	return status;
}

enum status risk_store_verdict(struct sql *sql, struct payment_id payment, struct risk_verdict *ret_verdict)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &risk_alert_of_payment, (struct sql_value[]) { SQL_UUID(payment.uuid) }, 1, &rows));
	enum status found = sql_next(rows) ? read_verdict(rows, ret_verdict) : ERR_NOT_FOUND;
	TRY(sql_end(rows));
	return found;
}

static enum status read_alert(const struct sql_rows *rows, struct risk_alert *ret_alert)
{
	*ret_alert = (struct risk_alert) {
		.id.uuid = sql_column_uuid(rows, 0),
		.payment.uuid = sql_column_uuid(rows, 1),
		.agent.uuid = sql_column_uuid(rows, 2),
		.score = (int)sql_column_integer(rows, 3),
		.type = sql_column_bytes(rows, 4),
		.threshold = (int)sql_column_integer(rows, 5),
		.decision = sql_column_bytes(rows, 6),
		.reasons = sql_column_bytes(rows, 7),
		.amount.minor_units = sql_column_integer(rows, 8),
		.status = sql_column_bytes(rows, 10),
		.created_at = sql_column_instant(rows, 11),
	};
	return currency_parse(sql_column_bytes(rows, 9), &ret_alert->amount.currency);
}

enum status risk_store_alerts(struct sql *sql, const struct risk_alert_filter *filter, const struct page *page,
        void (*take)(void *arg, const struct risk_alert *alert), void *arg)
{
	const struct sql_query *query = &risk_alert_page;
	struct sql_value values[] = { SQL_INSTANT(page->before_at), SQL_UUID(page->before_id),
		SQL_INTEGER(page->limit + 1), SQL_NULL };
	size_t count = 3;
	if (!uuid_is_nil(filter->payment.uuid)) {
		query = &risk_alert_page_of_payment;
		values[count++] = SQL_UUID(filter->payment.uuid);
	} else if (!uuid_is_nil(filter->agent.uuid)) {
		query = &risk_alert_page_of_agent;
		values[count++] = SQL_UUID(filter->agent.uuid);
	}
	struct sql_rows *rows;
	TRY(sql_select(sql, query, values, count, &rows));
	enum status status = STATUS_OK;
	while (status == STATUS_OK && sql_next(rows)) {
		struct risk_alert alert;
		status = read_alert(rows, &alert);
		/* With both filters the payment chooses the row and the agent may still refuse it. */
		bool is_wanted = uuid_is_nil(filter->agent.uuid) || uuid_equal(alert.agent.uuid, filter->agent.uuid);
		if (status == STATUS_OK && is_wanted)
			take(arg, &alert);
	}
	TRY(sql_end(rows));
	return status == STATUS_OK ? STATUS_OK : ERR_DATABASE_CORRUPT;
}

enum status risk_store_payee_is_known(struct sql *sql, struct uuid payee, bool *ret_is_known)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &risk_payee_known, (struct sql_value[]) { SQL_UUID(payee) }, 1, &rows));
	bool is_known = sql_next(rows);
	TRY(sql_end(rows));
	*ret_is_known = is_known;
	return STATUS_OK;
}

enum status risk_store_candidate_add(struct sql *sql, const struct risk_candidate *candidate)
{
	return sql_execute(sql, &risk_candidate_insert,
	        (struct sql_value[]) { SQL_UUID(candidate->payment.uuid), SQL_UUID(candidate->agent.uuid),
	                SQL_UUID(candidate->payee), SQL_INSTANT(candidate->created_at) },
	        4);
}

enum status risk_store_candidate_payee(struct sql *sql, struct payment_id payment, struct uuid *ret_payee)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &risk_candidate_of_payment, (struct sql_value[]) { SQL_UUID(payment.uuid) }, 1, &rows));
	bool is_found = sql_next(rows);
	struct uuid payee = { { 0 } };
	if (is_found)
		payee = sql_column_uuid(rows, 0);
	TRY(sql_end(rows));
	if (!is_found)
		return ERR_NOT_FOUND;
	*ret_payee = payee;
	return STATUS_OK;
}

enum status risk_store_candidate_end(struct sql *sql, struct payment_id payment, bool is_confirmed)
{
	const struct sql_value id[] = { SQL_UUID(payment.uuid) };
	if (is_confirmed)
		TRY(sql_execute(sql, &risk_payee_insert, id, 1));
	return sql_execute(sql, &risk_candidate_delete, id, 1);
}

enum status risk_store_has_candidates(struct sql *sql, bool *ret_has)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &risk_candidate_any, NULL, 0, &rows));
	bool has = sql_next(rows);
	TRY(sql_end(rows));
	*ret_has = has;
	return STATUS_OK;
}
