/* Threads that deliver what is due: one endpoint is served by one thread at a time, so that a slow one holds up
 * nobody else, and in the order of its events, but for those that wait to be tried again. */
#pragma once

#include "notify/notify_store.h"
#include "platform/engines.h"

struct notify_workers;

struct notify_worker_options {
	const struct engines *engines;
	const unsigned char *sealing_key; /* CRYPTO_KEY_SIZE bytes that outlive the workers */
	bool allow_private_addresses;
};
enum status notify_workers_start(const struct notify_worker_options *options, struct notify_workers **ret_workers);
/* Lets running attempts end. Accepts NULL. */
void notify_workers_stop(struct notify_workers *workers);
/* There may be something due. */
void notify_workers_wake(struct notify_workers *workers);
