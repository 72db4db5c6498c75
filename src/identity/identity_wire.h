/* How identity's questions and answers travel between our own processes: both ends of internal_http.c and
 * identity_client.c. */
#pragma once

#include "base/json.h"
#include "identity/identity_api.h"

void write_token_question(struct writer *out, struct slice token, int64_t now);
enum status read_token_question(
        struct slice text, struct arena *arena, struct slice *ret_token, int64_t *ret_now, struct problem *problem);

void write_principal(struct writer *out, const struct principal *principal);
/* ERR_INVALID_FIELD when it is none; so are the others. */
enum status read_principal(
        const struct json *json, struct arena *arena, struct principal *ret_principal, struct problem *problem);

void write_consent_question(struct writer *out, const struct consent_question *question);
enum status read_consent_question(
        struct slice text, struct arena *arena, struct consent_question *ret_question, struct problem *problem);

void write_consent_verdict(struct writer *out, const struct consent_verdict *verdict);
enum status read_consent_verdict(
        const struct json *json, struct arena *arena, struct consent_verdict *ret_verdict, struct problem *problem);
