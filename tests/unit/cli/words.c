/* The command line: every command by its words, options anywhere, and what is said about mistakes; help and completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/cli/complete.h"
#include "ctrlplane/cli/help.h"
#include "ctrlplane/cli/words.h"

#define ARGS_MAX 16

/* Split line at blanks and parse it. */
static int
parse(struct cp_cli *cli, const char *line, char *said, size_t size)
{
	static char room[512];
	char *argv[ARGS_MAX] = {"conclave"}, *at = room, *word, *text = NULL;
	int argc = 1, status;
	size_t len;
	FILE *err = open_memstream(&text, &len);

	snprintf(room, sizeof(room), "%s", line);
	while ((word = strsep(&at, " ")) != NULL && argc < ARGS_MAX)
		if (word[0] != '\0')
			argv[argc++] = word;
	status = cp_cli_parse(cli, argc, argv, err);
	fclose(err);
	snprintf(said, size, "%s", text);
	free(text);
	return status;
}

static void
commands_and_parameters_are_read(void **state)
{
	static const struct {
		const char *line;
		int command; /* -1: none */
		const char *params;
	} rows[] = {
		{"", -1, "{}"},
		{"status", CP_COMMAND_STATUS, "{}"},
		{"--json conference list", CP_COMMAND_CONFERENCE_LIST, "{}"},
		{"conference create c --open --title=A --max-participants 5",
		 CP_COMMAND_CONFERENCE_CREATE,
		 "{\"id\":\"c\",\"open\":true,\"title\":\"A\",\"max_participants\":5}"},
		{"conference create --authorised sip:a@b c --authorised sip:c@d",
		 CP_COMMAND_CONFERENCE_CREATE,
		 "{\"authorised\":[\"sip:a@b\",\"sip:c@d\"],\"id\":\"c\"}"},
		{"conference create c --open=false", CP_COMMAND_CONFERENCE_CREATE,
		 "{\"id\":\"c\",\"open\":false}"},
		{"participant gain demo 7 -6.5", CP_COMMAND_PARTICIPANT_GAIN,
		 "{\"conference\":\"demo\",\"participant\":7,\"gain_db\":-6.5}"},
		{"participant list -- --odd", CP_COMMAND_PARTICIPANT_LIST,
		 "{\"conference\":\"--odd\"}"},
		{"conference watch demo --for 5", CP_COMMAND_CONFERENCE_WATCH,
		 "{\"conference\":\"demo\",\"for\":5}"},
		{"completion zsh", CP_COMMAND_COMPLETION, "{\"shell\":\"zsh\"}"},
		{"kms init", CP_COMMAND_KMS_INIT, "{}"},
		{"kms user disable sip:a@b --store s", CP_COMMAND_KMS_USER_DISABLE,
		 "{\"uri\":\"sip:a@b\",\"store\":\"s\"}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_cli cli;
		char said[256], *text;

		assert_int_equal(parse(&cli, rows[i].line, said, sizeof(said)), 0);
		assert_int_equal(cli.command != NULL ? (int)cli.command->id : -1, rows[i].command);
		text = json_dumps(cli.params, JSON_COMPACT);
		assert_string_equal(text, rows[i].params);
		free(text);
		cp_cli_fini(&cli);
	}
}

static void
common_options_stand_anywhere(void **state)
{
	static const char *const lines[] = {"--json --socket /x conference list",
					    "conference --socket=/x list --json",
					    "conference list --json --socket /x"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct cp_cli cli;
		char said[256];

		assert_int_equal(parse(&cli, lines[i], said, sizeof(said)), 0);
		assert_true(cli.is_json);
		assert_string_equal(cli.socket, "/x");
		cp_cli_fini(&cli);
	}
}

static void
mistakes_are_answered_with_what_was_meant(void **state)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{"confrence list",
		 "there is no command 'confrence'; did you mean 'conclave conference'?"},
		{"zebra", "there is no command 'zebra'; conclave --help lists all"},
		{"conference lst",
		 "there is no command 'conference lst'; did you mean 'conclave conference list'?"},
		{"conference",
		 "say what to do with 'conference'; conclave conference --help lists it"},
		{"conference show",
		 "CONFERENCE is missing (Id of the conference); see conclave help conference show"},
		{"conference show a b",
		 "'b' is one word too many; see conclave help conference show"},
		{"conference list --jsn",
		 "there is no option '--jsn' here; did you mean '--json'?"},
		{"conference create c --titel x",
		 "there is no option '--titel' here; did you mean '--title'?"},
		{"conference create c --title", "--title wants a value"},
		{"conference create c --security x",
		 "--security cannot be 'x': it must be one of sdes, either, none, mikey-ticket"},
		{"participant mute demo x",
		 "PARTICIPANT cannot be 'x': it must be a whole number from 1 to 4294967295"},
		{"participant gain demo 1 99",
		 "DB cannot be '99': it must be a number from -60 to 20"},
		{"status -x", "there is no option '--x' here"},
		{"--socket", "--socket wants a value"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_cli cli;
		char said[256];

		assert_int_equal(parse(&cli, rows[i].line, said, sizeof(said)), CP_CLI_USAGE);
		if (strstr(said, rows[i].said) == NULL)
			fail_msg("%s: %s", rows[i].line, said);
		cp_cli_fini(&cli);
	}
}

static char *
capture(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	print(out);
	fclose(out);
	return text;
}

static void
help_and_manual_name_every_command(void **state)
{
	char *help = capture(cp_cli_help), *man = capture(cp_cli_man);

	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		char words[64];

		snprintf(words, sizeof(words), "%s%s%s", cp_commands[i].noun,
			 cp_commands[i].verb[0] ? " " : "", cp_commands[i].verb);
		assert_non_null(strstr(help, words));
		assert_non_null(strstr(help, cp_commands[i].text));
		assert_non_null(strstr(man, words));
	}
	assert_non_null(strstr(man, "\\-\\-mutes\\-on\\-entry"));
	free(help);
	free(man);
}

static void
help_of_a_command_names_its_parameters(void **state)
{
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		char *text = NULL;
		size_t len, count;
		FILE *out = open_memstream(&text, &len);
		const struct cp_param *params = cp_command_params(i, &count);

		cp_cli_help_command(&cp_commands[i], out);
		fclose(out);
		for (size_t p = 0; p < count; p++)
			assert_non_null(strstr(text, params[p].text));
		free(text);
	}
}

static void
give_ids(void *arg, const char *name, const char *parent, FILE *out)
{
	if (strcmp(name, "clip") == 0)
		fputs("welcome\n", out);
	else if (strcmp(name, "uri") == 0)
		fprintf(out, "sip:a@b of %s\n", parent);
	else if (strcmp(name, "floor") == 0)
		fprintf(out, "stage of %s\n", parent);
	else
		fprintf(out, parent != NULL ? "17 of %s\n" : "demo\n", parent);
}

static void
completion_knows_what_may_stand_next(void **state)
{
	static const struct {
		const char *words[6];
		const char *found;
	} rows[] = {
		{{""},
		 "status\nhealth\nconference\nauthorised\nchat\nfloor\nparticipant\nannouncement\ne"
		 "vents"
		 "\nrecord"
		 "s\naudit\nwhoa"
		 "mi\nopenapi\nnode\ntop\ntoken\nkms\nmikey\ndoctor\ncompletion\nhe"
		 "lp\nman"
		 "\n"},
		{{"node", ""}, "show\ndrain\nresume\n"},
		{{"conference", "show", ""}, "demo\n"},
		{{"participant", "mute", "demo", ""}, "17 of demo\n"},
		{{"--socket", "/x", "participant", "mute", "demo", ""}, "17 of demo\n"},
		{{"completion", ""}, "bash\nzsh\n"},
		{{"conference", "create", "x", "--security", ""},
		 "sdes\neither\nnone\nmikey-ticket\n"},
		{{"conference", "watch", "x", "-"}, "--for\n--help\n--json\n--socket\n"},
		{{"conference", "list", ""}, ""},
		{{"authorised", "remove", "x", ""}, "sip:a@b of x\n"},
		{{"authorised", "add", "x", ""}, ""},
		{{"floor", "show", "x", ""}, "stage of x\n"},
		{{"floor", "ask", "x", "stage", ""}, "17 of x\n"},
		{{"conference", "announce", "x", ""}, "welcome\n"},
		{{"participant", "announce", "x", "17", ""}, "welcome\n"},
		{{"token", "remove", "--file", "/nonexistent", ""}, ""},
		{{"records", "--conference", ""}, "demo\n"},
		{{"participant", "role", "x", "17", ""}, "participant\nlistener\nmoderator\n"},
		{{"help", "node", ""}, "show\ndrain\nresume\n"},
		{{"kms", ""}, "init\nstatus\nuser\ntpk\naudit\n"},
		{{"kms", "tpk", ""}, "list\nrotate\nadd\n"},
		{{"help", "kms", "tpk", ""}, "list\nrotate\nadd\n"},
		{{"kms", "tpk", "add", "sip:a@b", "--set", ""}, "128\n256\n"},
		{{"--socket", ""}, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = NULL;
		size_t len, count = 0;
		FILE *out = open_memstream(&text, &len);

		while (count < 6 && rows[i].words[count] != NULL)
			count++;
		cp_cli_complete(rows[i].words, count, give_ids, NULL, out);
		fclose(out);
		assert_string_equal(text, rows[i].found);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_and_parameters_are_read),
		cmocka_unit_test(common_options_stand_anywhere),
		cmocka_unit_test(mistakes_are_answered_with_what_was_meant),
		cmocka_unit_test(help_and_manual_name_every_command),
		cmocka_unit_test(help_of_a_command_names_its_parameters),
		cmocka_unit_test(completion_knows_what_may_stand_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
