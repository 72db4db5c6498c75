#include "router/payee.h"

#include "money/iban.h"

static bool is_digits(struct slice text, size_t least, size_t most)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.size >= least && text.size <= most;
}

bool routing_number_is_valid(struct slice number)
{
	static const unsigned weights[] = { 3, 7, 1 };
	unsigned sum = 0;
	if (!is_digits(number, 9, 9))
		return false;
	for (size_t i = 0; i < number.size; i++)
		sum += weights[i % 3] * (unsigned)(number.data[i] - '0');
	return sum != 0 && sum % 10 == 0;
}

/* ISO 9362: four letters, two letters of the country, two characters, and three more or none. */
static bool bic_is_valid(struct slice bic)
{
	if (bic.size != 8 && bic.size != 11)
		return false;
	for (size_t i = 0; i < bic.size; i++) {
		char c = bic.data[i];
		if (!((c >= 'A' && c <= 'Z') || (i >= 6 && c >= '0' && c <= '9')))
			return false;
	}
	return true;
}

/* Letters, digits, '-' and '_': what processors' tokens and account numbers are made of. */
static bool is_plain(struct slice text, size_t most)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
		            c == '_'))
			return false;
	}
	return text.size >= 1 && text.size <= most;
}

/* As people write it: blanks between groups, small letters. */
static struct slice iban_compact(struct slice iban, struct arena *arena)
{
	char *compact = arena_alloc(arena, iban.size + 1);
	size_t size = 0;
	for (size_t i = 0; i < iban.size; i++) {
		char c = iban.data[i];
		if (c != ' ')
			compact[size++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	return slice_make(compact, size);
}

struct payee_fields {
	struct payee payee;
	bool has_account;
};

#define TEXT_FIELD(field, most) \
	{ \
		.name = #field, .kind = JSON_AS_TEXT, .offset = offsetof(struct payee_fields, payee.field), \
		.max = (most) \
	}

static const struct json_field fields[] = {
	TEXT_FIELD(name, PAYEE_NAME_MAX),
	TEXT_FIELD(iban, 42),
	TEXT_FIELD(bic, 11),
	TEXT_FIELD(routing_number, 9),
	TEXT_FIELD(account_number, 17),
	TEXT_FIELD(card_token, 100),
	{ .name = "account_id",
	        .kind = JSON_AS_ID,
	        .prefix = ID_PREFIX_account,
	        .offset = offsetof(struct payee_fields, payee.account),
	        .given = offsetof(struct payee_fields, has_account) },
};

static enum status check_account(struct payee *payee, struct arena *arena, struct problem *problem)
{
	char text[64];
	struct writer out = writer_fixed(text, sizeof text);
	(void)problem;
	write_account_id(&out, payee->account);
	payee->key = arena_copy(arena, writer_slice(&out));
	return STATUS_OK;
}

static enum status check_iban(struct payee *payee, struct arena *arena, struct problem *problem)
{
	payee->iban = iban_compact(payee->iban, arena);
	if (!iban_is_valid(payee->iban))
		return problem_set(
		        problem, ERR_INVALID_FIELD, "payee.iban", "The IBAN's form or check digits are wrong.");
	if (payee->bic.size && !bic_is_valid(payee->bic))
		return problem_set(problem, ERR_INVALID_FIELD, "payee.bic", "Expected a BIC of 8 or 11 characters.");
	payee->key = arena_format(arena, "iban:%.*s", SLICE_ARGS(payee->iban));
	return STATUS_OK;
}

static enum status check_us_account(struct payee *payee, struct arena *arena, struct problem *problem)
{
	if (!routing_number_is_valid(payee->routing_number))
		return problem_set(problem, ERR_INVALID_FIELD, "payee.routing_number",
		        "Expected nine digits with a valid check digit.");
	if (!is_plain(payee->account_number, 17))
		return problem_set(problem, ERR_INVALID_FIELD, "payee.account_number",
		        "Expected 1 to 17 letters, digits or hyphens.");
	payee->key = arena_format(
	        arena, "us:%.*s/%.*s", SLICE_ARGS(payee->routing_number), SLICE_ARGS(payee->account_number));
	return STATUS_OK;
}

static enum status check_card(struct payee *payee, struct arena *arena, struct problem *problem)
{
	if (!is_plain(payee->card_token, 100))
		return problem_set(problem, ERR_INVALID_FIELD, "payee.card_token",
		        "Expected 1 to 100 letters, digits, hyphens or underscores.");
	/* A card number must never get in here as a token. */
	if (is_digits(payee->card_token, 12, 19))
		return problem_set(
		        problem, ERR_INVALID_FIELD, "payee.card_token", "Expected a token, not a card number.");
	payee->key = arena_format(arena, "card:%.*s", SLICE_ARGS(payee->card_token));
	return STATUS_OK;
}

static enum status (*const checks[PAYEE_KIND_COUNT])(struct payee *, struct arena *, struct problem *) = {
	[PAYEE_ACCOUNT] = check_account,
	[PAYEE_IBAN] = check_iban,
	[PAYEE_US_ACCOUNT] = check_us_account,
	[PAYEE_CARD] = check_card,
};

enum status payee_parse(const struct json *value, struct arena *arena, struct payee *ret_payee, struct problem *problem)
{
	struct payee_fields bound = { .payee = { .name = SLICE_EMPTY } };
	if (!value || value->type != JSON_OBJECT)
		return problem_set(problem, ERR_INVALID_FIELD, "payee", "Expected a JSON object.");
	TRY(json_bind(value, fields, sizeof fields / sizeof *fields, &bound, arena, problem));
	struct payee *payee = &bound.payee;
	const bool given[PAYEE_KIND_COUNT] = {
		[PAYEE_ACCOUNT] = bound.has_account,
		[PAYEE_IBAN] = payee->iban.size > 0,
		[PAYEE_US_ACCOUNT] = payee->routing_number.size > 0 || payee->account_number.size > 0,
		[PAYEE_CARD] = payee->card_token.size > 0,
	};
	int count = 0;
	for (int kind = 0; kind < PAYEE_KIND_COUNT; kind++)
		if (given[kind]) {
			payee->kind = (enum payee_kind)kind;
			count++;
		}
	if (count != 1 || (payee->bic.size && payee->kind != PAYEE_IBAN))
		return problem_set(problem, ERR_INVALID_FIELD, "payee",
		        "Give exactly one of account_id, iban (with bic), routing_number with account_number, or "
		        "card_token.");
	TRY(checks[payee->kind](payee, arena, problem));
	*ret_payee = *payee;
	return STATUS_OK;
}

static void write_secretive(struct json_writer *json, const char *name, struct slice text, bool is_masked)
{
	char masked[PAYEE_KEY_MAX];
	struct writer out = writer_fixed(masked, sizeof masked);
	if (!text.size)
		return;
	size_t shown = !is_masked ? text.size : text.size > 8 ? 4 : 0;
	if (is_masked)
		write_text(&out, "****");
	write_slice(&out, slice_skip(text, text.size - shown));
	json_key_text(json, name, writer_slice(&out));
}

static void write_members(struct json_writer *json, const struct payee *payee, bool is_masked)
{
	if (payee->name.size)
		json_key_text(json, "name", payee->name);
	if (payee->kind == PAYEE_ACCOUNT)
		json_key_id(json, "account_id", ID_PREFIX_account, payee->account.uuid);
	write_secretive(json, "iban", payee->iban, is_masked);
	if (payee->bic.size)
		json_key_text(json, "bic", payee->bic);
	if (payee->routing_number.size)
		json_key_text(json, "routing_number", payee->routing_number);
	write_secretive(json, "account_number", payee->account_number, is_masked);
	write_secretive(json, "card_token", payee->card_token, is_masked);
}

void write_payee(struct json_writer *json, const struct payee *payee, bool is_masked)
{
	json_object_open(json);
	write_members(json, payee, is_masked);
	write_secretive(json, "key", payee->key, is_masked && payee->kind != PAYEE_ACCOUNT);
	json_object_close(json);
}

void write_payee_plain(struct json_writer *json, const struct payee *payee)
{
	json_object_open(json);
	write_members(json, payee, false);
	json_object_close(json);
}
