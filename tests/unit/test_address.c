#include "testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "platform/address.h"

static bool text_is_public(const char *text)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return address_is_public((const struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return address_is_public((const struct sockaddr *)&six);
}

static void knows_public_addresses(void **state)
{
	(void)state;
	static const char *const rows[] = { "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
		"172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
		"223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888",
		"2001:200::", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!text_is_public(rows[i]))
			print_error("%s\n", rows[i]);
		assert_true(text_is_public(rows[i]));
	}
}

static void knows_all_others(void **state)
{
	(void)state;
	static const char *const rows[] = { "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
		"100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "172.16.0.0",
		"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
		"198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
		"240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "fe80::1", "febf::1", "fec0::1", "fc00::1",
		"fd12:3456::1", "ff02::1", "2001:db8::1", "2001::1", "2001:10::1", "3fff::1", "100::1", "4000::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b:1::1",
		"2002:7f00:1::1", "2002:a00:1::1" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (text_is_public(rows[i]))
			print_error("%s\n", rows[i]);
		assert_false(text_is_public(rows[i]));
	}
	assert_false(address_is_public(&(struct sockaddr) { .sa_family = AF_UNIX }));
}

TESTS(cmocka_unit_test(knows_public_addresses), cmocka_unit_test(knows_all_others))
