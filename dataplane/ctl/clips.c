/* Clips: room, sound in order, and the way out. */
#include "dataplane/ctl/clips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
dp_clips_init(struct dp_clips *clips)
{
	*clips = (struct dp_clips){0};
	return dp_ids_init(&clips->ids, DP_CTL_CLIPS_MAX);
}

void
dp_clips_fini(struct dp_clips *clips)
{
	for (uint32_t i = 0; i < DP_CTL_CLIPS_MAX; i++)
		free(clips->entries[i].pcm);
	dp_ids_fini(&clips->ids);
}

int
dp_clips_add(struct dp_clips *clips, const struct dp_ctl_clip *msg)
{
	struct dp_clip_entry *entry;
	uint32_t i;

	if (dp_ids_get(&clips->ids, msg->clip) != DP_IDS_NONE)
		return -EEXIST;
	for (i = 0; i < DP_CTL_CLIPS_MAX && clips->entries[i].pcm != NULL; i++)
		;
	if (i == DP_CTL_CLIPS_MAX || msg->samples > DP_CTL_CLIPS_SAMPLES_MAX - clips->samples)
		return -ENOSPC;
	entry = &clips->entries[i];
	*entry = (struct dp_clip_entry){.pcm = malloc(msg->samples * sizeof(int16_t))};
	if (entry->pcm == NULL)
		return -ENOMEM;
	entry->clip = (struct dp_clip){.pcm = entry->pcm, .samples = msg->samples};
	clips->samples += msg->samples;
	dp_ids_put(&clips->ids, msg->clip, i);
	return 0;
}

int
dp_clips_fill(struct dp_clips *clips, const struct dp_ctl_clip_part *part)
{
	uint32_t i = dp_ids_get(&clips->ids, part->clip);
	struct dp_clip_entry *entry;

	if (i == DP_IDS_NONE)
		return -ENOENT;
	entry = &clips->entries[i];
	if (part->offset != entry->filled || part->count > entry->clip.samples - entry->filled)
		return -EINVAL;
	memcpy(entry->pcm + entry->filled, part->pcm, part->count * sizeof(int16_t));
	entry->filled += part->count;
	return 0;
}

int
dp_clips_playable(const struct dp_clip **out, const struct dp_clips *clips, uint32_t id,
		  uint32_t offset)
{
	uint32_t i = dp_ids_get(&clips->ids, id);

	if (i == DP_IDS_NONE)
		return -ENOENT;
	if (clips->entries[i].filled < clips->entries[i].clip.samples)
		return -EAGAIN;
	if (offset >= clips->entries[i].clip.samples)
		return -EINVAL;
	*out = &clips->entries[i].clip;
	return 0;
}

struct dp_clip_entry *
dp_clips_take(struct dp_clips *clips, uint32_t id)
{
	uint32_t i = dp_ids_get(&clips->ids, id);

	if (i == DP_IDS_NONE)
		return NULL;
	dp_ids_remove(&clips->ids, id);
	return &clips->entries[i];
}

void
dp_clips_put(struct dp_clips *clips, struct dp_clip_entry *entry)
{
	clips->samples -= entry->clip.samples;
	free(entry->pcm);
	*entry = (struct dp_clip_entry){0};
}
