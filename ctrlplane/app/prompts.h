/* Announcements: what the focus wants heard, from files and tones to clips on the media plane, one after the other. */
#ifndef CP_APP_PROMPTS_H
#define CP_APP_PROMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ctrlplane/conf/event.h"
#include "ctrlplane/mgmt/mgmt.h"
#include "dataplane/api/ctl.h"

struct cp_app;
struct cp_prompts;

/* Opens the folder and begins to load what is configured. 0 or -errno. */
int cp_prompts_open(struct cp_prompts **out, struct cp_app *app);
void cp_prompts_close(struct cp_prompts *prompts); /* before the media client; NULL: nothing */

/* Effects PROMPT and PROMPT_STOP. */
void cp_prompts_play(struct cp_prompts *prompts, const struct cp_effect *effect);
void cp_prompts_stop(struct cp_prompts *prompts, const struct cp_effect *effect);

/* A leg, or a conference when leg is 0, is gone. */
void cp_prompts_forget(struct cp_prompts *prompts, uint32_t conf, uint32_t leg);

/* A key was pressed (event code of RFC 4733): who types the PIN has heard enough. */
void cp_prompts_on_key(struct cp_prompts *prompts, uint32_t leg, uint32_t code);

void cp_prompts_on_played(struct cp_prompts *prompts, const struct dp_ctl_event *event);
void cp_prompts_on_up(struct cp_prompts *prompts, bool is_new); /* is_new: another media plane */
void cp_prompts_on_down(struct cp_prompts *prompts);
void cp_prompts_tick(struct cp_prompts *prompts); /* about ten times a second */

/*
 * Could this be announced to that leg, or when leg is 0 to that conference: the name of a file, of a prompt (enter-pin, …) or a list
 * of tones? 0; -EINVAL: it is none of them; -ENOENT: no such file; -EAGAIN: too many sounds are in use; -ENOTSUP: announcements
 * are off; -ESRCH: nobody is there; -ENOTCONN: no media plane; -ENOSPC: too many wait there.
 */
int cp_prompts_check(struct cp_prompts *prompts, const char *text, uint32_t conf, uint32_t leg);

/* What has a name: prompts that sound, then the folder's files. As ops.clips of the API. */
int cp_prompts_list(struct cp_prompts *prompts, cp_mgmt_clips_fn done, void *arg);

#endif
