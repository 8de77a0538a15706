/* The OpenAPI 3.1 document of the API, made from commands.list and schemas.list. */
#ifndef CP_MGMT_OPENAPI_H
#define CP_MGMT_OPENAPI_H

#include <jansson.h>
#include "ctrlplane/mgmt/commands.h"

/* A new reference; NULL without memory. */
json_t *cp_openapi(void);

/* What a command answers with when all is well: the status, and the schema of the body (NULL: none). */
struct cp_answer {
	int status;
	const char *schema;
	const char *type; /* NULL: application/json */
};
struct cp_answer cp_answer_of(enum cp_command_id command);

#endif
