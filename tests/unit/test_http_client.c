#include "testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "platform/http_client.h"

/* --- A peer that answers what it is told to ---------------------------------------------------------------------- */

struct peer {
	int listener, port;
	const char *answers[4]; /* one per request; NULL = closes instead */
	int delay_ms;           /* before the answer */
	atomic_int connections, requests;
	char heard[8192]; /* the last request */
	pthread_t thread;
};

static bool read_request(struct peer *peer, int socket_)
{
	char text[sizeof peer->heard] = { 0 };
	size_t size = 0;
	for (;;) {
		const char *end = strstr(text, "\r\n\r\n");
		const char *length = strcasestr(text, "content-length:");
		size_t body = length ? (size_t)atol(length + 15) : 0;
		if (end && size >= (size_t)(end + 4 - text) + body) {
			memcpy(peer->heard, text, sizeof text);
			return true;
		}
		ssize_t got = recv(socket_, text + size, sizeof text - 1 - size, 0);
		if (got <= 0)
			return false;
		size += (size_t)got;
	}
}

static void *serve(void *arg)
{
	struct peer *peer = arg;
	for (int socket_; (socket_ = accept(peer->listener, NULL, NULL)) >= 0; close(socket_)) {
		peer->connections++;
		while (read_request(peer, socket_)) {
			const char *answer = peer->answers[peer->requests++ % 4];
			usleep((useconds_t)peer->delay_ms * 1000);
			if (!answer)
				break;
			if (send(socket_, answer, strlen(answer), MSG_NOSIGNAL) < 0)
				break;
		}
	}
	return NULL;
}

static void peer_start(struct peer *peer)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(peer->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(peer->listener, 8), 0);
	getsockname(peer->listener, (struct sockaddr *)&address, &size);
	peer->port = ntohs(address.sin_port);
	pthread_create(&peer->thread, NULL, serve, peer);
}

static void peer_stop(struct peer *peer)
{
	shutdown(peer->listener, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->listener);
}

/* --- One call ---------------------------------------------------------------------------------------------------- */

static struct arena arena;
static struct http_answer answer;

static int forget(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

static enum status call_at(struct http_client *client, int port, struct http_call call)
{
	call.url = arena_format(&arena, "http://127.0.0.1:%d/a/../path?q=1", port);
	return http_client_call(client, &call, &arena, &answer);
}

/* With a client of its own, so that its connections end before the peer does. */
static enum status call_once(struct peer *peer, struct http_call call, struct http_client_options options)
{
	struct http_client *client = http_client_new(&options);
	enum status status = call_at(client, peer->port, call);
	http_client_free(client);
	return status;
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/x\r\nRetry-After: 7\r\n\r\nok"

static void sends_what_it_is_told(void **state)
{
	(void)state;
	struct peer peer = { .answers = { OK_ANSWER, OK_ANSWER, OK_ANSWER, OK_ANSWER } };
	peer_start(&peer);
	struct http_call call = {
		.method = HTTP_POST,
		.body = SLICE("{\"a\":1}"),
		.headers = { { "Authorization", SLICE("Bearer x") }, { "X-Bad", SLICE("a\r\nX-Injected: b") },
		        { "X-Empty", SLICE("") } },
		.header_count = 3,
	};
	assert_status(call_once(&peer, call, (struct http_client_options) { 0 }), STATUS_OK);
	assert_int_equal(answer.status, 200);
	assert_slice(answer.body, "ok");
	assert_slice(answer.content_type, "text/x");
	assert_slice(answer.retry_after, "7");
	assert_slice(http_answer_header(&answer, "content-LENGTH"), "2");
	assert_slice(http_answer_header(&answer, "X-None"), "");
	assert_ptr_equal(strstr(peer.heard, "POST /a/../path?q=1 HTTP/1.1\r\n"), peer.heard);
	assert_non_null(strstr(peer.heard, "\r\nAuthorization: Bearer x\r\n"));
	assert_non_null(strstr(peer.heard, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(peer.heard, "\r\nX-Empty:\r\n"));
	assert_null(strstr(peer.heard, "X-Injected"));
	assert_non_null(strstr(peer.heard, "\r\n\r\n{\"a\":1}"));

	static const struct {
		enum http_method method;
		const char *line;
	} rows[] = {
		{ HTTP_GET, "GET /a/../path?q=1 " },
		{ HTTP_PUT, "PUT /a/../path?q=1 " },
		{ HTTP_PATCH, "PATCH /a/../path?q=1 " },
		{ HTTP_DELETE, "DELETE /a/../path?q=1 " },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_call bare = { .method = rows[i].method };
		assert_status(call_once(&peer, bare, (struct http_client_options) { 0 }), STATUS_OK);
		assert_ptr_equal(strstr(peer.heard, rows[i].line), peer.heard);
		assert_null(strstr(peer.heard, "Content-Type"));
	}
	peer_stop(&peer);
}

static void keeps_the_connection(void **state)
{
	(void)state;
	struct peer peer = { .answers = { OK_ANSWER, OK_ANSWER, OK_ANSWER, OK_ANSWER } };
	struct http_client *client = http_client_new(&(struct http_client_options) { 0 });
	peer_start(&peer);
	for (int i = 0; i < 10; i++)
		assert_status(call_at(client, peer.port, (struct http_call) { .method = i % 2 ? HTTP_GET : HTTP_POST }),
		        STATUS_OK);
	assert_int_equal(peer.requests, 10);
	assert_int_equal(peer.connections, 1);
	http_client_free(client);
	peer_stop(&peer);
}

static void any_http_answer_is_an_answer(void **state)
{
	(void)state;
	struct peer peer = { .answers = { "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
		                     "HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n" OK_ANSWER,
		                     "HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 3\r\n\r\nlol",
		                     OK_ANSWER } };
	peer_start(&peer);
	assert_status(call_once(&peer, (struct http_call) { 0 }, (struct http_client_options) { 0 }), STATUS_OK);
	assert_int_equal(answer.status, 503);
	assert_status(call_once(&peer, (struct http_call) { 0 }, (struct http_client_options) { 0 }), STATUS_OK);
	assert_int_equal(answer.status, 200);
	assert_slice(http_answer_header(&answer, "X-A"), "");
	assert_status(call_once(&peer, (struct http_call) { 0 }, (struct http_client_options) { 0 }), STATUS_OK);
	assert_int_equal(answer.status, 302);
	assert_slice(answer.body, "lol");
	peer.requests = 2;
	assert_status(
	        call_once(&peer, (struct http_call) { 0 }, (struct http_client_options) { .follow_redirects = true }),
	        STATUS_OK);
	assert_int_equal(answer.status, 200);
	assert_slice(answer.body, "ok");
	assert_ptr_equal(strstr(peer.heard, "GET /else "), peer.heard);
	peer_stop(&peer);
}

static void tells_unsent_from_unknown(void **state)
{
	(void)state;
	struct peer slow = { .answers = { OK_ANSWER, OK_ANSWER, OK_ANSWER, OK_ANSWER }, .delay_ms = 400 };
	struct peer closing = { .answers = { NULL } };
	struct peer partial = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", NULL } };
	struct peer gone = { .answers = { NULL } };
	struct http_client_options options = { .connect_timeout_ms = 200 };
	peer_start(&slow);
	peer_start(&closing);
	peer_start(&partial);
	peer_start(&gone);
	peer_stop(&gone);
	assert_status(
	        call_once(&slow, (struct http_call) { .method = HTTP_POST, .timeout_ms = 100 }, options), ERR_TIMEOUT);
	assert_status(call_once(&closing, (struct http_call) { .method = HTTP_POST }, options), ERR_TIMEOUT);
	assert_status(call_once(&partial, (struct http_call) { .method = HTTP_POST, .timeout_ms = 200 }, options),
	        ERR_TIMEOUT);
	assert_status(call_once(&gone, (struct http_call) { .method = HTTP_POST }, options), ERR_NEIGHBOUR_UNAVAILABLE);
	peer_stop(&slow);
	peer_stop(&closing);
	peer_stop(&partial);
}

/* A listener whose backlog is full lets nobody in: no connection, nothing sent. */
static void an_unanswered_connect_is_unsent(void **state)
{
	(void)state;
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fillers[4];
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listener, 0), 0);
	getsockname(listener, (struct sockaddr *)&address, &size);
	for (int i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fillers[i], (struct sockaddr *)&address, sizeof address);
	}
	struct http_client *client = http_client_new(&(struct http_client_options) { .connect_timeout_ms = 200 });
	int64_t start_at = clock_monotonic();
	assert_status(call_at(client, ntohs(address.sin_port), (struct http_call) { 0 }), ERR_NEIGHBOUR_UNAVAILABLE);
	assert_in_range((clock_monotonic() - start_at) / 1000, 150, 1500);
	http_client_free(client);
	for (int i = 0; i < 4; i++)
		close(fillers[i]);
	close(listener);
}

static void bounds_the_answer(void **state)
{
	(void)state;
	struct peer peer = { .answers = { OK_ANSWER, OK_ANSWER, OK_ANSWER, OK_ANSWER } };
	peer_start(&peer);
	assert_status(call_once(&peer, (struct http_call) { .answer_max = 1 }, (struct http_client_options) { 0 }),
	        ERR_TIMEOUT);
	assert_status(call_once(&peer, (struct http_call) { .answer_max = 2 }, (struct http_client_options) { 0 }),
	        STATUS_OK);
	peer_stop(&peer);
}

static void refuses_private_addresses(void **state)
{
	(void)state;
	struct peer peer = { .answers = { OK_ANSWER, OK_ANSWER, OK_ANSWER, OK_ANSWER } };
	static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
		"2130706433", "0x7f.1", "10.0.0.1", "169.254.169.254" };
	struct http_client *client =
	        http_client_new(&(struct http_client_options) { .refuse_private = true, .follow_redirects = true });
	peer_start(&peer);
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct http_call call = { .url = arena_format(&arena, "http://%s:%d/", hosts[i], peer.port) };
		assert_status(http_client_call(client, &call, &arena, &answer), ERR_WEBHOOK_URL_REFUSED);
	}
	assert_int_equal(peer.connections, 0);
	http_client_free(client);
	peer_stop(&peer);
}

static void refuses_other_protocols(void **state)
{
	(void)state;
	static const char *const urls[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "",
		"http://", "no url at all" };
	struct http_client *client = http_client_new(&(struct http_client_options) { 0 });
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct http_call call = { .url = slice_from(urls[i]) };
		enum status status = http_client_call(client, &call, &arena, &answer);
		if (status != ERR_WEBHOOK_URL_REFUSED)
			print_error("%s: %s\n", urls[i], status_code(status));
		assert_status(status, ERR_WEBHOOK_URL_REFUSED);
	}
	http_client_free(client);
	http_client_free(NULL);
}

static void ignores_proxies_of_the_environment(void **state)
{
	(void)state;
	struct peer peer = { .answers = { OK_ANSWER, OK_ANSWER, OK_ANSWER, OK_ANSWER } };
	peer_start(&peer);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_status(call_once(&peer, (struct http_call) { 0 }, (struct http_client_options) { 0 }), STATUS_OK);
	unsetenv("http_proxy");
	peer_stop(&peer);
}

TESTS(cmocka_unit_test_teardown(sends_what_it_is_told, forget), cmocka_unit_test_teardown(keeps_the_connection, forget),
        cmocka_unit_test_teardown(any_http_answer_is_an_answer, forget),
        cmocka_unit_test_teardown(tells_unsent_from_unknown, forget),
        cmocka_unit_test_teardown(an_unanswered_connect_is_unsent, forget),
        cmocka_unit_test_teardown(bounds_the_answer, forget),
        cmocka_unit_test_teardown(refuses_private_addresses, forget),
        cmocka_unit_test_teardown(refuses_other_protocols, forget),
        cmocka_unit_test_teardown(ignores_proxies_of_the_environment, forget))
