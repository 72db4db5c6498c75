#include "platform/http_server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "platform/http_connection.h"
#include "platform/http_head.h"
#include "platform/http_listen.h"
#include "platform/http_response.h"
#include "platform/http_router.h"
#include "platform/metrics.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

enum {
	REQUEST_TIMEOUT_MS = 30 * 1000,
	DRAIN_TIMEOUT_MS = 10 * 1000,
	IDLE_TIMEOUT_S = 90, /* the library's own, behind the reaper's */
	/* Connections over the maximum live until their 503 is sent; the library's limit lets that many in. */
	REFUSED_CONNECTIONS_MAX = 64,
	BODY_FIRST_SIZE = 4096,
	/* The library keeps its own form of the head and the answer's head in it too. */
	CONNECTION_MEMORY = 2 * HTTP_HEADERS_MAX,
#ifdef IS_SANITIZED
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

static enum MHD_Result note_field(
        void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value, size_t value_size)
{
	(void)kind;
	http_head_note(arg, slice_make(name, name_size), value ? slice_make(value, value_size) : SLICE_EMPTY);
	return MHD_YES;
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
	struct http_head head = { 0 };
	size_t announced = 0;
	exchange->has_head = true;
	MHD_get_connection_values_n(library, MHD_HEADER_KIND, note_field, &head);
	http_request_identify(&exchange->request, header_of(library, "X-Request-Id", 12));
	http_trace_begin(&exchange->request, header_of(library, "traceparent", 11));
	enum status status = http_head_check(&head, slice_from(version), &exchange->problem, &announced);
	if (status == STATUS_OK && !exchange->request.path.data)
		status = problem_set(&exchange->problem, ERR_MALFORMED_REQUEST, "", "The request target is malformed.");
	if (status != STATUS_OK)
		return refuse_stream(exchange, status);
	exchange->refusal = find_route(exchange, method);
	if (announced) {
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

static struct MHD_Daemon *start_library(struct http_server *server, int socket, size_t connections_max)
{
	/* The library's strict mode would refuse the same requests as http_head_check, with answers of its own. */
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
	TRY(http_listen(options->listen, &socket, problem));
	struct http_server *server = NEW(struct http_server);
	server->router = http_router_new(options->services, options->service_count);
	server->gate = options->gate;
	server->gate_arg = options->gate_arg;
	server->port = http_listen_port(socket);
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
