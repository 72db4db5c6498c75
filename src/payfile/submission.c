#include "payfile/submission.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/encoding.h"
#include "payfile/journal.h"
#include "platform/http_client.h"
#include "platform/thread.h"

enum { CONNECTIONS_MAX = 64, TOKEN_MAX = 4096, PROGRESS_MS = 100, FOLLOW_PAUSE_MS = 300 };

struct submission {
	const struct submission_options *options;
	struct payment_file *file;
	char (*keys)[ORDER_KEY_SIZE];
	struct journal *journal;
	struct http_client *http;
	struct arena *results; /* under `lock`, like the orders' outcomes and the token */
	pthread_mutex_t lock;
	char token[TOKEN_MAX];
	size_t token_size;
	atomic_size_t next, answered, finished_workers;
	bool follows; /* second pass: ask how the payments go on */
};

bool submission_is_final(struct slice status)
{
	static const char *const waiting[] = { "created", "awaiting_approval", "authorized", "submitted", "accepted",
		"unknown", "" };
	for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++)
		if (slice_is(status, waiting[i]))
			return false;
	return true;
}

/* --- The access token ---------------------------------------------------------------------------------------- */

static enum status fetch_token(struct submission *submission, struct problem *problem)
{
	struct arena arena = { 0 };
	struct writer body = writer_growing(&arena), url = writer_growing(&arena);
	struct http_answer answer;
	const struct json *json = NULL;
	write_text(&body, "grant_type=client_credentials&client_id=");
	write_percent(&body, submission->options->client_id);
	write_text(&body, "&client_secret=");
	write_percent(&body, submission->options->client_secret);
	write_slice(&url, submission->options->server);
	write_text(&url, "/v1/oauth/token");
	const struct http_call call = { .method = HTTP_POST,
		.url = writer_slice(&url),
		.body = writer_slice(&body),
		.headers = { { "Content-Type", SLICE("application/x-www-form-urlencoded") } },
		.header_count = 1 };
	enum status status = http_client_call(submission->http, &call, &arena, &answer);
	if (status != STATUS_OK) {
		status = problem_set(
		        problem, status, "", "%.*s does not answer.", SLICE_ARGS(submission->options->server));
	} else if (json_parse(answer.body, &arena, &json, NULL) != STATUS_OK || answer.status != 200) {
		const struct json *detail = json_member(json, "title");
		status = answer.status >= 500 || answer.status == 429 ? ERR_OVERLOADED : ERR_INVALID_CLIENT;
		status = problem_set(problem, status, "", "No access token: %.*s",
		        SLICE_ARGS(detail ? detail->text : slice_from(status_sentence(status))));
	} else {
		const struct json *token = json_member(json, "access_token");
		struct slice text = token && token->type == JSON_STRING ? token->text : SLICE_EMPTY;
		status = text.size && text.size <= TOKEN_MAX ? STATUS_OK : ERR_INVALID_TOKEN;
		if (status == STATUS_OK) {
			pthread_mutex_lock(&submission->lock);
			memcpy(submission->token, text.data, text.size);
			submission->token_size = text.size;
			pthread_mutex_unlock(&submission->lock);
		}
	}
	arena_clean_up(&arena);
	return status;
}

static struct slice authorization(struct submission *submission, struct arena *arena)
{
	pthread_mutex_lock(&submission->lock);
	struct slice header = arena_format(arena, "Bearer %.*s", (int)submission->token_size, submission->token);
	pthread_mutex_unlock(&submission->lock);
	return header;
}

/* --- One order ----------------------------------------------------------------------------------------------- */

static struct slice order_body(const struct payment_order *order, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	struct json_writer json = { .out = &out };
	const struct {
		const char *name;
		struct slice value;
	} payee[] = { { "name", order->payee_name }, { "account_id", order->account_id }, { "iban", order->iban },
		{ "bic", order->bic }, { "routing_number", order->routing_number },
		{ "account_number", order->account_number }, { "card_token", order->card_token } };
	json_object_open(&json);
	json_key_text(&json, "amount", order->amount);
	json_key_text(&json, "currency", order->currency);
	json_key(&json, "payee");
	json_object_open(&json);
	for (size_t i = 0; i < sizeof payee / sizeof *payee; i++) {
		/* A BIC is a hint that only goes with an IBAN. */
		bool is_stray = strcmp(payee[i].name, "bic") == 0 && !order->iban.size;
		if (payee[i].value.size && !is_stray)
			json_key_text(&json, payee[i].name, payee[i].value);
	}
	json_object_close(&json);
	struct slice reference =
	        order->reference.size > 140 ? (struct slice) { order->reference.data, 140 } : order->reference;
	if (!utf8_is_valid(reference))
		reference.size = 0;
	json_key_text(&json, "reference", reference.size ? reference : order->end_to_end_id);
	json_object_close(&json);
	return writer_slice(&out);
}

static struct slice text_member(const struct json *json, const char *name)
{
	const struct json *member = json_member(json, name);
	return member && (member->type == JSON_STRING || member->type == JSON_NUMBER) ? member->text : SLICE_EMPTY;
}

/* Takes the outcome of an order out of an answer; true when it is one, false when the order should be tried again. */
static bool take_answer(
        struct submission *submission, size_t index, const struct http_answer *answer, struct arena *arena)
{
	struct payment_order *order = &submission->file->orders[index];
	const struct json *json = NULL;
	bool is_payment = answer->status == 200 || answer->status == 201;
	if (answer->status >= 500 || answer->status == 409 || answer->status == 429 || answer->status == 408 ||
	        answer->status == 401)
		return false;
	if (json_parse(answer->body, arena, &json, NULL) != STATUS_OK)
		return false;
	struct slice payment_id = text_member(json, is_payment ? "id" : "payment_id");
	struct slice detail = text_member(json, is_payment ? "decline_reason" : "detail");
	pthread_mutex_lock(&submission->lock);
	order->payment_id = arena_copy(submission->results, payment_id);
	order->status = is_payment        ? arena_copy(submission->results, text_member(json, "status"))
	                : payment_id.size ? SLICE("declined")
	                                  : SLICE("rejected");
	order->code = arena_copy(submission->results, text_member(json, is_payment ? "decline_code" : "code"));
	order->detail = arena_copy(submission->results, detail.size ? detail : text_member(json, "title"));
	order->rail = arena_copy(submission->results, text_member(json, "rail"));
	order->fee = arena_copy(submission->results, text_member(json, "fee"));
	if (!order->is_answered)
		atomic_fetch_add(&submission->answered, 1);
	order->is_answered = true;
	journal_add(submission->journal, submission->keys[index], order);
	pthread_mutex_unlock(&submission->lock);
	return true;
}

static bool is_interrupted(const struct submission *submission)
{
	return submission->options->is_interrupted && *(const volatile bool *)submission->options->is_interrupted;
}

/* One request; true when the order has its answer. */
static bool try_order(struct submission *submission, size_t index, struct arena *arena)
{
	const struct payment_order *order = &submission->file->orders[index];
	const struct submission_options *options = submission->options;
	struct http_answer answer;
	struct http_call call = { .method = HTTP_POST,
		.headers = { { "Authorization", authorization(submission, arena) } },
		.header_count = 1,
		.timeout_ms = 30000 };
	if (submission->follows) {
		call.method = HTTP_GET;
		call.url = arena_format(
		        arena, "%.*s/v1/payments/%.*s", SLICE_ARGS(options->server), SLICE_ARGS(order->payment_id));
	} else {
		call.url = arena_format(arena, "%.*s/v1/payments", SLICE_ARGS(options->server));
		call.body = order_body(order, arena);
		call.headers[1] = (struct http_header) { "Content-Type", SLICE("application/json") };
		call.headers[2] = (struct http_header) { "Idempotency-Key", slice_from(submission->keys[index]) };
		call.header_count = 3;
	}
	if (http_client_call(submission->http, &call, arena, &answer) != STATUS_OK)
		return false;
	if (answer.status == 401 && fetch_token(submission, NULL) != STATUS_OK)
		return false;
	return take_answer(submission, index, &answer, arena);
}

static void work_on_order(struct submission *submission, size_t index)
{
	int64_t until = clock_monotonic() + submission->options->patience_us, pause_us = 50000;
	bool is_done = false;
	while (!is_done && !is_interrupted(submission)) {
		struct arena arena = { 0 };
		is_done = try_order(submission, index, &arena);
		arena_clean_up(&arena);
		if (is_done || submission->follows || clock_monotonic() > until)
			break;
		usleep((useconds_t)pause_us);
		pause_us = pause_us < 2000000 ? pause_us * 2 : pause_us;
	}
}

static bool is_wanted(const struct submission *submission, const struct payment_order *order)
{
	if (order->refusal)
		return false;
	return submission->follows ? order->payment_id.size && !submission_is_final(order->status)
	                           : !order->is_answered;
}

static void run_worker(void *arg)
{
	struct submission *submission = arg;
	for (;;) {
		size_t index = atomic_fetch_add(&submission->next, 1);
		if (index >= submission->file->count || is_interrupted(submission))
			break;
		if (is_wanted(submission, &submission->file->orders[index]))
			work_on_order(submission, index);
	}
	atomic_fetch_add(&submission->finished_workers, 1);
}

/* --- All orders ---------------------------------------------------------------------------------------------- */

static size_t count_final(struct submission *submission)
{
	size_t final = 0;
	pthread_mutex_lock(&submission->lock);
	for (size_t i = 0; i < submission->file->count; i++) {
		const struct payment_order *order = &submission->file->orders[i];
		final += order->refusal || (order->is_answered && submission_is_final(order->status));
	}
	pthread_mutex_unlock(&submission->lock);
	return final;
}

static void report(struct submission *submission)
{
	if (submission->options->progress)
		submission->options->progress(submission->options->progress_arg, atomic_load(&submission->answered),
		        count_final(submission), submission->file->count);
}

static enum status run_pass(struct submission *submission)
{
	struct thread *workers[CONNECTIONS_MAX] = { NULL };
	size_t count = submission->options->connections < CONNECTIONS_MAX ? submission->options->connections
	                                                                  : CONNECTIONS_MAX,
	       started = 0;
	enum status status = STATUS_OK;
	atomic_store(&submission->next, 0);
	atomic_store(&submission->finished_workers, 0);
	while (started < count && status == STATUS_OK) {
		status = thread_start("pay", run_worker, submission, &workers[started]);
		started += status == STATUS_OK;
	}
	while (atomic_load(&submission->finished_workers) < started) {
		usleep(PROGRESS_MS * 1000);
		report(submission);
	}
	for (size_t i = 0; i < started; i++)
		thread_join(workers[i]);
	return started ? STATUS_OK : status;
}

static enum status send_and_follow(struct submission *submission, struct problem *problem)
{
	TRY(fetch_token(submission, problem));
	TRY(run_pass(submission));
	int64_t until = clock_monotonic() + submission->options->wait_us;
	submission->follows = true;
	while (!is_interrupted(submission) && count_final(submission) < submission->file->count &&
	        clock_monotonic() < until) {
		usleep(FOLLOW_PAUSE_MS * 1000);
		TRY(run_pass(submission));
	}
	report(submission);
	return STATUS_OK;
}

enum status submission_run(const struct submission_options *options, struct payment_file *file, struct arena *arena,
        struct problem *problem)
{
	struct submission submission = { .options = options, .file = file, .results = arena };
	submission.keys = (char(*)[ORDER_KEY_SIZE])arena_array(arena, file->count, ORDER_KEY_SIZE);
	payment_order_keys(file, submission.keys, arena);
	TRY(journal_open(options->journal_path, file, submission.keys, arena, &submission.journal, problem));
	for (size_t i = 0; i < file->count; i++)
		atomic_fetch_add(&submission.answered, file->orders[i].is_answered || file->orders[i].refusal);
	pthread_mutex_init(&submission.lock, NULL);
	submission.http = http_client_new(&(struct http_client_options) { 0 });
	enum status status = send_and_follow(&submission, problem);
	http_client_free(submission.http);
	pthread_mutex_destroy(&submission.lock);
	journal_close(submission.journal);
	explicit_bzero(submission.token, sizeof submission.token);
	return status;
}
