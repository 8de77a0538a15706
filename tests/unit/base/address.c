/* Addresses with ports: what is one, what is none, which are our own machine; and a socket that listens on one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/base/address.h"

static void
texts_are_read(void **state)
{
	static const struct {
		const char *text;
		bool is_good, is_loopback;
		uint16_t port;
	} rows[] = {
		{"127.0.0.1:8480", true, true, 8480},
		{"127.255.0.9:1", true, true, 1},
		{"192.0.2.1:65535", true, false, 65535},
		{"[::1]:8480", true, true, 8480},
		{"[2001:db8::1]:443", true, false, 443},
		{"[::ffff:192.0.2.1]:443", true, false, 443},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535", true, false, 65535},
		{"", false, false, 0},
		{":", false, false, 0},
		{":80", false, false, 0},
		{"[", false, false, 0},
		{"]:80", false, false, 0},
		{"[]:80", false, false, 0},
		{"[:80", false, false, 0},
		{"127.0.0.1", false, false, 0},
		{"127.0.0.1:", false, false, 0},
		{"127.0.0.1:0", false, false, 0},
		{"127.0.0.1:65536", false, false, 0},
		{"127.0.0.1:99999999999999999999", false, false, 0},
		{"127.0.0.1:-1", false, false, 0},
		{"127.0.0.1: 80", false, false, 0},
		{"127.0.0.1:80x", false, false, 0},
		{"127.1:80", false, false, 0},
		{"::1:80", false, false, 0},
		{"[::1]80", false, false, 0},
		{"[127.0.0.1]:80", false, false, 0},
		{"localhost:80", false, false, 0},
		{"[fe80::1%lo]:80", false, false, 0},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555]:65535", false, false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_address address;
		struct sockaddr *at = (struct sockaddr *)&address.at;

		memset(&address, 0x5a, sizeof(address));
		if (cp_address_read(&address, rows[i].text) != rows[i].is_good)
			fail_msg("%s", rows[i].text);
		if (!rows[i].is_good) {
			assert_int_equal(((uint8_t *)&address)[0], 0x5a);
			continue;
		}
		assert_int_equal(cp_address_is_loopback(at), rows[i].is_loopback);
		assert_int_equal(ntohs(at->sa_family == AF_INET6
					       ? ((struct sockaddr_in6 *)at)->sin6_port
					       : ((struct sockaddr_in *)at)->sin_port),
				 rows[i].port);
	}
}

static void
a_socket_listens(void **state)
{
	struct cp_address address, bound = {.len = sizeof(bound.at)};
	int fd, other;

	assert_true(cp_address_read(&address, "127.0.0.1:1"));
	((struct sockaddr_in *)&address.at)->sin_port = 0; /* any */
	fd = cp_address_listen(&address, 4);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&bound.at, &bound.len), 0);
	assert_int_equal(cp_address_listen(&bound, 4), -EADDRINUSE);
	other = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(other, (struct sockaddr *)&bound.at, bound.len), 0);
	close(other);
	close(fd);
	assert_true(cp_address_read(&address, "192.0.2.1:8480"));
	assert_int_equal(cp_address_listen(&address, 4), -EADDRNOTAVAIL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read),
		cmocka_unit_test(a_socket_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
