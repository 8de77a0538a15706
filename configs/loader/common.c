/* Tables of the sections "node" and "log". */
#include "configs/loader/common.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const sinks[] = {"stderr", "syslog", NULL};

const struct conf_option conf_node_options[] = {
	{.path = "name",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct conf_node, name),
	 .fallback = "conclave",
	 .help = "name of this node, for people"},
	{.path = "runtime_dir",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct conf_node, runtime_dir),
	 .fallback = "/run/conclave",
	 .help = "folder of the Unix sockets"},
	{.path = "media_socket",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct conf_node, media_socket),
	 .help = "control socket of the media plane; absent: media.sock in runtime_dir"},
	{.path = "user",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct conf_node, user),
	 .help = "user to become after start-up as root; absent: stay who we are"},
	{.path = NULL},
};

const struct conf_option conf_log_options[] = {
	{.path = "level",
	 .kind = CONF_ENUM,
	 .offset = offsetof(struct conf_log, level),
	 .fallback = "info",
	 .choices = levels,
	 .help = "least urgent lines that are written: error, warn, info or debug"},
	{.path = "sink",
	 .kind = CONF_ENUM,
	 .offset = offsetof(struct conf_log, sink),
	 .fallback = "stderr",
	 .choices = sinks,
	 .help = "stderr or syslog"},
	{.path = NULL},
};

int
conf_node_path(char *path, size_t size, const struct conf_node *node, const char *override,
	       const char *name)
{
	char made[4096];
	int len = override ? snprintf(made, sizeof(made), "%s", override)
			   : snprintf(made, sizeof(made), "%s/%s", node->runtime_dir, name);

	if (len < 0 || (size_t)len >= sizeof(made) || (size_t)len >= size)
		return -ENAMETOOLONG;
	memcpy(path, made, (size_t)len + 1);
	return 0;
}
