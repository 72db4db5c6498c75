#include "ledger/ledger_events.h"

#include "audit/audit_api.h"
#include "base/clock.h"
#include "base/json.h"
#include "ledger/ledger_names.h"

enum { BODY_MAX = 1024, VALUES_MAX = 2048 };

static void write_amount(struct json_writer *json, const char *name, struct money amount)
{
	char text[40];
	struct writer out = writer_fixed(text, sizeof text);
	write_money(&out, amount);
	json_key_raw(json, name, writer_slice(&out));
}

static struct event event_make(
        const struct actor *actor, const char *type, const char *entity_type, struct uuid entity, int64_t at)
{
	return (struct event) {
		.id = uuid_new(),
		.type = slice_from(type),
		.entity_type = slice_from(entity_type),
		.entity_id = entity,
		.actor = actor->name,
		.ip_address = actor->ip_address,
		.user_agent = actor->user_agent,
		.trace_id = actor->trace_id,
		.created_at = at,
	};
}

static struct json_writer body_open(struct writer *out, const char *type)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_text(&json, "event_type", slice_from(type));
	return json;
}

static struct slice body_close(struct json_writer *json, int64_t at)
{
	json_key_instant(json, "timestamp", at);
	json_object_close(json);
	return writer_slice(json->out);
}

static struct slice account_values(struct writer *out, const struct ledger_account *account)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_id(&json, "agent_id", ID_PREFIX_agent, account->agent.uuid);
	json_key_text(&json, "type", slice_from(account_type_name(account->type)));
	json_key_text(&json, "currency", slice_from(currency_code(account->currency)));
	json_key_text(&json, "name", account->name);
	json_key_boolean(&json, "allow_negative", account->overdraft_minor != 0);
	json_object_close(&json);
	return writer_slice(out);
}

enum status ledger_event_opened(struct sql *sql, const struct actor *actor, const struct ledger_account *account)
{
	char body[BODY_MAX], values[VALUES_MAX];
	struct writer body_out = writer_fixed(body, sizeof body), values_out = writer_fixed(values, sizeof values);
	struct event event = event_make(actor, "account.opened", "account", account->id.uuid, account->created_at);
	struct json_writer json = body_open(&body_out, "account.opened");
	json_key_id(&json, "account_id", ID_PREFIX_account, account->id.uuid);
	json_key_id(&json, "agent_id", ID_PREFIX_agent, account->agent.uuid);
	json_key_text(&json, "type", slice_from(account_type_name(account->type)));
	json_key_text(&json, "currency", slice_from(currency_code(account->currency)));
	event.body = body_close(&json, account->created_at);
	event.new_values = account_values(&values_out, account);
	return outbox_add(sql, &event);
}

enum status ledger_event_posted(
        struct sql *sql, const struct actor *actor, const struct ledger_transfer *transfer, int64_t at)
{
	char body[BODY_MAX];
	struct writer out = writer_fixed(body, sizeof body);
	struct event event = event_make(actor, "ledger.posted", "transaction", transfer->id.uuid, at);
	struct json_writer json = body_open(&out, "ledger.posted");
	json_key_id(&json, "transaction_id", ID_PREFIX_transfer, transfer->id.uuid);
	json_key_text(&json, "kind", slice_from(transfer_kind_name(transfer->kind)));
	json_key_id(&json, "debit_account_id", ID_PREFIX_account, transfer->debit.uuid);
	json_key_id(&json, "credit_account_id", ID_PREFIX_account, transfer->credit.uuid);
	json_key_id(&json, "reference_id", ID_PREFIX_transfer, transfer->reference.uuid);
	write_amount(&json, "amount", transfer->amount);
	json_key_text(&json, "currency", slice_from(currency_code(transfer->amount.currency)));
	event.body = body_close(&json, at);
	event.new_values = event.body;
	return outbox_add(sql, &event);
}

enum status ledger_event_viewed(
        struct sql *sql, const struct actor *actor, struct user_id user, struct account_id account, int64_t at)
{
	const struct audit_access access = {
		.user = user,
		.resource = "statement",
		.action = "view",
		.entity_type = "account",
		.entity = account.uuid,
		.at = at,
	};
	return audit_access_store(sql, actor, &access);
}
