#include "router/payment_json.h"

struct order_fields {
	struct slice amount, currency, rail, description, reference;
	const struct json *payee;
	struct uuid consent, account;
	int64_t deadline_at;
	bool is_dry_run, has_rail;
};

#define FIELD(member, text, as, required, most) \
	{ \
		.name = (text), .kind = (as), .is_required = (required), \
		.offset = offsetof(struct order_fields, member), .max = (most) \
	}

/* The first QUOTE_FIELDS are what a quote may say. */
enum { QUOTE_FIELDS = 4 };
static const struct json_field order_fields[] = {
	FIELD(amount, "amount", JSON_AS_DECIMAL, true, 0),
	FIELD(currency, "currency", JSON_AS_TEXT, true, 5),
	FIELD(payee, "payee", JSON_AS_VALUE, true, 0),
	FIELD(deadline_at, "deadline", JSON_AS_INSTANT, false, 0),
	FIELD(description, "description", JSON_AS_TEXT, false, 255),
	FIELD(reference, "reference", JSON_AS_TEXT, false, 140),
	FIELD(is_dry_run, "dry_run", JSON_AS_BOOLEAN, false, 0),
	{ .name = "rail",
	        .kind = JSON_AS_TEXT,
	        .offset = offsetof(struct order_fields, rail),
	        .max = 20,
	        .given = offsetof(struct order_fields, has_rail) },
	{ .name = "consent_id",
	        .kind = JSON_AS_ID,
	        .offset = offsetof(struct order_fields, consent),
	        .prefix = ID_PREFIX_consent },
	{ .name = "account_id",
	        .kind = JSON_AS_ID,
	        .offset = offsetof(struct order_fields, account),
	        .prefix = ID_PREFIX_account },
};

static enum status read_amount(const struct order_fields *fields, struct money *ret_amount, struct problem *problem)
{
	enum currency currency;
	enum status status = currency_parse(fields->currency, &currency);
	if (status != STATUS_OK)
		return problem_set(problem, status, "currency", "%s", status_sentence(status));
	status = money_parse(fields->amount, currency, ret_amount);
	if (status != STATUS_OK)
		return problem_set(problem, status, "amount", "%s has %d decimals: give exactly that many.",
		        currency_code(currency), currency_decimals(currency));
	if (ret_amount->minor_units == 0)
		return problem_set(problem, ERR_INVALID_AMOUNT, "amount", "A payment moves more than nothing.");
	return STATUS_OK;
}

static enum status read_order(struct slice body, size_t field_count, struct arena *arena,
        struct payment_order *ret_order, struct problem *problem)
{
	struct order_fields fields = { .description = SLICE_EMPTY, .reference = SLICE_EMPTY };
	struct payment_order order = { .rails_requested = RAILS_ALL };
	enum rail rail;
	TRY(json_read(body, order_fields, field_count, &fields, arena, problem));
	TRY(read_amount(&fields, &order.amount, problem));
	TRY(payee_parse(fields.payee, arena, &order.payee, problem));
	if (fields.has_rail) {
		if (!rail_parse(fields.rail, &rail))
			return problem_set(problem, ERR_INVALID_FIELD, "rail", "There is no such rail.");
		order.rails_requested = 1u << rail;
	}
	order.consent.uuid = fields.consent;
	order.account.uuid = fields.account;
	order.description = fields.description;
	order.reference = fields.reference;
	order.deadline_at = fields.deadline_at;
	order.is_dry_run = fields.is_dry_run;
	*ret_order = order;
	return STATUS_OK;
}

enum status payment_order_read(
        struct slice body, struct arena *arena, struct payment_order *ret_order, struct problem *problem)
{
	return read_order(body, sizeof order_fields / sizeof *order_fields, arena, ret_order, problem);
}

enum status quote_order_read(
        struct slice body, struct arena *arena, struct payment_order *ret_order, struct problem *problem)
{
	return read_order(body, QUOTE_FIELDS, arena, ret_order, problem);
}

void json_key_money(struct json_writer *json, const char *name, struct money money)
{
	json_key(json, name);
	write_money(json->out, money);
	json->needs_comma = true;
}

static struct money minor(const struct payment *payment, int64_t minor_units)
{
	return (struct money) { minor_units, payment->amount.currency };
}

void write_payment_members(struct json_writer *json, const struct payment *payment, bool is_masked)
{
	json_key_id(json, "id", ID_PREFIX_payment, payment->id.uuid);
	json_key_id(json, "agent_id", ID_PREFIX_agent, payment->agent.uuid);
	json_key_id(json, "consent_id", ID_PREFIX_consent, payment->consent.uuid);
	json_key_id(json, "account_id", ID_PREFIX_account, payment->account.uuid);
	json_key_money(json, "amount", payment->amount);
	json_key_text(json, "currency", slice_from(currency_code(payment->amount.currency)));
	json_key_money(json, "fee", minor(payment, payment->fee_minor));
	json_key(json, "payee");
	write_payee(json, &payment->payee, is_masked);
	json_key_text(json, "status", slice_from(payment_status_name(payment->status)));
	json_key_text_or_null(json, "rail", slice_from(payment->has_rail ? rail_name(payment->rail) : ""));
	json_key(json, "risk_score");
	if (payment->risk_score < 0)
		json_null(json);
	else
		json_i64(json, payment->risk_score);
	json_key_raw(json, "risk_reasons", payment->risk_reasons.size ? payment->risk_reasons : SLICE("[]"));
	json_key_text_or_null(json, "decline_code", payment->decline_code);
	json_key_text_or_null(json, "decline_reason", payment->decline_reason);
	json_key_text_or_null(json, "reference", payment->reference);
	json_key_text_or_null(json, "description", payment->description);
	json_key_money(json, "refunded_amount", minor(payment, payment->refunded_minor));
	json_key_instant(json, "expected_settlement_at", payment->expected_at);
	json_key_instant(json, "created_at", payment->created_at);
	json_key_instant(json, "updated_at", payment->updated_at);
	json_key_instant(json, "completed_at", payment->completed_at);
}

void write_payment_object(struct json_writer *json, const struct payment *payment, bool is_masked)
{
	json_object_open(json);
	write_payment_members(json, payment, is_masked);
	json_object_close(json);
}

void write_attempts(struct json_writer *json, const struct attempt *attempts, size_t count)
{
	json_array_open(json);
	for (size_t i = 0; i < count; i++) {
		json_object_open(json);
		json_key_id(json, "id", ID_PREFIX_attempt, attempts[i].id.uuid);
		json_key_text(json, "rail", slice_from(rail_name(attempts[i].rail)));
		json_key_text(json, "status", slice_from(attempt_status_name(attempts[i].status)));
		json_key_text_or_null(json, "decline_code", attempts[i].decline_code);
		json_key_text_or_null(json, "network_reference", attempts[i].network_reference);
		json_key_instant(json, "created_at", attempts[i].created_at);
		json_key_instant(json, "updated_at", attempts[i].updated_at);
		json_object_close(json);
	}
	json_array_close(json);
}

static void write_history_row(struct json_writer *json, struct slice status, int64_t at, struct slice reason)
{
	json_object_open(json);
	json_key_text(json, "status", status);
	json_key_instant(json, "at", at);
	json_key_text_or_null(json, "reason", reason);
	json_object_close(json);
}

void write_history(
        struct json_writer *json, const struct payment *payment, const struct history_row *rows, size_t count)
{
	json_array_open(json);
	write_history_row(json, slice_from(payment_status_name(PAYMENT_CREATED)), payment->created_at, SLICE_EMPTY);
	if (payment->completed_at == payment->created_at && payment->has_rail && payment->rail == RAIL_BOOK &&
	        !payment->decline_code.size)
		write_history_row(
		        json, slice_from(payment_status_name(PAYMENT_SETTLED)), payment->completed_at, SLICE_EMPTY);
	for (size_t i = 0; i < count; i++)
		write_history_row(json, rows[i].status, rows[i].at, rows[i].reason);
	json_array_close(json);
}

void write_refund(struct json_writer *json, const struct refund *refund, enum currency currency)
{
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_refund, refund->id.uuid);
	json_key_id(json, "payment_id", ID_PREFIX_payment, refund->payment.uuid);
	json_key_money(json, "amount", (struct money) { refund->amount_minor, currency });
	json_key_text(json, "currency", slice_from(currency_code(currency)));
	json_key_text(json, "status", slice_from(refund_status_name(refund->status)));
	json_key_instant(json, "created_at", refund->created_at);
	json_object_close(json);
}

static void write_quote(struct json_writer *json, struct money amount, const struct route_option *option)
{
	struct money total = { amount.minor_units + option->fee.minor_units, amount.currency };
	json_object_open(json);
	json_key_text(json, "rail", slice_from(rail_name(option->rail)));
	json_key_boolean(json, "eligible", option->reasons == 0);
	json_key(json, "reasons");
	json_array_open(json);
	for (unsigned reason = 0; reason < ROUTE_REASON_COUNT; reason++)
		if (option->reasons & 1u << reason)
			json_text(json, slice_from(route_reason_code((enum route_reason)reason)));
	json_array_close(json);
	if (option->reasons & 1u << ROUTE_CURRENCY) {
		json_key_raw(json, "fee", SLICE("null"));
		json_key_raw(json, "total", SLICE("null"));
	} else {
		json_key_money(json, "fee", option->fee);
		json_key_money(json, "total", total);
	}
	json_key_instant(json, "expected_settlement_at", option->expected_at);
	json_key(json, "rank");
	if (option->rank)
		json_i64(json, option->rank);
	else
		json_null(json);
	json_object_close(json);
}

void write_quotes(struct json_writer *json, struct money amount, const struct route_choice *choice)
{
	json_object_open(json);
	json_key(json, "quotes");
	json_array_open(json);
	for (size_t i = 0; i < RAIL_COUNT; i++)
		write_quote(json, amount, &choice->options[i]);
	json_array_close(json);
	json_key_text_or_null(json, "chosen", slice_from(choice->is_possible ? rail_name(choice->rail) : ""));
	json_object_close(json);
}

/* Rails have one schedule for all their currencies, which all have two decimals but on book, where it is zero. */
static void write_figure(struct json_writer *json, const char *name, int64_t minor_units)
{
	json_key_money(json, name, (struct money) { minor_units, CURRENCY_USD });
}

void write_rail(struct json_writer *json, enum rail rail, bool is_available)
{
	const struct rail_row *row = rail_row(rail);
	json_object_open(json);
	json_key_text(json, "name", slice_from(rail_name(rail)));
	json_key(json, "currencies");
	json_array_open(json);
	for (unsigned currency = 1; currency < CURRENCY_COUNT; currency++)
		if (rail_carries(rail, (enum currency)currency))
			json_text(json, slice_from(currency_code((enum currency)currency)));
	json_array_close(json);
	if (rail == RAIL_BOOK) {
		json_key_raw(json, "min_amount", SLICE("null"));
	} else {
		write_figure(json, "min_amount", row->min_minor);
	}
	if (row->max_minor == RAIL_ANY_AMOUNT)
		json_key_raw(json, "max_amount", SLICE("null"));
	else
		write_figure(json, "max_amount", row->max_minor);
	json_key(json, "fee");
	json_object_open(json);
	write_figure(json, "fixed", row->fee.fixed_minor);
	json_key_i64(json, "basis_points", row->fee.basis_points);
	write_figure(json, "min", row->fee.min_minor);
	if (row->fee.cap_minor)
		write_figure(json, "cap", row->fee.cap_minor);
	else
		json_key_raw(json, "cap", SLICE("null"));
	json_object_close(json);
	json_key_text(json, "cut_off", slice_from(row->cut_off_text));
	json_key_text(json, "settlement", slice_from(row->settlement_text));
	json_key_boolean(json, "available", is_available);
	json_object_close(json);
}
