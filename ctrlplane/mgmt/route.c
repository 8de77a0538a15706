/* Which command a request asks for: the paths of commands.list against the target's segments. */
#include "ctrlplane/mgmt/route.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool
is_match(const char *path, const struct cp_target *target, const char **args)
{
	size_t arg = 0;

	for (size_t i = 0; i < target->segment_count; i++) {
		size_t len;

		if (*path != '/')
			return false;
		len = strcspn(++path, "/");
		if (*path == '{') {
			if (target->segments[i][0] == '\0' || arg == CP_ROUTE_ARGS_MAX)
				return false;
			args[arg++] = target->segments[i];
		} else if (strncmp(path, target->segments[i], len) != 0 ||
			   target->segments[i][len] != '\0') {
			return false;
		}
		path += len;
	}
	return *path == '\0';
}

static void
allow(struct cp_route *route, const char *method)
{
	size_t len = strlen(route->allow);

	if (strstr(route->allow, method) == NULL)
		snprintf(route->allow + len, sizeof(route->allow) - len, "%s%s",
			 len > 0 ? ", " : "", method);
}

int
cp_route_find(struct cp_route *out, const char *method, const struct cp_target *target)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		const struct cp_command *command = &cp_commands[i];
		const char *args[CP_ROUTE_ARGS_MAX] = {NULL};

		if (cp_command_is_local(command) || !is_match(command->path, target, args))
			continue;
		if (strcmp(command->method, wanted) == 0) {
			out->command = command;
			memcpy(out->args, args, sizeof(args));
			return 0;
		}
		allow(out, command->method);
		if (strcmp(command->method, "GET") == 0)
			allow(out, "HEAD");
	}
	return out->allow[0] != '\0' ? -ENOTSUP : -ENOENT;
}
