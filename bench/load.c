/* A closed-loop HTTP/1.1 load generator for measurements on this machine: N keep-alive connections, one request in
 * flight on each, one thread (epoll). Prints one JSON object: rate, latencies, answers by status.
 *
 *   load --port 8080 --connections 64 --seconds 5 --path /healthz
 *   load --port 8080 --connections 64 --seconds 5 --path /v1/payments --requests FILE
 *
 * FILE has one request a line, "TOKEN<TAB>JSON BODY"; connections take the lines in turn and each POST gets an
 * Idempotency-Key of its own. Only 127.0.0.1 is ever connected to. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/writer.h"

enum { CONNECTIONS_MAX = 1024, REQUEST_MAX = 8192, ANSWER_MAX = 65536, LINES_MAX = 4096, STATUS_MAX = 600 };
/* Latencies are counted in 1/8-octave steps: at most 9 % off, no memory per request. */
enum { STEPS_PER_OCTAVE = 8, LATENCY_STEPS = 40 * STEPS_PER_OCTAVE };

struct connection {
	int socket;
	char request[REQUEST_MAX];
	size_t request_size, sent;
	char answer[ANSWER_MAX];
	size_t answer_size;
	int64_t started_at;
};

struct load {
	int port;
	size_t connection_count;
	int64_t seconds;
	uint64_t limit; /* requests, 0 = none */
	const char *path;
	char *tokens[LINES_MAX], *bodies[LINES_MAX];
	size_t line_count, next_line;
	uint64_t run_id, started, done, failed;
	uint64_t latencies[LATENCY_STEPS];
	uint64_t statuses[STATUS_MAX];
	int epoll;
	struct connection *connections;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t latency_step(int64_t microseconds)
{
	uint64_t value = microseconds < 1 ? 1 : (uint64_t)microseconds;
	unsigned octave = 63u - (unsigned)__builtin_clzll(value);
	uint64_t within = octave >= 3 ? (value >> (octave - 3)) & 7 : (value << (3 - octave)) & 7;
	size_t step = octave * STEPS_PER_OCTAVE + within;
	return step < LATENCY_STEPS ? step : LATENCY_STEPS - 1;
}

static uint64_t latency_at(const struct load *load, double quantile)
{
	uint64_t wanted = (uint64_t)((double)load->done * quantile), seen = 0;
	for (size_t step = 0; step < LATENCY_STEPS; step++) {
		seen += load->latencies[step];
		if (seen > wanted)
			return (uint64_t)((1ull << (step / STEPS_PER_OCTAVE)) *
			                  (STEPS_PER_OCTAVE + step % STEPS_PER_OCTAVE + 1) / STEPS_PER_OCTAVE);
	}
	return 0;
}

static void read_lines(struct load *load, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t capacity = 0;
	if (!file)
		die(path);
	while (load->line_count < LINES_MAX && getline(&line, &capacity, file) > 0) {
		line[strcspn(line, "\n")] = 0;
		char *tab = strchr(line, '\t');
		if (!tab)
			continue;
		*tab = 0;
		load->tokens[load->line_count] = strdup(line);
		load->bodies[load->line_count++] = strdup(tab + 1);
	}
	free(line);
	fclose(file);
}

static void make_request(struct load *load, struct connection *connection)
{
	struct writer out = writer_fixed(connection->request, sizeof connection->request);
	if (load->line_count) {
		size_t line = load->next_line++ % load->line_count;
		writef(&out,
		        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\nIdempotency-Key: "
		        "%016lx-%lu\r\n"
		        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		        load->path, load->port, load->tokens[line], load->run_id, load->started,
		        strlen(load->bodies[line]), load->bodies[line]);
	} else {
		writef(&out, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", load->path, load->port);
	}
	if (out.overflowed) {
		fputs("load: the request is too large\n", stderr);
		exit(1);
	}
	connection->request_size = out.size;
}

static void send_more(struct connection *connection)
{
	while (connection->sent < connection->request_size) {
		ssize_t sent = send(connection->socket, connection->request + connection->sent,
		        connection->request_size - connection->sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			die("send");
		connection->sent += (size_t)sent;
	}
}

static void start_request(struct load *load, struct connection *connection)
{
	make_request(load, connection);
	load->started++;
	connection->sent = 0;
	connection->answer_size = 0;
	connection->started_at = clock_monotonic();
	send_more(connection);
}

/* The size of a whole answer, or 0 while more must come. Our server always sends Content-Length. */
static size_t answer_complete(const struct connection *connection)
{
	const char *end = memmem(connection->answer, connection->answer_size, "\r\n\r\n", 4);
	if (!end)
		return 0;
	size_t head = (size_t)(end - connection->answer) + 4, body = 0;
	const char *field = connection->answer;
	while (field < end) {
		if (strncasecmp(field, "Content-Length:", 15) == 0)
			body = strtoul(field + 15, NULL, 10);
		const char *next = memmem(field, (size_t)(end - field) + 2, "\r\n", 2);
		if (!next)
			break;
		field = next + 2;
	}
	return connection->answer_size >= head + body ? head + body : 0;
}

static void connect_one(struct load *load, struct connection *connection)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)load->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int yes = 1;
	connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->socket < 0 || connect(connection->socket, (struct sockaddr *)&address, sizeof address))
		die("connect");
	setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->socket, &event))
		die("epoll_ctl");
}

static bool receive(struct load *load, struct connection *connection)
{
	ssize_t got = recv(connection->socket, connection->answer + connection->answer_size,
	        sizeof connection->answer - connection->answer_size, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		/* Closed: count it and go on with a new connection, so that a restarted server is not the end. */
		load->failed++;
		close(connection->socket);
		connect_one(load, connection);
		return true;
	}
	connection->answer_size += (size_t)got;
	if (!answer_complete(connection))
		return false;
	int status = atoi(connection->answer + 9);
	load->statuses[status > 0 && status < STATUS_MAX ? status : 0]++;
	load->latencies[latency_step(clock_monotonic() - connection->started_at)]++;
	load->done++;
	return true;
}

static void run(struct load *load)
{
	struct epoll_event events[256];
	int64_t start = clock_monotonic(), until = start + load->seconds * MICROSECONDS_PER_SECOND;
	size_t busy = load->connection_count;
	for (size_t i = 0; i < load->connection_count; i++)
		start_request(load, &load->connections[i]);
	while (busy) {
		int count = epoll_wait(load->epoll, events, 256, 1000);
		int64_t now = clock_monotonic();
		if (now > until + 30 * MICROSECONDS_PER_SECOND) {
			load->failed += busy;
			break;
		}
		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;
			if (!receive(load, connection))
				continue;
			if (now < until && (!load->limit || load->started < load->limit)) {
				start_request(load, connection);
			} else {
				close(connection->socket);
				busy--;
			}
		}
	}
	double seconds = (double)(clock_monotonic() - start) / 1e6;
	printf("{\"requests\":%lu,\"failed\":%lu,\"seconds\":%.3f,\"rate\":%.1f,\"p50_us\":%lu,\"p99_us\":%lu,\"p999_"
	       "us\":%lu,\"statuses\":{",
	        load->done, load->failed, seconds, (double)load->done / seconds, latency_at(load, 0.5),
	        latency_at(load, 0.99), latency_at(load, 0.999));
	const char *separator = "";
	for (int status = 0; status < STATUS_MAX; status++)
		if (load->statuses[status]) {
			printf("%s\"%d\":%lu", separator, status, load->statuses[status]);
			separator = ",";
		}
	puts("}}");
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "port", required_argument, 0, 'p' },
		{ "connections", required_argument, 0, 'c' }, { "seconds", required_argument, 0, 's' },
		{ "path", required_argument, 0, 'u' }, { "requests", required_argument, 0, 'r' },
		{ "limit", required_argument, 0, 'n' }, { 0 } };
	struct load *load = NEW(struct load);
	*load = (struct load) { .port = 8080, .connection_count = 16, .seconds = 5, .path = "/healthz" };
	random_bytes(&load->run_id, sizeof load->run_id);
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'p':
			load->port = atoi(optarg);
			break;
		case 'c':
			load->connection_count = strtoul(optarg, NULL, 10);
			break;
		case 's':
			load->seconds = atoi(optarg);
			break;
		case 'u':
			load->path = optarg;
			break;
		case 'r':
			read_lines(load, optarg);
			break;
		case 'n':
			load->limit = strtoul(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	}
	if (!load->connection_count || load->connection_count > CONNECTIONS_MAX || load->port < 1 ||
	        load->port > 65535) {
		fputs("load: 1 to 1024 connections, port 1 to 65535\n", stderr);
		return 2;
	}
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->connections = memory_new(load->connection_count, sizeof *load->connections);
	for (size_t i = 0; i < load->connection_count; i++)
		connect_one(load, &load->connections[i]);
	run(load);
	return load->failed && !load->done;
}
