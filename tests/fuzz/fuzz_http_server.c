/* A real server in this process: the input is what one client writes before it closes its sending side. Whatever that
 * is, every answer begins with a status line, no handler sees a body beyond the bound, and a good request afterwards is
 * answered. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "platform/http_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status answer(void *service, struct http_request *request, struct http_response *response)
{
	(void)service;
	assert(request->body.size <= HTTP_BODY_MAX);
	http_request_query(request, "limit");
	http_request_header(request, "User-Agent");
	response->body = request->body;
	return STATUS_OK;
}

static const struct http_route rows[] = {
	{ HTTP_GET, "/", answer },
	{ HTTP_POST, "/a/{id}", answer },
	{ HTTP_POST, "/b", answer, .flags = HTTP_ROUTE_ANY_BODY },
};
static const struct http_routes routes = { "fuzz", rows, sizeof rows / sizeof *rows, NULL };

static struct http_server *server;

static void stop(void)
{
	http_server_stop(server);
}

static void start(void)
{
	struct http_server_options options = {
		.listen = SLICE("127.0.0.1:0"), .services = &routes, .service_count = 1
	};
	log_configure(LOG_ERROR, LOG_JSON);
	if (http_server_start(&options, &server, NULL) != STATUS_OK)
		abort();
	atexit(stop);
}

static int dial(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(server)) };
	struct linger at_once = { .l_onoff = 1 };
	int client = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* No closed connections that keep their ports. */
	setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	if (connect(client, (const struct sockaddr *)&address, sizeof address) != 0)
		abort();
	return client;
}

/* Returns the size of the beginning of what was answered. */
static size_t talk(const void *data, size_t size, char *answer_text, size_t capacity)
{
	char waste[4096];
	int client = dial();
	ssize_t ignored = send(client, data, size, MSG_NOSIGNAL);
	(void)ignored;
	shutdown(client, SHUT_WR);
	ssize_t got = recv(client, answer_text, capacity, MSG_WAITALL);
	while (recv(client, waste, sizeof waste, 0) > 0)
		;
	close(client);
	return got > 0 ? (size_t)got : 0;
}

/* A good request is answered. Connections that were refused a moment ago may still hold every place, and then the
 * server says so or hangs up; that must pass within seconds. */
static bool still_serves(const char *good, size_t size)
{
	char text[13];
	for (int attempt = 0; attempt < 200; attempt++) {
		size_t got = talk(good, size, text, sizeof text);
		if (got == sizeof text && memcmp(text, "HTTP/1.1 200 ", sizeof text) == 0)
			return true;
		assert(!got || memcmp(text, "HTTP/1.1 503 ", sizeof text) == 0);
		usleep(50 * 1000);
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char text[13];
	if (!server)
		start();
	size_t got = talk(data, size, text, sizeof text);
	assert(!got || (got == sizeof text && memcmp(text, "HTTP/1.", 7) == 0));
	assert(still_serves(good, sizeof good - 1));
	return 0;
}
