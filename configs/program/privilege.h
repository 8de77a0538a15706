/* What the process may do: limits raised while we may, memory kept out of sight, then another user for good. */
#ifndef CONFIGS_PROGRAM_PRIVILEGE_H
#define CONFIGS_PROGRAM_PRIVILEGE_H

#include <stddef.h>
#include <stdint.h>

/* No core dumps, no ptrace by others; before the first key is there. */
void conf_privilege_hide(void);

/* Room for so many open files, as far as the hard limit goes. Returns what the limit is now. */
uint64_t conf_privilege_files(uint64_t wanted);

/* As many as the hard limit allows. */
void conf_privilege_files_all(void);

/* Make the folder for the control socket when it is not there yet, and give it to the user. NULL: nothing to do. 0 or -errno with text. */
int conf_privilege_folder(const char *folder, const char *user, char *text, size_t text_size);

/* Become a user, with its groups and nothing of root's. NULL or not root: stay. 0 or -errno with text. */
int conf_privilege_drop(const char *user, char *text, size_t text_size);

#endif
