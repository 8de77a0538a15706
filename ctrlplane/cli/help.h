/* What the CLI says about itself: help at each level and the manual page, all from commands.list. */
#ifndef CP_CLI_HELP_H
#define CP_CLI_HELP_H

#include <stdio.h>
#include "ctrlplane/mgmt/commands.h"

void cp_cli_help(FILE *out);
void cp_cli_help_noun(const char *noun, FILE *out);
void cp_cli_help_command(const struct cp_command *command, FILE *out);

/* "conclave participant gain CONFERENCE PARTICIPANT DB [OPTIONS]" */
void cp_cli_usage(const struct cp_command *command, char *text, size_t size);

/* conclave(1) in troff. */
void cp_cli_man(FILE *out);

#endif
