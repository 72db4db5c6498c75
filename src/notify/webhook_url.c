#include "notify/webhook_url.h"

#include <netdb.h>

#include "platform/address.h"

enum { HOST_MAX = 255 };

/* Names that never leave the machine or its network (RFC 6761, RFC 6762 and the cloud's habit). */
static const char *const private_names[] = { "localhost", "local", "internal", "intranet", "lan", "home.arpa" };

static enum status refuse(struct problem *problem, const char *why)
{
	return problem_set(problem, ERR_WEBHOOK_URL_REFUSED, "url", "%s", why);
}

static bool find(struct slice text, char c, size_t *ret_at)
{
	const char *at = text.size ? memchr(text.data, c, text.size) : NULL;
	if (at)
		*ret_at = (size_t)(at - text.data);
	return at != NULL;
}

/* What stands between "//" and the path, the query or the fragment. */
static struct slice authority_of(struct slice rest)
{
	size_t end = 0;
	while (end < rest.size && !memchr("/?#\\", rest.data[end], 4))
		end++;
	return slice_make(rest.data, end);
}

static bool port_is_valid(struct slice port)
{
	uint64_t number;
	return !port.size || (slice_to_u64(port, &number) && number >= 1 && number <= 65535);
}

/* Takes brackets and port off. */
static bool host_of(struct slice authority, struct slice *ret_host)
{
	size_t end;
	struct slice host = authority;
	if (authority.size && authority.data[0] == '[') {
		if (!find(authority, ']', &end))
			return false;
		struct slice after = slice_skip(authority, end + 1);
		*ret_host = slice_make(authority.data + 1, end - 1);
		return !after.size || (after.data[0] == ':' && port_is_valid(slice_skip(after, 1)));
	}
	if (find(authority, ':', &end)) {
		host.size = end;
		if (!port_is_valid(slice_skip(authority, end + 1)))
			return false;
	}
	*ret_host = host;
	return host.size > 0 && host.size <= HOST_MAX;
}

static bool ends_with_name(struct slice host, struct slice name)
{
	if (host.size < name.size)
		return false;
	struct slice end = slice_skip(host, host.size - name.size);
	return slice_equal_ignore_case(end, name) && (end.data == host.data || end.data[-1] == '.');
}

/* Reads every notation of an address that a resolver would (127.1, 0x7f000001, [::ffff:127.0.0.1]), asks no server. */
static bool is_private_literal(const char *host)
{
	struct addrinfo *found, hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	bool is_public = address_is_public(found->ai_addr);
	freeaddrinfo(found);
	return !is_public;
}

static enum status check_host(struct slice host, struct problem *problem)
{
	char text[HOST_MAX + 1];
	/* A name may end with the root's dot. */
	if (host.size && host.data[host.size - 1] == '.')
		host.size--;
	memcpy(text, host.data, host.size);
	text[host.size] = 0;
	if (is_private_literal(text))
		return refuse(problem, "The address is not one of the public Internet.");
	for (size_t i = 0; i < sizeof private_names / sizeof *private_names; i++)
		if (ends_with_name(host, slice_from(private_names[i])))
			return refuse(problem, "The host's name is not one of the public Internet.");
	return STATUS_OK;
}

enum status webhook_url_check(struct slice url, bool may_be_private, struct problem *problem)
{
	struct slice https = SLICE("https://"), http = SLICE("http://"), host;
	size_t at;
	if (url.size > WEBHOOK_URL_MAX)
		return refuse(problem, "The URL is too long.");
	for (size_t i = 0; i < url.size; i++)
		if ((unsigned char)url.data[i] <= ' ' || (unsigned char)url.data[i] >= 0x7f)
			return refuse(problem, "The URL has a blank, a control character or one that is not ASCII.");
	bool is_secure = slice_starts_with(url, https);
	if (!is_secure && !slice_starts_with(url, http))
		return refuse(problem, "The URL must begin with https:// or http://.");
	struct slice authority = authority_of(slice_skip(url, is_secure ? https.size : http.size));
	if (find(authority, '@', &at))
		return refuse(problem, "The URL must not hold a user name or password.");
	if (find(url, '\\', &at) || !host_of(authority, &host) || !host.size || host.size > HOST_MAX)
		return refuse(problem, "The URL's host or port is malformed.");
	return may_be_private ? STATUS_OK : check_host(host, problem);
}
