/* The open connections of a server: what each is doing since when, and a reaper thread that ends those which take too
 * long. The HTTP library bounds the time between two bytes only; a client that drips is bounded here. */
#pragma once

#include <stdatomic.h>
#include <sys/socket.h>

#include "platform/http_server.h"

enum http_phase {
	HTTP_PHASE_WAITING,   /* no whole request line yet */
	HTTP_PHASE_RECEIVING, /* the head or the body arrives */
	HTTP_PHASE_HANDLING,  /* a handler works; it has its own limits */
	HTTP_PHASE_SENDING,   /* the answer leaves */
	HTTP_PHASE_ENDED,     /* refused or timed out; nothing more is read from it */
};

struct http_connection {
	struct http_connection *next, *previous;
	int socket;
	_Atomic enum http_phase phase;
	_Atomic int64_t phase_at;  /* clock_monotonic */
	_Atomic uint32_t answered; /* requests answered so far */
	uint32_t reaped;           /* the reaper's: `answered` at its last visit */
	int64_t begun_at;          /* the reaper's: when the current request was first seen; 0 = not yet */
	struct arena arena;        /* the current request's */
	struct slice remote_address;
	char remote_text[46];
};

struct http_connections;

struct http_connections *http_connections_new(size_t max, int64_t request_timeout_ms);
/* Starts the reaper. */
enum status http_connections_start(struct http_connections *connections);
/* Stops the reaper; the table must be empty when it is freed. Accepts NULL. */
void http_connections_free(struct http_connections *connections);

/* A connection that has just been accepted. One over the maximum is answered 503 at once and has ended. */
struct http_connection *http_connection_open(
        struct http_connections *connections, int socket, const struct sockaddr *address);
/* Before its socket is closed. */
void http_connection_close(struct http_connections *connections, struct http_connection *connection);

/* Moves on unless the reaper ended the connection meanwhile. */
bool http_connection_enter(struct http_connection *connection, enum http_phase phase);

/* Writes a whole answer for `status` past the HTTP library and ends the connection: the sending side is closed and what
 * still arrives is thrown away for a moment, so that the peer reads the answer instead of a reset. For streams that
 * cannot be trusted or are too long. Call it while a request is being received, and drop the connection afterwards. */
void http_connection_refuse(struct http_connection *connection, struct http_request *request, enum status status);

/* Waits until no request is being received, handled or answered, at most `timeout_ms`; false when some still are. */
bool http_connections_drain(struct http_connections *connections, int64_t timeout_ms);
