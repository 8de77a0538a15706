/* conclave: the operator's command line, a client of the HTTP API. */
#include <curl/curl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctrlplane/cli/client.h"
#include "ctrlplane/cli/complete.h"
#include "ctrlplane/cli/doctor.h"
#include "ctrlplane/cli/follow.h"
#include "ctrlplane/cli/help.h"
#include "ctrlplane/cli/kms.h"
#include "ctrlplane/cli/mikey.h"
#include "ctrlplane/cli/show.h"
#include "ctrlplane/cli/token.h"
#include "ctrlplane/cli/top.h"
#include "ctrlplane/cli/watch.h"
#include "ctrlplane/cli/words.h"

#define ASK_MS 10000
#define COMPLETE_MS 1000
#define CONFIG_DEFAULT "/etc/conclave/conclave.yaml"

static int
run_remote(const struct cp_cli *cli)
{
	struct cp_cli_out out = cp_cli_stdout();
	struct cp_cli_answer answer;

	if (strcmp(cli->command->noun, "events") == 0 || strcmp(cli->command->verb, "events") == 0)
		return cp_cli_follow(cli);
	cp_cli_ask(&answer, cp_cli_socket(cli->socket), cli->command, cli->params, ASK_MS);
	if (cli->is_json || answer.status == 0 || answer.status >= 400)
		return cp_cli_report(cli, &answer);
	if (cli->command->id == CP_COMMAND_OPENAPI)
		cp_cli_print_json(answer.json);
	else
		cp_cli_show(cli->command, cli->params, answer.json, &out);
	json_decref(answer.json);
	return CP_CLI_OK;
}

static int
run_doctor(const struct cp_cli *cli)
{
	struct cp_doctor doctor = {
		.root = "",
		.socket = cp_cli_socket(cli->socket),
		.config = json_string_value(json_object_get(cli->params, "config")),
	};
	struct cp_cli_out out = cp_cli_stdout();
	enum cp_finding_grade worst;

	if (doctor.config == NULL && access(CONFIG_DEFAULT, R_OK) == 0)
		doctor.config = CONFIG_DEFAULT;
	worst = cp_doctor_examine(&doctor);
	if (cli->is_json)
		cp_cli_print_json(doctor.findings);
	else
		cp_doctor_print(&doctor, &out);
	json_decref(doctor.findings);
	return worst == CP_FINDING_FAIL ? CP_CLI_FAILED : CP_CLI_OK;
}

static int
run_help(const struct cp_cli *cli)
{
	const char *noun = cli->rest_count > 0 ? cli->rest[0] : NULL;
	const struct cp_command *command = cp_cli_find_words(cli->rest, cli->rest_count);
	const char *verb = cli->rest_count > 1 ? cli->rest[1] : NULL;

	if (noun == NULL) {
		cp_cli_help(stdout);
	} else if (command != NULL) {
		cp_cli_help_command(command, stdout);
	} else if (cp_cli_is_noun(noun) && (verb == NULL || cp_cli_is_group(noun, verb))) {
		cp_cli_help_noun(noun, stdout);
	} else {
		fprintf(stderr,
			"conclave: there is no command '%s%s%s'; conclave --help lists all\n", noun,
			verb != NULL ? " " : "", verb != NULL ? verb : "");
		return CP_CLI_USAGE;
	}
	return CP_CLI_OK;
}

/* Values of a parameter, as the node has them now. */
static void
print_ids(void *arg, const char *name, const char *parent, FILE *out)
{
	static const struct {
		const char *name, *list, *member;
		enum cp_command_id command;
	} rows[] = {
		{"conference", "conferences", "id", CP_COMMAND_CONFERENCE_LIST},
		{"participant", "participants", "id", CP_COMMAND_PARTICIPANT_LIST},
		{"uri", "authorised", "uri", CP_COMMAND_AUTHORISED_LIST},
		{"clip", "announcements", "clip", CP_COMMAND_ANNOUNCEMENT_LIST},
		{"floor", "floors", "name", CP_COMMAND_FLOOR_LIST},
	};
	const struct cp_cli *cli = arg;
	json_t *params = json_pack("{s:s?}", "conference", parent), *item;
	struct cp_cli_answer answer;
	size_t row = 0, i;

	while (strcmp(rows[row].name, name) != 0)
		row++;
	cp_cli_ask(&answer, cp_cli_socket(cli->socket), &cp_commands[rows[row].command], params,
		   COMPLETE_MS);
	json_array_foreach (json_object_get(answer.json, rows[row].list), i, item) {
		const json_t *id = json_object_get(item, rows[row].member);

		if (json_is_string(id))
			fprintf(out, "%s\n", json_string_value(id));
		else
			fprintf(out, "%lld\n", (long long)json_integer_value(id));
	}
	json_decref(answer.json);
	json_decref(params);
}

static int
run_local(struct cp_cli *cli)
{
	switch (cli->command->id) {
	case CP_COMMAND_CONFERENCE_WATCH:
		return cp_cli_watch(cli);
	case CP_COMMAND_DOCTOR:
		return run_doctor(cli);
	case CP_COMMAND_COMPLETION:
		cp_cli_completion_script(json_string_value(json_object_get(cli->params, "shell")),
					 stdout);
		return CP_CLI_OK;
	case CP_COMMAND_COMPLETE:
		cp_cli_complete(cli->rest, cli->rest_count, print_ids, cli, stdout);
		return CP_CLI_OK;
	case CP_COMMAND_MAN:
		cp_cli_man(stdout);
		return CP_CLI_OK;
	case CP_COMMAND_HELP:
		return run_help(cli);
	case CP_COMMAND_TOP:
		return cp_cli_top(cli);
	case CP_COMMAND_TOKEN_CREATE:
	case CP_COMMAND_TOKEN_LIST:
	case CP_COMMAND_TOKEN_REMOVE:
		return cp_cli_token(cli);
	case CP_COMMAND_MIKEY_SHOW:
		return cp_cli_mikey(cli);
	default:
		return cp_cli_kms(cli);
	}
}

static int
run(struct cp_cli *cli)
{
	if (cli->wants_version) {
		printf("conclave %s\n", CONCLAVE_VERSION);
		return CP_CLI_OK;
	}
	if (cli->wants_help) {
		if (cli->command != NULL)
			cp_cli_help_command(cli->command, stdout);
		else if (cli->noun != NULL)
			cp_cli_help_noun(cli->noun, stdout);
		else
			cp_cli_help(stdout);
		return CP_CLI_OK;
	}
	if (cli->command == NULL)
		cli->command = &cp_commands[CP_COMMAND_STATUS];
	return cp_command_is_local(cli->command) ? run_local(cli) : run_remote(cli);
}

int
main(int argc, char **argv)
{
	struct cp_cli cli;
	int status;

	setlocale(LC_CTYPE, "");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	status = cp_cli_parse(&cli, argc, argv, stderr);
	if (status == CP_CLI_OK)
		status = run(&cli);
	cp_cli_fini(&cli);
	curl_global_cleanup();
	if (fflush(stdout) != 0 && status == CP_CLI_OK)
		status = CP_CLI_FAILED;
	return status;
}
