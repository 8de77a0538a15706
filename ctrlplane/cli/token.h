/* The commands "token …": the file of bearer tokens, which conclave-cp reads again when it changes. */
#ifndef CP_CLI_TOKEN_H
#define CP_CLI_TOKEN_H

#include "ctrlplane/cli/words.h"

/* The names of all tokens, one a line; file and config: as the options, NULL: not given. */
void cp_cli_token_names(const char *file, const char *config, FILE *out);

/* Exit status. */
int cp_cli_token(const struct cp_cli *cli);

#endif
