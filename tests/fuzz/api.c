/* The API's own parsers: the first line is the method and the target, the rest the body. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mgmt/params.h"
#include "ctrlplane/mgmt/people.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[4096];
	const uint8_t *end = memchr(data, '\n', size);
	size_t len = end != NULL ? (size_t)(end - data) : size;
	struct cp_target target;
	struct cp_route route;
	struct cp_problem problem = {0};
	const char *people;
	char *text;
	json_t *params, *document;
	bool is_file;

	if (len >= sizeof(line))
		return 0;
	memcpy(line, data, len);
	line[len] = '\0';
	text = strchr(line, ' ');
	if (text == NULL)
		return 0;
	*text++ = '\0';
	if (cp_target_parse(&target, text) != 0 || cp_route_find(&route, line, &target) != 0)
		return 0;
	is_file = route.command->id == CP_COMMAND_AUTHORISED_IMPORT && len % 2 == 0;
	params = (is_file ? cp_params_collect_file : cp_params_collect)(
		&problem, &route, &target, (const char *)data + len + (end != NULL),
		size - len - (end != NULL));
	people = json_string_value(json_object_get(params, "csv"));
	if (people != NULL)
		json_decref(cp_people_from_csv(&problem, people));
	document = problem.status != 0 ? cp_problem_json(&problem, text) : json_null();
	if ((params == NULL && problem.status == 0) || document == NULL)
		abort();
	json_decref(document);
	json_decref(params);
	cp_problem_fini(&problem);
	return 0;
}
