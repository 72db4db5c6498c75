#include "platform/sql.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "platform/sql_engine.h"

enum { TAKE_TIMEOUT_SECONDS = 5 };

/* Idle connections are a stack, so that the warmest is used first and the others stay unopened. */
struct sql_pool {
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct slice url;
	size_t size, taken, idle_count;
	struct sql **idle;
	struct arena arena;
};

enum status sql_pool_open(struct slice url, size_t size, struct sql_pool **ret_pool, struct problem *problem)
{
	struct sql *first;
	assert(size > 0);
	TRY(sql_open(url, &first, problem));
	struct sql_pool *pool = NEW(struct sql_pool);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->given, &attributes);
	pthread_condattr_destroy(&attributes);
	pool->url = arena_copy(&pool->arena, url);
	pool->size = size;
	pool->idle = ARENA_ARRAY(&pool->arena, struct sql *, size);
	pool->idle[pool->idle_count++] = first;
	*ret_pool = pool;
	return STATUS_OK;
}

void sql_pool_close(struct sql_pool *pool)
{
	if (!pool)
		return;
	assert(!pool->taken);
	while (pool->idle_count)
		sql_close(pool->idle[--pool->idle_count]);
	pthread_cond_destroy(&pool->given);
	pthread_mutex_destroy(&pool->lock);
	arena_clean_up(&pool->arena);
	memory_free(pool);
}

/* Takes a place, and the idle connection in it if there is one. */
static enum status take_place(struct sql_pool *pool, struct sql **ret_idle)
{
	struct timespec deadline;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += TAKE_TIMEOUT_SECONDS;
	int error = 0;
	pthread_mutex_lock(&pool->lock);
	while (pool->taken == pool->size && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&pool->given, &pool->lock, &deadline);
	bool is_free = pool->taken < pool->size;
	if (is_free) {
		pool->taken++;
		*ret_idle = pool->idle_count ? pool->idle[--pool->idle_count] : NULL;
	}
	pthread_mutex_unlock(&pool->lock);
	return is_free ? STATUS_OK : ERR_OVERLOADED;
}

static void give_place(struct sql_pool *pool, struct sql *sql)
{
	pthread_mutex_lock(&pool->lock);
	pool->taken--;
	if (sql)
		pool->idle[pool->idle_count++] = sql;
	pthread_cond_signal(&pool->given);
	pthread_mutex_unlock(&pool->lock);
}

enum status sql_pool_take(struct sql_pool *pool, struct sql **ret_sql)
{
	struct sql *sql = NULL;
	TRY(take_place(pool, &sql));
	if (!sql) {
		enum status status = sql_open(pool->url, &sql, NULL);
		if (status != STATUS_OK) {
			give_place(pool, NULL);
			return status;
		}
	}
	*ret_sql = sql;
	return STATUS_OK;
}

void sql_pool_give(struct sql_pool *pool, struct sql *sql)
{
	sql_rollback(sql);
	if (sql->is_broken) {
		sql_close(sql);
		sql = NULL;
	}
	give_place(pool, sql);
}
