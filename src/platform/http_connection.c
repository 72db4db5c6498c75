#include "platform/http_connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "platform/http_response.h"
#include "platform/metrics.h"
#include "platform/thread.h"

enum {
	IDLE_TIMEOUT_MS = 75 * 1000, /* a kept connection without a request */
	SEND_TIMEOUT_MS = 60 * 1000, /* a client that does not read its answer */
	REAP_INTERVAL_MIN_MS = 20,
	REAP_INTERVAL_MAX_MS = 500,
	LINGER_MS = 1000,
	LINGER_BYTES_MAX = 4 * HTTP_BODY_MAX,
	CLOCK_SLACK_MS = 20, /* the kernel counts arrival times in ticks */
};

struct http_connections {
	pthread_mutex_t lock; /* the list; never held while a handler runs */
	struct http_connection *first;
	size_t count, max;
	int64_t request_timeout_ms;
	struct signal_bell stop;
	struct thread *reaper;
};

static void enter(struct http_connection *connection, enum http_phase phase)
{
	connection->phase_at = clock_monotonic();
	connection->phase = phase;
}

bool http_connection_enter(struct http_connection *connection, enum http_phase phase)
{
	enum http_phase now = connection->phase;
	if (phase == HTTP_PHASE_WAITING)
		connection->answered++;
	do {
		if (now == HTTP_PHASE_ENDED)
			return false;
		connection->phase_at = clock_monotonic();
	} while (!atomic_compare_exchange_weak(&connection->phase, &now, phase));
	return true;
}

/* --- Refusing past the library ----------------------------------------------------------------------------------- */

static struct slice refusal_text(struct http_request *request, enum status status)
{
	struct http_response response = { 0 };
	struct writer out = writer_growing(request->arena);
	http_response_problem(&response, request, status);
	writef(&out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n",
	        response.status, http_reason(response.status), response.content_type, response.body.size);
	writef(&out, "Cache-Control: no-store\r\nX-Request-Id: %.*s\r\n", SLICE_ARGS(request->request_id));
	for (size_t i = 0; i < response.header_count; i++)
		writef(&out, "%s: %.*s\r\n", response.headers[i].name, SLICE_ARGS(response.headers[i].value));
	write_text(&out, "\r\n");
	write_slice(&out, response.body);
	return writer_slice(&out);
}

/* One attempt: the text fits any socket buffer, and who does not read it does not get it. */
static void send_and_shut(int socket, struct slice text)
{
	ssize_t ignored = send(socket, text.data, text.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)ignored;
	shutdown(socket, SHUT_WR);
}

static void discard_input(int socket)
{
	char waste[16 * 1024];
	int64_t until = clock_monotonic() + LINGER_MS * 1000;
	for (size_t left = LINGER_BYTES_MAX; left > sizeof waste;) {
		struct pollfd input = { .fd = socket, .events = POLLIN };
		int64_t wait_ms = (until - clock_monotonic()) / 1000;
		if (wait_ms <= 0 || poll(&input, 1, (int)wait_ms) <= 0)
			return;
		ssize_t got = recv(socket, waste, sizeof waste, MSG_DONTWAIT);
		if (got <= 0)
			return;
		left -= (size_t)got;
	}
}

void http_connection_refuse(struct http_connection *connection, struct http_request *request, enum status status)
{
	enter(connection, HTTP_PHASE_ENDED);
	send_and_shut(connection->socket, refusal_text(request, status));
	discard_input(connection->socket);
	shutdown(connection->socket, SHUT_RDWR);
}

/* As above where there is no request yet and nobody may wait. */
static void refuse_unasked(struct http_connection *connection, enum status status)
{
	struct arena arena = { 0 };
	struct http_request request = { .arena = &arena, .request_id = SLICE("req-none") };
	send_and_shut(connection->socket, refusal_text(&request, status));
	shutdown(connection->socket, SHUT_RDWR);
	arena_clean_up(&arena);
}

/* --- The reaper -------------------------------------------------------------------------------------------------- */

/* True when bytes of the next request have come since the last answer was sent, though the library waits for the rest
 * of the request line. The kernel knows; asking it costs nothing on the path of a request. */
static bool has_input_since(const struct http_connection *connection, int64_t at, int64_t now)
{
	struct tcp_info info;
	socklen_t size = sizeof info;
	if (getsockopt(connection->socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return true;
	return now - (int64_t)info.tcpi_last_data_recv * 1000 > at + CLOCK_SLACK_MS * 1000;
}

static bool is_overdue(int64_t since, int64_t now, int64_t limit_ms)
{
	return now - since > limit_ms * 1000;
}

/* A new connection counts as a request from its start, a kept one from the next request's first byte. */
static bool is_receiving_too_long(struct http_connection *connection, int64_t now, int64_t limit_ms)
{
	if (connection->answered != connection->reaped) {
		connection->reaped = connection->answered;
		connection->begun_at = 0;
	}
	int64_t at = connection->phase_at;
	if (!connection->begun_at) {
		if (connection->phase == HTTP_PHASE_RECEIVING || connection->reaped == 0)
			connection->begun_at = at;
		else if (has_input_since(connection, at, now))
			connection->begun_at = now;
	}
	return connection->begun_at && is_overdue(connection->begun_at, now, limit_ms);
}

/* Ends the connection if it is still in `phase`; a request that has just become complete is left alone. */
static bool end(struct http_connection *connection, enum http_phase phase)
{
	return atomic_compare_exchange_strong(&connection->phase, &phase, HTTP_PHASE_ENDED);
}

static void reap_one(const struct http_connections *connections, struct http_connection *connection, int64_t now)
{
	enum http_phase phase = connection->phase;
	int64_t since = connection->phase_at;
	bool is_idle = phase == HTTP_PHASE_WAITING && is_overdue(since, now, IDLE_TIMEOUT_MS);
	bool is_unread = phase == HTTP_PHASE_SENDING && is_overdue(since, now, SEND_TIMEOUT_MS);
	if (is_idle || is_unread) {
		if (end(connection, phase))
			shutdown(connection->socket, SHUT_RDWR);
		return;
	}
	if (phase != HTTP_PHASE_WAITING && phase != HTTP_PHASE_RECEIVING)
		return;
	if (is_receiving_too_long(connection, now, connections->request_timeout_ms) && end(connection, phase)) {
		metric_add(METRIC_http_refused_total, status_code(ERR_REQUEST_TIMEOUT), 1);
		refuse_unasked(connection, ERR_REQUEST_TIMEOUT);
	}
}

static void reap(void *arg)
{
	struct http_connections *connections = arg;
	int64_t interval_ms = connections->request_timeout_ms / 8;
	uint64_t seen = 0;
	if (interval_ms < REAP_INTERVAL_MIN_MS)
		interval_ms = REAP_INTERVAL_MIN_MS;
	if (interval_ms > REAP_INTERVAL_MAX_MS)
		interval_ms = REAP_INTERVAL_MAX_MS;
	while (bell_wait(&connections->stop, &seen, interval_ms)) {
		int64_t now = clock_monotonic();
		pthread_mutex_lock(&connections->lock);
		for (struct http_connection *one = connections->first; one; one = one->next)
			reap_one(connections, one, now);
		size_t count = connections->count;
		pthread_mutex_unlock(&connections->lock);
		metric_set(METRIC_http_connections, "", (int64_t)count);
	}
}

/* --- The table --------------------------------------------------------------------------------------------------- */

struct http_connections *http_connections_new(size_t max, int64_t request_timeout_ms)
{
	struct http_connections *connections = NEW(struct http_connections);
	pthread_mutex_init(&connections->lock, NULL);
	bell_init(&connections->stop);
	connections->max = max;
	connections->request_timeout_ms = request_timeout_ms;
	return connections;
}

enum status http_connections_start(struct http_connections *connections)
{
	return thread_start("http-reaper", reap, connections, &connections->reaper);
}

void http_connections_free(struct http_connections *connections)
{
	if (!connections)
		return;
	bell_stop(&connections->stop);
	thread_join(connections->reaper);
	bell_clean_up(&connections->stop);
	pthread_mutex_destroy(&connections->lock);
	memory_free(connections);
}

/* An IPv4 peer of an IPv6 socket is shown as IPv4. */
static void format_address(struct http_connection *connection, const struct sockaddr *address)
{
	const void *bytes = NULL;
	int family = AF_INET;
	if (address && address->sa_family == AF_INET) {
		bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	} else if (address && address->sa_family == AF_INET6) {
		const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
		bool is_mapped = IN6_IS_ADDR_V4MAPPED(six);
		bytes = is_mapped ? six->s6_addr + 12 : six->s6_addr;
		family = is_mapped ? AF_INET : AF_INET6;
	}
	if (bytes && inet_ntop(family, bytes, connection->remote_text, sizeof connection->remote_text))
		connection->remote_address = slice_from(connection->remote_text);
	else
		connection->remote_address = SLICE_EMPTY;
}

struct http_connection *http_connection_open(
        struct http_connections *connections, int socket, const struct sockaddr *address)
{
	struct http_connection *connection = NEW(struct http_connection);
	connection->socket = socket;
	format_address(connection, address);
	enter(connection, HTTP_PHASE_WAITING);
	pthread_mutex_lock(&connections->lock);
	bool is_too_many = connections->count >= connections->max;
	connection->next = connections->first;
	if (connection->next)
		connection->next->previous = connection;
	connections->first = connection;
	connections->count++;
	pthread_mutex_unlock(&connections->lock);
	if (is_too_many && end(connection, HTTP_PHASE_WAITING)) {
		metric_add(METRIC_http_refused_total, status_code(ERR_OVERLOADED), 1);
		refuse_unasked(connection, ERR_OVERLOADED);
	}
	return connection;
}

void http_connection_close(struct http_connections *connections, struct http_connection *connection)
{
	pthread_mutex_lock(&connections->lock);
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		connections->first = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	connections->count--;
	pthread_mutex_unlock(&connections->lock);
	arena_clean_up(&connection->arena);
	memory_free(connection);
}

static bool has_work(struct http_connections *connections)
{
	bool found = false;
	pthread_mutex_lock(&connections->lock);
	for (struct http_connection *one = connections->first; one && !found; one = one->next) {
		enum http_phase phase = one->phase;
		found = phase == HTTP_PHASE_RECEIVING || phase == HTTP_PHASE_HANDLING || phase == HTTP_PHASE_SENDING;
	}
	pthread_mutex_unlock(&connections->lock);
	return found;
}

bool http_connections_drain(struct http_connections *connections, int64_t timeout_ms)
{
	int64_t until = clock_monotonic() + timeout_ms * 1000;
	while (has_work(connections)) {
		if (clock_monotonic() > until)
			return false;
		usleep(5000);
	}
	return true;
}
