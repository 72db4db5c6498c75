/* Whom money goes to: parsed from the request's `payee` object, verified, and named by a canonical key (router_api.h).
 * Pure but for the arena that its texts live in. */
#pragma once

#include "base/json.h"
#include "money/ids.h"
#include "router/router_api.h"

enum payee_kind { PAYEE_ACCOUNT, PAYEE_IBAN, PAYEE_US_ACCOUNT, PAYEE_CARD, PAYEE_KIND_COUNT };

enum { PAYEE_NAME_MAX = 140 };

struct payee {
	enum payee_kind kind;
	struct account_id account; /* PAYEE_ACCOUNT */
	struct slice name;         /* may be empty, as every text that the kind does not need */
	struct slice iban;         /* without blanks, upper case */
	struct slice bic;
	struct slice routing_number;
	struct slice account_number;
	struct slice card_token;
	struct slice key;
};

/* Reads {"name"?, and exactly one of: "account_id" | "iban"[,"bic"] | "routing_number"+"account_number" |
 * "card_token"}. ERR_INVALID_FIELD and the like, naming the member at fault. */
enum status payee_parse(
        const struct json *value, struct arena *arena, struct payee *ret_payee, struct problem *problem);

/* The object as it was understood, with its key; reading it again gives the same payee. Masked: account numbers and
 * tokens show their last four characters only, for everybody but the agent itself. */
void write_payee(struct json_writer *json, const struct payee *payee, bool is_masked);
/* The object without the key, as a rail wants it and as it is stored. */
void write_payee_plain(struct json_writer *json, const struct payee *payee);

/* ABA: nine digits, weighted 3-7-1, sum divisible by ten. */
bool routing_number_is_valid(struct slice number);
