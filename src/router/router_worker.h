/* Threads that carry out what is due: attempts and refunds over rails, payments that a crash left in `created`, and
 * approvals that nobody gave in time. Several processes may do so at once. */
#pragma once

#include "base/status.h"

struct router_service;
struct router_worker;

enum { WORKER_THREADS = 8, WORKER_POLL_MS = 500, SWEEP_SECONDS = 2 };

enum status router_worker_start(struct router_service *service, struct router_worker **ret_worker);
/* Accepts NULL. */
void router_worker_stop(struct router_worker *worker);
/* Something is due now. Accepts NULL. */
void router_worker_ring(struct router_worker *worker);
