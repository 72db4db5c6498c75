/* Payments, attempts, refunds, quotes and rails between JSON and C. */
#pragma once

#include "router/route_rules.h"
#include "router/router_service.h"
#include "router/router_store.h"

/* Fills everything of an order that a body says. */
enum status payment_order_read(
        struct slice body, struct arena *arena, struct payment_order *ret_order, struct problem *problem);

/* The same for a quote: amount, currency, payee and deadline alone. */
enum status quote_order_read(
        struct slice body, struct arena *arena, struct payment_order *ret_order, struct problem *problem);

/* The members of a payment without the braces; `is_masked` hides the payee's numbers. */
void write_payment_members(struct json_writer *json, const struct payment *payment, bool is_masked);
void write_payment_object(struct json_writer *json, const struct payment *payment, bool is_masked);
void write_attempts(struct json_writer *json, const struct attempt *attempts, size_t count);
/* The first state, the stored ones, and the settlement of a payment that was settled when it was stored. */
void write_history(
        struct json_writer *json, const struct payment *payment, const struct history_row *rows, size_t count);
void write_refund(struct json_writer *json, const struct refund *refund, enum currency currency);

void write_quotes(struct json_writer *json, struct money amount, const struct route_choice *choice);
void write_rail(struct json_writer *json, enum rail rail, bool is_available);

/* A JSON number in major units. */
void json_key_money(struct json_writer *json, const char *name, struct money money);
