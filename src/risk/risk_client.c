#include "risk/risk_client.h"

#include "risk/risk_http.h"
#include "risk/risk_json.h"

static void write_question(struct writer *out, const struct risk_question *question)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_id(&json, "payment_id", ID_PREFIX_payment, question->payment.uuid);
	json_key_id(&json, "agent_id", ID_PREFIX_agent, question->agent.uuid);
	json_key_i64(&json, "amount", question->amount.minor_units);
	json_key_text(&json, "currency", slice_from(currency_code(question->amount.currency)));
	json_key_text(&json, "payee", question->payee);
	json_key_text_or_null(&json, "ip_address", question->ip_address);
	json_key_i64(&json, "at", question->at);
	json_object_close(&json);
}

/* The actor travels in the neighbour's own headers. */
static enum status assess(
        void *self, const struct actor *actor, const struct risk_question *question, struct risk_verdict *ret_verdict)
{
	(void)actor;
	struct arena arena = { 0 };
	struct writer body = writer_growing(&arena);
	const struct json *answer;
	write_question(&body, question);
	enum status status = neighbour_post(self, RISK_ASSESS_PATH, writer_slice(&body), &arena, &answer, NULL);
	if (status == STATUS_OK && !risk_verdict_read(answer, ret_verdict))
		status = ERR_NEIGHBOUR_UNAVAILABLE;
	arena_clean_up(&arena);
	return status;
}

struct risk_api risk_client_api(struct neighbour *neighbour)
{
	return (struct risk_api) { .self = neighbour, .assess = assess };
}
