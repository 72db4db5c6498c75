#include "platform/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct prefix4 {
	uint32_t network;
	unsigned bits;
};
#define FOUR(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct prefix4 special4[] = {
	{ FOUR(0, 0, 0, 0), 8 },       /* this network */
	{ FOUR(10, 0, 0, 0), 8 },      /* private */
	{ FOUR(100, 64, 0, 0), 10 },   /* shared by carriers */
	{ FOUR(127, 0, 0, 0), 8 },     /* loopback */
	{ FOUR(169, 254, 0, 0), 16 },  /* link-local, cloud metadata */
	{ FOUR(172, 16, 0, 0), 12 },   /* private */
	{ FOUR(192, 0, 0, 0), 24 },    /* protocol assignments */
	{ FOUR(192, 0, 2, 0), 24 },    /* documentation */
	{ FOUR(192, 88, 99, 0), 24 },  /* 6to4 relays, retired */
	{ FOUR(192, 168, 0, 0), 16 },  /* private */
	{ FOUR(198, 18, 0, 0), 15 },   /* benchmarks */
	{ FOUR(198, 51, 100, 0), 24 }, /* documentation */
	{ FOUR(203, 0, 113, 0), 24 },  /* documentation */
	{ FOUR(224, 0, 0, 0), 4 },     /* multicast */
	{ FOUR(240, 0, 0, 0), 4 },     /* reserved, broadcast */
};

struct prefix6 {
	unsigned char network[16];
	unsigned bits;
};

/* Only 2000::/3 is global unicast; these parts of it are not public. */
static const struct prefix6 special6[] = {
	{ { 0x20, 0x01, 0x00, 0x00 }, 23 }, /* protocol assignments, Teredo */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
	{ { 0x3f, 0xff, 0x00, 0x00 }, 20 }, /* documentation */
};
static const struct prefix6 global6 = { { 0x20 }, 3 };
static const struct prefix6 six_to_four = { { 0x20, 0x02 }, 16 };          /* IPv4 behind the prefix */
static const struct prefix6 nat64 = { { 0x00, 0x64, 0xff, 0x9b }, 96 };    /* IPv4 at the end */
static const struct prefix6 mapped = { { [10] = 0xff, [11] = 0xff }, 96 }; /* IPv4 at the end */

static bool is_public4(uint32_t address)
{
	for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++) {
		uint32_t mask = UINT32_MAX << (32 - special4[i].bits);
		if ((address & mask) == special4[i].network)
			return false;
	}
	return true;
}

static bool has_prefix(const unsigned char *address, const struct prefix6 *prefix)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
	if (memcmp(address, prefix->network, whole) != 0)
		return false;
	return !rest || (address[whole] ^ prefix->network[whole]) >> (8 - rest) == 0;
}

static uint32_t four_at(const unsigned char *bytes)
{
	return FOUR(bytes[0], bytes[1], bytes[2], bytes[3]);
}

static bool is_public6(const unsigned char *address)
{
	if (has_prefix(address, &mapped) || has_prefix(address, &nat64))
		return is_public4(four_at(address + 12));
	if (has_prefix(address, &six_to_four))
		return is_public4(four_at(address + 2));
	for (size_t i = 0; i < sizeof special6 / sizeof *special6; i++)
		if (has_prefix(address, &special6[i]))
			return false;
	return has_prefix(address, &global6);
}

bool address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return is_public4(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
	if (address->sa_family == AF_INET6)
		return is_public6(((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr);
	return false;
}
