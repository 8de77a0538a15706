/* The command "top": a live view of the node. */
#ifndef CP_CLI_TOP_H
#define CP_CLI_TOP_H

#include "ctrlplane/cli/table.h"
#include "ctrlplane/cli/words.h"

enum cp_top_sort {
	CP_TOP_BY_PARTICIPANTS = 0,
	CP_TOP_BY_TALKERS,
	CP_TOP_BY_NAME,
	CP_TOP_BY_AGE,
	CP_TOP_SORTS,
};

/* What one picture shows. JSON as the API gives it. */
struct cp_top {
	json_t *node;	     /* GET /v1/node */
	json_t *conferences; /* the array of GET /v1/conferences */
	json_t *before;	     /* the node of the last picture; NULL: this is the first */
	double seconds;	     /* since then */
	enum cp_top_sort sort;
	bool is_paused;
	size_t lines;  /* of the terminal; 0: any */
	char why[256]; /* not reachable now; empty: is */
};

/* Exit status. */
int cp_cli_top(const struct cp_cli *cli);

/* The picture as text, sorted; no line wider than out. */
void cp_top_print(struct cp_top *top, const struct cp_cli_out *out);

/* Packets and octets a second, from the difference to the last picture; null without one. */
json_t *cp_top_rates(const struct cp_top *top);

#endif
