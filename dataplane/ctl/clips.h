/*
 * The clips of the node: sound that clients brought, in memory of our own. A clip that is full is not changed any more; one that is
 * removed stays in memory until every worker has said that nothing plays it. Control thread only, but for the samples.
 */
#ifndef DP_CTL_CLIPS_H
#define DP_CTL_CLIPS_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/api/ctl.h"
#include "dataplane/ctl/ids.h"
#include "dataplane/worker/msg.h"

struct dp_clip_entry {
	struct dp_clip clip; /* pcm NULL: free */
	int16_t *pcm;
	uint32_t filled;  /* samples */
	uint32_t waiting; /* workers that have not let go of it yet */
};

struct dp_clips {
	struct dp_ids ids;
	uint32_t samples; /* of all, those that are going too */
	struct dp_clip_entry entries[DP_CTL_CLIPS_MAX];
};

int dp_clips_init(struct dp_clips *clips); /* 0 or -ENOMEM */
void dp_clips_fini(struct dp_clips *clips);

/* -EEXIST, -ENOSPC, -ENOMEM. The message is a valid one, here and below. */
int dp_clips_add(struct dp_clips *clips, const struct dp_ctl_clip *msg);

/* -ENOENT, -EINVAL: not the part that comes next. */
int dp_clips_fill(struct dp_clips *clips, const struct dp_ctl_clip_part *part);

/* A clip that can be played from offset on. -ENOENT, -EAGAIN: not full yet, -EINVAL: no such sample. */
int dp_clips_playable(const struct dp_clip **out, const struct dp_clips *clips, uint32_t id,
		      uint32_t offset);

/* Out of the table, so that nobody begins to play it; NULL: unknown. Its memory stays until put. */
struct dp_clip_entry *dp_clips_take(struct dp_clips *clips, uint32_t id);
void dp_clips_put(struct dp_clips *clips, struct dp_clip_entry *entry);

#endif
