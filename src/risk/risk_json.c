#include "risk/risk_json.h"

void risk_reasons_write(struct json_writer *json, const struct risk_verdict *verdict)
{
	json_array_open(json);
	for (size_t i = 0; i < verdict->reason_count; i++) {
		json_object_open(json);
		json_key_text(json, "code", slice_from(verdict->reasons[i].code));
		json_key_i64(json, "points", verdict->reasons[i].points);
		json_object_close(json);
	}
	json_array_close(json);
}

static bool read_small(const struct json *json, int *ret_value)
{
	int64_t value;
	if (!json || json->type != JSON_NUMBER || !slice_to_i64(json->text, &value) || value < 0 || value > 100)
		return false;
	*ret_value = (int)value;
	return true;
}

static bool reason_read(const struct json *json, struct risk_reason *ret_reason)
{
	const struct json *code = json_member(json, "code");
	struct risk_reason reason = { 0 };
	if (!code || code->type != JSON_STRING || code->text.size >= sizeof reason.code)
		return false;
	memcpy(reason.code, code->text.data, code->text.size);
	if (!read_small(json_member(json, "points"), &reason.points))
		return false;
	*ret_reason = reason;
	return true;
}

bool risk_reasons_read(const struct json *json, struct risk_verdict *ret_verdict)
{
	if (!json || json->type != JSON_ARRAY || json->count > RISK_REASONS_MAX)
		return false;
	ret_verdict->reason_count = 0;
	for (const struct json *item = json->first; item; item = item->next)
		if (!reason_read(item, &ret_verdict->reasons[ret_verdict->reason_count++]))
			return false;
	return true;
}

void risk_verdict_write(struct json_writer *json, const struct risk_verdict *verdict)
{
	json_object_open(json);
	json_key_i64(json, "score", verdict->score);
	json_key_text(json, "decision", slice_from(risk_decision_name(verdict->decision)));
	json_key(json, "reasons");
	risk_reasons_write(json, verdict);
	json_object_close(json);
}

bool risk_verdict_read(const struct json *json, struct risk_verdict *ret_verdict)
{
	struct risk_verdict verdict = { 0 };
	const struct json *decision = json_member(json, "decision");
	if (!decision || decision->type != JSON_STRING || !risk_decision_parse(decision->text, &verdict.decision) ||
	        !read_small(json_member(json, "score"), &verdict.score) ||
	        !risk_reasons_read(json_member(json, "reasons"), &verdict))
		return false;
	*ret_verdict = verdict;
	return true;
}
