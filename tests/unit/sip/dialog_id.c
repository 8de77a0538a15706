/* Replaces, Join and Target-Dialog, by tables; cut anywhere. */
#include "ctrlplane/sip/dialog_id.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define R CP_SIP_REPLACES
#define J CP_SIP_JOIN
#define T CP_SIP_TARGET_DIALOG

static void
dialogs_are_read(void **state)
{
	static const struct {
		const char *value;
		enum cp_sip_dialog_header header;
		int rc;
		const char *call_id, *ours, *theirs;
		bool is_early_only;
	} rows[] = {
		/* the examples of RFC 3891 6.1, RFC 3911 7.1, RFC 4538 7 */
		{"98732@sip.example.com ;from-tag=r33th4x0r ;to-tag=ff87ff", R, 0,
		 "98732@sip.example.com", "ff87ff", "r33th4x0r", false},
		{"12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only", R, 0, "12adf2f34456gs5",
		 "12345", "54321", true},
		{"87134@192.0.2.23;to-tag=24796;from-tag=0", J, 0, "87134@192.0.2.23", "24796", "0",
		 false},
		{"fa77as7dad8-sd98ajzz@host.example.com;local-tag=kkaz-;remote-tag=6544", T, 0,
		 "fa77as7dad8-sd98ajzz@host.example.com", "kkaz-", "6544", false},
		{" a ; TO-TAG = b ; From-Tag = c ; x=\"y\" ", R, 0, "a", "b", "c", false},
		{"a;to-tag=b;from-tag=c;early-only", J, 0, "a", "b", "c", false},
		{"a;to-tag=b", R, -EINVAL, "", "", "", false},
		{"a;from-tag=b", J, -EINVAL, "", "", "", false},
		{"a;to-tag=b;from-tag=c", T, -EINVAL, "", "", "", false},
		{"a;local-tag=b;remote-tag=c", R, -EINVAL, "", "", "", false},
		{"a;to-tag=b;to-tag=c;from-tag=d", R, -EINVAL, "", "", "", false},
		{"a;to-tag=;from-tag=d", R, -EINVAL, "", "", "", false},
		{"a;to-tag=b c;from-tag=d", R, -EINVAL, "", "", "", false},
		{"a,b;to-tag=b;from-tag=d", R, -EINVAL, "", "", "", false},
		{"a;to-tag=b;from-tag=d, c;to-tag=e;from-tag=f", R, -EINVAL, "", "", "", false},
		{"a@b@c;to-tag=b;from-tag=d", R, -EINVAL, "", "", "", false},
		{"a b;to-tag=b;from-tag=d", R, -EINVAL, "", "", "", false},
		{";to-tag=b;from-tag=d", R, -EINVAL, "", "", "", false},
		{"a\r\nB: c;to-tag=b;from-tag=d", R, -EINVAL, "", "", "", false},
		{"a;;to-tag=b;from-tag=d", R, -EINVAL, "", "", "", false},
		{"", R, -EINVAL, "", "", "", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_sip_dialog_id id = {.call_id = ""};

		assert_int_equal(cp_sip_dialog_id_decode(&id, rows[i].value, rows[i].header),
				 rows[i].rc);
		assert_string_equal(id.call_id, rows[i].call_id);
		assert_string_equal(id.local_tag, rows[i].ours);
		assert_string_equal(id.remote_tag, rows[i].theirs);
		assert_true(id.is_early_only == rows[i].is_early_only);
	}
}

static void
what_is_too_long_is_refused(void **state)
{
	char text[1024], tag[200];
	struct cp_sip_dialog_id id = {.call_id = "kept"};

	memset(tag, 'x', sizeof(tag) - 1);
	tag[sizeof(tag) - 1] = '\0';
	snprintf(text, sizeof(text), "a;to-tag=%s;from-tag=b", tag);
	assert_int_equal(cp_sip_dialog_id_decode(&id, text, R), -ENAMETOOLONG);
	snprintf(text, sizeof(text), "%s%s;to-tag=a;from-tag=b", tag, tag);
	assert_int_equal(cp_sip_dialog_id_decode(&id, text, R), -ENAMETOOLONG);
	assert_string_equal(id.call_id, "kept");
}

static void
truncation_is_survived(void **state)
{
	static const char whole[] = "12adf2f34456gs5@host;to-tag=12345;from-tag=54321";
	size_t first = strlen(whole) - 4; /* one digit of the last tag suffices */

	for (size_t len = 0; len < sizeof(whole); len++) {
		struct cp_sip_dialog_id id = {.call_id = ""};
		char *cut = strndup(whole, len);

		assert_non_null(cut);
		assert_int_equal(cp_sip_dialog_id_decode(&id, cut, R) == 0, len >= first);
		free(cut);
	}
}

static void
a_tag_of_zero_is_no_tag_too(void **state)
{
	struct cp_sip_dialog_id named = {.call_id = "a", .local_tag = "b", .remote_tag = "0"};
	struct cp_sip_dialog_id is = {.call_id = "a", .local_tag = "b", .remote_tag = ""};

	assert_true(cp_sip_dialog_is_same(&named, &is));
	is.remote_tag[0] = '0';
	assert_true(cp_sip_dialog_is_same(&named, &is));
	is.remote_tag[0] = 'c';
	assert_false(cp_sip_dialog_is_same(&named, &is));
	named.remote_tag[0] = 'c';
	assert_true(cp_sip_dialog_is_same(&named, &is));
	is.local_tag[0] = 'B';
	assert_false(cp_sip_dialog_is_same(&named, &is));
	is.local_tag[0] = 'b';
	is.call_id[0] = 'A';
	assert_false(cp_sip_dialog_is_same(&named, &is));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogs_are_read),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(truncation_is_survived),
		cmocka_unit_test(a_tag_of_zero_is_no_tag_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
