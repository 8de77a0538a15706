/* The commands "token …": the file of bearer tokens, which conclave-cp reads again when it changes. */
#ifndef CP_CLI_TOKEN_H
#define CP_CLI_TOKEN_H

#include "ctrlplane/cli/words.h"

/* Exit status. */
int cp_cli_token(const struct cp_cli *cli);

#endif
