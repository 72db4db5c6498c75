#include "risk/payment_event.h"

#include "base/json.h"

static struct slice member_text(const struct json *object, const char *name)
{
	const struct json *member = json_member(object, name);
	return member && (member->type == JSON_STRING || member->type == JSON_NUMBER) ? member->text : SLICE_EMPTY;
}

bool payment_event_read(const struct event *event, struct arena *arena, struct payment_event *ret_payment)
{
	const struct json *body;
	if (json_parse(event->body, arena, &body, NULL) != STATUS_OK)
		return false;
	struct payment_event payment = { .id.uuid = event->entity_id };
	if (!agent_id_parse(member_text(body, "agent_id"), &payment.agent) ||
	        currency_parse(member_text(body, "currency"), &payment.amount.currency) != STATUS_OK ||
	        money_parse(member_text(body, "amount"), payment.amount.currency, &payment.amount) != STATUS_OK)
		return false;
	*ret_payment = payment;
	return true;
}
