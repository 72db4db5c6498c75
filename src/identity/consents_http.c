/* /v1/consents… */
#include "identity/identity_http.h"

#include "base/clock.h"

enum { PURPOSE_MAX = 1000, REASON_MAX = 500 };

struct consent_body {
	struct uuid agent, account;
	struct slice currency, per_payment, daily, monthly, approval, purpose;
	struct slice_list payees, rails;
	int64_t valid_from, expires_at;
};

#define FIELD(member_name, as, field, ...) \
	{ \
		.name = (member_name), .kind = (as), .offset = offsetof(struct consent_body, field), __VA_ARGS__ \
	}
static const struct json_field consent_fields[] = {
	FIELD("agent_id", JSON_AS_ID, agent, .is_required = true, .prefix = ID_PREFIX_agent),
	FIELD("currency", JSON_AS_TEXT, currency, .is_required = true),
	FIELD("per_payment_limit", JSON_AS_DECIMAL, per_payment, .is_required = true),
	FIELD("daily_limit", JSON_AS_DECIMAL, daily, .is_required = true),
	FIELD("monthly_limit", JSON_AS_DECIMAL, monthly, .is_required = true),
	FIELD("approval_threshold", JSON_AS_DECIMAL, approval, .is_required = false),
	FIELD("payees", JSON_AS_TEXT_LIST, payees, .max = CONSENT_PAYEES_MAX),
	FIELD("rails", JSON_AS_TEXT_LIST, rails, .max = RAIL_COUNT),
	FIELD("account_id", JSON_AS_ID, account, .prefix = ID_PREFIX_account),
	FIELD("valid_from", JSON_AS_INSTANT, valid_from, .is_required = false),
	FIELD("expires_at", JSON_AS_INSTANT, expires_at, .is_required = false),
	FIELD("purpose", JSON_AS_TEXT, purpose, .max = PURPOSE_MAX),
};

static enum status read_amounts(const struct consent_body *body, struct consent_terms *terms, struct problem *problem)
{
	const struct {
		const char *name;
		struct slice text;
		int64_t *minor;
	} amounts[] = {
		{ "per_payment_limit", body->per_payment, &terms->per_payment_minor },
		{ "daily_limit", body->daily, &terms->daily_minor },
		{ "monthly_limit", body->monthly, &terms->monthly_minor },
		{ "approval_threshold", body->approval, &terms->approval_minor },
	};
	for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
		struct money money;
		if (slice_is_empty(amounts[i].text))
			continue;
		enum status status = money_parse(amounts[i].text, terms->currency, &money);
		if (status != STATUS_OK)
			return problem_set(problem, status, amounts[i].name, "%s", status_sentence(status));
		*amounts[i].minor = money.minor_units;
	}
	return STATUS_OK;
}

static enum status read_rails(const struct slice_list *names, unsigned *ret_rails, struct problem *problem)
{
	unsigned rails = names->count ? 0 : RAILS_ALL;
	for (size_t i = 0; i < names->count; i++) {
		enum rail rail;
		if (!rail_parse(names->items[i], &rail))
			return problem_set(problem, ERR_INVALID_FIELD, "rails", "A rail is one of GET /v1/rails.");
		rails |= 1u << rail;
	}
	*ret_rails = rails;
	return STATUS_OK;
}

static struct slice join_lines(const struct slice_list *list, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			write_char(&out, '\n');
		write_slice(&out, list->items[i]);
	}
	return writer_slice(&out);
}

static enum status read_consent(const struct http_request *request, struct consent *ret_consent)
{
	struct consent_body body = { .purpose = SLICE_EMPTY };
	TRY(json_read(request->body, consent_fields, sizeof consent_fields / sizeof *consent_fields, &body,
	        request->arena, request->problem));
	struct consent consent = {
		.terms = {
			.id = { request->operation_id },
			.agent = { body.agent },
			.account = { body.account },
			.valid_from = body.valid_from,
			.expires_at = body.expires_at,
		},
		.purpose = body.purpose,
	};
	/* An empty key would be lost among the lines. */
	for (size_t i = 0; i < body.payees.count; i++)
		if (slice_is_empty(body.payees.items[i]))
			return problem_set(
			        request->problem, ERR_INVALID_FIELD, "payees", "A payee's key is not empty.");
	consent.terms.payees = join_lines(&body.payees, request->arena);
	if (currency_parse(body.currency, &consent.terms.currency) != STATUS_OK)
		return problem_set(request->problem, ERR_UNKNOWN_CURRENCY, "currency", "%s",
		        status_sentence(ERR_UNKNOWN_CURRENCY));
	TRY(read_amounts(&body, &consent.terms, request->problem));
	TRY(read_rails(&body.rails, &consent.terms.rails, request->problem));
	*ret_consent = consent;
	return STATUS_OK;
}

static void key_amount(struct json_writer *json, const char *name, int64_t minor, enum currency currency)
{
	char text[40];
	struct writer amount = writer_fixed(text, sizeof text);
	write_money(&amount, (struct money) { minor, currency });
	json_key_raw(json, name, writer_slice(&amount));
}

static void key_payees(struct json_writer *json, struct slice payees)
{
	struct slice key;
	json_key(json, "payees");
	json_array_open(json);
	while (!slice_is_empty(payees) && slice_split(&payees, '\n', &key))
		json_text(json, key);
	json_array_close(json);
}

static void key_rails(struct json_writer *json, unsigned rails)
{
	json_key(json, "rails");
	json_array_open(json);
	for (unsigned rail = 0; rail < RAIL_COUNT; rail++)
		if (rails & 1u << rail)
			json_text(json, slice_from(rail_name((enum rail)rail)));
	json_array_close(json);
}

static void write_consent(struct json_writer *json, const struct consent *consent)
{
	static const char *const states[] = {
		[CONSENT_ACTIVE] = "active",
		[CONSENT_REVOKED] = "revoked",
		[CONSENT_EXPIRED] = "expired",
	};
	const struct consent_terms *terms = &consent->terms;
	json_object_open(json);
	json_key_id(json, "id", ID_PREFIX_consent, terms->id.uuid);
	json_key_id(json, "agent_id", ID_PREFIX_agent, terms->agent.uuid);
	json_key_text(json, "currency", slice_from(currency_code(terms->currency)));
	key_amount(json, "per_payment_limit", terms->per_payment_minor, terms->currency);
	key_amount(json, "daily_limit", terms->daily_minor, terms->currency);
	key_amount(json, "monthly_limit", terms->monthly_minor, terms->currency);
	key_payees(json, terms->payees);
	key_rails(json, terms->rails);
	if (terms->approval_minor)
		key_amount(json, "approval_threshold", terms->approval_minor, terms->currency);
	else
		json_key_raw(json, "approval_threshold", SLICE("null"));
	json_key_id(json, "account_id", ID_PREFIX_account, terms->account.uuid);
	json_key_instant(json, "valid_from", terms->valid_from);
	json_key_instant(json, "expires_at", terms->expires_at);
	json_key_text_or_null(json, "purpose", consent->purpose);
	json_key_text(json, "status", slice_from(states[consent_rules_state(terms, clock_now())]));
	json_key_instant(json, "created_at", terms->created_at);
	json_key_instant(json, "revoked_at", terms->revoked_at);
	json_object_close(json);
}

static void answer_consent(
        const struct http_request *request, struct http_response *response, int status, const struct consent *consent)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	write_consent(&json, consent);
	http_response_json(response, status, &out);
}

enum status consents_create(void *service, struct http_request *request, struct http_response *response)
{
	struct consent draft, consent;
	TRY(read_consent(request, &draft));
	TRY(identity_consent_grant(
	        service, request->actor, request->principal, &draft, request->arena, &consent, request->problem));
	answer_consent(request, response, 201, &consent);
	return STATUS_OK;
}

/* ?agent_id=; an agent sees its own, whatever it asks for. */
static enum status read_agent(const struct http_request *request, struct agent_id *ret_agent)
{
	struct slice text = http_request_query(request, "agent_id");
	struct agent_id agent = principal_agent(request->principal);
	if (text.size && !agent_id_parse(text, &agent))
		return problem_set(
		        request->problem, ERR_INVALID_PARAMETER, "agent_id", "The identifier is agent-<uuid>.");
	if (principal_is_agent(request->principal))
		agent = principal_agent(request->principal);
	*ret_agent = agent;
	return STATUS_OK;
}

enum status consents_list(void *service, struct http_request *request, struct http_response *response)
{
	struct page page;
	struct page_writer writer;
	struct agent_id agent;
	struct consent *consents;
	size_t count;
	TRY(page_read(request, &page));
	TRY(read_agent(request, &agent));
	TRY(identity_consent_list(service, &page, agent, request->arena, &consents, &count));
	page_open(&writer, &page, request->arena);
	for (size_t i = 0; i < count && page_row(&writer, consents[i].terms.created_at, consents[i].terms.id.uuid); i++)
		write_consent(&writer.json, &consents[i]);
	page_close(&writer, response);
	return STATUS_OK;
}

enum status consents_get(void *service, struct http_request *request, struct http_response *response)
{
	struct consent_id id;
	struct consent consent;
	TRY(path_id(request, ID_PREFIX_consent, &id.uuid));
	TRY(identity_consent_get(service, id, request->arena, &consent));
	if (principal_is_agent(request->principal) && !uuid_equal(consent.terms.agent.uuid, request->principal->id))
		return ERR_NOT_FOUND;
	answer_consent(request, response, 200, &consent);
	return STATUS_OK;
}

enum status consents_revoke(void *service, struct http_request *request, struct http_response *response)
{
	static const struct json_field fields[] = { { .name = "reason", .kind = JSON_AS_TEXT, .max = REASON_MAX } };
	struct slice reason = SLICE_EMPTY;
	struct consent_id id;
	struct consent consent;
	TRY(path_id(request, ID_PREFIX_consent, &id.uuid));
	TRY(json_read(request->body, fields, 1, &reason, request->arena, request->problem));
	TRY(identity_consent_revoke(service, request->actor, id, reason, request->arena, &consent));
	answer_consent(request, response, 200, &consent);
	return STATUS_OK;
}
