/* HTTP client (libcurl), blocking, connections kept alive per thread-safe pool. */
#pragma once

#include "platform/http_server.h"

struct http_client;

struct http_client_options {
	bool refuse_private; /* never connect to loopback, private, link-local, multicast addresses (webhooks): checked
	                      * on the address that is connected to, after resolution */
	bool follow_redirects;      /* never follows when refuse_private */
	int64_t connect_timeout_ms; /* 0 = 2000 */
};
struct http_client *http_client_new(const struct http_client_options *options);
void http_client_free(struct http_client *client);

struct http_call {
	enum http_method method;
	struct slice url;
	struct slice body;
	struct http_header headers[HTTP_RESPONSE_HEADERS_MAX];
	size_t header_count;
	int64_t timeout_ms; /* 0 = 10000 */
	size_t answer_max;  /* 0 = 4 MiB; a larger answer is an error */
};
struct http_answer {
	int status;
	struct slice body; /* in the arena */
	struct slice retry_after;
	struct slice content_type;
	struct http_header headers[32];
	size_t header_count;
};
/* Names compare without letter case; "" when absent. */
struct slice http_answer_header(const struct http_answer *answer, const char *name);

/* STATUS_OK whenever an HTTP answer arrived, whatever its status.
 * ERR_NEIGHBOUR_UNAVAILABLE: nothing was sent (no connection): safe to repeat or to go elsewhere.
 * ERR_TIMEOUT: sent, but no (whole) answer: unknown whether it was done.
 * ERR_WEBHOOK_URL_REFUSED: the address is private and `refuse_private` is set, or the URL is not http(s). */
enum status http_client_call(
        struct http_client *client, const struct http_call *call, struct arena *arena, struct http_answer *ret_answer);
