/* Canonical identities, row by row (profile section 1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include "ctrlplane/conf/identity.h"

static const char *const rows[][2] = {
	{"sip:alice@ims.example", "sip:alice@ims.example"},
	{"SIP:alice@IMS.Example", "sip:alice@ims.example"},
	{"sip:Alice@ims.example", "sip:Alice@ims.example"}, /* the user part has case */
	{"sip:alice@ims.example:5060", "sip:alice@ims.example"},
	{"sip:alice@ims.example:05060", "sip:alice@ims.example"},
	{"sip:alice@ims.example:5061", "sip:alice@ims.example:5061"},
	{"sips:alice@ims.example:5061", "sips:alice@ims.example"},
	{"sips:alice@ims.example:5060", "sips:alice@ims.example:5060"},
	{"sip:alice@ims.example.", "sip:alice@ims.example"},
	{"sip:alice@ims.example;transport=tcp", "sip:alice@ims.example"},
	{"sip:alice@ims.example:5060;user=phone?subject=x", "sip:alice@ims.example"},
	{"sip:alice:secret@ims.example", "sip:alice@ims.example"},
	{"sip:%61lice@ims.example", "sip:alice@ims.example"},
	{"sip:a%20b@ims.example", "sip:a%20b@ims.example"},
	{"sip:a%c3%a4b@ims.example", "sip:a%C3%A4b@ims.example"},
	{"sip:alice;day=tuesday@ims.example", "sip:alice;day=tuesday@ims.example"},
	{"sip:+49-30-123@ims.example;user=phone", "sip:+49-30-123@ims.example"},
	{"sip:ims.example", "sip:ims.example"},
	{"sip:alice@192.0.2.1:5070", "sip:alice@192.0.2.1:5070"},
	{"sip:alice@[2001:DB8::1]", "sip:alice@[2001:db8::1]"},
	{"sip:alice@[2001:DB8::1]:5060;lr", "sip:alice@[2001:db8::1]"},
	{"<sip:alice@ims.example>", "sip:alice@ims.example"},
	{"<sip:alice@ims.example;transport=udp>;tag=88", "sip:alice@ims.example"},
	{"Alice <sip:alice@ims.example>", "sip:alice@ims.example"},
	{"\"Alice <sip:mallory@evil.example>\" <sip:alice@ims.example>", "sip:alice@ims.example"},
	{"\"A \\\" <\" <sip:alice@ims.example>", "sip:alice@ims.example"},
	{"  sip:alice@ims.example  ", "sip:alice@ims.example"},
	{"tel:+4930123456", "tel:+4930123456"},
	{"TEL:+49-(30)-12.34.56;phone-context=example.com", "tel:+4930123456"},
	{"<tel:+49-30-123456>", "tel:+4930123456"},
};

static const char *const bad[] = {
	"",
	" ",
	"alice",
	"alice@ims.example",
	"http://ims.example",
	"mailto:alice@ims.example",
	"sip:",
	"sip:@ims.example",
	"sip:alice@",
	"sip:alice@:5060",
	"sip:alice@ims.example:",
	"sip:alice@ims.example:0",
	"sip:alice@ims.example:65536",
	"sip:alice@ims.example:50x",
	"sip:al ice@ims.example",
	"sip:alice@ims_example",
	"sip:alice@ims.example/x",
	"sip:a%2@ims.example",
	"sip:a%zz@ims.example",
	"sip:alice@[2001:db8::1",
	"sip:alice@[]",
	"sip:alice@...",
	"sip:\xc3\xa4@ims.example",
	"sip:alice\x01@ims.example",
	"<sip:alice@ims.example",
	"\"Alice",
	"\"Alice\" sip:alice@ims.example",
	"tel:123",
	"tel:",
	"tel:+",
	"tel:+12a",
	"tel:+1 2",
	":alice@ims.example",
};

static void
equal_users_have_equal_forms(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[CP_IDENTITY_MAX] = "", again[CP_IDENTITY_MAX];

		if (cp_identity(out, cp_slice_text(rows[i][0])) != 0 ||
		    strcmp(out, rows[i][1]) != 0)
			fail_msg("%s became %s", rows[i][0], out);
		assert_int_equal(cp_identity(again, cp_slice_text(out)), 0);
		assert_string_equal(again, out);
	}
}

static void
what_is_no_identity_is_refused(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char out[CP_IDENTITY_MAX] = "untouched";

		if (cp_identity(out, cp_slice_text(bad[i])) != -EINVAL)
			fail_msg("row %zu: %s became %s", i, bad[i], out);
		assert_string_equal(out, "untouched");
	}
	assert_int_equal(cp_identity((char[CP_IDENTITY_MAX]){0}, cp_slice("sip:a\0b@x", 9)),
			 -EINVAL);
	assert_int_equal(cp_identity((char[CP_IDENTITY_MAX]){0}, cp_slice("tel:+1\0", 7)), -EINVAL);
	assert_int_equal(cp_identity((char[CP_IDENTITY_MAX]){0}, cp_slice("sip:a@[::\0]", 11)),
			 -EINVAL);
}

static void
too_long_is_refused(void **state)
{
	char uri[400], out[CP_IDENTITY_MAX];

	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "sip:", 4);
	memcpy(uri + sizeof(uri) - 3, "@x", 3);
	assert_int_equal(cp_identity(out, cp_slice_text(uri)), -ENAMETOOLONG);
	memcpy(uri + CP_IDENTITY_MAX - 3, "@x", 3);
	assert_int_equal(cp_identity(out, cp_slice_text(uri)), 0);
	assert_int_equal(strlen(out), CP_IDENTITY_MAX - 1);
}

static void
truncation_reads_within_bounds(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t len = 0; len <= strlen(rows[i][0]); len++) {
			char *copy = test_malloc(len + 1), out[CP_IDENTITY_MAX];

			memcpy(copy, rows[i][0], len);
			cp_identity(out, cp_slice(copy, len));
			test_free(copy);
		}
	}
}

static void
anonymous_names_nobody(void **state)
{
	assert_true(cp_identity_is_anonymous(cp_slice_text("")));
	assert_true(cp_identity_is_anonymous(cp_slice_text("sip:anonymous@anonymous.invalid")));
	assert_false(cp_identity_is_anonymous(cp_slice_text("sip:alice@ims.example")));
	assert_false(
		cp_identity_is_anonymous(cp_slice_text("sip:anonymous@anonymous.invalid.example")));
}

/* Both forms of a number, and who only looks like one. */
static void
one_person_by_number(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} pairs[] = {
		{"sip:a@x", "sip:a@x", true},
		{"sip:a@x", "sip:b@x", false},
		{"", "", false},
		{"tel:+49301", "sip:+49301@ims.example", true},
		{"sip:+49301@ims.example", "tel:+49301", true},
		{"sips:+49301@ims.example", "tel:+49301", true},
		{"sip:+49301@ims.example", "sip:+49301@ims.example", true},
		{"sip:+49301@ims.example", "sip:+49301@other.example", false},
		{"tel:+49301", "tel:+49302", false},
		{"tel:+49301", "sip:+493011@ims.example", false},
		{"tel:+49301", "sip:49301@ims.example", false},
		{"tel:+49301", "sip:+49301.a@ims.example", false},
		{"tel:+49301", "sip:+@ims.example", false},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const char *a = pairs[i].a, *b = pairs[i].b;

		if (cp_identity_is_same(a, b) != pairs[i].is_same)
			fail_msg("%s %s", a, b);
		/* who is the same stands together */
		if (pairs[i].is_same)
			assert_int_equal(cp_identity_compare(a, b), 0);
		assert_int_equal(cp_identity_compare(a, b) < 0, cp_identity_compare(b, a) > 0);
	}
	assert_true(cp_slice_is(cp_identity_number("sip:+49301@x"), "49301"));
	assert_int_equal(cp_identity_number("sip:+49301").len, 0);
	assert_int_equal(cp_identity_number("tel:+49301;x").len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_users_have_equal_forms),
		cmocka_unit_test(what_is_no_identity_is_refused),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(truncation_reads_within_bounds),
		cmocka_unit_test(anonymous_names_nobody),
		cmocka_unit_test(one_person_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
