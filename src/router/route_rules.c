#include "router/route_rules.h"

const char *route_reason_code(enum route_reason reason)
{
	static const char *const codes[] = {
#define ROUTE_REASON(name, code) code,
		ROUTE_REASONS(ROUTE_REASON)
#undef ROUTE_REASON
	};
	return (unsigned)reason < ROUTE_REASON_COUNT ? codes[reason] : "";
}

static struct route_option weigh(enum rail rail, const struct route_question *question)
{
	const struct rail_row *row = rail_row(rail);
	int64_t amount = question->amount.minor_units;
	struct route_option option = {
		.rail = rail,
		.fee = money_fee(question->amount, &row->fee),
		.expected_at = rail_expected_settlement(rail, question->amount, question->at),
	};
	bool is_carried = rail_carries(rail, question->amount.currency);
	const bool stands[ROUTE_REASON_COUNT] = {
		[ROUTE_UNAVAILABLE] = !(question->available & 1u << rail),
		[ROUTE_CURRENCY] = !is_carried,
		[ROUTE_PAYEE] = is_carried && !rail_reaches(rail, question->amount.currency, question->payee),
		[ROUTE_BELOW_MINIMUM] = amount < row->min_minor,
		[ROUTE_ABOVE_MAXIMUM] = row->max_minor != RAIL_ANY_AMOUNT && amount > row->max_minor,
		[ROUTE_DEADLINE] = question->deadline_at && option.expected_at > question->deadline_at,
		[ROUTE_CONSENT] = !(question->consented & 1u << rail),
		[ROUTE_NOT_REQUESTED] = !(question->requested & 1u << rail),
		[ROUTE_TRIED] = (question->tried & 1u << rail) != 0,
	};
	for (unsigned reason = 0; reason < ROUTE_REASON_COUNT; reason++)
		if (stands[reason])
			option.reasons |= 1u << reason;
	return option;
}

/* Strict: two different rails never compare equal. */
static bool is_better(const struct route_option *a, const struct route_option *b)
{
	if (a->fee.minor_units != b->fee.minor_units)
		return a->fee.minor_units < b->fee.minor_units;
	if (a->expected_at != b->expected_at)
		return a->expected_at < b->expected_at;
	return a->rail < b->rail;
}

struct route_choice route_choose(const struct route_question *question)
{
	struct route_choice choice = { .is_possible = false };
	for (unsigned rail = 0; rail < RAIL_COUNT; rail++)
		choice.options[rail] = weigh((enum rail)rail, question);
	for (unsigned rail = 0; rail < RAIL_COUNT; rail++) {
		struct route_option *option = &choice.options[rail];
		if (option->reasons)
			continue;
		option->rank = 1;
		for (unsigned other = 0; other < RAIL_COUNT; other++)
			if (other != rail && !choice.options[other].reasons &&
			        is_better(&choice.options[other], option))
				option->rank++;
		if (option->rank == 1) {
			choice.is_possible = true;
			choice.rail = option->rail;
		}
	}
	return choice;
}

enum status route_refusal(const struct route_choice *choice)
{
	for (unsigned rail = 0; rail < RAIL_COUNT; rail++)
		if (choice->options[rail].reasons == 1u << ROUTE_CONSENT)
			return ERR_CONSENT_RAIL;
	return ERR_NO_RAIL;
}
