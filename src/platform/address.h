/* Which network addresses belong to the public Internet. Pure. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* False for loopback, private, shared (100.64/10), link-local, multicast, reserved, documentation and unspecified
 * addresses (the special-purpose registries of RFC 6890), for IPv6 addresses that carry such an IPv4 address inside
 * (mapped, compatible, NAT64, 6to4, Teredo), and for every family other than IPv4 and IPv6. */
bool address_is_public(const struct sockaddr *address);
