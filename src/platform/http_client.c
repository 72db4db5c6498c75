#include "platform/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <unistd.h>

#include "platform/address.h"

enum {
	CONNECT_TIMEOUT_MS = 2000,
	CALL_TIMEOUT_MS = 10000,
	ANSWER_MAX = 4 * 1024 * 1024,
	ANSWER_HEADERS_MAX = sizeof((struct http_answer *)0)->headers / sizeof(struct http_header),
	REDIRECTS_MAX = 5,
	/* A connection that was idle longer is not used again: our servers close after 75 seconds, and a request that
	 * meets the close could be sent twice. */
	CONNECTION_IDLE_SECONDS = 60,
	FREE_HANDLES_MAX = 64,
};

/* A handle owns its kept connections; one call at a time uses it. */
struct handle {
	struct handle *next;
	CURL *easy;
	bool is_refused; /* the last address was private */
	bool refuses_private;
};

struct http_client {
	struct http_client_options options;
	pthread_mutex_t lock;
	struct handle *free;
	size_t free_count;
};

/* What one call collects. */
struct collector {
	struct arena *arena;
	struct http_answer answer;
	struct writer body;
	size_t answer_max;
};

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *http_client_new(const struct http_client_options *options)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, global_init);
	struct http_client *client = NEW(struct http_client);
	client->options = *options;
	if (!client->options.connect_timeout_ms)
		client->options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
	pthread_mutex_init(&client->lock, NULL);
	return client;
}

static void handle_free(struct handle *handle)
{
	curl_easy_cleanup(handle->easy);
	memory_free(handle);
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	while (client->free) {
		struct handle *next = client->free->next;
		handle_free(client->free);
		client->free = next;
	}
	pthread_mutex_destroy(&client->lock);
	memory_free(client);
}

/* --- Handles ----------------------------------------------------------------------------------------------------- */

/* The only place where a connection is made: what the name resolved to is checked, not the name. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct handle *handle = arg;
	(void)purpose;
	if (handle->refuses_private && !address_is_public(&address->addr)) {
		handle->is_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The last one given back is taken first: its connection is the freshest. */
static struct handle *handle_take(struct http_client *client)
{
	pthread_mutex_lock(&client->lock);
	struct handle *handle = client->free;
	if (handle) {
		client->free = handle->next;
		client->free_count--;
	}
	pthread_mutex_unlock(&client->lock);
	if (handle)
		return handle;
	CURL *easy = curl_easy_init();
	if (!easy)
		return NULL;
	handle = NEW(struct handle);
	handle->easy = easy;
	handle->refuses_private = client->options.refuse_private;
	return handle;
}

static void handle_give_back(struct http_client *client, struct handle *handle)
{
	/* Forgets the call, keeps the connections. */
	curl_easy_reset(handle->easy);
	pthread_mutex_lock(&client->lock);
	bool is_kept = client->free_count < FREE_HANDLES_MAX;
	if (is_kept) {
		handle->next = client->free;
		client->free = handle;
		client->free_count++;
	}
	pthread_mutex_unlock(&client->lock);
	if (!is_kept)
		handle_free(handle);
}

/* --- Collecting the answer --------------------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
	struct collector *collector = arg;
	(void)one;
	if (size > collector->answer_max - collector->body.size)
		return 0;
	write_bytes(&collector->body, data, size);
	return size;
}

/* A status line begins another answer: after 100 Continue or a redirect. */
static void begin_answer(struct collector *collector)
{
	collector->answer.header_count = 0;
	collector->body.size = 0;
}

static void add_header(struct collector *collector, struct slice name, struct slice value)
{
	struct http_answer *answer = &collector->answer;
	if (answer->header_count == ANSWER_HEADERS_MAX)
		return;
	answer->headers[answer->header_count++] = (struct http_header) {
		arena_text(collector->arena, name),
		arena_copy(collector->arena, slice_trim(value)),
	};
}

static size_t on_header(char *data, size_t one, size_t size, void *arg)
{
	struct slice value = { data, size }, name;
	(void)one;
	if (slice_starts_with(value, SLICE("HTTP/")))
		begin_answer(arg);
	else if (slice_split(&value, ':', &name) && value.data)
		add_header(arg, name, value);
	return size;
}

struct slice http_answer_header(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->header_count; i++)
		if (slice_equal_ignore_case(slice_from(answer->headers[i].name), slice_from(name)))
			return answer->headers[i].value;
	return SLICE_EMPTY;
}

/* --- The request ------------------------------------------------------------------------------------------------- */

static bool has_line_break(struct slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0')
			return true;
	return false;
}

static struct curl_slist *add_line(struct curl_slist *lines, const char *line)
{
	struct curl_slist *longer = curl_slist_append(lines, line);
	return longer ? longer : lines;
}

/* A value with a line break is left out, because it would become a header of its own. */
static struct curl_slist *header_lines(const struct http_call *call, struct arena *arena)
{
	/* No waiting for "100 Continue". */
	struct curl_slist *lines = add_line(NULL, "Expect:");
	bool has_type = false;
	for (size_t i = 0; i < call->header_count; i++) {
		const struct http_header *header = &call->headers[i];
		if (has_line_break(header->value))
			continue;
		has_type = has_type || slice_equal_ignore_case(slice_from(header->name), SLICE("Content-Type"));
		/* curl's own form for a header without a value ends with a semicolon. */
		lines = add_line(
		        lines, header->value.size
		                       ? arena_format(arena, "%s: %.*s", header->name, SLICE_ARGS(header->value)).data
		                       : arena_format(arena, "%s;", header->name).data);
	}
	/* Without a body none, where curl would name a form. */
	if (!has_type)
		lines = add_line(lines, call->body.size ? "Content-Type: application/json" : "Content-Type:");
	return lines;
}

static void set_body(CURL *easy, const struct http_call *call)
{
	if (call->method != HTTP_GET || call->body.size) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.data ? call->body.data : "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, http_method_name(call->method));
}

static void set_limits(CURL *easy, const struct http_client_options *options, const struct http_call *call)
{
	bool follows = options->follow_redirects && !options->refuse_private;
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* What we are given is asked for: "/a/.." must not become another address on the way to a neighbour. */
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, follows ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(call->timeout_ms ? call->timeout_ms : CALL_TIMEOUT_MS));
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_SECONDS);
	/* A proxy from the environment would connect where the address check cannot see. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "agentpay");
}

static void set_collector(struct handle *handle, struct collector *collector)
{
	curl_easy_setopt(handle->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(handle->easy, CURLOPT_OPENSOCKETDATA, handle);
	curl_easy_setopt(handle->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(handle->easy, CURLOPT_WRITEDATA, collector);
	curl_easy_setopt(handle->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(handle->easy, CURLOPT_HEADERDATA, collector);
}

/* Whether a byte of the request left decides between "not done" and "unknown". When a kept connection turns out to be
 * dead before any byte of an answer, curl sends the request again on a new one, a POST too; the peer may then have seen
 * it twice. That is safe here because every POST of ours carries an idempotency key, and the idle bound above makes it
 * rare. */
static enum status status_of(CURLcode code, struct handle *handle)
{
	long sent = 0;
	if (code == CURLE_OK)
		return STATUS_OK;
	if (handle->is_refused || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
		return ERR_WEBHOOK_URL_REFUSED;
	curl_easy_getinfo(handle->easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent ? ERR_TIMEOUT : ERR_NEIGHBOUR_UNAVAILABLE;
}

static enum status perform(
        struct http_client *client, struct handle *handle, const struct http_call *call, struct collector *collector)
{
	struct curl_slist *lines = header_lines(call, collector->arena);
	long status = 0;
	handle->is_refused = false;
	set_limits(handle->easy, &client->options, call);
	set_collector(handle, collector);
	set_body(handle->easy, call);
	curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, lines);
	curl_easy_setopt(handle->easy, CURLOPT_URL, arena_text(collector->arena, call->url));
	CURLcode code = curl_easy_perform(handle->easy);
	enum status outcome = status_of(code, handle);
	curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
	collector->answer.status = (int)status;
	curl_slist_free_all(lines);
	return outcome;
}

enum status http_client_call(
        struct http_client *client, const struct http_call *call, struct arena *arena, struct http_answer *ret_answer)
{
	struct collector collector = { .arena = arena, .body = writer_growing(arena) };
	collector.answer_max = call->answer_max ? call->answer_max : ANSWER_MAX;
	struct handle *handle = handle_take(client);
	if (!handle)
		return ERR_NEIGHBOUR_UNAVAILABLE;
	enum status status = perform(client, handle, call, &collector);
	handle_give_back(client, handle);
	TRY(status);
	collector.answer.body = writer_slice(&collector.body);
	collector.answer.retry_after = http_answer_header(&collector.answer, "Retry-After");
	collector.answer.content_type = http_answer_header(&collector.answer, "Content-Type");
	*ret_answer = collector.answer;
	return STATUS_OK;
}
