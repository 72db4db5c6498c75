/* Risk's types as JSON, the same in the store, between processes and in answers. */
#pragma once

#include "base/json.h"
#include "risk/risk_rules.h"

/* [{"code":"new_payee","points":35}, …] */
void risk_reasons_write(struct json_writer *json, const struct risk_verdict *verdict);
/* False when it is no such list. */
bool risk_reasons_read(const struct json *json, struct risk_verdict *ret_verdict);

/* {"score":…,"decision":"allow","reasons":[…]} */
void risk_verdict_write(struct json_writer *json, const struct risk_verdict *verdict);
bool risk_verdict_read(const struct json *json, struct risk_verdict *ret_verdict);
