#include "app/idempotency.h"

#include "app_sql.h"
#include "base/clock.h"
#include "base/log.h"
#include "platform/crypto.h"
#include "platform/thread.h"

enum { KEEP_DAYS = 2, CLEAN_EVERY_MS = 3600 * 1000, CLEAN_BATCH = 1000 };

struct idempotency {
	const struct engines *engines;
	unsigned char key[CRYPTO_KEY_SIZE];
	pthread_mutex_t lock; /* of what follows */
	struct uuid in_flight[IDEMPOTENCY_IN_FLIGHT_MAX];
	size_t in_flight_count;
	struct signal_bell bell;
	struct thread *cleaner;
};

struct answer {
	struct uuid operation;
	struct sha256 body_hash;
	int http_status;
	struct slice content_type;
	struct slice sealed;
	int64_t created_at;
};

static bool is_printable(struct slice key)
{
	for (size_t i = 0; i < key.size; i++)
		if (key.data[i] < ' ' || key.data[i] > '~')
			return false;
	return true;
}

enum status idempotency_identify(struct http_request *request, struct slice principal)
{
	struct slice key = http_request_header(request, "Idempotency-Key");
	if (!key.size)
		return problem_set(request->problem, ERR_IDEMPOTENCY_KEY_MISSING, "Idempotency-Key", "%s", "");
	if (key.size > IDEMPOTENCY_KEY_SIZE_MAX || !is_printable(key))
		return problem_set(request->problem, ERR_IDEMPOTENCY_KEY_INVALID, "Idempotency-Key", "%s", "");
	const struct slice parts[] = { principal, slice_from(http_method_name(request->method)), request->path, key };
	request->operation_id = uuid_derive(parts, sizeof parts / sizeof *parts);
	return STATUS_OK;
}

static enum status enter(struct idempotency *idempotency, struct uuid operation)
{
	enum status status = STATUS_OK;
	pthread_mutex_lock(&idempotency->lock);
	for (size_t i = 0; i < idempotency->in_flight_count && status == STATUS_OK; i++)
		if (uuid_equal(idempotency->in_flight[i], operation))
			status = ERR_IDEMPOTENCY_IN_FLIGHT;
	if (status == STATUS_OK && idempotency->in_flight_count == IDEMPOTENCY_IN_FLIGHT_MAX)
		status = ERR_OVERLOADED;
	if (status == STATUS_OK)
		idempotency->in_flight[idempotency->in_flight_count++] = operation;
	pthread_mutex_unlock(&idempotency->lock);
	return status;
}

static void leave(struct idempotency *idempotency, struct uuid operation)
{
	pthread_mutex_lock(&idempotency->lock);
	for (size_t i = 0; i < idempotency->in_flight_count; i++)
		if (uuid_equal(idempotency->in_flight[i], operation)) {
			idempotency->in_flight[i] = idempotency->in_flight[--idempotency->in_flight_count];
			break;
		}
	pthread_mutex_unlock(&idempotency->lock);
}

static struct slice seal_context(const struct uuid *operation)
{
	return slice_make(operation->bytes, sizeof operation->bytes);
}

static void read_answer(const struct sql_rows *rows, struct arena *arena, struct answer *ret_answer)
{
	struct slice hash = sql_column_bytes(rows, 0);
	if (hash.size == SHA256_SIZE)
		memcpy(ret_answer->body_hash.bytes, hash.data, SHA256_SIZE);
	ret_answer->http_status = (int)sql_column_integer(rows, 1);
	ret_answer->content_type = sql_column_copy(rows, 2, arena);
	ret_answer->sealed = sql_column_copy(rows, 3, arena);
}

static enum status select_answer(struct sql *sql, struct arena *arena, struct answer *answer, bool *ret_found)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &answer_select, (struct sql_value[]) { SQL_UUID(answer->operation) }, 1, &rows));
	bool found = sql_next(rows);
	if (found)
		read_answer(rows, arena, answer);
	TRY(sql_end(rows));
	*ret_found = found;
	return STATUS_OK;
}

static enum status load(struct idempotency *idempotency, struct arena *arena, struct answer *answer, bool *ret_found)
{
	struct sql *sql;
	TRY(sql_pool_take(idempotency->engines->readers, &sql));
	enum status status = select_answer(sql, arena, answer, ret_found);
	sql_pool_give(idempotency->engines->readers, sql);
	return status;
}

static enum status replay(struct idempotency *idempotency, const struct answer *answer, struct http_request *request,
        struct http_response *response)
{
	struct sha256 hash = sha256(request->body);
	if (memcmp(hash.bytes, answer->body_hash.bytes, SHA256_SIZE) != 0)
		return ERR_IDEMPOTENCY_CONFLICT;
	if (answer->sealed.size < CRYPTO_SEAL_OVERHEAD)
		return ERR_DATABASE_CORRUPT;
	size_t size = answer->sealed.size - CRYPTO_SEAL_OVERHEAD;
	unsigned char *plain = arena_alloc(request->arena, size + 1);
	if (!crypto_open(idempotency->key, answer->sealed, seal_context(&answer->operation), plain)) {
		log_event(LOG_ERROR, "app", "a stored answer was sealed with another key or altered",
		        LOG_SLICE("path", request->path));
		return ERR_INTERNAL;
	}
	response->status = answer->http_status;
	response->body = slice_make(plain, size);
	if (answer->content_type.size)
		response->content_type = arena_text(request->arena, answer->content_type);
	http_response_header(response, "Idempotent-Replayed", SLICE("true"));
	return STATUS_OK;
}

static enum status insert_answer(struct sql *sql, void *arg)
{
	const struct answer *answer = arg;
	const struct sql_value values[] = {
		SQL_UUID(answer->operation),
		SQL_BLOB(slice_make(answer->body_hash.bytes, SHA256_SIZE)),
		SQL_INTEGER(answer->http_status),
		SQL_TEXT_OR_NULL(answer->content_type),
		SQL_BLOB(answer->sealed),
		SQL_INSTANT(answer->created_at),
	};
	return sql_execute(sql, &answer_insert, values, sizeof values / sizeof *values);
}

/* A failure is logged and the answer leaves all the same: its work is done, and a repeat finds it by operation_id. */
static void store(
        struct idempotency *idempotency, const struct http_request *request, const struct http_response *response)
{
	int http_status = response->status ? response->status : 200;
	if (http_status < 200 || http_status > 299)
		return;
	struct slice sealed = { NULL, response->body.size + CRYPTO_SEAL_OVERHEAD };
	unsigned char *bytes = arena_alloc(request->arena, sealed.size);
	sealed.data = (const char *)bytes;
	struct answer answer = { .operation = request->operation_id,
		.body_hash = sha256(request->body),
		.http_status = http_status,
		.content_type = slice_from(response->content_type),
		.sealed = sealed,
		.created_at = clock_now() };
	crypto_seal(idempotency->key, response->body, seal_context(&answer.operation), bytes);
	enum status status = committer_run(idempotency->engines->committer, insert_answer, &answer);
	if (status != STATUS_OK)
		log_event(LOG_WARNING, "app", "an answer could not be stored", LOG_STATUS(status),
		        LOG_SLICE("path", request->path));
}

static enum status run_once(struct idempotency *idempotency, const struct http_routes *routes,
        struct http_request *request, struct http_response *response)
{
	struct answer answer = { .operation = request->operation_id };
	bool found = false;
	TRY(load(idempotency, request->arena, &answer, &found));
	if (found)
		return replay(idempotency, &answer, request, response);
	TRY(http_route_run(routes, request, response));
	store(idempotency, request, response);
	return STATUS_OK;
}

enum status idempotency_run(struct idempotency *idempotency, const struct http_routes *routes,
        struct http_request *request, struct http_response *response)
{
	TRY(enter(idempotency, request->operation_id));
	enum status status = run_once(idempotency, routes, request, response);
	leave(idempotency, request->operation_id);
	return status;
}

struct cleaning {
	int64_t before_at;
	int64_t deleted;
};

static enum status delete_old(struct sql *sql, void *arg)
{
	struct cleaning *cleaning = arg;
	return sql_execute_counted(sql, &answer_delete_old, (struct sql_value[]) { SQL_INSTANT(cleaning->before_at) },
	        1, &cleaning->deleted);
}

/* In small batches, so that no payment waits long behind one. */
static void clean(void *arg)
{
	struct idempotency *idempotency = arg;
	uint64_t seen = 0;
	do {
		struct cleaning cleaning = { .before_at = clock_now() - KEEP_DAYS * MICROSECONDS_PER_DAY };
		enum status status;
		do {
			cleaning.deleted = 0;
			status = committer_run(idempotency->engines->committer, delete_old, &cleaning);
		} while (
		        status == STATUS_OK && cleaning.deleted == CLEAN_BATCH && !bell_is_stopped(&idempotency->bell));
	} while (bell_wait(&idempotency->bell, &seen, CLEAN_EVERY_MS));
}

enum status idempotency_start(const struct engines *engines, const unsigned char key[CRYPTO_KEY_SIZE],
        struct idempotency **ret_idempotency, struct problem *problem)
{
	struct idempotency *idempotency = NEW(struct idempotency);
	idempotency->engines = engines;
	memcpy(idempotency->key, key, CRYPTO_KEY_SIZE);
	pthread_mutex_init(&idempotency->lock, NULL);
	bell_init(&idempotency->bell);
	enum status status = thread_start("forget-answers", clean, idempotency, &idempotency->cleaner);
	if (status != STATUS_OK) {
		idempotency_stop(idempotency);
		return problem_set(problem, status, "", "no thread could be started; raise the process limit");
	}
	*ret_idempotency = idempotency;
	return STATUS_OK;
}

void idempotency_stop(struct idempotency *idempotency)
{
	if (!idempotency)
		return;
	bell_stop(&idempotency->bell);
	thread_join(idempotency->cleaner);
	bell_clean_up(&idempotency->bell);
	pthread_mutex_destroy(&idempotency->lock);
	crypto_wipe(idempotency->key, sizeof idempotency->key);
	memory_free(idempotency);
}
