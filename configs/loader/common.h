/* The sections that both programs read: who this node is, and the log. One table each, so that the programs agree. */
#ifndef CONFIGS_LOADER_COMMON_H
#define CONFIGS_LOADER_COMMON_H

#include <stddef.h>
#include "configs/loader/loader.h"

/* Section "node". */
struct conf_node {
	char *name;
	char *runtime_dir;  /* sockets; see conf_node_path */
	char *media_socket; /* NULL: media.sock in runtime_dir */
	char *user;	    /* NULL: stay who we are */
};

/* Section "log". level: 0 error, 1 warn, 2 info, 3 debug. sink: 0 stderr, 1 syslog. */
struct conf_log {
	int level;
	int sink;
};

extern const struct conf_option conf_node_options[];
extern const struct conf_option conf_log_options[];

#define CONF_SECTIONS_MAX 32

/* own, which a section without a name ends, and behind it the names of all other sections of the file: the other programs read
 * those. A new section is named in common.c. */
void conf_sections(struct conf_section out[CONF_SECTIONS_MAX], const struct conf_section *own);

/* override when it is not NULL, else runtime_dir/name. 0 or -ENAMETOOLONG; path is written on success only. */
int conf_node_path(char *path, size_t size, const struct conf_node *node, const char *override,
		   const char *name);

#endif
