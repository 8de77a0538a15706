/* Lists of recipients: RFC 5366's own example both ways, attacks on the XML, limits; cut anywhere. */
#include "ctrlplane/sip/resource_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD(copy)                                                         \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"                   \
	"<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" " \
	"xmlns:cp=\"urn:ietf:params:xml:ns:" copy "\"><list>"
#define TAIL "</list></resource-lists>"

/* RFC 5366 figure 3. */
#define PEOPLE                                                                               \
	"<entry uri=\"sip:bill@example.com\" cp:copyControl=\"to\"/>"                        \
	"<entry uri=\"sip:randy@example.net\" cp:copyControl=\"to\" cp:anonymize=\"true\"/>" \
	"<entry uri=\"sip:eddy@example.com\" cp:copyControl=\"to\" cp:anonymize=\"true\"/>"  \
	"<entry uri=\"sip:joe@example.org\" cp:copyControl=\"cc\"/>"                         \
	"<entry uri=\"sip:carol@example.net\" cp:copyControl=\"cc\" cp:anonymize=\"true\"/>" \
	"<entry uri=\"sip:ted@example.net\" cp:copyControl=\"bcc\"/>"                        \
	"<entry uri=\"sip:andy@example.com\" cp:copyControl=\"bcc\"/>"

static int
decode(struct cp_sip_list *list, const char *xml)
{
	return cp_sip_list_decode(list, cp_slice_text(xml), 50);
}

static void
both_names_of_the_attributes_are_known(void **state)
{
	static const char *const documents[] = {HEAD("copycontrol") PEOPLE TAIL,
						HEAD("copyControl") PEOPLE TAIL};
	/* RFC 5366 figure 4 */
	static const char history[] =
		HEAD("copycontrol") "<entry uri=\"sip:bill@example.com\" cp:copyControl=\"to\"/>"
				    "<entry uri=\"sip:anonymous@anonymous.invalid\" "
				    "cp:copyControl=\"to\" cp:count=\"2\"/>"
				    "<entry uri=\"sip:joe@example.org\" cp:copyControl=\"cc\"/>"
				    "<entry uri=\"sip:anonymous@anonymous.invalid\" "
				    "cp:copyControl=\"cc\" cp:count=\"1\"/>" TAIL "\r\n";

	for (size_t i = 0; i < 2; i++) {
		struct cp_sip_list list;
		char text[2048];

		assert_int_equal(decode(&list, documents[i]), 0);
		assert_int_equal(list.count, 7);
		assert_string_equal(list.items[1].uri, "sip:randy@example.net");
		assert_true(list.items[1].is_anonymous);
		assert_int_equal(list.items[3].copy, CP_SIP_COPY_CC);
		assert_int_equal(list.items[6].copy, CP_SIP_COPY_BCC);
		assert_int_equal(cp_sip_list_encode_history(text, sizeof(text), &list),
				 strlen(history));
		assert_string_equal(text, history);
		cp_sip_list_free(&list);
	}
}

static void
nothing_said_is_bcc(void **state)
{
	struct cp_sip_list list;
	char text[512];

	assert_int_equal(
		decode(&list,
		       HEAD("copycontrol") "<entry uri=\"sip:a@b\"/>"
					   "<entry uri=\"sip:c@d\" cp:copyControl=\"x\"/>"
					   "<entry uri=\"sip:e@f\" copyControl=\"to\"/>" TAIL),
		0);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(list.items[i].copy, CP_SIP_COPY_BCC);
	assert_int_equal(cp_sip_list_encode_history(text, sizeof(text), &list), 0);
	cp_sip_list_free(&list);
}

static void
doubles_are_taken_once(void **state)
{
	struct cp_sip_list list;

	assert_int_equal(
		decode(&list,
		       HEAD("copycontrol") "<entry uri=\"sip:a@b\" cp:copyControl=\"bcc\"/>"
					   "<entry uri=\"sip:a@B:5060\" cp:copyControl=\"to\"/>"
					   "<entry uri=\"sip:a@b;x=y\" cp:copyControl=\"cc\" "
					   "cp:anonymize=\"1\"/>" TAIL),
		0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].copy, CP_SIP_COPY_TO);
	assert_true(list.items[0].is_anonymous);
	cp_sip_list_free(&list);
}

static void
methods_and_more_lists_are_kept(void **state)
{
	struct cp_sip_list list;

	assert_int_equal(
		decode(&list,
		       HEAD("copycontrol") "<entry uri=\"sip:a@b?method=BYE\"><display-name>A"
					   "</display-name></entry><list name=\"x\"><entry "
					   "uri=\"sip:c&amp;e@d\"/></list></list><list><external "
					   "anchor=\"http://x\"/><entry-ref ref=\"y\"/><entry "
					   "uri=\"tel:+49-30\"/>" TAIL),
		0);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0].uri, "sip:a@b?method=BYE");
	assert_string_equal(list.items[0].identity, "sip:a@b");
	assert_string_equal(list.items[1].uri, "sip:c&e@d");
	assert_string_equal(list.items[2].identity, "tel:+4930");
	cp_sip_list_free(&list);
}

static void
what_is_no_list_is_refused(void **state)
{
	static const struct {
		const char *xml;
		int rc;
	} rows[] = {
		{"", -EINVAL},
		{"nonsense", -EINVAL},
		{"<resource-lists><list><entry uri=\"sip:a@b\"/></list></resource-lists>", -EINVAL},
		{HEAD("copycontrol") TAIL, -EINVAL},
		{HEAD("copycontrol") "<entry/>" TAIL, -EINVAL},
		{HEAD("copycontrol") "<entry uri=\"mailto:a@b\"/>" TAIL, -EINVAL},
		{HEAD("copycontrol") "<entry uri=\"sip:a@b\"/></list>", -EINVAL},
		{HEAD("copycontrol") "<entry uri=\"sip:a@b\"/>" TAIL "<x/>", -EINVAL},
		{HEAD("copycontrol") "<entry uri=\"sip:&lol;@b\"/>" TAIL, -EINVAL},
		{"<!DOCTYPE x [<!ENTITY lol \"lol\">]>" HEAD("copycontrol") TAIL, -EPERM},
		{"<!DOCTYPE resource-lists [<!ENTITY a \"sip:a@b\">]><resource-lists "
		 "xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list><entry "
		 "uri=\"&a;\"/></list></resource-lists>",
		 -EPERM},
		{"<!DOCTYPE resource-lists SYSTEM \"file:///etc/passwd\"><resource-lists "
		 "xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list><entry "
		 "uri=\"sip:a@b\"/></list></resource-lists>",
		 -EPERM},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_sip_list list = {NULL, 7};

		assert_int_equal(decode(&list, rows[i].xml), rows[i].rc);
		assert_int_equal(list.count, 7);
	}
}

static char *
many(size_t count, const char *format)
{
	char *xml = malloc(300 + count * 64), *p = xml;

	assert_non_null(xml);
	p += sprintf(p, "%s", HEAD("copycontrol"));
	for (size_t i = 0; i < count; i++)
		p += sprintf(p, "<entry uri=\"sip:%s%zu@b\"/>", format, i);
	sprintf(p, "%s", TAIL);
	return xml;
}

static void
limits_hold(void **state)
{
	struct cp_sip_list list;
	char *xml = many(50, "a");
	char deep[1024] = HEAD("copycontrol");

	assert_int_equal(decode(&list, xml), 0);
	assert_int_equal(list.count, 50);
	cp_sip_list_free(&list);
	free(xml);
	xml = many(51, "a");
	assert_int_equal(decode(&list, xml), -E2BIG);
	free(xml);
	xml = many(5000, "a");
	assert_int_equal(cp_sip_list_decode(&list, cp_slice_text(xml), 10000), -E2BIG);
	free(xml);
	for (int i = 0; i < 20; i++)
		strcat(deep, "<list>");
	assert_int_equal(decode(&list, deep), -E2BIG);
}

static void
truncation_is_survived(void **state)
{
	static const char whole[] = HEAD("copycontrol") PEOPLE TAIL;

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		struct cp_sip_list list = {NULL, 0};
		char *cut = malloc(len + 1);

		assert_non_null(cut);
		memcpy(cut, whole, len);
		assert_int_equal(cp_sip_list_decode(&list, cp_slice(cut, len), 50), -EINVAL);
		assert_null(list.items);
		free(cut);
	}
}

static void
a_history_that_does_not_fit_is_refused(void **state)
{
	struct cp_sip_list list;
	char text[600];
	int len;

	assert_int_equal(decode(&list, HEAD("copycontrol") "<entry uri=\"sip:a@b\" "
							   "cp:copyControl=\"cc\"/>" TAIL),
			 0);
	len = cp_sip_list_encode_history(text, sizeof(text), &list);
	assert_true(len > 0);
	assert_int_equal(cp_sip_list_encode_history(text, (size_t)len, &list), -ENOSPC);
	assert_int_equal(cp_sip_list_encode_history(text, (size_t)len + 1, &list), len);
	cp_sip_list_free(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_names_of_the_attributes_are_known),
		cmocka_unit_test(nothing_said_is_bcc),
		cmocka_unit_test(doubles_are_taken_once),
		cmocka_unit_test(methods_and_more_lists_are_kept),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(truncation_is_survived),
		cmocka_unit_test(a_history_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
