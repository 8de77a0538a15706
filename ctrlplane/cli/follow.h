/* The commands "events" and "conference events": the API's live events as they come. */
#ifndef CP_CLI_FOLLOW_H
#define CP_CLI_FOLLOW_H

#include "ctrlplane/cli/words.h"

/* Until the time is up or the node refuses; a connection that breaks is made anew, and goes on where it was. Exit status. */
int cp_cli_follow(const struct cp_cli *cli);

#endif
