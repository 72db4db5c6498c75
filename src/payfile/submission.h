/* Sends the orders of a payment file to the platform's public API, several at a time, and follows them to their end.
 * Every order has its own Idempotency-Key, so stopping and starting again never pays twice; a journal beside the file
 * remembers what was answered, so that it need not be asked again. */
#pragma once

#include "payfile/payment_file.h"

struct submission_options {
	struct slice server; /* "http://127.0.0.1:8080" */
	struct slice client_id, client_secret;
	struct slice journal_path;
	size_t connections;  /* at once */
	int64_t patience_us; /* how long one order is retried while the platform is unreachable or busy */
	int64_t wait_us;     /* how long to follow payments that are not final after all are sent */
	/* Called now and then from the calling thread: how many orders are answered, how many are final. May be NULL.
	 */
	void (*progress)(void *arg, size_t answered, size_t final, size_t total);
	void *progress_arg;
	const bool *is_interrupted; /* set by a signal handler; checked between orders */
};

/* Sends what was not answered yet and fills the outcome of each order. ERR_INVALID_CLIENT, ERR_NEIGHBOUR_UNAVAILABLE
 * when nothing could be sent at all; STATUS_OK also when some orders were refused or stay unanswered. */
enum status submission_run(const struct submission_options *options, struct payment_file *file, struct arena *arena,
        struct problem *problem);

/* True for a payment status that does not change by itself any more. */
bool submission_is_final(struct slice status);
