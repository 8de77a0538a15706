/* The command "conference watch": a conference on a terminal, as it changes. */
#ifndef CP_CLI_WATCH_H
#define CP_CLI_WATCH_H

#include "ctrlplane/cli/words.h"

/* Until the time is up or the conference is gone. Exit status. */
int cp_cli_watch(const struct cp_cli *cli);

#endif
