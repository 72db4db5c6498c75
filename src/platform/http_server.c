#include "platform/http_server.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "platform/http_connection.h"
#include "platform/http_response.h"
#include "platform/http_router.h"
#include "platform/metrics.h"

enum {
	REQUEST_TIMEOUT_MS = 30 * 1000,
	DRAIN_TIMEOUT_MS = 10 * 1000,
	IDLE_TIMEOUT_S = 90, /* the library's own, behind the reaper's */
	/* Connections over the maximum live until their 503 is sent; the library's limit lets that many in. */
	REFUSED_CONNECTIONS_MAX = 64,
	BODY_FIRST_SIZE = 4096,
	/* The library keeps its own form of the head and the answer's head in it too. */
	CONNECTION_MEMORY = 2 * HTTP_HEADERS_MAX,
#ifdef __SANITIZE_ADDRESS__
	STACK_SIZE = 8 * 1024 * 1024,
#else
	STACK_SIZE = 256 * 1024,
#endif
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_connections *connections;
	struct http_router *router;
	http_gate *gate;
	void *gate_arg;
	int port;
	atomic_bool is_stopping;
};

/* One request from its first line to the end of its answer, in the connection's arena. */
struct exchange {
	struct http_server *server;
	struct http_connection *connection;
	struct http_request request;
	struct http_response response;
	struct problem problem;
	struct http_segments segments;
	const struct http_routes *routes;
	enum status refusal; /* decided from the head; answered when the body is in */
	bool has_head;
	bool is_ours; /* the method is one of enum http_method */
	char *body;
	size_t body_size, body_capacity;
	int64_t complete_at;
};

/* --- What the head says ------------------------------------------------------------------------------------------ */

static struct slice header_of(struct MHD_Connection *library, const char *name, size_t name_size)
{
	struct slice value;
	enum MHD_Result found =
	        MHD_lookup_connection_value_n(library, MHD_HEADER_KIND, name, name_size, &value.data, &value.size);
	return found == MHD_YES && value.data ? value : SLICE_EMPTY;
}

struct slice http_request_header(const struct http_request *request, const char *name)
{
	return request->connection ? header_of(request->connection, name, strlen(name)) : SLICE_EMPTY;
}

/* Fields that must stand at most once: two readers of one request could each believe another one. */
enum single { CONTENT_LENGTH, TRANSFER_ENCODING, HOST, AUTHORIZATION, CONTENT_TYPE, IDEMPOTENCY_KEY, SINGLE_COUNT };
static const struct slice single_names[SINGLE_COUNT] = {
	[CONTENT_LENGTH] = { "Content-Length", 14 },
	[TRANSFER_ENCODING] = { "Transfer-Encoding", 17 },
	[HOST] = { "Host", 4 },
	[AUTHORIZATION] = { "Authorization", 13 },
	[CONTENT_TYPE] = { "Content-Type", 12 },
	[IDEMPOTENCY_KEY] = { "Idempotency-Key", 15 },
};

struct head {
	bool has_bad_field;
	size_t size;
	unsigned count[SINGLE_COUNT];
	struct slice value[SINGLE_COUNT];
};

static enum MHD_Result note_header(
        void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value, size_t value_size)
{
	struct head *head = arg;
	struct slice name_slice = { name, name_size },
	             value_slice = value ? slice_make(value, value_size) : SLICE_EMPTY;
	(void)kind;
	head->size += name_size + value_size;
	head->has_bad_field = head->has_bad_field || !http_field_is_valid(name_slice, value_slice);
	for (size_t i = 0; i < SINGLE_COUNT; i++) {
		if (!slice_equal_ignore_case(name_slice, single_names[i]))
			continue;
		head->count[i]++;
		head->value[i] = value_slice;
	}
	return MHD_YES;
}

/* Faults after which it is unclear where the next request begins; the connection must end. */
static enum status check_framing(const struct head *head, const char *version, struct problem *problem)
{
	uint64_t announced;
	bool is_chunked = head->count[TRANSFER_ENCODING] > 0;
	if (head->size > HTTP_HEADERS_MAX)
		return ERR_HEADERS_TOO_LARGE;
	if (head->has_bad_field)
		return problem_set(problem, ERR_MALFORMED_REQUEST, "", "A header field is malformed.");
	bool is_1_1 = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
	if (!is_1_1 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
		return problem_set(problem, ERR_MALFORMED_REQUEST, "", "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
	for (size_t i = 0; i < SINGLE_COUNT; i++)
		if (head->count[i] > 1)
			return problem_set(
			        problem, ERR_MALFORMED_REQUEST, single_names[i].data, "This header is repeated.");
	if (is_chunked && head->count[CONTENT_LENGTH])
		return problem_set(problem, ERR_MALFORMED_REQUEST, "Transfer-Encoding",
		        "Content-Length and Transfer-Encoding exclude each other.");
	if (is_chunked && !(is_1_1 && slice_equal_ignore_case(head->value[TRANSFER_ENCODING], SLICE("chunked"))))
		return problem_set(
		        problem, ERR_MALFORMED_REQUEST, "Transfer-Encoding", "Only chunked, and only in HTTP/1.1.");
	if (head->count[CONTENT_LENGTH] && !slice_to_u64(head->value[CONTENT_LENGTH], &announced))
		return problem_set(problem, ERR_MALFORMED_REQUEST, "Content-Length", "This is no length.");
	if (!head->count[HOST] && is_1_1)
		return problem_set(problem, ERR_MALFORMED_REQUEST, "Host", "HTTP/1.1 needs a Host header.");
	if (head->count[CONTENT_LENGTH] && announced > HTTP_BODY_MAX)
		return ERR_BODY_TOO_LARGE;
	return STATUS_OK;
}

static bool read_method(const char *text, enum http_method *ret_method)
{
	if (strcmp(text, "HEAD") == 0)
		text = "GET"; /* the library leaves out the body */
	for (enum http_method method = 0; method < HTTP_METHOD_COUNT; method++)
		if (strcmp(text, http_method_name(method)) == 0) {
			*ret_method = method;
			return true;
		}
	return false;
}

static enum status find_route(struct exchange *exchange, const char *method)
{
	const struct http_router *router = exchange->server->router;
	exchange->is_ours = read_method(method, &exchange->request.method);
	if (!exchange->is_ours)
		return http_router_refuse(router, &exchange->segments);
	return http_router_find(router, &exchange->segments, &exchange->request, &exchange->routes);
}

/* --- Answering --------------------------------------------------------------------------------------------------- */

/* Codes as text that lives as long as the process, for the metric's label. */
static const char *status_label(int status)
{
	static const char *const labels[] = { "200", "201", "202", "204", "301", "302", "303", "304", "400", "401",
		"402", "403", "404", "405", "408", "409", "413", "415", "422", "423", "429", "431", "500", "502", "503",
		"504", "507" };
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if ((labels[i][0] - '0') * 100 + (labels[i][1] - '0') * 10 + labels[i][2] - '0' == status)
			return labels[i];
	return "other";
}

/* Successes and refusals are interesting one by one only when somebody looks for them; failures of ours always. */
static void note_outcome(const struct exchange *exchange, enum status status, int http_status)
{
	const struct http_route *route = exchange->request.route;
	const char *path = route ? route->path : "";
	int64_t duration = clock_monotonic() - exchange->complete_at;
	metric_add(METRIC_http_requests_total, status_label(http_status), 1);
	if (route)
		metric_observe(METRIC_http_request_seconds, path, duration);
	log_event(http_status >= 500 ? LOG_INFO : LOG_DEBUG, exchange->routes ? exchange->routes->service : "http",
	        "request", LOG_TEXT("method", exchange->is_ours ? http_method_name(exchange->request.method) : "other"),
	        LOG_TEXT("route", path), LOG_INT("status", http_status), LOG_INT("microseconds", duration),
	        LOG_STATUS(status));
}

static void add_headers(struct MHD_Response *answer, const struct exchange *exchange)
{
	const struct http_response *response = &exchange->response;
	struct arena *arena = exchange->request.arena;
	MHD_add_response_header(answer, "Content-Type", response->content_type);
	/* Identifiers end with a zero byte, see http_request_identify. */
	MHD_add_response_header(answer, "X-Request-Id", exchange->request.request_id.data);
	if (!http_response_has_header(response, "Cache-Control"))
		MHD_add_response_header(answer, "Cache-Control", "no-store");
	for (size_t i = 0; i < response->header_count; i++)
		MHD_add_response_header(
		        answer, response->headers[i].name, arena_text(arena, response->headers[i].value));
	if (exchange->server->is_stopping)
		MHD_add_response_header(answer, "Connection", "close");
}

/* The body stays in the arena, which lives until on_completed. */
static enum MHD_Result send_answer(struct exchange *exchange, struct MHD_Connection *library)
{
	struct http_response *response = &exchange->response;
	if (!response->content_type)
		response->content_type = "application/json";
	if (!http_connection_enter(exchange->connection, HTTP_PHASE_SENDING))
		return MHD_NO;
	struct MHD_Response *answer = MHD_create_response_from_buffer(
	        response->body.size, (void *)(uintptr_t)response->body.data, MHD_RESPMEM_PERSISTENT);
	if (!answer)
		return MHD_NO;
	add_headers(answer, exchange);
	enum MHD_Result queued = MHD_queue_response(library, (unsigned)response->status, answer);
	MHD_destroy_response(answer);
	return queued;
}

enum status http_route_run(
        const struct http_routes *routes, struct http_request *request, struct http_response *response)
{
	return request->route->handle(routes->self, request, response);
}

static enum status check_body(const struct exchange *exchange)
{
	const struct http_request *request = &exchange->request;
	if (!request->body.size || request->route->flags & HTTP_ROUTE_ANY_BODY)
		return STATUS_OK;
	return http_media_type_is_json(http_request_header(request, "Content-Type")) ? STATUS_OK
	                                                                             : ERR_UNSUPPORTED_MEDIA_TYPE;
}

static enum status check_request(struct exchange *exchange)
{
	TRY(exchange->server->is_stopping ? ERR_SHUTTING_DOWN : STATUS_OK);
	TRY(exchange->refusal);
	return check_body(exchange);
}

static enum status handle(struct exchange *exchange)
{
	const struct http_server *server = exchange->server;
	if (server->gate)
		return server->gate(server->gate_arg, exchange->routes, &exchange->request, &exchange->response);
	return http_route_run(exchange->routes, &exchange->request, &exchange->response);
}

static void add_allow(struct exchange *exchange)
{
	struct writer allow = writer_growing(exchange->request.arena);
	http_router_write_allow(exchange->server->router, &exchange->segments, &allow);
	http_response_header(&exchange->response, "Allow", writer_slice(&allow));
}

static enum MHD_Result answer_request(struct exchange *exchange, struct MHD_Connection *library)
{
	struct http_request *request = &exchange->request;
	exchange->complete_at = clock_monotonic();
	request->body = exchange->body_size ? slice_make(exchange->body, exchange->body_size) : SLICE_EMPTY;
	if (!http_connection_enter(exchange->connection, HTTP_PHASE_HANDLING))
		return MHD_NO;
	log_context_set(request->trace_id, request->span_id, request->request_id);
	enum status status = check_request(exchange);
	if (status != STATUS_OK)
		metric_add(METRIC_http_refused_total, status_code(status), 1);
	else
		status = handle(exchange);
	if (status == ERR_METHOD_NOT_ALLOWED && !request->route)
		add_allow(exchange);
	if (status != STATUS_OK)
		http_response_problem(&exchange->response, request, status);
	if (!exchange->response.status)
		exchange->response.status = 200;
	note_outcome(exchange, status, exchange->response.status);
	log_context_clear();
	return send_answer(exchange, library);
}

/* For streams that cannot be followed any further. */
static enum MHD_Result refuse_stream(struct exchange *exchange, enum status status)
{
	exchange->complete_at = clock_monotonic();
	metric_add(METRIC_http_refused_total, status_code(status), 1);
	log_context_set(exchange->request.trace_id, exchange->request.span_id, exchange->request.request_id);
	http_connection_refuse(exchange->connection, &exchange->request, status);
	note_outcome(exchange, status, status_http(status));
	log_context_clear();
	return MHD_NO;
}

/* --- The library's callbacks ------------------------------------------------------------------------------------- */

static struct http_connection *connection_of(struct MHD_Connection *library)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info->socket_context;
}

/* The request line has come: here the target is whole and not yet changed by the library. */
static void *on_request_line(void *arg, const char *target, struct MHD_Connection *library)
{
	struct http_connection *connection = connection_of(library);
	arena_reset(&connection->arena);
	struct exchange *exchange = ARENA_NEW(&connection->arena, struct exchange);
	exchange->server = arg;
	exchange->connection = connection;
	exchange->request.arena = &connection->arena;
	exchange->request.problem = &exchange->problem;
	exchange->request.connection = library;
	exchange->request.remote_address = connection->remote_address;
	exchange->request.raw_query = SLICE_EMPTY;
	exchange->request.body = SLICE_EMPTY;
	for (size_t i = 0; i < HTTP_PATH_PARAMETERS_MAX; i++)
		exchange->request.parameters[i] = SLICE_EMPTY;
	http_target_parse(arena_copy(&connection->arena, slice_from(target)), &exchange->request, &exchange->segments);
	http_connection_enter(connection, HTTP_PHASE_RECEIVING);
	return exchange;
}

static enum MHD_Result on_head(
        struct exchange *exchange, struct MHD_Connection *library, const char *method, const char *version)
{
	struct head head = { 0 };
	exchange->has_head = true;
	MHD_get_connection_values_n(library, MHD_HEADER_KIND, note_header, &head);
	http_request_identify(&exchange->request, header_of(library, "X-Request-Id", 12));
	http_trace_begin(&exchange->request, header_of(library, "traceparent", 11));
	enum status status = check_framing(&head, version, &exchange->problem);
	if (status == STATUS_OK && !exchange->request.path.data)
		status = problem_set(&exchange->problem, ERR_MALFORMED_REQUEST, "", "The request target is malformed.");
	if (status != STATUS_OK)
		return refuse_stream(exchange, status);
	exchange->refusal = find_route(exchange, method);
	uint64_t announced = 0;
	if (slice_to_u64(head.value[CONTENT_LENGTH].data ? head.value[CONTENT_LENGTH] : SLICE_EMPTY, &announced) &&
	        announced) {
		exchange->body = arena_alloc(exchange->request.arena, announced);
		exchange->body_capacity = announced;
	}
	return MHD_YES;
}

static enum MHD_Result on_body(struct exchange *exchange, const char *data, size_t size)
{
	if (size > HTTP_BODY_MAX - exchange->body_size)
		return refuse_stream(exchange, ERR_BODY_TOO_LARGE);
	if (size > exchange->body_capacity - exchange->body_size) {
		size_t capacity = exchange->body_capacity ? exchange->body_capacity : BODY_FIRST_SIZE;
		while (capacity < exchange->body_size + size)
			capacity *= 2;
		char *body = arena_alloc(exchange->request.arena, capacity);
		if (exchange->body_size)
			memcpy(body, exchange->body, exchange->body_size);
		exchange->body = body;
		exchange->body_capacity = capacity;
	}
	memcpy(exchange->body + exchange->body_size, data, size);
	exchange->body_size += size;
	return MHD_YES;
}

/* Called once for the head, then for each piece of the body, then once more when the request is whole. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *library, const char *url, const char *method,
        const char *version, const char *data, size_t *data_size, void **context)
{
	struct exchange *exchange = *context;
	(void)arg, (void)url;
	if (exchange->connection->phase == HTTP_PHASE_ENDED)
		return MHD_NO;
	if (!exchange->has_head)
		return on_head(exchange, library, method, version);
	if (*data_size) {
		size_t size = *data_size;
		*data_size = 0;
		return on_body(exchange, data, size);
	}
	return answer_request(exchange, library);
}

static void on_completed(void *arg, struct MHD_Connection *library, void **context, enum MHD_RequestTerminationCode how)
{
	(void)arg, (void)how;
	*context = NULL;
	http_connection_enter(connection_of(library), HTTP_PHASE_WAITING);
}

static void on_connection(
        void *arg, struct MHD_Connection *library, void **socket_context, enum MHD_ConnectionNotificationCode what)
{
	struct http_server *server = arg;
	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		http_connection_close(server->connections, *socket_context);
		return;
	}
	int socket = MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	const struct sockaddr *address =
	        MHD_get_connection_info(library, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	*socket_context = http_connection_open(server->connections, socket, address);
}

/* The target is decoded by http_target_parse, segment by segment. */
static size_t keep_encoded(void *arg, struct MHD_Connection *library, char *text)
{
	(void)arg, (void)library;
	return strlen(text);
}

static void on_library_message(void *arg, const char *format, va_list args)
{
	char text[256];
	(void)arg;
	vsnprintf(text, sizeof text, format, args);
	log_event(LOG_DEBUG, "http", "library", LOG_SLICE("text", slice_trim(slice_from(text))));
}

/* --- Start and stop ---------------------------------------------------------------------------------------------- */

/* "127.0.0.1:8080", "[::1]:8080", ":8080" (every address) or "localhost:8080". */
static bool split_listen(struct slice listen, struct slice *ret_host, struct slice *ret_port)
{
	size_t colon = listen.size;
	uint64_t number;
	while (colon && listen.data[colon - 1] != ':')
		colon--;
	if (!colon)
		return false;
	struct slice host = { listen.data, colon - 1 };
	if (host.size > 1 && host.data[0] == '[' && host.data[host.size - 1] == ']')
		host = (struct slice) { host.data + 1, host.size - 2 };
	*ret_host = host;
	*ret_port = slice_skip(listen, colon);
	return slice_to_u64(*ret_port, &number) && number <= UINT16_MAX;
}

static enum status open_socket(const struct addrinfo *address, int *ret_socket)
{
	int one = 1;
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return ERR_IO;
	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(descriptor, address->ai_addr, address->ai_addrlen) != 0 || listen(descriptor, SOMAXCONN) != 0) {
		int error = errno;
		close(descriptor);
		errno = error;
		return ERR_IO;
	}
	*ret_socket = descriptor;
	return STATUS_OK;
}

static enum status open_first(
        const struct addrinfo *found, struct slice listen, int *ret_socket, struct problem *problem)
{
	if (open_socket(found, ret_socket) == STATUS_OK)
		return STATUS_OK;
	return problem_set(
	        problem, ERR_IO, "listen", "Cannot listen on %.*s: %s.", SLICE_ARGS(listen), strerror(errno));
}

static enum status listen_at(struct slice listen, int *ret_socket, struct problem *problem)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct arena arena = { 0 };
	struct slice host, port;
	bool is_known = split_listen(listen, &host, &port) && getaddrinfo(host.size ? arena_text(&arena, host) : NULL,
	                                                              arena_text(&arena, port), &hints, &found) == 0;
	arena_clean_up(&arena);
	if (!is_known)
		return problem_set(
		        problem, ERR_IO, "listen", "%.*s is not an address of the form host:port.", SLICE_ARGS(listen));
	enum status status = open_first(found, listen, ret_socket, problem);
	freeaddrinfo(found);
	return status;
}

static int port_of(int descriptor)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} address = { 0 };
	socklen_t size = sizeof address;
	if (getsockname(descriptor, &address.any, &size) != 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
}

static struct MHD_Daemon *start_library(struct http_server *server, int socket, size_t connections_max)
{
	/* The library's strict mode would refuse the same requests as check_framing, with answers of its own. */
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
	                 MHD_USE_ERROR_LOG;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,
	        /* first, so that it hears about the others */
	        MHD_OPTION_EXTERNAL_LOGGER, on_library_message, NULL, MHD_OPTION_LISTEN_SOCKET, socket,
	        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
	        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, server, MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, NULL,
	        MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE,
	        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(connections_max + REFUSED_CONNECTIONS_MAX),
	        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
	        (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
}

static void server_free(struct http_server *server)
{
	http_connections_free(server->connections);
	http_router_free(server->router);
	memory_free(server);
}

enum status http_server_start(
        const struct http_server_options *options, struct http_server **ret_server, struct problem *problem)
{
	size_t max = options->connections_max ? options->connections_max : HTTP_CONNECTIONS_MAX;
	int64_t timeout_ms = options->request_timeout_ms ? options->request_timeout_ms : REQUEST_TIMEOUT_MS;
	int socket;
	TRY(listen_at(options->listen, &socket, problem));
	struct http_server *server = NEW(struct http_server);
	server->router = http_router_new(options->services, options->service_count);
	server->gate = options->gate;
	server->gate_arg = options->gate_arg;
	server->port = port_of(socket);
	server->connections = http_connections_new(max, timeout_ms);
	if (http_connections_start(server->connections) == STATUS_OK)
		server->daemon = start_library(server, socket, max);
	if (!server->daemon) {
		close(socket);
		server_free(server);
		return problem_set(problem, ERR_IO, "listen", "The HTTP server could not be started.");
	}
	*ret_server = server;
	return STATUS_OK;
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	server->is_stopping = true;
	int socket = MHD_quiesce_daemon(server->daemon);
	if (socket >= 0)
		close(socket);
	http_connections_drain(server->connections, DRAIN_TIMEOUT_MS);
	MHD_stop_daemon(server->daemon);
	server_free(server);
}
