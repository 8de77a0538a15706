/* Help at each level, from commands.list. */
#include "ctrlplane/cli/help.h"
#include <string.h>
#include "ctrlplane/cli/words.h"

void
cp_cli_usage(const struct cp_command *command, char *text, size_t size)
{
	size_t count, len;
	const struct cp_param *params = cp_command_params(command->id, &count);
	bool has_options = false;

	len = (size_t)snprintf(text, size, "conclave %s%s%s", command->noun,
			       command->verb[0] != '\0' ? " " : "", command->verb);
	for (size_t i = 0; i < count && len < size; i++) {
		bool is_maybe = params[i].place == CP_PLACE_MAYBE;

		if (cp_param_is_word(&params[i]))
			len += (size_t)snprintf(text + len, size - len, " %s%s%s%s",
						is_maybe ? "[" : "", params[i].label,
						is_maybe ? "]" : "",
						cp_param_is_list(&params[i]) ? "..." : "");
		else
			has_options = true;
	}
	if (has_options && len < size)
		len += (size_t)snprintf(text + len, size - len, " [OPTIONS]");
	if ((command->id == CP_COMMAND_HELP || command->id == CP_COMMAND_COMPLETE) && len < size)
		snprintf(text + len, size - len, " [WORD...]");
}

static void
print_command_line(const struct cp_command *command, FILE *out)
{
	char usage[160];

	cp_cli_usage(command, usage, sizeof(usage));
	fprintf(out, "  %-52s %s\n", usage + strlen("conclave "), command->text);
}

static void
print_common(FILE *out)
{
	fprintf(out, "\nOptions:\n"
		     "  --socket PATH   the API's Unix socket (default: $CONCLAVE_SOCKET, else "
		     "/run/conclave/api.sock)\n"
		     "  --json          print the answer as JSON, for scripts\n"
		     "  -h, --help      explain a command\n"
		     "  --version       print the version\n");
}

void
cp_cli_help(FILE *out)
{
	fprintf(out, "Usage: conclave [COMMAND] [OPTIONS]\n\n"
		     "Operates a Conclave node. Without a command it shows the node's "
		     "status.\n\nCommands:\n");
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		print_command_line(&cp_commands[i], out);
	print_common(out);
	fprintf(out, "\nExit status: 0 done, 1 refused or failed, 2 wrong usage, 3 the node cannot "
		     "be reached.\n"
		     "More: conclave help COMMAND, man conclave.\n");
}

void
cp_cli_help_noun(const char *noun, FILE *out)
{
	fprintf(out, "Commands about a %s:\n", noun);
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		if (strcmp(cp_commands[i].noun, noun) == 0)
			print_command_line(&cp_commands[i], out);
	print_common(out);
}

static void
print_param(const struct cp_param *param, FILE *out)
{
	char name[64], label[160];

	cp_cli_option_name(name, sizeof(name), param);
	if (cp_param_is_word(param))
		snprintf(label, sizeof(label), "%s", param->label);
	else if (param->kind == CP_PARAM_FLAG)
		snprintf(label, sizeof(label), "--%s[=false]", name);
	else
		snprintf(label, sizeof(label), "--%s %s", name, param->label);
	fprintf(out, "  %-30s %s\n", label, param->text);
}

void
cp_cli_help_command(const struct cp_command *command, FILE *out)
{
	size_t count;
	const struct cp_param *params = cp_command_params(command->id, &count);
	char usage[160];

	cp_cli_usage(command, usage, sizeof(usage));
	fprintf(out, "Usage: %s\n\n%s.\n", usage, command->text);
	if (count > 0)
		fprintf(out, "\n");
	for (size_t i = 0; i < count; i++)
		print_param(&params[i], out);
	print_common(out);
	if (!cp_command_is_local(command))
		fprintf(out, "\nOver HTTP: %s %s\n", command->method, command->path);
}
