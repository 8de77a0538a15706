/* The command "mikey show": what stands in a MIKEY message, and with its keys whether it holds and what
 * follows from it. */
#ifndef CP_CLI_MIKEY_H
#define CP_CLI_MIKEY_H

#include "ctrlplane/cli/words.h"

/* Runs the command; the exit status. */
int cp_cli_mikey(const struct cp_cli *cli);

#endif
