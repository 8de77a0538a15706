/* What may stand next on the command line, for the shells' completion. */
#ifndef CP_CLI_COMPLETE_H
#define CP_CLI_COMPLETE_H

#include <stddef.h>
#include <stdio.h>

/* Live values of the parameter of that name, or nothing: conference, clip, participant or uri of a conference (its parent). */
typedef void (*cp_cli_ids_fn)(void *arg, const char *name, const char *parent, FILE *out);

/* One candidate a line for the last of the words (which may be empty); words are those after "conclave". */
void cp_cli_complete(const char *const *words, size_t count, cp_cli_ids_fn ids, void *arg,
		     FILE *out);

/* The script for "bash" or "zsh". */
void cp_cli_completion_script(const char *shell, FILE *out);

#endif
