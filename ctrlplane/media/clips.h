/*
 * Clips on the media plane: handed over once, in parts, a few at a time; again after each connection, when what was there before is
 * taken away first. Playing them are requests of their own (DP_CTL_PLAY) by cp_clip_id.
 */
#ifndef CP_MEDIA_CLIPS_H
#define CP_MEDIA_CLIPS_H

#include <stdbool.h>
#include <stdint.h>
#include "ctrlplane/media/media.h"

struct cp_clips;
struct cp_clip;

/* start: random, for ids. -ENOMEM. */
int cp_clips_create(struct cp_clips **out, struct cp_media *media, uint32_t start);
void cp_clips_destroy(struct cp_clips *clips); /* before the media client; clips go with it */

/* pcm is taken: freed with the clip, also where this fails. -ENOMEM. */
int cp_clip_add(struct cp_clip **out, struct cp_clips *clips, int16_t *pcm, uint32_t samples);
void cp_clip_remove(struct cp_clip *clip); /* on the media plane too: what plays it stops */

/* Its id on the media plane; -EAGAIN: it is not there yet; other -errno: it cannot be. */
int cp_clip_id(const struct cp_clip *clip, uint32_t *id);
uint32_t cp_clip_ms(const struct cp_clip *clip);

/* HELLO is done. */
void cp_clips_on_up(struct cp_clips *clips);
/* The connection broke; requests under way have been completed. */
void cp_clips_on_down(struct cp_clips *clips);

#endif
