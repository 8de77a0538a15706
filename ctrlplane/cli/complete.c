/* What may stand next on the command line. */
#include "ctrlplane/cli/complete.h"
#include <string.h>
#include "ctrlplane/cli/token.h"
#include "ctrlplane/cli/words.h"

/*
 * readline takes ':', '@' and '=' for ends of words, which URIs have: the words are those of the line, and of what is found
 * the part goes that stands there already.
 */
static const char bash_script[] =
	"# bash completion of conclave\n"
	"_conclave()\n"
	"{\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} words current head i\n"
	"\tline=${line#*\"$1\"}\n"
	"\tread -ra words <<<\"$line\"\n"
	"\t[[ $line == *[[:space:]] ]] && words+=('')\n"
	"\tcurrent=${words[${#words[@]}-1]}\n"
	"\tlocal IFS=$'\\n'\n"
	"\tCOMPREPLY=($(compgen -W \"$(\"$1\" complete -- \"${words[@]}\" 2>/dev/null)\" -- "
	"\"$current\"))\n"
	"\thead=${current%\"${current##*[:@=]}\"}\n"
	"\tfor ((i = 0; i < ${#COMPREPLY[@]}; i++)); do\n"
	"\t\tCOMPREPLY[i]=${COMPREPLY[i]#\"$head\"}\n"
	"\tdone\n"
	"}\n"
	"complete -o default -F _conclave conclave\n";

static const char zsh_script[] =
	"#compdef conclave\n"
	"_conclave()\n"
	"{\n"
	"\tlocal -a found\n"
	"\tfound=(${(f)\"$($words[1] complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"})\n"
	"\tcompadd -a found\n"
	"}\n"
	"if [ \"$funcstack[1]\" = _conclave ]; then\n"
	"\t_conclave \"$@\"\n"
	"else\n"
	"\tcompdef _conclave conclave\n"
	"fi\n";

void
cp_cli_completion_script(const char *shell, FILE *out)
{
	fputs(strcmp(shell, "zsh") == 0 ? zsh_script : bash_script, out);
}

static void
list_nouns(FILE *out)
{
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		if ((i == 0 || strcmp(cp_commands[i].noun, cp_commands[i - 1].noun) != 0) &&
		    cp_commands[i].id != CP_COMMAND_COMPLETE)
			fprintf(out, "%s\n", cp_commands[i].noun);
}

/* First words of verbs, or with a group the second ones of its verbs. */
static void
list_verbs(const char *noun, const char *group, FILE *out)
{
	size_t skip = group != NULL ? strlen(group) + 1 : 0, len;
	const char *last = "";

	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		const char *verb = cp_commands[i].verb;

		if (strcmp(cp_commands[i].noun, noun) != 0 || strlen(verb) <= skip ||
		    (group != NULL &&
		     (strncmp(verb, group, skip - 1) != 0 || verb[skip - 1] != ' ')))
			continue;
		verb += skip;
		len = strcspn(verb, " ");
		if (strncmp(verb, last, len) != 0 || last[len] != ' ')
			fprintf(out, "%.*s\n", (int)len, verb);
		last = verb;
	}
}

static void
list_options(const struct cp_command *command, FILE *out)
{
	size_t count = 0;
	const struct cp_param *params =
		command != NULL ? cp_command_params(command->id, &count) : NULL;

	for (size_t i = 0; i < count; i++) {
		char name[64];

		if (cp_param_is_word(&params[i]))
			continue;
		cp_cli_option_name(name, sizeof(name), &params[i]);
		fprintf(out, "--%s\n", name);
	}
	fputs("--help\n--json\n--socket\n", out);
}

static void
list_choices(const struct cp_param *param, FILE *out)
{
	for (const char *choice = param->choices; choice != NULL && *choice != '\0';
	     choice += strlen(choice) + 1)
		fprintf(out, "%s\n", choice);
}

/* What stands before the word to complete. */
struct before {
	const char *words[CP_CLI_REST_MAX]; /* without options */
	size_t count;
	const struct cp_command *command;
	const struct cp_param *wants_value; /* the last one was this option */
	bool wants_other;		    /* the last one was --socket */
	const char *file, *config;	    /* values of these options; NULL: not given */
};

static const struct cp_param *
option_of(const struct cp_command *command, const char *word)
{
	size_t count = 0;
	const struct cp_param *params =
		command != NULL ? cp_command_params(command->id, &count) : NULL;

	for (size_t i = 0; i < count; i++) {
		char name[64];

		cp_cli_option_name(name, sizeof(name), &params[i]);
		if (!cp_param_is_word(&params[i]) && params[i].kind != CP_PARAM_FLAG &&
		    strcmp(word + 2, name) == 0)
			return &params[i];
	}
	return NULL;
}

static void
keep_value(struct before *b, const char *name, const char *value)
{
	if (strncmp(name, "file", 4) == 0 && (name[4] == '\0' || name[4] == '='))
		b->file = value;
	else if (strncmp(name, "config", 6) == 0 && (name[6] == '\0' || name[6] == '='))
		b->config = value;
}

static void
read_before(struct before *b, const char *const *words, size_t count)
{
	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < count; i++) {
		const char *equals = strchr(words[i], '=');

		if (b->wants_value != NULL || b->wants_other) {
			if (b->wants_value != NULL)
				keep_value(b, b->wants_value->name, words[i]);
			b->wants_value = NULL;
			b->wants_other = false;
		} else if (strncmp(words[i], "--", 2) == 0) {
			if (equals != NULL)
				keep_value(b, words[i] + 2, equals + 1);
			b->wants_value = option_of(b->command, words[i]);
			b->wants_other = strcmp(words[i], "--socket") == 0;
		} else if (b->count < CP_CLI_REST_MAX) {
			b->words[b->count++] = words[i];
			if (b->command == NULL)
				b->command = cp_cli_find_words(b->words, b->count);
		}
	}
}

/* Of the command's own name. */
static size_t
words_of(const struct cp_command *command)
{
	return command->verb[0] == '\0' ? 1 : strchr(command->verb, ' ') == NULL ? 2 : 3;
}

/* The index-th word of the command, a live id where it is one. */
static void
list_words(const struct before *b, cp_cli_ids_fn ids, void *arg, FILE *out)
{
	size_t count, skip = words_of(b->command), index = b->count - skip;
	const struct cp_param *params = cp_command_params(b->command->id, &count);

	for (size_t i = 0; i < count; i++) {
		if (!cp_param_is_word(&params[i]) || index-- > 0)
			continue;
		if (strcmp(params[i].name, "conference") == 0)
			ids(arg, params[i].name, NULL, out);
		else if (b->command->id == CP_COMMAND_TOKEN_REMOVE)
			cp_cli_token_names(b->file, b->config, out);
		else if (strcmp(params[i].name, "clip") == 0)
			ids(arg, params[i].name, NULL, out);
		else if (strcmp(params[i].name, "participant") == 0 ||
			 strcmp(params[i].name, "floor") == 0 ||
			 b->command->id == CP_COMMAND_AUTHORISED_REMOVE)
			ids(arg, params[i].name, b->words[skip], out);
		else
			list_choices(&params[i], out);
		return;
	}
}

void
cp_cli_complete(const char *const *words, size_t count, cp_cli_ids_fn ids, void *arg, FILE *out)
{
	const char *last = count > 0 ? words[count - 1] : "";
	struct before b;

	read_before(&b, words, count > 0 ? count - 1 : 0);
	if (b.wants_value != NULL && strcmp(b.wants_value->name, "conference") == 0)
		ids(arg, b.wants_value->name, NULL, out);
	else if (b.wants_value != NULL)
		list_choices(b.wants_value, out);
	else if (b.wants_other)
		return;
	else if (last[0] == '-')
		list_options(b.command, out);
	else if (b.count == 0 ||
		 (b.command != NULL && b.command->id == CP_COMMAND_HELP && b.count == 1))
		list_nouns(out);
	else if (b.command != NULL && b.command->id == CP_COMMAND_HELP)
		list_verbs(b.words[1], b.count > 2 ? b.words[2] : NULL, out);
	else if (b.command == NULL)
		list_verbs(b.words[0], b.count > 1 ? b.words[1] : NULL, out);
	else
		list_words(&b, ids, arg, out);
}
