#include "payfile/payment_file.h"

#include "money/iban.h"
#include "money/ids.h"
#include "platform/crypto.h"

struct payment_order *payment_file_add(struct payment_file *file, struct arena *arena)
{
	/* Doubles at powers of two; the old arrays stay in the arena, which is at most the size of the last one. */
	if ((file->count & (file->count - 1)) == 0) {
		size_t capacity = file->count ? file->count * 2 : 1;
		struct payment_order *grown = ARENA_ARRAY(arena, struct payment_order, capacity);
		if (file->count)
			memcpy(grown, file->orders, file->count * sizeof *grown);
		file->orders = grown;
	}
	return &file->orders[file->count++];
}

void payment_order_refuse(struct payment_order *order, const char *code, struct slice detail)
{
	if (order->refusal)
		return;
	order->refusal = code;
	order->refusal_detail = detail;
}

/* "12.3" becomes "12.30": both formats let decimals be left out, the platform does not. */
static struct slice pad_decimals(struct slice amount, enum currency currency, struct arena *arena)
{
	size_t decimals = (size_t)currency_decimals(currency);
	const char *point = amount.size ? memchr(amount.data, '.', amount.size) : NULL;
	size_t given = point ? amount.size - (size_t)(point - amount.data) - 1 : 0;
	if (given >= decimals || !decimals)
		return amount;
	struct writer out = writer_growing(arena);
	write_slice(&out, amount);
	if (!point)
		write_char(&out, '.');
	for (size_t i = given; i < decimals; i++)
		write_char(&out, '0');
	return writer_slice(&out);
}

static void check_amount(struct payment_order *order, struct arena *arena)
{
	enum currency currency = CURRENCY_NONE;
	struct money money = { 0 };
	if (currency_parse(order->currency, &currency) != STATUS_OK) {
		payment_order_refuse(order, "AM03", SLICE("The currency is not known."));
		return;
	}
	order->amount = pad_decimals(order->amount, currency, arena);
	enum status status = money_parse(order->amount, currency, &money);
	if (status != STATUS_OK)
		payment_order_refuse(order, "AM12", slice_from(status_sentence(status)));
	else if (!money.minor_units)
		payment_order_refuse(order, "AM01", SLICE("The amount is zero."));
}

static void check_payee(struct payment_order *order)
{
	struct account_id account;
	int kinds = !slice_is_empty(order->iban) + !slice_is_empty(order->account_number) +
	            !slice_is_empty(order->account_id) + !slice_is_empty(order->card_token);
	if (kinds != 1)
		payment_order_refuse(order, "AC01", SLICE("The payee needs exactly one account that can be paid to."));
	else if (order->iban.size && !iban_is_valid(order->iban))
		payment_order_refuse(order, "AC03", SLICE("The payee's IBAN has wrong check digits."));
	else if (order->account_number.size && !order->routing_number.size)
		payment_order_refuse(order, "RC01", SLICE("The payee's account number needs a routing number."));
	else if (order->account_id.size && !account_id_parse(order->account_id, &account))
		payment_order_refuse(order, "AC03", SLICE("The payee's account is no acct-<uuid>."));
}

void payment_order_check(struct payment_order *order, struct arena *arena)
{
	check_amount(order, arena);
	check_payee(order);
}

enum status payment_file_read(struct slice bytes, struct slice name, struct slice schemas, struct arena *arena,
        struct payment_file *ret_file, struct problem *problem)
{
	struct payment_file file = { .message_id = name };
	struct slice start = slice_starts_with(bytes, SLICE("\xef\xbb\xbf")) ? slice_skip(bytes, 3) : bytes;
	if (bytes.size > PAYMENT_FILE_SIZE_MAX)
		return problem_set(problem, ERR_BODY_TOO_LARGE, "", "A payment file may have at most %d MiB.",
		        PAYMENT_FILE_SIZE_MAX >> 20);
	start = slice_trim(start);
	if (!start.size)
		return problem_set(problem, ERR_MISSING_FIELD, "", "The file is empty.");
	if (start.data[0] == '<')
		TRY(pain001_read(start, schemas, arena, &file, problem));
	else
		TRY(csv_read(start, arena, &file, problem));
	if (!file.count)
		return problem_set(problem, ERR_MISSING_FIELD, "", "The file has no payment.");
	for (size_t i = 0; i < file.count; i++)
		payment_order_check(&file.orders[i], arena);
	*ret_file = file;
	return STATUS_OK;
}

static struct sha256 order_digest(const struct payment_file *file, const struct payment_order *order)
{
	/* Each part with its size, so that two orders never read the same when joined. */
	const struct slice parts[] = { file->message_id, order->group_id, order->instruction_id, order->end_to_end_id,
		order->amount, order->currency, order->iban, order->routing_number, order->account_number,
		order->account_id, order->card_token };
	enum { PARTS = sizeof parts / sizeof *parts };
	uint64_t sizes[PARTS];
	struct slice joined[2 * PARTS];
	for (size_t i = 0; i < PARTS; i++) {
		sizes[i] = parts[i].size;
		joined[2 * i] = slice_make(&sizes[i], sizeof sizes[i]);
		joined[2 * i + 1] = parts[i];
	}
	return sha256_parts(joined, 2 * PARTS);
}

struct seen_order {
	struct sha256 digest;
	uint64_t times;
};

void payment_order_keys(const struct payment_file *file, char (*ret_keys)[ORDER_KEY_SIZE], struct arena *arena)
{
	size_t capacity = 16;
	while (capacity < file->count * 2)
		capacity *= 2;
	struct seen_order *seen = ARENA_ARRAY(arena, struct seen_order, capacity);
	for (size_t i = 0; i < file->count; i++) {
		struct sha256 digest = order_digest(file, &file->orders[i]);
		size_t at;
		memcpy(&at, digest.bytes, sizeof at);
		for (at &= capacity - 1; seen[at].times && memcmp(&seen[at].digest, &digest, sizeof digest) != 0;)
			at = (at + 1) & (capacity - 1);
		seen[at].digest = digest;
		const struct slice parts[] = { slice_make(&digest, sizeof digest),
			slice_make(&seen[at].times, sizeof seen[at].times) };
		seen[at].times++;
		struct sha256 key = sha256_parts(parts, 2);
		struct writer out = writer_fixed(ret_keys[i], ORDER_KEY_SIZE);
		write_hex(&out, key.bytes, sizeof key.bytes);
		ret_keys[i][ORDER_KEY_SIZE - 1] = 0;
	}
}

const char *payment_order_iso_status(const struct payment_order *order)
{
	static const struct {
		const char *status, *iso;
	} rows[] = { { "settled", "ACSC" }, { "refunded", "ACSC" }, { "accepted", "ACSP" }, { "submitted", "ACSP" },
		{ "authorized", "ACSP" }, { "unknown", "PDNG" }, { "created", "PDNG" }, { "awaiting_approval", "PDNG" },
		{ "canceled", "CANC" } };
	if (order->refusal)
		return "RJCT";
	if (!order->is_answered)
		return "PDNG";
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (slice_is(order->status, rows[i].status))
			return rows[i].iso;
	return "RJCT";
}

/* ExternalStatusReason1Code of our codes; NARR where the sentence must do. */
const char *payment_order_iso_reason(const struct payment_order *order)
{
	static const struct {
		const char *code, *iso;
	} rows[] = { { "insufficient_funds", "AM04" }, { "consent_payment_limit", "AM14" },
		{ "consent_daily_limit", "AM14" }, { "consent_monthly_limit", "AM14" }, { "consent_payee", "AG01" },
		{ "consent_rail", "AG01" }, { "consent_currency", "AG01" }, { "consent_revoked", "AG01" },
		{ "consent_expired", "AG01" }, { "consent_not_found", "AG01" }, { "consent_not_yet_valid", "AG01" },
		{ "agent_suspended", "AG01" }, { "no_rail", "AG03" }, { "idempotency_conflict", "DUPL" },
		{ "account_not_found", "AC01" }, { "account_closed", "AC04" }, { "AC01", "AC01" }, { "AC03", "AC03" },
		{ "AC04", "AC04" }, { "AM04", "AM04" } };
	if (order->refusal)
		return order->refusal;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (slice_is(order->code, rows[i].code))
			return rows[i].iso;
	return "NARR";
}
