/* Threads with names and small stacks, and a stop flag that sleepers notice at once. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct thread;
/* Starts `run(arg)` on a 512 KiB stack (8 MiB under sanitizers); the name has at most 15 characters. */
enum status thread_start(const char *name, void (*run)(void *arg), void *arg, struct thread **ret_thread);
/* Waits for the end and frees. Accepts NULL. */
void thread_join(struct thread *thread);

/* A flag with a bell: raised once, or rung many times. */
struct signal_bell {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* CLOCK_MONOTONIC */
	uint64_t rings;
	bool stopped;
};
void bell_init(struct signal_bell *bell);
void bell_clean_up(struct signal_bell *bell);
/* Wakes all waiters now. */
void bell_ring(struct signal_bell *bell);
/* Wakes all, for good. */
void bell_stop(struct signal_bell *bell);
bool bell_is_stopped(struct signal_bell *bell);
/* Waits until rung after `*seen` (updated), stopped, or the time is over. False when stopped. */
bool bell_wait(struct signal_bell *bell, uint64_t *seen, int64_t timeout_ms);
