/* Tables of the sections "node" and "log". */
#include "configs/loader/common.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* All sections of the file, by whichever program. */
static const char *const sections[] = {
	"node",	     "log",	 "media", "sip",	   "http",   "conferences",
	"factories", "security", "call",  "mikey",	   "notify", "floor",
	"chat",	     "streams",	 "store", "announcements", "kms",
};

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

static bool
has_section(const struct conf_section *list, const char *name)
{
	for (; list->name != NULL; list++)
		if (strcmp(list->name, name) == 0)
			return true;
	return false;
}

void
conf_sections(struct conf_section out[CONF_SECTIONS_MAX], const struct conf_section *own)
{
	const size_t count = sizeof(sections) / sizeof(sections[0]);
	size_t n = 0;

	_Static_assert(sizeof(sections) / sizeof(sections[0]) < CONF_SECTIONS_MAX, "room for all");
	memset(out, 0, CONF_SECTIONS_MAX * sizeof(out[0]));
	for (; own[n].name != NULL; n++)
		out[n] = own[n];
	for (size_t i = 0; i < count; i++)
		if (!has_section(own, sections[i]) && n < CONF_SECTIONS_MAX - 1)
			out[n++].name = sections[i];
	assert(n == count); /* each of our own is in the list */
}

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
