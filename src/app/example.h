/* A small example for a first start: an agent with a funded wallet, a payee and a consent, made through the public API
 * with the first administrator's credentials, kept in a file of mode 0600 and shown as lines to copy. */
#pragma once

#include <stdio.h>

#include "base/arena.h"
#include "base/problem.h"

struct example {
	struct slice email, password; /* of the first administrator */
	struct slice client_id, client_secret;
	struct slice payee; /* "acct-…" */
};

/* Makes the example on the platform at `url` and writes it to `path`; texts live in the arena. */
enum status example_make(struct slice url, struct slice email, struct slice password, const char *path,
        struct arena *arena, struct example *ret_example, struct problem *problem);

/* What an earlier start wrote; ERR_NOT_FOUND when there is no such file, ERR_IO when it is none of ours. */
enum status example_read(const char *path, struct arena *arena, struct example *ret_example);

/* The administrator's credentials, and three lines that log in, pay and read the payment. */
void example_print(const struct example *example, struct slice url, FILE *out);
