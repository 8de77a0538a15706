/* MSRP URIs: which are some, and which are the same by RFC 4975 section 6.1. */
#include "ctrlplane/msrp/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_parts(void **state)
{
	struct cp_msrp_uri u;

	assert_int_equal(cp_msrp_uri_decode(&u, cp_slice_text("MSRPS://al%69ce@Host.example:"
							      "8493/a=b+c/d;tcp;x=y;z")),
			 0);
	assert_true(u.is_secure);
	assert_true(cp_slice_is(u.user, "al%69ce"));
	assert_true(cp_slice_is(u.host, "Host.example"));
	assert_int_equal(u.port, 8493);
	assert_true(cp_slice_is(u.session, "a=b+c/d"));
	assert_true(cp_slice_is(u.transport, "tcp"));
	assert_true(cp_slice_is(u.params, ";x=y;z"));
	assert_int_equal(cp_msrp_uri_decode(&u, cp_slice_text("msrp://[2001:db8::1]/s;tcp")), 0);
	assert_true(u.is_ip6);
	assert_true(cp_slice_is(u.host, "2001:db8::1"));
	assert_int_equal(u.port, 0);
	assert_int_equal(cp_msrp_uri_decode(&u, cp_slice_text("msrp://a.example:1;tcp")), 0);
	assert_int_equal(u.session.len, 0);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"msrp",
		"sip:a@example.net",
		"msrp:/a:1/s;tcp",
		"msrp://a:1/s",	   /* no transport */
		"msrp://a:1/s;",   /* an empty one */
		"msrp://a:1/;tcp", /* a session without a name */
		"msrp://:1/s;tcp",
		"msrp://a:0/s;tcp",
		"msrp://a:65536/s;tcp",
		"msrp://a:x/s;tcp",
		"msrp://a:1/s s;tcp",
		"msrp://a:1/s%20;tcp",
		"msrp://a%2/s;tcp",
		"msrp://a\"/s;tcp",
		"msrp://[::1/s;tcp",
		"msrp://[:::1]:1/s;tcp",
		"msrp://[::1]x/s;tcp",
		"msrp://a:1/s;t-p",
		"msrp://a:1/s;tcp;",
		"msrp://a:1/s;tcp;;x",
		"msrp://a:1/s;tcp;=x",
		"msrp://a:1/s;tcp;x=",
		"msrp://a@b@c:1/s;tcp",
	};
	char longest[CP_MSRP_URI_MAX + 2];
	struct cp_msrp_uri u = {.port = 7};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_not_equal(cp_msrp_uri_decode(&u, cp_slice_text(bad[i])), 0);
	assert_int_equal(u.port, 7);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "msrp://a:1/s;tcp;", 17);
	assert_int_equal(cp_msrp_uri_decode(&u, cp_slice(longest, CP_MSRP_URI_MAX)), 0);
	assert_int_not_equal(cp_msrp_uri_decode(&u, cp_slice(longest, CP_MSRP_URI_MAX + 1)), 0);
}

static void
test_truncated(void **state)
{
	static const char text[] = "msrps://u@[2001:db8::1]:2855/abc;tcp;a=b";

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct cp_msrp_uri u;
		char *copy = malloc(len + 1);

		memcpy(copy, text, len);
		if (cp_msrp_uri_decode(&u, cp_slice(copy, len)) == 0)
			assert_true(len >= strlen("msrps://u@[2001:db8::1]:2855/abc;t"));
		free(copy);
	}
}

static void
test_comparison(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} rows[] = {
		{"msrp://h.example:1/s;tcp", "msrp://h.example:1/s;tcp", true},
		{"MSRP://H.Example:1/s;TCP", "msrp://h.example:1/s;tcp", true},
		{"msrp://h.example:1/s;tcp", "msrps://h.example:1/s;tcp", false},
		{"msrp://h.example:1/s;tcp", "msrp://h.example:1/S;tcp", false},
		{"msrp://h.example:1/s;tcp", "msrp://h.example:1;tcp", false},
		{"msrp://h.example:1/s;tcp", "msrp://h.example/s;tcp", false},
		{"msrp://h.example:2855/s;tcp", "msrp://h.example/s;tcp", false},
		{"msrp://h.example:1/s;tcp", "msrp://h.example:2/s;tcp", false},
		{"msrp://h.example:1/s;tcp", "msrp://h.example:1/s;udp", false},
		{"msrp://h.example:1/s;tcp", "msrp://i.example:1/s;tcp", false},
		{"msrp://anna@h.example:1/s;tcp", "msrp://h.example:1/s;tcp", true},
		{"msrp://%68.example:1/s;tcp", "msrp://h.example:1/s;tcp", true},
		{"msrp://h%2B.example:1/s;tcp", "msrp://h+.example:1/s;tcp", false},
		{"msrp://[::1]:1/s;tcp", "msrp://[0:0:0:0:0:0:0:1]:1/s;tcp", true},
		{"msrp://[::1]:1/s;tcp", "msrp://[::2]:1/s;tcp", false},
		{"msrp://h.example:1/s;tcp;x=1", "msrp://h.example:1/s;tcp", true},
		{"nonsense", "nonsense", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(cp_msrp_uri_is_same_text(cp_slice_text(rows[i].a),
							  cp_slice_text(rows[i].b)),
				 rows[i].is_same);
		assert_int_equal(cp_msrp_uri_is_same_text(cp_slice_text(rows[i].b),
							  cp_slice_text(rows[i].a)),
				 rows[i].is_same);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
