/* Tables: alignment, UTF-8, cutting to the terminal's width, and text that would play with the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/cli/show.h"
#include "ctrlplane/cli/table.h"

static const struct cp_table_column columns[] = {
	{.title = "ID", .align = CP_TABLE_RIGHT},
	{.title = "WHO", .align = CP_TABLE_FLEX},
	{.title = "STATE", .spare = 1},
};

static char *
print(const char *const (*rows)[3], size_t count, size_t width)
{
	struct cp_table table = {.columns = columns, .column_count = 3};
	char *text = NULL;
	size_t len;
	struct cp_cli_out out = {.file = open_memstream(&text, &len), .width = width};

	for (size_t i = 0; i < count; i++)
		cp_table_add(&table, rows[i]);
	cp_table_print(&table, &out);
	cp_table_fini(&table);
	fclose(out.file);
	return text;
}

static void
columns_are_aligned(void **state)
{
	static const char *const rows[][3] = {{"7", "J\xc3\xb6rg", "connected"},
					      {"1234", "Anna", "held"}};
	char *text = print(rows, 2, 0);

	assert_string_equal(text, "  ID  WHO   STATE\n"
				  "   7  J\xc3\xb6rg  connected\n"
				  "1234  Anna  held\n");
	free(text);
}

static void
a_narrow_terminal_cuts_the_flexible_column(void **state)
{
	static const char *const rows[][3] = {
		{"7", "\xc3\xa4 very long name that does not fit", "ok"}};
	char *text = print(rows, 1, 27), *line, *rest = text;

	while ((line = strsep(&rest, "\n")) != NULL)
		assert_true(cp_text_width(line) <= 27);
	free(text);
	text = print(rows, 1, 27);
	assert_non_null(strstr(text, " 7  \xc3\xa4 very long nam\xe2\x80\xa6  ok\n"));
	free(text);
}

static void
a_very_narrow_terminal_leaves_spare_columns_out(void **state)
{
	static const char *const rows[][3] = {{"7", "a long name that does not fit", "ok"}};
	char *text = print(rows, 1, 18);

	assert_string_equal(text, "ID  WHO\n"
				  " 7  a long name t\xe2\x80\xa6\n");
	free(text);
}

static void
control_characters_do_not_reach_the_terminal(void **state)
{
	static const char *const rows[][3] = {{"7", "a\033[2Jb\nc", "\x7f"}};
	char *text = print(rows, 1, 0);

	assert_non_null(strstr(text, "a?[2Jb?c"));
	assert_null(strchr(text, '\033'));
	free(text);
}

static void
no_character_is_halved(void **state)
{
	char name[CP_TABLE_CELL_MAX + 8];
	const char *rows[1][3] = {{"7", name, "x"}};
	char *text;

	memset(name, 'a', sizeof(name));
	memcpy(name + CP_TABLE_CELL_MAX - 2, "\xe2\x82\xac",
	       4); /* three octets across the end of the cell */
	text = print((const char *const(*)[3])rows, 1, 0);
	assert_null(strchr(text, (char)0xe2));
	free(text);
}

static void
answers_are_shown_for_people(void **state)
{
	static const struct {
		enum cp_command_id command;
		const char *json;
		const char *found[4];
	} rows[] = {
		{CP_COMMAND_STATUS,
		 "{\"state\":\"ok\",\"version\":\"1\",\"uptime_s\":3700,\"sip\":[\"sip:a\"],"
		 "\"conferences\":1,\"participants\":3,"
		 "\"calls\":{\"accepted\":3,\"refused\":1},\"media\":{\"workers\":1,\"busy_"
		 "percent\":12.5,\"packets_rx\":9,"
		 "\"packets_tx\":8,\"drops_by_blame\":{\"peer\":0,\"attack\":2}}}",
		 {"conclave 1, ok, up 1 h 1 min", "participants   3", "1, 12.5 % busy",
		  "2 attack"}},
		{CP_COMMAND_STATUS,
		 "{\"state\":\"no_media\",\"version\":\"1\",\"uptime_s\":5,\"sip\":[],\"media\":"
		 "null}",
		 {"no media plane", "start conclave-dp"}},
		{CP_COMMAND_PARTICIPANT_LIST,
		 "{\"total\":5,\"next_after\":7,\"participants\":[{\"id\":7,\"display\":null,"
		 "\"identity\":\"sip:a@b\",\"suite\":null,"
		 "\"verified_by\":\"digest\",\"state\":\"connected\",\"muted\":true,\"on_hold\":"
		 "true,\"media\":{\"lost\":1,"
		 "\"packets_rx\":99,\"jitter_ms\":0.5,\"delay_ms\":40,\"level_dbov\":-12}}]}",
		 {"sip:a@b", "muted held", "1.0%", "--after 7"}},
		{CP_COMMAND_CONFERENCE_LIST,
		 "{\"conferences\":[{\"id\":\"demo\",\"anonymous\":true,\"participants\":2,"
		 "\"security\":\"sdes\"}]}",
		 {"demo", "anybody", "sdes"}},
		{CP_COMMAND_CONFERENCE_SHOW,
		 "{\"loudest_n\":4,\"authorised\":[],\"drops\":{}}",
		 {"loudest n", "none"}},
		{CP_COMMAND_NODE_SHOW,
		 "{\"state\":\"ok\",\"media\":{\"workers\":[{\"participants\":3,\"busy_percent\":1."
		 "5}],"
		 "\"total\":{\"drops\":[{\"packets\":7,\"name\":\"srtp_auth\",\"blame\":\"attack\","
		 "\"text\":\"tag\"}]}}}",
		 {"WORKER", "srtp_auth", "attack"}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = json_loads(rows[i].json, 0, NULL);
		char *text = NULL;
		size_t len;
		struct cp_cli_out out = {.file = open_memstream(&text, &len)};

		assert_non_null(json);
		cp_cli_show(&cp_commands[rows[i].command], NULL, json, &out);
		fclose(out.file);
		for (size_t j = 0; j < 4 && rows[i].found[j] != NULL; j++)
			if (strstr(text, rows[i].found[j]) == NULL)
				fail_msg("'%s' is not in: %s", rows[i].found[j], text);
		json_decref(json);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(a_narrow_terminal_cuts_the_flexible_column),
		cmocka_unit_test(a_very_narrow_terminal_leaves_spare_columns_out),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(no_character_is_halved),
		cmocka_unit_test(answers_are_shown_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
