/* Answers of the API for people. */
#ifndef CP_CLI_SHOW_H
#define CP_CLI_SHOW_H

#include <jansson.h>
#include "ctrlplane/cli/table.h"
#include "ctrlplane/mgmt/commands.h"

/* The answer to a command; json may be NULL (done, nothing to show). */
void cp_cli_show(const struct cp_command *command, const json_t *params, const json_t *json,
		 const struct cp_cli_out *out);

void cp_cli_show_participants(const json_t *participants, const struct cp_cli_out *out);

/* A participant's name for people. Borrowed. */
const char *cp_cli_who(const json_t *participant);

/* A problem document, or what else came with an error status. */
void cp_cli_show_problem(int status, const json_t *json, FILE *err);

#endif
