/* The commands "kms …": they work on the KMS's store, also while conclave-kms serves from it. */
#ifndef CP_CLI_KMS_H
#define CP_CLI_KMS_H

#include "ctrlplane/cli/words.h"

/* Runs the command; the exit status. */
int cp_cli_kms(const struct cp_cli *cli);

#endif
