/*
 * Reads, decodes and lists sound files of one folder in a thread of its own, so that a slow disk or a long file holds nobody up. Its owner
 * watches cp_loader_fd() for reading and calls cp_loader_run(), from where completions come.
 */
#ifndef CP_PROMPT_LOADER_H
#define CP_PROMPT_LOADER_H

#include <stdbool.h>
#include "ctrlplane/prompt/sound.h"

#define CP_LOADER_NAME_MAX 96 /* with the NUL */
#define CP_LOADER_JOBS_MAX 64 /* under way at a time */
#define CP_LOADER_FILE_MAX (64u << 20)

struct cp_loader;

/* sound is the callee's when status is 0; why says what is wrong when it is not. */
typedef void (*cp_loaded_fn)(void *arg, int status, struct cp_sound *sound, const char *why);

/* A plain file name: letters, digits, '.', '_' and '-', not beginning with '.'. So none leads out of the folder. */
bool cp_loader_is_name(const char *name);

/* -errno: the folder cannot be opened, or no thread. */
int cp_loader_open(struct cp_loader **out, const char *folder);
void cp_loader_close(
	struct cp_loader
		*loader); /* NULL: nothing. Completes nothing; waits for the file under way */

/* Names of the folder's WAV files (they end in .wav), sorted, at most CP_LOADER_LIST_MAX; names are the callee's until it returns. */
#define CP_LOADER_LIST_MAX 1000
typedef void (*cp_listed_fn)(void *arg, int status, const char *const *names, size_t count);

/* 0: done is called once, from cp_loader_run. -EAGAIN: too many; -ENOMEM. */
int cp_loader_list(struct cp_loader *loader, cp_listed_fn done, void *arg);

/* 0: done is called once, from cp_loader_run. -EINVAL: no name; -ENOENT, -EACCES…: no such file; -EAGAIN: too many; -ENOMEM. */
int cp_loader_load(struct cp_loader *loader, const char *name, cp_loaded_fn done, void *arg);

int cp_loader_fd(const struct cp_loader *loader);
void cp_loader_run(struct cp_loader *loader);

#endif
