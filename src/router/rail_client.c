#include "router/rail_client.h"

#include "platform/http_client.h"
#include "platform/http_request.h"

enum { RAIL_TIMEOUT_MS = 10000, RAIL_ANSWER_MAX = 64 * 1024 };

struct rail_client {
	struct http_client *http;
	struct slice rails_url, notify_url;
	struct arena arena;
};

static struct slice without_slash(struct slice url)
{
	if (url.size && url.data[url.size - 1] == '/')
		url.size--;
	return url;
}

struct rail_client *rail_client_new(struct slice rails_url, struct slice public_url)
{
	const struct http_client_options options = { .connect_timeout_ms = 2000 };
	struct rail_client *client = NEW(struct rail_client);
	client->http = http_client_new(&options);
	client->rails_url = arena_copy(&client->arena, without_slash(rails_url));
	client->notify_url =
	        arena_format(&client->arena, "%.*s/v1/rails/notifications", SLICE_ARGS(without_slash(public_url)));
	return client;
}

void rail_client_free(struct rail_client *client)
{
	if (!client)
		return;
	http_client_free(client->http);
	arena_clean_up(&client->arena);
	memory_free(client);
}

/* What the processor's documents say. */
static const struct {
	const char *status;
	enum rail_answer answer;
} documents[] = {
	{ "accepted", ANSWER_ACCEPTED },
	{ "settled", ANSWER_SETTLED },
	{ "declined", ANSWER_DECLINED },
	{ "returned", ANSWER_RETURNED },
};

static struct slice text_member(const struct json *document, const char *name)
{
	const struct json *member = json_member(document, name);
	return member && member->type == JSON_STRING ? member->text : SLICE_EMPTY;
}

/* A document that we do not understand tells nothing. */
static struct rail_report read_document(struct slice body, struct arena *arena)
{
	struct problem ignored;
	const struct json *document;
	if (json_parse(body, arena, &document, &ignored) != STATUS_OK)
		return (struct rail_report) { .answer = ANSWER_SILENCE };
	struct slice status = text_member(document, "status");
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
		if (slice_is(status, documents[i].status))
			return (struct rail_report) { documents[i].answer, text_member(document, "network_reference"),
				text_member(document, "code") };
	return (struct rail_report) { .answer = ANSWER_SILENCE };
}

/* A refusal of the request (4xx) is a word: it was not taken. Too many requests (429) is a plea to come again. A
 * failure (5xx) or nothing at all leaves open whether it was. */
static struct rail_report read_answer(
        enum status status, const struct http_answer *answer, bool is_query, struct arena *arena)
{
	if (status == ERR_NEIGHBOUR_UNAVAILABLE)
		return (struct rail_report) { .answer = ANSWER_NOT_SENT };
	if (status != STATUS_OK)
		return (struct rail_report) { .answer = ANSWER_SILENCE };
	if (answer->status == 200 || answer->status == 201)
		return read_document(answer->body, arena);
	if (is_query && answer->status == 404)
		return (struct rail_report) { .answer = ANSWER_NEVER_SEEN };
	if (is_query || answer->status >= 500 || answer->status < 400 || answer->status == 408 || answer->status == 409)
		return (struct rail_report) { .answer = ANSWER_SILENCE };
	if (answer->status == 429)
		return (struct rail_report) { .answer = ANSWER_NOT_SENT };
	return (struct rail_report) { .answer = ANSWER_DECLINED,
		.code = arena_format(arena, "http_%d", answer->status) };
}

static struct slice attempt_url(
        const struct rail_client *client, const struct attempt *attempt, const char *suffix, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	write_slice(&out, client->rails_url);
	writef(&out, "/v1/%s/payments", rail_name(attempt->rail));
	if (suffix) {
		write_char(&out, '/');
		write_attempt_id(&out, attempt->id);
		write_text(&out, suffix);
	}
	return writer_slice(&out);
}

/* Leaves out what is empty. */
static void add_header(struct http_call *call, const char *name, struct slice value)
{
	if (value.size)
		call->headers[call->header_count++] = (struct http_header) { name, value };
}

static struct rail_report post(struct rail_client *client, struct slice trace_id, struct slice url, struct slice key,
        struct slice body, struct arena *arena)
{
	struct http_call call = { .method = HTTP_POST,
		.url = url,
		.body = body,
		.timeout_ms = RAIL_TIMEOUT_MS,
		.answer_max = RAIL_ANSWER_MAX };
	struct http_answer answer = { .status = 0 };
	add_header(&call, "Content-Type", SLICE("application/json"));
	add_header(&call, "Idempotency-Key", key);
	add_header(&call, "traceparent", http_traceparent(trace_id, arena));
	enum status status = http_client_call(client->http, &call, arena, &answer);
	return read_answer(status, &answer, false, arena);
}

static void write_amount(struct json_writer *json, struct money amount)
{
	char text[40];
	struct writer out = writer_fixed(text, sizeof text);
	write_money(&out, amount);
	json_key_text(json, "amount", writer_slice(&out));
}

struct rail_report rail_send(
        struct rail_client *client, const struct payment *payment, const struct attempt *attempt, struct arena *arena)
{
	struct writer key = writer_growing(arena), body = writer_growing(arena);
	struct json_writer json = { .out = &body };
	write_attempt_id(&key, attempt->id);
	json_object_open(&json);
	json_key_id(&json, "attempt_id", ID_PREFIX_attempt, attempt->id.uuid);
	write_amount(&json, payment->amount);
	json_key_text(&json, "currency", slice_from(currency_code(payment->amount.currency)));
	json_key(&json, "payee");
	write_payee_plain(&json, &payment->payee);
	json_key_text_or_null(&json, "reference", payment->reference);
	json_key_text(&json, "notify_url", client->notify_url);
	json_object_close(&json);
	return post(client, attempt->trace_id, attempt_url(client, attempt, NULL, arena), writer_slice(&key),
	        writer_slice(&body), arena);
}

struct rail_report rail_ask(struct rail_client *client, const struct attempt *attempt, struct arena *arena)
{
	struct http_call call = { .method = HTTP_GET,
		.url = attempt_url(client, attempt, "", arena),
		.timeout_ms = RAIL_TIMEOUT_MS,
		.answer_max = RAIL_ANSWER_MAX };
	struct http_answer answer = { .status = 0 };
	add_header(&call, "traceparent", http_traceparent(attempt->trace_id, arena));
	enum status status = http_client_call(client->http, &call, arena, &answer);
	return read_answer(status, &answer, true, arena);
}

struct rail_report rail_refund(struct rail_client *client, const struct payment *payment, const struct attempt *attempt,
        const struct refund *refund, struct arena *arena)
{
	struct writer key = writer_growing(arena), body = writer_growing(arena);
	struct json_writer json = { .out = &body };
	write_refund_id(&key, refund->id);
	json_object_open(&json);
	write_amount(&json, (struct money) { refund->amount_minor, payment->amount.currency });
	json_key_id(&json, "refund_id", ID_PREFIX_refund, refund->id.uuid);
	json_object_close(&json);
	return post(client, refund->trace_id, attempt_url(client, attempt, "/refund", arena), writer_slice(&key),
	        writer_slice(&body), arena);
}
