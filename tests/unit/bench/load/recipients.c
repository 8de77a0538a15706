/* The body of an INVITE with a list: both parts whole, URIs as XML wants them, as many as there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/load/recipients.h"

#define ENTRY(uri) "<entry uri=\"" uri "\" cp:copyControl=\"to\"/>\r\n"

static void
entries(void **state)
{
	static const struct {
		const char *list, *want;
	} rows[] = {
		{"sip:a@b", "<list>\r\n" ENTRY("sip:a@b") "</list>"},
		{"sip:a@b,tel:+49301", "<list>\r\n" ENTRY("sip:a@b") ENTRY("tel:+49301") "</list>"},
		{",sip:a@b,,", "<list>\r\n" ENTRY("sip:a@b") "</list>"},
		{"sip:a@b?x=1&y=\"<", "<list>\r\n" ENTRY("sip:a@b?x=1&amp;y=&quot;&lt;") "</list>"},
		{"a,b,c,d,e", ENTRY("a") ENTRY("b") ENTRY("c") ENTRY("d") ENTRY("e") "</list>"},
		{"&&&&&&&&", ENTRY("&amp;&amp;&amp;&amp;&amp;&amp;&amp;&amp;") "</list>"},
		{"", "<list>\r\n</list>"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *body = ue_recipients_body(rows[i].list, "v=0\r\n");

		assert_non_null(body);
		assert_non_null(strstr(body, rows[i].want));
		free(body);
	}
}

static void
parts(void **state)
{
	const char *boundary = strchr(ue_recipients_type, '"') + 1, *at;
	char *body = ue_recipients_body("sip:a@b", "v=0\r\ns=-\r\n"), line[80];
	unsigned count = 0;

	snprintf(line, sizeof(line), "--%.*s", (int)strcspn(boundary, "\""), boundary);
	assert_true(strncmp(body, line, strlen(line)) == 0);
	for (at = body; (at = strstr(at, line)); at += strlen(line))
		count++;
	assert_int_equal(count, 3);
	strcat(line, "--\r\n");
	assert_string_equal(body + strlen(body) - strlen(line), line);
	assert_non_null(strstr(body, "application/sdp\r\n\r\nv=0\r\ns=-\r\n\r\n--"));
	assert_non_null(strstr(body, "Content-Disposition: recipient-list\r\n\r\n<?xml "));
	free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
