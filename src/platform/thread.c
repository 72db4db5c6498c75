#include "platform/thread.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/arena.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#ifdef IS_SANITIZED
enum { STACK_SIZE = 8 * 1024 * 1024 };
#else
enum { STACK_SIZE = 512 * 1024 };
#endif

struct thread {
	pthread_t handle;
	void (*run)(void *arg);
	void *arg;
	char name[16];
};

static void *enter(void *memory)
{
	struct thread *thread = memory;
	pthread_setname_np(pthread_self(), thread->name);
	thread->run(thread->arg);
	return NULL;
}

enum status thread_start(const char *name, void (*run)(void *arg), void *arg, struct thread **ret_thread)
{
	struct thread *thread = NEW(struct thread);
	thread->run = run;
	thread->arg = arg;
	snprintf(thread->name, sizeof thread->name, "%s", name);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int error = pthread_create(&thread->handle, &attributes, enter, thread);
	pthread_attr_destroy(&attributes);
	if (error) {
		memory_free(thread);
		return ERR_OVERLOADED;
	}
	*ret_thread = thread;
	return STATUS_OK;
}

void thread_join(struct thread *thread)
{
	if (!thread)
		return;
	pthread_join(thread->handle, NULL);
	memory_free(thread);
}

void bell_init(struct signal_bell *bell)
{
	*bell = (struct signal_bell) { 0 };
	pthread_mutex_init(&bell->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&bell->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void bell_clean_up(struct signal_bell *bell)
{
	pthread_cond_destroy(&bell->changed);
	pthread_mutex_destroy(&bell->lock);
}

static void change(struct signal_bell *bell, bool stop)
{
	pthread_mutex_lock(&bell->lock);
	bell->rings++;
	bell->stopped |= stop;
	pthread_cond_broadcast(&bell->changed);
	pthread_mutex_unlock(&bell->lock);
}

void bell_ring(struct signal_bell *bell)
{
	change(bell, false);
}

void bell_stop(struct signal_bell *bell)
{
	change(bell, true);
}

bool bell_is_stopped(struct signal_bell *bell)
{
	pthread_mutex_lock(&bell->lock);
	bool stopped = bell->stopped;
	pthread_mutex_unlock(&bell->lock);
	return stopped;
}

static struct timespec deadline_after(int64_t timeout_ms)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += timeout_ms / 1000;
	at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return at;
}

bool bell_wait(struct signal_bell *bell, uint64_t *seen, int64_t timeout_ms)
{
	struct timespec deadline = deadline_after(timeout_ms);
	int error = 0;
	pthread_mutex_lock(&bell->lock);
	while (!bell->stopped && bell->rings == *seen && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&bell->changed, &bell->lock, &deadline);
	*seen = bell->rings;
	bool stopped = bell->stopped;
	pthread_mutex_unlock(&bell->lock);
	return !stopped;
}
