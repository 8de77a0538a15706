/* The list of commands as tables. */
#include "ctrlplane/mgmt/commands.h"
#include <string.h>

const struct cp_command cp_commands[CP_COMMAND_COUNT] = {
#define CP_COMMAND(id, noun, verb, method, path, text) \
	[CP_COMMAND_##id] = {CP_COMMAND_##id, noun, verb, method, path, text},
#include "ctrlplane/mgmt/commands.list"
};

static const struct cp_param params[] = {
#define CP_PARAM(id, name, kind, place, ...) \
	{CP_COMMAND_##id, name, CP_PARAM_##kind, CP_PLACE_##place, __VA_ARGS__},
#include "ctrlplane/mgmt/commands.list"
};

const struct cp_param *
cp_command_params(enum cp_command_id id, size_t *count)
{
	const struct cp_param *first = params;
	const struct cp_param *end = params + sizeof(params) / sizeof(params[0]);

	while (first < end && first->command != id)
		first++;
	*count = 0;
	while (first + *count < end && first[*count].command == id)
		(*count)++;
	return first;
}

bool
cp_command_is_local(const struct cp_command *command)
{
	return strcmp(command->method, "LOCAL") == 0;
}

bool
cp_param_is_word(const struct cp_param *param)
{
	return param->place == CP_PLACE_PATH || param->place == CP_PLACE_WORD ||
	       param->place == CP_PLACE_MAYBE;
}

bool
cp_param_is_member(const struct cp_param *param)
{
	return param->place == CP_PLACE_WORD || param->place == CP_PLACE_MAYBE ||
	       param->place == CP_PLACE_BODY;
}

bool
cp_param_is_list(const struct cp_param *param)
{
	return param->kind == CP_PARAM_TEXTS || param->kind == CP_PARAM_PEOPLE ||
	       param->kind == CP_PARAM_FLOORS;
}
