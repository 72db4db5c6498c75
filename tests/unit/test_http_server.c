#include "testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "platform/http_client.h"
#include "platform/http_server.h"

/* --- A small service --------------------------------------------------------------------------------------------- */

static atomic_int handled;

static enum status answer_pong(void *service, struct http_request *request, struct http_response *response)
{
	(void)service, (void)request;
	handled++;
	response->body = SLICE("{\"pong\":true}");
	return STATUS_OK;
}

static enum status answer_echo(void *service, struct http_request *request, struct http_response *response)
{
	(void)service;
	handled++;
	response->status = 201;
	response->body = request->body;
	response->content_type = "text/plain";
	return STATUS_OK;
}

/* Everything that a handler can see of the request, as JSON. */
static enum status answer_request(void *service, struct http_request *request, struct http_response *response)
{
	struct writer body = writer_growing(request->arena);
	struct json_writer json = { .out = &body };
	(void)service;
	json_object_open(&json);
	json_key_text(&json, "method", slice_from(http_method_name(request->method)));
	json_key_text(&json, "path", request->path);
	json_key_text(&json, "route", slice_from(request->route->path));
	json_key_text(&json, "first", request->parameters[0]);
	json_key_text(&json, "second", request->parameters[1]);
	json_key_text(&json, "limit", http_request_query(request, "limit"));
	json_key_text(&json, "name", http_request_query(request, "the name"));
	json_key_text(&json, "agent", http_request_header(request, "user-agent"));
	json_key_text(&json, "remote", request->remote_address);
	json_key_text(&json, "request_id", request->request_id);
	json_key_text(&json, "trace_id", request->trace_id);
	json_key_text(&json, "traceparent", request->traceparent);
	json_object_close(&json);
	http_response_header(response, "Location", SLICE("/things/1"));
	http_response_header(response, "X-Injected", SLICE("a\r\nSet-Cookie: b"));
	http_response_json(response, 200, &body);
	return STATUS_OK;
}

static enum status answer_problem(void *service, struct http_request *request, struct http_response *response)
{
	(void)service, (void)response;
	return problem_set(request->problem, ERR_INVALID_FIELD, "amount", "An amount of \"%d\" is too odd.", 7);
}

static enum status answer_unauthenticated(void *service, struct http_request *request, struct http_response *response)
{
	(void)service, (void)response, (void)request;
	return ERR_UNAUTHENTICATED;
}

static enum status answer_overloaded(void *service, struct http_request *request, struct http_response *response)
{
	(void)service, (void)response, (void)request;
	return ERR_OVERLOADED;
}

static enum status answer_late(void *service, struct http_request *request, struct http_response *response)
{
	usleep(300 * 1000);
	return answer_pong(service, request, response);
}

static const struct http_route rows[] = {
	{ HTTP_GET, "/ping", answer_pong },
	{ HTTP_POST, "/echo", answer_echo },
	{ HTTP_POST, "/any", answer_echo, .flags = HTTP_ROUTE_ANY_BODY },
	{ HTTP_GET, "/things/{id}", answer_request },
	{ HTTP_DELETE, "/things/{id}", answer_request },
	{ HTTP_GET, "/things/special", answer_request },
	{ HTTP_GET, "/things/{id}/parts/{part}", answer_request },
	{ HTTP_GET, "/problem", answer_problem },
	{ HTTP_GET, "/private", answer_unauthenticated },
	{ HTTP_GET, "/overloaded", answer_overloaded },
	{ HTTP_GET, "/late", answer_late },
};

static const struct http_routes routes = { "test", rows, sizeof rows / sizeof *rows, NULL };

static struct http_server *start(int64_t request_timeout_ms, size_t connections_max)
{
	struct http_server *server = NULL;
	struct problem problem = { 0 };
	struct http_server_options options = {
		.listen = SLICE("127.0.0.1:0"),
		.services = &routes,
		.service_count = 1,
		.request_timeout_ms = request_timeout_ms,
		.connections_max = connections_max,
	};
	assert_status(http_server_start(&options, &server, &problem), STATUS_OK);
	return server;
}

/* --- A client that may say anything ------------------------------------------------------------------------------ */

static int dial(const struct http_server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(server)) };
	struct timeval patience = { .tv_sec = 10 };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int socket_ = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(connect(socket_, (struct sockaddr *)&address, sizeof address), 0);
	return socket_;
}

static void say(int socket_, struct slice text)
{
	assert_int_equal(send(socket_, text.data, text.size, MSG_NOSIGNAL), text.size);
}

static char heard[256 * 1024];

/* Reads until `answers` whole answers are there or the server closes; true when it closed. */
static bool hear(int socket_, int answers)
{
	size_t size = 0;
	memset(heard, 0, sizeof heard);
	for (;;) {
		const char *at = heard;
		int whole = 0;
		for (const char *end; (end = strstr(at, "\r\n\r\n")); whole++) {
			const char *length = strcasestr(at, "content-length:");
			at = end + 4 + (length && length < end ? atol(length + 15) : 0);
			if (at > heard + size)
				break;
		}
		if (answers && whole >= answers)
			return false;
		ssize_t got = recv(socket_, heard + size, sizeof heard - 1 - size, 0);
		if (got <= 0)
			return got == 0;
		size += (size_t)got;
	}
}

/* One request on a connection of its own; true when the server closed it. */
static bool ask(const struct http_server *server, const char *text)
{
	int socket_ = dial(server);
	say(socket_, slice_from(text));
	shutdown(socket_, SHUT_WR);
	bool is_closed = hear(socket_, 0);
	close(socket_);
	return is_closed;
}

static int heard_status(void)
{
	return strncmp(heard, "HTTP/1.1 ", 9) == 0 ? atoi(heard + 9) : 0;
}

#define assert_heard(text) \
	do { \
		if (!strstr(heard, (text))) { \
			print_error("\"%s\" is missing in:\n%s\n", (text), heard); \
			fail(); \
		} \
	} while (0)
#define assert_not_heard(text) assert_null(strstr(heard, (text)))

/* --- The tests --------------------------------------------------------------------------------------------------- */

static void answers_routes(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int status;
		const char *content;
	} table[] = {
		{ "GET /ping", 200, "{\"pong\":true}" },
		{ "GET /ping?a=b", 200, "{\"pong\":true}" },
		{ "GET http://elsewhere/ping", 200, "{\"pong\":true}" },
		{ "GET /things/7", 200, "\"route\":\"/things/{id}\",\"first\":\"7\",\"second\":\"\"" },
		{ "GET /things/special", 200, "\"route\":\"/things/special\"" },
		{ "GET /things/a%2Fb", 200, "\"first\":\"a/b\"" },
		{ "GET /things/a+b%20c", 200, "\"first\":\"a+b c\"" },
		{ "GET /things/7/parts/8", 200, "\"first\":\"7\",\"second\":\"8\"" },
		{ "DELETE /things/7", 200, "\"method\":\"DELETE\"" },
		{ "GET /things/7?limit=10&the+name=x%26y", 200, "\"limit\":\"10\",\"name\":\"x&y\"" },
		{ "GET /things/7?the%20name=z&limit", 200, "\"limit\":\"\",\"name\":\"z\"" },
		{ "GET /", 404, "\"code\":\"not_found\"" },
		{ "GET /things/", 404, "\"code\":\"not_found\"" },
		{ "GET /ping/", 404, "\"code\":\"not_found\"" },
		{ "GET /things//parts/1", 404, "\"code\":\"not_found\"" },
		{ "FOO /nothing", 404, "\"code\":\"not_found\"" },
		{ "GET ping", 400, "\"code\":\"malformed_request\"" },
		{ "GET /things/%00", 400, "\"code\":\"malformed_request\"" },
		{ "GET /things/%zz", 400, "\"code\":\"malformed_request\"" },
		{ "GET /things/%ff", 400, "\"code\":\"malformed_request\"" },
		{ "POST /ping", 405, "Allow: GET, HEAD\r\n" },
		{ "OPTIONS /things/1", 405, "Allow: GET, HEAD, DELETE\r\n" },
		{ "FOO /echo", 405, "Allow: POST\r\n" },
	};
	struct http_server *server = start(0, 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[256];
		snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: x\r\n\r\n", table[i].line);
		ask(server, text);
		if (heard_status() != table[i].status)
			print_error("%s\n%s\n", table[i].line, heard);
		assert_int_equal(heard_status(), table[i].status);
		assert_heard(table[i].content);
		assert_heard("Cache-Control: no-store\r\n");
		assert_heard("X-Request-Id: req-");
	}
	http_server_stop(server);
}

static void answers_head_without_body(void **state)
{
	(void)state;
	struct http_server *server = start(0, 0);
	ask(server, "HEAD /ping HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(heard_status(), 200);
	assert_heard("Content-Length: 13\r\n");
	assert_not_heard("pong");
	http_server_stop(server);
}

static void answers_problems(void **state)
{
	(void)state;
	struct http_server *server = start(0, 0);
	ask(server, "GET /problem HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine-1\r\n\r\n");
	assert_int_equal(heard_status(), 400);
	assert_heard("Content-Type: application/problem+json\r\n");
	assert_heard("X-Request-Id: mine-1\r\n");
	assert_heard(
	        "{\"type\":\"urn:agentpay:problem:invalid_field\",\"title\":\"A member has the wrong type or "
	        "value.\",\"status\":400,\"detail\":\"An amount of \\\"7\\\" is too odd.\",\"instance\":\"/problem\","
	        "\"code\":\"invalid_field\",\"param\":\"amount\",\"retryable\":false,\"request_id\":\"mine-1\"}");
	ask(server, "GET /private HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(heard_status(), 401);
	assert_heard("WWW-Authenticate: Bearer\r\n");
	assert_heard("\"detail\":\"Authentication is required.\"");
	ask(server, "GET /overloaded HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(heard_status(), 503);
	assert_heard("Retry-After: 1\r\n");
	assert_heard("\"retryable\":true");
	http_server_stop(server);
}

static void passes_identifiers_on(void **state)
{
	(void)state;
	struct http_server *server = start(0, 0);
	ask(server, "GET /things/1 HTTP/1.1\r\nHost: x\r\nUser-Agent: tester\r\nX-Request-Id: A.b_c-9\r\n"
	            "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n\r\n");
	assert_heard("\"agent\":\"tester\",\"remote\":\"127.0.0.1\",\"request_id\":\"A.b_c-9\","
	             "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
	             "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-");
	assert_not_heard("00f067aa0ba902b7");
	assert_heard("-00\"}");
	assert_heard("Location: /things/1\r\n");
	assert_not_heard("X-Injected");
	assert_not_heard("Set-Cookie");
	ask(server, "GET /things/1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: a b\r\n"
	            "traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n\r\n");
	assert_heard("X-Request-Id: req-");
	assert_not_heard("\"trace_id\":\"0000000000000000");
	http_server_stop(server);
}

/* What two readers of one byte stream could understand differently is refused, and the stream ends. */
static void refuses_doubtful_streams(void **state)
{
	(void)state;
	static const char *const table[] = {
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x2\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET /ping HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"GET /ping HTTP/1.1\r\n\r\n",
		"GET /ping HTTP/1.2\r\nHost: x\r\n\r\n",
		"GET /ping HTTP/2.0\r\nHost: x\r\n\r\n",
		"GET /p ing HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /ping HTTP/1.1\r\n Host: x\r\n\r\n",
		"GET /ping HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
		"GET /ping HTTP/1.1\r\nHost: x\rY: z\r\n\r\n",
		"GET /ping HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
		"GET /ping HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n",
		"GET /ping HTTP/1.1\r\nHost: x\r\n no name\r\n\r\n",
		"GET /ping HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
		"GET /ping\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
	};
	struct http_server *server = start(0, 0);
	handled = 0;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int socket_ = dial(server);
		say(socket_, slice_from(table[i]));
		/* A second request that must never be answered. */
		say(socket_, SLICE("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"));
		shutdown(socket_, SHUT_WR);
		if (!hear(socket_, 0) || handled || (heard[0] && heard_status() < 400))
			print_error("%zu: %s\n%s\n", i, table[i], heard);
		assert_int_equal(handled, 0);
		assert_true(!heard[0] || heard_status() >= 400);
		close(socket_);
	}
	http_server_stop(server);
}

static void names_the_doubt(void **state)
{
	(void)state;
	static const struct {
		const char *request, *param;
	} table[] = {
		{ "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		        "Transfer-Encoding" },
		{ "GET /ping HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "Host" },
		{ "GET /ping HTTP/1.1\r\n\r\n", "Host" },
		{ "GET /ping HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: a\r\n\r\n", "Authorization" },
		{ "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		        "Content-Length" },
	};
	struct http_server *server = start(0, 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char code[128];
		snprintf(code, sizeof code, "\"code\":\"malformed_request\",\"param\":\"%s\"", table[i].param);
		assert_true(ask(server, table[i].request));
		assert_int_equal(heard_status(), 400);
		assert_heard("Content-Type: application/problem+json\r\n");
		assert_heard("Connection: close\r\n");
		assert_heard(code);
	}
	http_server_stop(server);
}

static void bounds_bodies(void **state)
{
	(void)state;
	static char body[HTTP_BODY_MAX + 1];
	char head[200];
	struct http_server *server = start(0, 0);
	memset(body, 'x', sizeof body);

	int socket_ = dial(server);
	snprintf(head, sizeof head, "POST /any HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", sizeof body);
	say(socket_, slice_from(head));
	hear(socket_, 1);
	assert_int_equal(heard_status(), 413);
	assert_heard("\"code\":\"body_too_large\"");
	close(socket_);

	/* The client reads only after it has written three times too much: it must find the answer, not a reset. */
	socket_ = dial(server);
	snprintf(head, sizeof head, "POST /any HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
	        3 * sizeof body);
	say(socket_, slice_from(head));
	for (int i = 0; i < 3; i++) {
		say(socket_, slice_make(body, sizeof body));
		usleep(50 * 1000);
	}
	assert_true(hear(socket_, 0));
	assert_int_equal(heard_status(), 413);
	close(socket_);

	socket_ = dial(server);
	snprintf(head, sizeof head, "POST /any HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", sizeof body - 1);
	say(socket_, slice_from(head));
	say(socket_, slice_make(body, sizeof body - 1));
	shutdown(socket_, SHUT_WR);
	hear(socket_, 1);
	assert_int_equal(heard_status(), 201);
	assert_heard("Content-Length: 1048576\r\n");
	close(socket_);
	http_server_stop(server);
}

static void wants_json(void **state)
{
	(void)state;
	static const struct {
		const char *path, *type, *body;
		int status;
	} table[] = {
		{ "/echo", "Content-Type: application/json\r\n", "{}", 201 },
		{ "/echo", "Content-Type: Application/JSON; charset=utf-8\r\n", "{}", 201 },
		{ "/echo", "Content-Type: text/plain\r\n", "{}", 415 },
		{ "/echo", "Content-Type: application/jsonx\r\n", "{}", 415 },
		{ "/echo", "", "{}", 415 },
		{ "/echo", "", "", 201 },
		{ "/echo", "Content-Type: text/plain\r\n", "", 201 },
		{ "/any", "Content-Type: text/plain\r\n", "a=b", 201 },
	};
	struct http_server *server = start(0, 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[256];
		snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s",
		        table[i].path, table[i].type, strlen(table[i].body), table[i].body);
		ask(server, text);
		assert_int_equal(heard_status(), table[i].status);
	}
	http_server_stop(server);
}

static void keeps_connections(void **state)
{
	(void)state;
	struct http_server *server = start(0, 0);
	int socket_ = dial(server);
	for (int i = 0; i < 50; i++) {
		say(socket_,
		        SLICE("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: "
		              "chunked\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"));
		assert_false(hear(socket_, 1));
		assert_int_equal(heard_status(), 201);
		assert_heard("\r\n\r\n[1,2]");
		/* A refusal that does not concern the stream keeps the connection too. */
		say(socket_, SLICE("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"));
		assert_false(hear(socket_, 1));
		assert_int_equal(heard_status(), 404);
	}
	say(socket_, SLICE("GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /late HTTP/1.1\r\nHost: x\r\n\r\n"
	                   "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_false(hear(socket_, 3));
	close(socket_);
	http_server_stop(server);
}

/* Sends a piece every 50 ms and returns how long the server let it go on, in milliseconds. */
static int64_t drip(const struct http_server *server, int socket_, const char *head, const char *piece)
{
	int64_t start_at = clock_monotonic();
	(void)server;
	say(socket_, slice_from(head));
	for (int i = 0; i < 100; i++) {
		char byte;
		usleep(50 * 1000);
		if (recv(socket_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0)
			break;
		if (send(socket_, piece, strlen(piece), MSG_NOSIGNAL) < 0)
			break;
	}
	return (clock_monotonic() - start_at) / 1000;
}

static void ends_dripping_clients(void **state)
{
	(void)state;
	struct http_server *server = start(400, 0);
	static const struct {
		const char *head, *piece;
	} table[] = {
		{ "G", "E" },
		{ "GET /ping HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n" },
		{ "POST /any HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "x" },
		{ "POST /any HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n" },
	};
	for (size_t i = 0; i < 2 * sizeof table / sizeof *table; i++) {
		int socket_ = dial(server);
		/* Every second time on a connection that has already served a request. */
		if (i % 2) {
			say(socket_, SLICE("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"));
			hear(socket_, 1);
			usleep(100 * 1000);
		}
		int64_t took_ms = drip(server, socket_, table[i / 2].head, table[i / 2].piece);
		if (took_ms < 300 || took_ms >= 1500)
			print_error("row %zu: %lld ms\n", i, (long long)took_ms);
		assert_in_range(took_ms, 300, 1500);
		hear(socket_, 1);
		assert_int_equal(heard_status(), 408);
		assert_heard("\"code\":\"request_timeout\"");
		close(socket_);
	}
	http_server_stop(server);
}

/* Silence in the middle of a head, or instead of the first one, is no better than dripping. */
static void ends_stalled_clients(void **state)
{
	(void)state;
	static const char *const heads[] = { "", "G", "GET /ping HTTP/1.1\r\nHost: x\r\n" };
	struct http_server *server = start(300, 0);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		int64_t start_at = clock_monotonic();
		int socket_ = dial(server);
		say(socket_, slice_from(heads[i]));
		assert_true(hear(socket_, 0));
		assert_int_equal(heard_status(), 408);
		assert_in_range((clock_monotonic() - start_at) / 1000, 250, 1500);
		close(socket_);
	}
	http_server_stop(server);
}

/* Waiting between requests is not a slow request. */
static void lets_idle_connections_wait(void **state)
{
	(void)state;
	struct http_server *server = start(200, 0);
	int socket_ = dial(server);
	for (int i = 0; i < 3; i++) {
		say(socket_, SLICE("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"));
		assert_false(hear(socket_, 1));
		assert_int_equal(heard_status(), 200);
		usleep(400 * 1000);
	}
	say(socket_, SLICE("GET /late HTTP/1.1\r\nHost: x\r\n\r\n"));
	hear(socket_, 1);
	assert_int_equal(heard_status(), 200);
	close(socket_);
	http_server_stop(server);
}

static void bounds_connections(void **state)
{
	(void)state;
	struct http_server *server = start(0, 2);
	int sockets[3];
	for (int i = 0; i < 3; i++) {
		sockets[i] = dial(server);
		say(sockets[i], SLICE("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"));
		hear(sockets[i], 1);
		assert_int_equal(heard_status(), i < 2 ? 200 : 503);
	}
	assert_heard("\"code\":\"overloaded\"");
	for (int i = 0; i < 3; i++)
		close(sockets[i]);
	/* The places are free again. */
	for (int i = 0; i < 100 && heard_status() != 200; i++) {
		usleep(10 * 1000);
		ask(server, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	assert_int_equal(heard_status(), 200);
	http_server_stop(server);
}

static void refuses_large_heads(void **state)
{
	(void)state;
	struct http_server *server = start(0, 0);
	int socket_ = dial(server);
	handled = 0;
	say(socket_, SLICE("GET /ping HTTP/1.1\r\nHost: x\r\n"));
	for (int i = 0; i < 5000; i++) {
		struct slice line = SLICE("X-Filler: 0123456789012345678901234567890123456789\r\n");
		if (send(socket_, line.data, line.size, MSG_NOSIGNAL) < 0)
			break;
	}
	hear(socket_, 0);
	assert_int_equal(handled, 0);
	assert_true(!heard[0] || heard_status() == 431);
	close(socket_);

	static const char head[] = "GET /ping HTTP/1.1\r\nHost: x\r\nX-Filler: ";
	static char text[HTTP_HEADERS_MAX + 200];
	memset(text, 'x', sizeof text);
	memcpy(text, head, sizeof head - 1);
	memcpy(text + sizeof text - 5, "\r\n\r\n", 5);
	ask(server, text);
	assert_int_equal(handled, 0);
	assert_int_equal(heard_status(), 431);
	assert_heard("\"code\":\"headers_too_large\"");
	http_server_stop(server);
}

static void *ask_late(void *arg)
{
	int socket_ = *(int *)arg;
	say(socket_, SLICE("GET /late HTTP/1.1\r\nHost: x\r\n\r\n"));
	return NULL;
}

static void finishes_requests_when_it_stops(void **state)
{
	(void)state;
	struct http_server *server = start(0, 0);
	int socket_ = dial(server), idle = dial(server);
	pthread_t thread;
	pthread_create(&thread, NULL, ask_late, &socket_);
	pthread_join(thread, NULL);
	usleep(100 * 1000);
	int64_t start_at = clock_monotonic();
	http_server_stop(server);
	int64_t took_ms = (clock_monotonic() - start_at) / 1000;
	assert_in_range(took_ms, 100, 3000);
	assert_true(hear(socket_, 0));
	assert_int_equal(heard_status(), 200);
	assert_heard("Connection: close\r\n");
	assert_true(hear(idle, 0));
	close(socket_);
	close(idle);
}

static void names_the_port_in_use(void **state)
{
	(void)state;
	struct http_server *server = start(0, 0), *second = NULL;
	struct problem problem = { 0 };
	char listen[64];
	snprintf(listen, sizeof listen, "127.0.0.1:%d", http_server_port(server));
	struct http_server_options options = { .listen = slice_from(listen), .services = &routes, .service_count = 1 };
	assert_status(http_server_start(&options, &second, &problem), ERR_IO);
	assert_non_null(strstr(problem.detail, listen));
	assert_non_null(strstr(problem.detail, "in use"));
	static const char *const wrong[] = { "", "8080", "127.0.0.1", "127.0.0.1:x", "256.1.1.1.1:80", "127.0.0.1:" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		options.listen = slice_from(wrong[i]);
		assert_status(http_server_start(&options, &second, &problem), ERR_IO);
	}
	http_server_stop(server);
	http_server_stop(NULL);
}

/* --- The gate ---------------------------------------------------------------------------------------------------- */

static enum status gate(
        void *arg, const struct http_routes *of, struct http_request *request, struct http_response *response)
{
	assert_ptr_equal(of, &routes);
	if (slice_is(http_request_header(request, "Authorization"), arg))
		return http_route_run(of, request, response);
	http_response_header(response, "RateLimit-Limit", SLICE("1"));
	return ERR_TOO_MANY_REQUESTS;
}

static void asks_the_gate(void **state)
{
	(void)state;
	struct http_server *server = NULL;
	char word[] = "open";
	struct http_server_options options = {
		.listen = SLICE("127.0.0.1:0"), .services = &routes, .service_count = 1, .gate = gate, .gate_arg = word
	};
	assert_status(http_server_start(&options, &server, NULL), STATUS_OK);
	handled = 0;
	ask(server, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(heard_status(), 429);
	assert_heard("RateLimit-Limit: 1\r\n");
	assert_heard("Retry-After: 1\r\n");
	assert_int_equal(handled, 0);
	ask(server, "GET /ping HTTP/1.1\r\nHost: x\r\nAuthorization: open\r\n\r\n");
	assert_int_equal(heard_status(), 200);
	http_server_stop(server);
}

/* --- With the client --------------------------------------------------------------------------------------------- */

static void talks_to_the_client(void **state)
{
	(void)state;
	struct http_server *server = start(0, 0);
	struct http_client *client = http_client_new(&(struct http_client_options) { 0 });
	struct arena arena = { 0 };
	struct http_answer answer;
	for (int i = 0; i < 20; i++) {
		struct http_call call = {
			.method = HTTP_POST,
			.url = arena_format(&arena, "http://127.0.0.1:%d/echo", http_server_port(server)),
			.body = SLICE("{\"a\":1}"),
		};
		assert_status(http_client_call(client, &call, &arena, &answer), STATUS_OK);
		assert_int_equal(answer.status, 201);
		assert_slice(answer.body, "{\"a\":1}");
		assert_slice(answer.content_type, "text/plain");
	}
	http_client_free(client);
	arena_clean_up(&arena);
	http_server_stop(server);
}

TESTS(cmocka_unit_test(answers_routes), cmocka_unit_test(answers_head_without_body), cmocka_unit_test(answers_problems),
        cmocka_unit_test(passes_identifiers_on), cmocka_unit_test(refuses_doubtful_streams),
        cmocka_unit_test(names_the_doubt), cmocka_unit_test(bounds_bodies), cmocka_unit_test(wants_json),
        cmocka_unit_test(keeps_connections), cmocka_unit_test(ends_dripping_clients),
        cmocka_unit_test(ends_stalled_clients), cmocka_unit_test(lets_idle_connections_wait),
        cmocka_unit_test(bounds_connections), cmocka_unit_test(refuses_large_heads),
        cmocka_unit_test(finishes_requests_when_it_stops), cmocka_unit_test(names_the_port_in_use),
        cmocka_unit_test(asks_the_gate), cmocka_unit_test(talks_to_the_client))
