/* HTTP/1.1 server (libmicrohttpd, a thread per connection): limits, request ids, W3C trace context, route table,
 * problem+json. No business words here; who may do what is the gate's work (app/gate.c). */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/slice.h"
#include "base/status.h"

enum {
	HTTP_BODY_MAX = 1024 * 1024,
	HTTP_HEADERS_MAX = 32 * 1024,
	HTTP_CONNECTIONS_MAX = 1024,
	HTTP_PATH_PARAMETERS_MAX = 4,
	HTTP_RESPONSE_HEADERS_MAX = 16,
};

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_METHOD_COUNT };
const char *http_method_name(enum http_method method);

struct principal; /* identity_api.h: who asks; NULL before the gate */
struct actor;     /* outbox.h: who and from where, for events */

/* One request; everything in it lives in its arena until the answer is sent. */
struct http_request {
	enum http_method method;
	struct slice path;      /* "/v1/payments/pay-…", decoded, without the query */
	struct slice raw_query; /* "limit=10&cursor=…", "" when none */
	struct slice body;
	struct slice remote_address; /* the peer's IP address as text */
	struct slice request_id;  /* ours, "req-…" (a client's X-Request-Id of 1-128 safe characters is taken over) */
	struct slice trace_id;    /* 32 hex digits, from traceparent or new */
	struct slice span_id;     /* 16 hex digits, ours */
	struct slice traceparent; /* to pass on: same trace id, our span id */
	struct slice parameters[HTTP_PATH_PARAMETERS_MAX]; /* what stood at each {…} of the route's path */
	const struct http_route *route;
	const struct principal *principal;
	const struct actor *actor;
	/* The identifier of what a POST makes: a pure function of principal, path and Idempotency-Key, so that a repeat
	 * after a crash finds what the first try stored; random without a key. Set by the gate. */
	struct uuid operation_id;
	struct arena *arena;
	struct problem *problem; /* fill before returning an error */
	void *connection;        /* http_server.c's own */
};

/* "" when absent. Names compare without letter case. */
struct slice http_request_header(const struct http_request *request, const char *name);
/* The decoded value of a query parameter; "" when absent. */
struct slice http_request_query(const struct http_request *request, const char *name);

struct http_header {
	const char *name;
	struct slice value;
};

/* Filled by the handler; bodies are copied out of the request's arena by reference, so build them there. */
struct http_response {
	int status;               /* 0 means 200 */
	const char *content_type; /* NULL means application/json */
	struct slice body;
	struct http_header headers[HTTP_RESPONSE_HEADERS_MAX];
	size_t header_count;
};
/* Values live in the request's arena. Silently refuses values with control characters (header injection). */
void http_response_header(struct http_response *response, const char *name, struct slice value);
/* The usual answer: a status and a JSON body. */
void http_response_json(struct http_response *response, int status, const struct writer *body);

/* Parse -> authorise -> decide -> store -> answer. A status other than OK is answered as problem+json. */
typedef enum status http_handler(void *service, struct http_request *request, struct http_response *response);

/* One row per address and method. */
struct http_route {
	enum http_method method;
	const char *path; /* "/v1/payments/{id}/cancel" */
	http_handler *handle;
	int permission; /* row of identity's permission table; 0 = public, see identity_api.h */
	unsigned flags; /* enum http_route_flag */
};
enum http_route_flag {
	HTTP_ROUTE_IDEMPOTENT = 1,    /* a POST whose Idempotency-Key the handler itself works with (payments) */
	HTTP_ROUTE_NO_KEY = 2,        /* a POST that needs no Idempotency-Key (login, token, internal) */
	HTTP_ROUTE_INTERNAL = 4,      /* for neighbours only: needs the service key */
	HTTP_ROUTE_NO_RATE_LIMIT = 8, /* health, metrics */
	HTTP_ROUTE_ANY_BODY = 16,     /* the body need not be JSON (OAuth form, signed notifications) */
};

struct http_routes {
	const char *service; /* for logs and metrics: "router" */
	const struct http_route *rows;
	size_t count;
	void *self; /* passed to the handlers */
};

/* Wraps every handler: authentication, rate limit, idempotency. Calls `http_route_run` to go on. */
typedef enum status http_gate(
        void *gate, const struct http_routes *routes, struct http_request *request, struct http_response *response);
/* Calls the route's handler. */
enum status http_route_run(
        const struct http_routes *routes, struct http_request *request, struct http_response *response);

struct http_server_options {
	struct slice listen; /* "127.0.0.1:8080"; port 0 = any free one */
	const struct http_routes *services;
	size_t service_count;
	http_gate *gate; /* NULL: none */
	void *gate_arg;
	int64_t request_timeout_ms; /* from the first byte of the head to the last of the body; 0 = 30 s */
	size_t connections_max;     /* 0 = HTTP_CONNECTIONS_MAX */
};

struct http_server;
/* ERR_IO with a sentence in the problem when the port is in use or may not be used. */
enum status http_server_start(
        const struct http_server_options *options, struct http_server **ret_server, struct problem *problem);
int http_server_port(const struct http_server *server);
/* Lets running requests finish (at most 10 s), refuses new ones, then stops. Accepts NULL. */
void http_server_stop(struct http_server *server);

/* Fills `response` with RFC 9457 problem+json: type, title, status, detail, instance, code, param, retryable,
 * request_id, and the problem's further members. Adds Retry-After to 429 and 503. */
void http_response_problem(struct http_response *response, const struct http_request *request, enum status status);
