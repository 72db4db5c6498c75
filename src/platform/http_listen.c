#include "platform/http_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/arena.h"

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

enum status http_listen(struct slice listen, int *ret_socket, struct problem *problem)
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

int http_listen_port(int descriptor)
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
