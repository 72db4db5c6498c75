/* What was answered for each order of a payment file, one line each, appended as it comes. A lost or cut journal costs
 * time, never money: the orders are sent again under the same keys. */
#pragma once

#include "payfile/payment_file.h"

struct journal;

/* Opens or makes the journal and takes over the outcomes that it knows into the file's orders. ERR_IO with a sentence;
 * ERR_CONFLICT when another run holds it. */
enum status journal_open(struct slice path, struct payment_file *file, char (*keys)[ORDER_KEY_SIZE],
        struct arena *arena, struct journal **ret_journal, struct problem *problem);
/* Appends the outcome of an order; a failing disk is told on standard error once. */
void journal_add(struct journal *journal, const char *key, const struct payment_order *order);
/* Accepts NULL. */
void journal_close(struct journal *journal);
