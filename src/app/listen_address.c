#include "app/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct slice host_of(struct slice listen)
{
	while (listen.size && listen.data[listen.size - 1] != ':')
		listen.size--;
	return (struct slice) { listen.data, listen.size ? listen.size - 1 : 0 };
}

/* 0 when there is none. */
static int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int port = 0;
	int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return 0;
	if (bind(probe, (struct sockaddr *)&address, sizeof address) == 0 &&
	        getsockname(probe, (struct sockaddr *)&address, &size) == 0)
		port = ntohs(address.sin_port);
	close(probe);
	return port;
}

struct slice listen_address_choose(struct slice listen, struct arena *arena)
{
	struct slice host = host_of(listen);
	if (!slice_is(slice_skip(listen, host.size), ":0"))
		return listen;
	return arena_format(arena, "%.*s:%d", SLICE_ARGS(host), free_port());
}

struct slice listen_address_url(struct slice listen, struct arena *arena)
{
	struct slice host = host_of(listen);
	struct slice port = slice_skip(listen, host.size);
	bool is_wildcard = !host.size || slice_is(host, "0.0.0.0") || slice_is(host, "[::]") || slice_is(host, "*");
	return arena_format(
	        arena, "http://%.*s%.*s", SLICE_ARGS(is_wildcard ? SLICE("127.0.0.1") : host), SLICE_ARGS(port));
}
