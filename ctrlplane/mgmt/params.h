/* The parameters of a command, from path, query and body, checked against commands.list. */
#ifndef CP_MGMT_PARAMS_H
#define CP_MGMT_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include "ctrlplane/mgmt/problem.h"
#include "ctrlplane/mgmt/route.h"

/*
 * A new object with every parameter that was given, each of its kind and within its bounds; NULL
 * with the problem set. An empty body is an empty object.
 */
json_t *cp_params_collect(struct cp_problem *problem, const struct cp_route *route,
			  const struct cp_target *target, const char *body, size_t body_len);

/* The same of a command that takes a file as its whole body, by its own content type. */
json_t *cp_params_collect_file(struct cp_problem *problem, const struct cp_route *route,
			       const struct cp_target *target, const char *body, size_t body_len);

/* One parameter from a word (of the path, the query or the command line). A new value, or NULL and
 * why. */
json_t *cp_params_from_word(const struct cp_param *param, const char *word, char *why,
			    size_t why_size);

#endif
