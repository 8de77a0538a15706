/* What a watched conference says on a terminal: who is heard, and what others wrote, which steers no terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/cli/follow.h"
#include "ctrlplane/cli/show.h"

static void
expect_said(const char *json, const char *wanted)
{
	json_t *data = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(data);
	cp_cli_print_said(data, out);
	fclose(out);
	assert_string_equal(text, wanted);
	free(text);
	json_decref(data);
}

static void
messages_are_one_clean_line(void **state)
{
	expect_said("{\"nickname\": \"Bob\", \"from\": \"sip:b@x\", \"text\": \"hello\"}",
		    "Bob: hello");
	expect_said("{\"nickname\": null, \"from\": \"sip:b@x\", \"text\": \"a\\nb\"}",
		    "sip:b@x: a b");
	expect_said("{\"nickname\": \"B\\u001b]0;x\\u0007\", \"text\": \"\\u001b[2J\\u007f.\"}",
		    "B ]0;x :  [2J .");
	expect_said("{\"nickname\": \"Bob\", \"text\": null, \"type\": \"image/png\", \"size\": 9}",
		    "Bob: (image/png, 9 octets)");
	expect_said("{\"from\": null, \"text\": \"\"}", ": ");
}

static void
only_who_is_heard_has_a_level(void **state)
{
	json_t *list = json_pack("[{s:i, s:s, s:s, s:{s:i}}, {s:i, s:s, s:s, s:{s:i}}]", "id", 1,
				 "display", "Anna", "status", "connected", "media", "level_dbov",
				 -20, "id", 2, "display", "Ben", "status", "muted-via-focus",
				 "media", "level_dbov", -20);
	char *text = NULL, *ben;
	size_t len;
	struct cp_cli_out out = {.file = open_memstream(&text, &len)};

	assert_non_null(list);
	cp_cli_show_participants(list, &out);
	fclose(out.file);
	ben = strstr(text, "Ben");
	assert_non_null(ben);
	assert_non_null(strstr(text, "▮"));
	assert_true(strstr(text, "▮") < ben);
	assert_null(strstr(ben, "▮"));
	free(text);
	json_decref(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_one_clean_line),
		cmocka_unit_test(only_who_is_heard_has_a_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
