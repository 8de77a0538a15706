/* Refer-To, by tables; cut anywhere. */
#include "ctrlplane/sip/refer_to.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
targets_are_read(void **state)
{
	static const struct {
		const char *value;
		int rc;
		const char *uri;
		enum cp_sip_refer_method method;
	} rows[] = {
		{"<sip:bob@b.example>", 0, "sip:bob@b.example", CP_SIP_REFER_INVITE},
		{"sip:bob@b.example", 0, "sip:bob@b.example", CP_SIP_REFER_INVITE},
		{"sip:bob@b.example;tag=1", 0, "sip:bob@b.example", CP_SIP_REFER_INVITE},
		{"\"B \\\" <x>\" <sip:bob@b.example;transport=tcp>", 0,
		 "sip:bob@b.example;transport=tcp", CP_SIP_REFER_INVITE},
		{"Bob <sips:bob@b.example>;x=y", 0, "sips:bob@b.example", CP_SIP_REFER_INVITE},
		{"<sip:bob@b.example;method=BYE>", 0, "sip:bob@b.example", CP_SIP_REFER_BYE},
		{"<sip:bob@b.example?method=BYE>", 0, "sip:bob@b.example", CP_SIP_REFER_BYE},
		{"<sip:bob@b.example;Method=bye;user=phone>", 0, "sip:bob@b.example;user=phone",
		 CP_SIP_REFER_BYE},
		{"<sip:bob@b.example;method=REFER>", 0, "sip:bob@b.example", CP_SIP_REFER_REFER},
		{"<sip:bob@b.example;method=MESSAGE>", 0, "sip:bob@b.example", CP_SIP_REFER_OTHER},
		{"<sip:b;x?y@b.example;method=BYE>", 0, "sip:b;x?y@b.example", CP_SIP_REFER_BYE},
		{"<tel:+4930123>", 0, "tel:+4930123", CP_SIP_REFER_INVITE},
		{"<sip:[::1]:5060;method=BYE>", 0, "sip:[::1]:5060", CP_SIP_REFER_BYE},
		{"<mailto:bob@b.example>", -EAFNOSUPPORT, "", CP_SIP_REFER_INVITE},
		{"<http://b.example/>", -EAFNOSUPPORT, "", CP_SIP_REFER_INVITE},
		{"<sip:a@b>, <sip:c@d>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"sip:a@b, sip:c@d", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"sip:a@b?method=BYE", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:a@b?body=x>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:a@b?Replaces=a&Replaces=b>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:a@b?Replaces=%0d%0aX:y>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:a@b?Replaces=%zz>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:a@b?Replaces=%4>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:a b@b>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:a@b;;x>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"<sip:a@b", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"\"x <sip:a@b>", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"nonsense", -EINVAL, "", CP_SIP_REFER_INVITE},
		{"", -EINVAL, "", CP_SIP_REFER_INVITE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_sip_refer_to to = {.uri = ""};

		assert_int_equal(cp_sip_refer_to_decode(&to, rows[i].value), rows[i].rc);
		assert_string_equal(to.uri, rows[i].uri);
		assert_int_equal(to.method, rows[i].method);
	}
}

static void
headers_are_read(void **state)
{
	struct cp_sip_refer_to to;

	assert_int_equal(cp_sip_refer_to_decode(
				 &to, "<sip:carol@c.example?Replaces=090459243588173445%3Bto-tag%3D"
				      "7553452%3Bfrom-tag%3D31431&Require=replaces>"),
			 0);
	assert_string_equal(to.uri, "sip:carol@c.example");
	assert_string_equal(to.replaces, "090459243588173445;to-tag=7553452;from-tag=31431");
	assert_string_equal(to.join, "");
	assert_int_equal(cp_sip_refer_to_decode(
				 &to, "<sip:c@c;method=REFER?Refer-To=%3Csip:conf%40f%3E&Join=a>"),
			 0);
	assert_int_equal(to.method, CP_SIP_REFER_REFER);
	assert_string_equal(to.refer_to, "<sip:conf@f>");
	assert_string_equal(to.join, "a");
}

static void
a_list_is_pointed_to(void **state)
{
	struct cp_sip_refer_to to;

	assert_int_equal(cp_sip_refer_to_decode(&to, "<cid:cn35t8jf02@example.com>"), 0);
	assert_string_equal(to.content_id, "cn35t8jf02@example.com");
	assert_string_equal(to.uri, "");
	assert_int_equal(cp_sip_refer_to_decode(&to, "<cid:a%2Bb@example.com>"), 0);
	assert_string_equal(to.content_id, "a+b@example.com");
	assert_int_equal(cp_sip_refer_to_decode(&to, "<cid:>"), -EINVAL);
}

static void
what_is_too_long_is_refused(void **state)
{
	char text[2048] = "<sip:";
	struct cp_sip_refer_to to = {.uri = "kept"};

	memset(text + 5, 'a', 400);
	strcpy(text + 405, "@b>");
	assert_int_equal(cp_sip_refer_to_decode(&to, text), -ENAMETOOLONG);
	strcpy(text, "<sip:a@b?Replaces=");
	memset(text + 18, 'a', 600);
	strcpy(text + 618, ">");
	assert_int_equal(cp_sip_refer_to_decode(&to, text), -ENAMETOOLONG);
	assert_string_equal(to.uri, "kept");
}

static void
truncation_is_survived(void **state)
{
	static const char whole[] = "\"C\" <sip:c@c.example;method=BYE?Replaces=a%3Bto-tag%3Db>";

	for (size_t len = 0; len < sizeof(whole); len++) {
		struct cp_sip_refer_to to = {.uri = ""};
		char *cut = strndup(whole, len);

		assert_non_null(cut);
		assert_int_equal(cp_sip_refer_to_decode(&to, cut) == 0, len == sizeof(whole) - 1);
		assert_true(len == sizeof(whole) - 1 || !*to.uri);
		free(cut);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_read),
		cmocka_unit_test(headers_are_read),
		cmocka_unit_test(a_list_is_pointed_to),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(truncation_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
