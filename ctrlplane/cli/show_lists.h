/* Answers of the API that are lists, as tables. */
#ifndef CP_CLI_SHOW_LISTS_H
#define CP_CLI_SHOW_LISTS_H

#include <jansson.h>
#include "ctrlplane/cli/table.h"

void cp_cli_show_people(const json_t *json, const struct cp_cli_out *out);
void cp_cli_show_records(const json_t *json, const struct cp_cli_out *out);
void cp_cli_show_announcements(const json_t *json, const struct cp_cli_out *out);
/* Who is in a chat, and what passed. */
void cp_cli_show_chat(const json_t *json, const struct cp_cli_out *out);
/* One floor, or a list of them. */
void cp_cli_show_floors(const json_t *json, const struct cp_cli_out *out);
void cp_cli_show_audit(const json_t *json, const struct cp_cli_out *out);

#endif
