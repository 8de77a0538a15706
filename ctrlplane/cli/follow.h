/* The commands "events" and "conference events": the API's live events as they come. */
#ifndef CP_CLI_FOLLOW_H
#define CP_CLI_FOLLOW_H

#include <stdio.h>
#include "ctrlplane/cli/words.h"

#define CP_CLI_EVENT_ID_MAX 64

/* Until the time is up or the node refuses; a connection that breaks is made anew, and goes on where it was. Exit status. */
int cp_cli_follow(const struct cp_cli *cli);

/* data may be NULL. */
typedef void (*cp_cli_event_fn)(void *arg, const char *name, const json_t *data);

/*
 * For ms takes what happens in cli's conference, behind the event that id names (empty: from now on); id becomes that of the
 * last one. It takes its time also where the node refuses.
 */
void cp_cli_listen(const struct cp_cli *cli, char id[CP_CLI_EVENT_ID_MAX], long ms,
		   cp_cli_event_fn take, void *arg);

/* "Bob: hello"; of what is no text, its type. data: of chat-message. */
void cp_cli_print_said(const json_t *data, FILE *out);
/* Text of others, NULL being none: nobody steers the terminal. */
void cp_cli_print_clean(const char *text, FILE *out);

#endif
