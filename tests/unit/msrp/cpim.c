/* Message/CPIM: the example of RFC 3862, namespaces, escapes, what is refused, truncation at every length. */
#include "ctrlplane/msrp/cpim.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FROM "From: <im:a@example.net>\r\n"
#define TO "To: <im:b@example.net>\r\n"
#define INNER "\r\nContent-Type: text/plain\r\n\r\n"

/* 5.1 of the RFC. */
static const char example[] = "From: MR SANDERS <im:piglet@100akerwood.com>\r\n"
			      "To: Depressed Donkey <im:eeyore@100akerwood.com>\r\n"
			      "DateTime: 2000-12-13T13:40:00-08:00\r\n"
			      "Subject: the weather will be fine today\r\n"
			      "Subject:;lang=fr beau temps prevu pour aujourd'hui\r\n"
			      "NS: MyFeatures <mid:MessageFeatures@id.foo.com>\r\n"
			      "Require: MyFeatures.VitalMessageOption\r\n"
			      "MyFeatures.VitalMessageOption: Confirmation-requested\r\n"
			      "MyFeatures.WackyMessageOption: Use-silly-font\r\n"
			      "\r\n"
			      "Content-type: text/xml; charset=utf-8\r\n"
			      "Content-ID: <1234567890@foo.com>\r\n"
			      "\r\n"
			      "<body>\r\nHere is the text of my message.\r\n</body>";

static void
test_example(void **state)
{
	struct cp_slice value;
	struct cp_cpim c;
	ssize_t at = cp_cpim_decode(&c, example, sizeof(example) - 1);

	assert_true(at > 0);
	assert_int_equal(strncmp(example + at, "<body>", 6), 0);
	assert_true(cp_slice_is(c.from.name, "MR SANDERS"));
	assert_true(cp_slice_is(c.from.uri, "im:piglet@100akerwood.com"));
	assert_int_equal(c.to_count, 1);
	assert_true(cp_slice_is(c.to[0].uri, "im:eeyore@100akerwood.com"));
	assert_int_equal(c.cc_count, 0);
	assert_true(cp_slice_is(c.date_time, "2000-12-13T13:40:00-08:00"));
	assert_true(cp_slice_is(c.subject, "the weather will be fine today"));
	assert_int_equal(c.subject_lang.len, 0);
	assert_int_equal(c.ns_count, 1);
	assert_true(cp_slice_is(c.require, "MyFeatures.VitalMessageOption"));
	assert_true(c.has_unknown_required);
	assert_true(cp_slice_is(c.media, "text/xml"));
	assert_true(cp_slice_is(c.content_type, "text/xml; charset=utf-8"));
	assert_true(cp_cpim_content_header(&value, &c, "content-id"));
	assert_true(cp_slice_is(value, "<1234567890@foo.com>"));
	assert_false(cp_cpim_content_header(&value, &c, "Content-Disposition"));
}

static void
test_truncated(void **state)
{
	struct cp_cpim c;
	ssize_t at = cp_cpim_decode(&c, example, sizeof(example) - 1);

	for (size_t len = 0; len < sizeof(example); len++) {
		char *copy = malloc(len + 1);

		memcpy(copy, example, len);
		assert_int_equal(cp_cpim_decode(&c, copy, len), len < (size_t)at ? 0 : at);
		free(copy);
	}
}

static void
test_taken(void **state)
{
	static const char namespaces[] =
		"NS: x <" CP_CPIM_NAMESPACE ">\r\nNS: <urn:other>\r\n"
		"From: whatever\r\nx.From: <im:a@example.net>\r\nx.To: <im:b@example.net>\r\n"
		"x.cc: Carl <im:c@example.net>\r\nx.Require: x.Subject,x.From\r\n"
		"x.Subject:;lang=de;p=\"a;b c\" Hallo\r\n" INNER;
	static const char folded[] = FROM TO TO "\r\nContent-Description: a\r\n b\r\nContent-Type: "
						"text/plain;\r\n\tcharset=utf-8\r\n"
						"\r\n";
	struct cp_slice value;
	struct cp_cpim c;

	assert_int_equal(cp_cpim_decode(&c, namespaces, sizeof(namespaces) - 1),
			 sizeof(namespaces) - 1);
	assert_true(cp_slice_is(c.from.uri, "im:a@example.net"));
	assert_int_equal(c.cc_count, 1);
	assert_true(cp_slice_is(c.cc[0].name, "Carl"));
	assert_false(c.has_unknown_required);
	assert_true(cp_slice_is(c.subject, "Hallo"));
	assert_true(cp_slice_is(c.subject_lang, "de"));
	assert_int_equal(cp_cpim_decode(&c, folded, sizeof(folded) - 1), sizeof(folded) - 1);
	assert_int_equal(c.to_count, 2);
	assert_true(cp_slice_is(c.media, "text/plain"));
	assert_true(cp_cpim_content_header(&value, &c, "Content-Description"));
	assert_true(cp_slice_is(value, "a\r\n b"));
}

static void
test_many_recipients(void **state)
{
	char text[2048] = FROM;
	struct cp_cpim c;

	for (int i = 0; i < CP_CPIM_TO_MAX + 3; i++)
		strcat(text, TO);
	strcat(text, INNER);
	assert_int_equal(cp_cpim_decode(&c, text, strlen(text)), strlen(text));
	assert_int_equal(c.to_count, CP_CPIM_TO_MAX + 3);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {
		"\r\n" INNER,
		FROM INNER,
		TO INNER,
		FROM FROM TO INNER,
		"from: <im:a@example.net>\r\n" TO INNER, /* names have a case */
		"From: im:a@example.net\r\n" TO INNER,
		"From: <nothing>\r\n" TO INNER,
		"From: <im:a b>\r\n" TO INNER,
		"From: <im:a\r\n" TO INNER,
		FROM TO "To: x\r\n" INNER,
		FROM TO "no colon\r\n" INNER,
		FROM TO "a b: c\r\n" INNER,
		FROM TO ".x: c\r\n" INNER,
		FROM TO "x.: c\r\n" INNER,
		FROM TO "Subject: a\tb\r\n" INNER,
		FROM TO "Subject: \xff\r\n" INNER,
		FROM TO "Subject:;lang a\r\n" INNER,
		FROM TO "DateTime: \r\n" INNER,
		FROM TO "DateTime: a\r\nDateTime: b\r\n" INNER,
		FROM TO "Require: \r\n" INNER,
		FROM TO "Require: a,,b\r\n" INNER,
		FROM TO "NS: x\r\n" INNER,
		FROM TO "NS: a b <urn:x>\r\n" INNER,
		FROM TO "Subject: a\n" INNER,
		FROM TO "\r\n\r\n",
		FROM TO "\r\nContent-ID: <a>\r\n\r\n",
		FROM TO "\r\nContent-Type: text\r\n\r\n",
		FROM TO "\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n",
		FROM TO "\r\nno colon\r\nContent-Type: a/b\r\n\r\n",
		FROM TO "\r\n\nContent-Type: a/b\r\n\r\n",
	};
	struct cp_cpim c = {.to_count = 77};
	char *big = malloc(CP_CPIM_HEAD_MAX);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(cp_cpim_decode(&c, bad[i], strlen(bad[i])), -EBADMSG);
	assert_int_equal(c.to_count, 77);
	memset(big, 'x', CP_CPIM_HEAD_MAX);
	assert_int_equal(cp_cpim_decode(&c, big, CP_CPIM_HEAD_MAX - 1), 0);
	assert_int_equal(cp_cpim_decode(&c, big, CP_CPIM_HEAD_MAX), -EMSGSIZE);
	free(big);
}

static void
test_escapes(void **state)
{
	static const struct {
		const char *value, *text;
	} rows[] = {
		{"plain", "plain"},
		{"\"in quotes\"", "in quotes"},
		{"a\\\\b\\\"c\\'d", "a\\b\"c'd"},
		{"\\b\\t\\n\\r", "\b\t\n\r"},
		{"\\u0041\\u00e4\\u20aC", "A\xc3\xa4\xe2\x82\xac"},
		{"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},		  /* two halves of one character */
		{"\\ud83dx\\ude00", "\xef\xbf\xbdx\xef\xbf\xbd"}, /* and alone */
		{"\\u0000", "\xef\xbf\xbd"},
		{"\\u12", "u12"},
		{"\\x", "x"},
		{"end\\", "end"},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ssize_t len = cp_cpim_text(out, sizeof(out), cp_slice_text(rows[i].value));

		assert_int_equal(len, strlen(rows[i].text));
		assert_string_equal(out, rows[i].text);
		for (size_t size = 0; size <= strlen(rows[i].text); size++)
			assert_int_equal(cp_cpim_text(out, size, cp_slice_text(rows[i].value)),
					 -EMSGSIZE);
	}
}

static struct cp_cpim_out
message(void)
{
	return (struct cp_cpim_out){
		.from_name = cp_slice_text("An \"A\" \\ J\xc3\xbcrg\x01"),
		.from_uri = cp_slice_text("sip:anna@example.net"),
		.to_uri = cp_slice_text("sip:room@example.net"),
		.date_time = cp_slice_text("2026-11-22T05:00:00Z"),
		.subject = cp_slice_text("a \"b\"\r\nFrom: <im:evil@example.net>"),
		.content_type = cp_slice_text("text/plain;charset=utf-8"),
	};
}

static void
test_written(void **state)
{
	static const char expected[] =
		"From: \"An \\\"A\\\" \\\\ J\xc3\xbcrg\\u0001\" <sip:anna@example.net>\r\n"
		"To: <sip:room@example.net>\r\n"
		"DateTime: 2026-11-22T05:00:00Z\r\n"
		"Subject: a \"b\"\\r\\nFrom: <im:evil@example.net>\r\n"
		"\r\nContent-Type: text/plain;charset=utf-8\r\n\r\n";
	struct cp_cpim_out m = message();
	struct cp_cpim c;
	char out[512], text[64];

	assert_int_equal(cp_cpim_encode(out, sizeof(out), &m), sizeof(expected) - 1);
	assert_memory_equal(out, expected, sizeof(expected) - 1);
	assert_int_equal(cp_cpim_decode(&c, out, sizeof(expected) - 1), sizeof(expected) - 1);
	assert_true(cp_cpim_text(text, sizeof(text), c.from.name) > 0);
	assert_true(cp_slice_is(m.from_name, text));
	assert_true(cp_cpim_text(text, sizeof(text), c.subject) > 0);
	assert_true(cp_slice_is(m.subject, text));
	for (size_t size = 0; size < sizeof(expected) - 1; size++)
		assert_int_equal(cp_cpim_encode(out, size, &m), -EMSGSIZE);
}

static void
test_not_written(void **state)
{
	static const char *const uris[] = {"",	     "a",	  ":a",	   "sip:a b",
					   "sip:a>", "sip:\"a\"", "sip:\n"};
	static const char *const types[] = {"", "text", "text/", "/plain", "a/b\r\nX: y"};
	struct cp_cpim_out m;
	char out[512];

	for (size_t i = 0; i < sizeof(uris) / sizeof(*uris); i++) {
		m = message();
		m.from_uri = cp_slice_text(uris[i]);
		assert_int_equal(cp_cpim_encode(out, sizeof(out), &m), -EINVAL);
		m = message();
		m.to_uri = cp_slice_text(uris[i]);
		assert_int_equal(cp_cpim_encode(out, sizeof(out), &m), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		m = message();
		m.content_type = cp_slice_text(types[i]);
		assert_int_equal(cp_cpim_encode(out, sizeof(out), &m), -EINVAL);
	}
	m = message();
	m.date_time = cp_slice_text("now\r\n");
	assert_int_equal(cp_cpim_encode(out, sizeof(out), &m), -EINVAL);
	m = message();
	m.subject = cp_slice_text("\xff");
	assert_int_equal(cp_cpim_encode(out, sizeof(out), &m), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_taken),	cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_written), cmocka_unit_test(test_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
