/* Digest authentication against the examples of RFC 7616 3.9.1 and RFC 2617 3.5, and answers that must not pass. */
#include "ctrlplane/sip/digest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct example {
	enum cp_digest_algorithm algorithm;
	const char *realm, *password;
	const char *params[12];
};

/* clang-format off */
static const struct example examples[] = {
	{CP_DIGEST_MD5, "http-auth@example.org", "Circle of Life",
	 {"username=\"Mufasa\"", "realm=\"http-auth@example.org\"", "uri=\"/dir/index.html\"", "algorithm=MD5",
	  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"", "nc=00000001",
	  "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"", "qop=auth",
	  "response=\"8ca523f5e9506fed4657c9700eebdbec\"", NULL}},
	{CP_DIGEST_SHA256, "http-auth@example.org", "Circle of Life",
	 {"username=\"Mufasa\"", "realm=\"http-auth@example.org\"", "uri=\"/dir/index.html\"", "algorithm=SHA-256",
	  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"", "nc=00000001",
	  "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"", "qop=auth",
	  "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"", NULL}},
	{CP_DIGEST_MD5, "testrealm@host.com", "Circle Of Life",
	 {"username=\"Mufasa\"", "realm=\"testrealm@host.com\"", "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
	  "uri=\"/dir/index.html\"", "qop=auth", "nc=00000001", "cnonce=\"0a4f113b\"",
	  "response=\"6629fae49393a05397450978507c4ef1\"", "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"", NULL}},
};
/* clang-format on */

static void
examples_of_the_rfcs_are_right(void **state)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *e = &examples[i];
		struct cp_digest_answer a;
		char ha1[CP_DIGEST_HEX];

		assert_int_equal(cp_digest_decode(&a, e->params), 0);
		assert_int_equal(a.algorithm, e->algorithm);
		assert_int_equal(a.nc, 1);
		cp_digest_ha1(e->algorithm, "Mufasa", e->realm, e->password, ha1);
		assert_true(cp_digest_is_right(&a, ha1, "GET"));
		assert_false(cp_digest_is_right(&a, ha1, "INVITE"));
		cp_digest_ha1(e->algorithm, "Mufasa", e->realm, "circle", ha1);
		assert_false(cp_digest_is_right(&a, ha1, "GET"));
		assert_false(cp_digest_is_right(&a, "", "GET"));
	}
}

/* Each parameter in turn is left out, or stands there twice. */
static void
an_incomplete_answer_is_no_answer(void **state)
{
	const char *const *whole = examples[1].params;

	for (size_t skip = 0; whole[skip]; skip++) {
		const char *params[12] = {NULL};
		struct cp_digest_answer a;
		size_t n = 0;

		for (size_t i = 0; whole[i]; i++)
			if (i != skip)
				params[n++] = whole[i];
		if (strncmp(whole[skip], "algorithm", 9) == 0) {
			assert_int_equal(cp_digest_decode(&a, params), 0);
			assert_int_equal(a.algorithm, CP_DIGEST_MD5); /* the default */
		} else if (strncmp(whole[skip], "realm", 5) != 0) {
			assert_int_equal(cp_digest_decode(&a, params), -EINVAL);
		}
		params[n++] = whole[skip];
		params[n++] = whole[skip];
		assert_int_equal(cp_digest_decode(&a, params), -EINVAL);
	}
}

static void
malformed_parameters_are_refused(void **state)
{
	static const struct {
		const char *from, *to;
		int rc;
	} rows[] = {
		{"nc=", "nc=0000000g", -EINVAL},
		{"nc=", "nc=1", -EINVAL},
		{"nc=", "nc=000000001", -EINVAL},
		{"qop=", "qop=auth-int", -EINVAL},
		{"username=", "username=\"Mufasa", -E2BIG},
		{"username=", "username=\"\"", -EINVAL},
		{"username=", "username=\"a\"b", -E2BIG},
	};
	char long_name[CP_DIGEST_TEXT + 32] = "username=";

	for (size_t r = 0; r <= sizeof(rows) / sizeof(rows[0]); r++) {
		bool is_long = r == sizeof(rows) / sizeof(rows[0]);
		const char *params[12] = {NULL};
		struct cp_digest_answer a;

		memset(long_name + 9, 'x', CP_DIGEST_TEXT);
		for (size_t i = 0; examples[0].params[i]; i++) {
			const char *from = is_long ? "username=" : rows[r].from;

			params[i] = examples[0].params[i];
			if (strncmp(params[i], from, strlen(from)) == 0)
				params[i] = is_long ? long_name : rows[r].to;
		}
		assert_int_equal(cp_digest_decode(&a, params), is_long ? -E2BIG : rows[r].rc);
	}
}

static void
quoted_characters_are_undone(void **state)
{
	const char *params[] = {
		"username=\"a\\\"b\"", "nonce=\"n\"",  "uri=\"u\"",   "response=\"r\"",
		"cnonce=\"c\"",	       "qop=\"auth\"", "NC=0000ABcd", NULL};
	struct cp_digest_answer a;

	assert_int_equal(cp_digest_decode(&a, params), 0);
	assert_string_equal(a.username, "a\"b");
	assert_int_equal(a.nc, 0xabcd);
	assert_string_equal(a.realm, "");
}

static void
an_unknown_algorithm_never_passes(void **state)
{
	const char *params[12];
	struct cp_digest_answer a;
	char ha1[CP_DIGEST_HEX];

	memcpy(params, examples[0].params, sizeof(params));
	params[3] = "algorithm=SHA-512-256";
	assert_int_equal(cp_digest_decode(&a, params), 0);
	cp_digest_ha1(CP_DIGEST_MD5, "Mufasa", "http-auth@example.org", "Circle of Life", ha1);
	assert_false(cp_digest_is_right(&a, ha1, "GET"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_rfcs_are_right),
		cmocka_unit_test(an_incomplete_answer_is_no_answer),
		cmocka_unit_test(malformed_parameters_are_refused),
		cmocka_unit_test(quoted_characters_are_undone),
		cmocka_unit_test(an_unknown_algorithm_never_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
