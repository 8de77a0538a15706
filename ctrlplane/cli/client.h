/* The CLI's side of the HTTP API, over the Unix socket. */
#ifndef CP_CLI_CLIENT_H
#define CP_CLI_CLIENT_H

#include <jansson.h>
#include "ctrlplane/mgmt/commands.h"

/* json is new, NULL where the answer had none. status 0: not reachable, and why says how to mend it. */
struct cp_cli_answer {
	int status; /* HTTP */
	json_t *json;
	char why[512];
};

/* Ask for command with params, as commands.list says: path, query and body. timeout_ms: in all. */
void cp_cli_ask(struct cp_cli_answer *out, const char *socket, const struct cp_command *command,
		const json_t *params, long timeout_ms);

/* --socket, else $CONCLAVE_SOCKET, else the default of the configuration. */
const char *cp_cli_socket(const char *option);

#endif
