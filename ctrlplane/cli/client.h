/* The CLI's side of the HTTP API, over the Unix socket. */
#ifndef CP_CLI_CLIENT_H
#define CP_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include "ctrlplane/cli/words.h"
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

/* Octets of an answer as they come; false: enough. */
typedef bool (*cp_cli_data_fn)(void *arg, const char *text, size_t len);

/* The same for an answer that goes on until timeout_ms (0: for ever) have passed. A refusal is in out as usual. */
void cp_cli_stream(struct cp_cli_answer *out, const struct cp_cli *cli, cp_cli_data_fn take,
		   void *arg, long timeout_ms);

/* Says what went wrong, if anything did, or with --json what came. The exit status; answer's json is released. */
int cp_cli_report(const struct cp_cli *cli, struct cp_cli_answer *answer);

/* Indented, on standard output. */
void cp_cli_print_json(const json_t *json);

/* --socket, else $CONCLAVE_SOCKET, else the default of the configuration. */
const char *cp_cli_socket(const char *option);

/* GET of a URL over the network, for another program of this machine. */
void cp_cli_get(struct cp_cli_answer *out, const char *url, long timeout_ms);

#endif
