/* From the words of the command line to a command of commands.list and its parameters. */
#ifndef CP_CLI_WORDS_H
#define CP_CLI_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "ctrlplane/mgmt/commands.h"

#define CP_CLI_REST_MAX 32

/* Exit status of the program; the manual lists them. */
enum cp_cli_exit {
	CP_CLI_OK = 0,
	CP_CLI_FAILED = 1, /* refused, or not as it should be */
	CP_CLI_USAGE = 2,
	CP_CLI_UNREACHABLE = 3,
};

/* What was asked for. Strings are argv's. */
struct cp_cli {
	const char *socket;
	bool is_json, wants_help, wants_version;
	const char *noun;		  /* NULL: no command was named */
	const char *group;		  /* the first word of a verb of two, "user" */
	const struct cp_command *command; /* NULL: only a noun that has verbs */
	json_t *params;			  /* owned */
	size_t rest_count;		  /* words of help and complete */
	const char *rest[CP_CLI_REST_MAX];
};

/* 0, or CP_CLI_USAGE with the reason and how to mend it in err. cp_cli_fini in both cases. */
int cp_cli_parse(struct cp_cli *out, int argc, char **argv, FILE *err);
void cp_cli_fini(struct cp_cli *cli);

/* noun and verb (NULL or empty: none) of the list; NULL: no such command. */
const struct cp_command *cp_cli_find(const char *noun, const char *verb);
bool cp_cli_is_noun(const char *noun);
/* The same from the first of words: noun, and a verb of no, one or two words. */
const struct cp_command *cp_cli_find_words(const char *const *words, size_t count);
/* Verbs of two words begin with it: "user" of "user add". */
bool cp_cli_is_group(const char *noun, const char *word);

/* As an option: '-' for '_'. */
void cp_cli_option_name(char *out, size_t size, const struct cp_param *param);

#endif
