/* From the words of the command line to a command of commands.list and its parameters. */
#include "ctrlplane/cli/words.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "configs/loader/nearest.h"
#include "ctrlplane/mgmt/params.h"

/* The command line under way. */
struct reading {
	struct cp_cli *out;
	int argc;
	char **argv;
	int at;
	bool no_options; /* after -- */
	FILE *err;
};

const struct cp_command *
cp_cli_find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		if (strcmp(cp_commands[i].noun, noun) == 0 &&
		    strcmp(cp_commands[i].verb, verb != NULL ? verb : "") == 0)
			return &cp_commands[i];
	return NULL;
}

bool
cp_cli_is_noun(const char *noun)
{
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		if (strcmp(cp_commands[i].noun, noun) == 0)
			return true;
	return false;
}

const struct cp_command *
cp_cli_find_words(const char *const *words, size_t count)
{
	const struct cp_command *found = count > 0 ? cp_cli_find(words[0], NULL) : NULL;
	char verb[64];

	if (found == NULL && count > 1)
		found = cp_cli_find(words[0], words[1]);
	if (found == NULL && count > 2) {
		snprintf(verb, sizeof(verb), "%s %s", words[1], words[2]);
		found = cp_cli_find(words[0], verb);
	}
	return found;
}

bool
cp_cli_is_group(const char *noun, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		if (strcmp(cp_commands[i].noun, noun) == 0 &&
		    strncmp(cp_commands[i].verb, word, len) == 0 && cp_commands[i].verb[len] == ' ')
			return true;
	return false;
}

void
cp_cli_option_name(char *out, size_t size, const struct cp_param *param)
{
	snprintf(out, size, "%s", param->name);
	for (; *out != '\0'; out++)
		if (*out == '_')
			*out = '-';
}

static int
unknown_noun(FILE *err, const char *word)
{
	struct conf_nearest nearest = {.word = word};

	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		conf_nearest_try(&nearest, cp_commands[i].noun);
	fprintf(err, "conclave: there is no command '%s'", word);
	if (nearest.best != NULL)
		fprintf(err, "; did you mean 'conclave %s'?\n", nearest.best);
	else
		fprintf(err, "; conclave --help lists all\n");
	return CP_CLI_USAGE;
}

static int
unknown_verb(FILE *err, const char *noun, const char *word)
{
	struct conf_nearest nearest = {.word = word};

	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		if (strcmp(cp_commands[i].noun, noun) == 0)
			conf_nearest_try(&nearest, cp_commands[i].verb);
	fprintf(err, "conclave: there is no command '%s %s'", noun, word);
	if (nearest.best != NULL)
		fprintf(err, "; did you mean 'conclave %s %s'?\n", noun, nearest.best);
	else
		fprintf(err, "; conclave %s --help lists all\n", noun);
	return CP_CLI_USAGE;
}

static int
unknown_option(struct reading *r, const char *name, size_t len)
{
	struct conf_nearest nearest = {0};
	char word[64], names[CP_CLI_REST_MAX][64] = {"socket", "json", "help", "version"};
	size_t count = 0, used = 4;
	const struct cp_param *params =
		r->out->command ? cp_command_params(r->out->command->id, &count) : NULL;

	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	nearest.word = word;
	for (size_t i = 0; i < count && used < CP_CLI_REST_MAX; i++)
		if (!cp_param_is_word(&params[i]))
			cp_cli_option_name(names[used++], sizeof(names[0]), &params[i]);
	for (size_t i = 0; i < used; i++)
		conf_nearest_try(&nearest, names[i]);
	fprintf(r->err, "conclave: there is no option '--%s' here", word);
	if (nearest.best != NULL)
		fprintf(r->err, "; did you mean '--%s'?\n", nearest.best);
	else
		fprintf(r->err, "; --help lists all\n");
	return CP_CLI_USAGE;
}

/* What stands in the file that word names; - is standard input. */
static int
set_file(struct reading *r, const struct cp_param *param, const char *word)
{
	FILE *file = strcmp(word, "-") == 0 ? stdin : fopen(word, "re");
	char *text = malloc((size_t)param->max + 1);
	size_t len =
		file != NULL && text != NULL ? fread(text, 1, (size_t)param->max + 1, file) : 0;
	json_t *json = len > 0 && len <= (size_t)param->max ? json_stringn(text, len) : NULL;

	if (json == NULL)
		fprintf(r->err, "conclave: %s: %s\n", word,
			file == NULL		   ? strerror(errno)
			: len == 0		   ? "is empty"
			: len > (size_t)param->max ? "is too long"
						   : "is no UTF-8 text");
	if (file != NULL && file != stdin)
		fclose(file);
	free(text);
	if (json == NULL)
		return CP_CLI_FAILED;
	json_object_set_new(r->out->params, param->name, json);
	return 0;
}

static int
set_param(struct reading *r, const struct cp_param *param, const char *word, const char *shown)
{
	char why[160];
	json_t *value, *list;

	if (param->kind == CP_PARAM_FILE)
		return set_file(r, param, word);
	value = cp_params_from_word(param, word, why, sizeof(why));
	if (value == NULL) {
		fprintf(r->err, "conclave: %s cannot be '%s': it %s\n", shown, word, why);
		return CP_CLI_USAGE;
	}
	if (!cp_param_is_list(param)) {
		json_object_set_new(r->out->params, param->name, value);
		return 0;
	}
	list = json_object_get(r->out->params, param->name);
	if (list == NULL) {
		list = json_array();
		json_object_set_new(r->out->params, param->name, list);
	}
	json_array_append_new(list, value);
	return 0;
}

static const struct cp_param *
find_option(const struct cp_command *command, const char *name, size_t len)
{
	size_t count = 0;
	const struct cp_param *params =
		command != NULL ? cp_command_params(command->id, &count) : NULL;

	for (size_t i = 0; i < count; i++) {
		char option[64];

		if (cp_param_is_word(&params[i]))
			continue;
		cp_cli_option_name(option, sizeof(option), &params[i]);
		if (strlen(option) == len && memcmp(option, name, len) == 0)
			return &params[i];
	}
	return NULL;
}

/* What follows the option: after its '=', else the next word. NULL, with the reason given: nothing. */
static const char *
value_of(struct reading *r, const char *equals, const char *name, size_t len)
{
	if (equals != NULL)
		return equals + 1;
	if (r->at + 1 < r->argc)
		return r->argv[++r->at];
	fprintf(r->err, "conclave: --%.*s wants a value\n", (int)len, name);
	return NULL;
}

static int
read_option(struct reading *r, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '='), *value;
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct cp_param *param = find_option(r->out->command, name, len);
	char shown[80];

	if (param != NULL) {
		value = param->kind == CP_PARAM_FLAG && equals == NULL
				? "true"
				: value_of(r, equals, name, len);
		snprintf(shown, sizeof(shown), "--%.*s", (int)len, name);
		return value != NULL ? set_param(r, param, value, shown) : CP_CLI_USAGE;
	}
	if (strcmp(word, "--json") == 0) {
		r->out->is_json = true;
	} else if (strcmp(word, "--help") == 0) {
		r->out->wants_help = true;
	} else if (strcmp(word, "--version") == 0) {
		r->out->wants_version = true;
	} else if (len == 6 && memcmp(name, "socket", 6) == 0) {
		r->out->socket = value_of(r, equals, name, len);
		return r->out->socket != NULL ? 0 : CP_CLI_USAGE;
	} else {
		return unknown_option(r, name, len);
	}
	return 0;
}

/* The index-th word that the command takes; a list takes all that are left. */
static const struct cp_param *
find_word(const struct cp_command *command, size_t index)
{
	size_t count;
	const struct cp_param *params = cp_command_params(command->id, &count);

	for (size_t i = 0; i < count; i++)
		if (cp_param_is_word(&params[i]) && (index-- == 0 || cp_param_is_list(&params[i])))
			return &params[i];
	return NULL;
}

static bool
takes_rest(const struct cp_command *command)
{
	return command != NULL &&
	       (command->id == CP_COMMAND_HELP || command->id == CP_COMMAND_COMPLETE);
}

static int
read_verb(struct reading *r, const char *word)
{
	struct cp_cli *out = r->out;
	char verb[64];

	snprintf(verb, sizeof(verb), "%s%s%s", out->group != NULL ? out->group : "",
		 out->group != NULL ? " " : "", word);
	out->command = cp_cli_find(out->noun, verb);
	return out->command != NULL ? 0 : unknown_verb(r->err, out->noun, verb);
}

static int
read_word(struct reading *r, const char *word, size_t *words)
{
	struct cp_cli *out = r->out;
	const struct cp_param *param;

	if (out->noun == NULL) {
		if (!cp_cli_is_noun(word))
			return unknown_noun(r->err, word);
		out->noun = word;
		out->command = cp_cli_find(word, NULL);
		return 0;
	}
	if (out->command == NULL && out->group == NULL && cp_cli_is_group(out->noun, word)) {
		out->group = word;
		return 0;
	}
	if (out->command == NULL)
		return read_verb(r, word);
	if (takes_rest(out->command)) {
		if (out->rest_count < CP_CLI_REST_MAX)
			out->rest[out->rest_count++] = word;
		return 0;
	}
	param = find_word(out->command, (*words)++);
	if (param != NULL)
		return set_param(r, param, word, param->label);
	fprintf(r->err, "conclave: '%s' is one word too many; see conclave help %s %s\n", word,
		out->command->noun, out->command->verb);
	return CP_CLI_USAGE;
}

static bool
is_option(const struct reading *r, const char *word)
{
	if (r->no_options || word[0] != '-' || word[1] == '\0' || isdigit((unsigned char)word[1]))
		return false;
	return !(takes_rest(r->out->command) && r->out->command->id == CP_COMMAND_COMPLETE);
}

static int
check_complete(const struct cp_cli *cli, size_t words, FILE *err)
{
	const struct cp_param *missing;

	if (cli->wants_help || cli->wants_version || cli->noun == NULL)
		return 0;
	if (cli->command == NULL) {
		fprintf(err,
			"conclave: say what to do with '%s%s%s'; conclave %s --help lists it\n",
			cli->noun, cli->group != NULL ? " " : "",
			cli->group != NULL ? cli->group : "", cli->noun);
		return CP_CLI_USAGE;
	}
	missing = find_word(cli->command, words);
	if (missing == NULL || takes_rest(cli->command) || missing->place == CP_PLACE_MAYBE ||
	    (cp_param_is_list(missing) && json_object_get(cli->params, missing->name) != NULL))
		return 0;
	fprintf(err, "conclave: %s is missing (%s); see conclave help %s %s\n", missing->label,
		missing->text, cli->command->noun, cli->command->verb);
	return CP_CLI_USAGE;
}

int
cp_cli_parse(struct cp_cli *out, int argc, char **argv, FILE *err)
{
	struct reading r = {.out = out, .argc = argc, .argv = argv, .err = err};
	size_t words = 0;
	int status = 0;

	memset(out, 0, sizeof(*out));
	out->params = json_object();
	for (r.at = 1; r.at < argc && status == 0; r.at++) {
		const char *word = argv[r.at];

		if (!is_option(&r, word))
			status = read_word(&r, word, &words);
		else if (strcmp(word, "--") == 0)
			r.no_options = true;
		else if (strcmp(word, "-h") == 0)
			out->wants_help = true;
		else if (word[1] == '-')
			status = read_option(&r, word);
		else
			status = unknown_option(&r, word + 1, strlen(word + 1));
	}
	return status == 0 ? check_complete(out, words, err) : status;
}

void
cp_cli_fini(struct cp_cli *cli)
{
	json_decref(cli->params);
	cli->params = NULL;
}
