/* Which command a request asks for. */
#ifndef CP_MGMT_ROUTE_H
#define CP_MGMT_ROUTE_H

#include "ctrlplane/mgmt/commands.h"
#include "ctrlplane/mgmt/target.h"

#define CP_ROUTE_ARGS_MAX 4

struct cp_route {
	const struct cp_command *command;
	const char *args[CP_ROUTE_ARGS_MAX]; /* what stood for {…}, in order; from the target */
	char allow[40];			     /* for a 405 */
};

/* 0; -ENOENT: no such path (404); -ENOTSUP: the path takes other methods, see allow (405). HEAD
 * counts as GET. */
int cp_route_find(struct cp_route *out, const char *method, const struct cp_target *target);

#endif
