/* Handing clips over: one after the other, a window of parts under way. */
#include "ctrlplane/media/clips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include "ctrlplane/base/log.h"

#define WINDOW 8 /* requests under way: other requests wait behind at most so many */
#define SAMPLES_A_MS 8

enum clip_state {
	CLIP_WAITING = 0, /* for the ones before it, or for a media plane */
	CLIP_SENDING,
	CLIP_THERE,
	CLIP_FAILED,
};

struct cp_clip {
	TAILQ_ENTRY(cp_clip) next;
	struct cp_clips *clips;
	enum clip_state state;
	uint32_t id;
	uint32_t samples;
	uint32_t sent; /* samples */
	unsigned int under_way;
	bool is_removed; /* freed when nothing is under way */
	bool is_late;	 /* an answer did not come in time: all of it again */
	int error;
	int16_t *pcm;
};

struct cp_clips {
	struct cp_media *media;
	TAILQ_HEAD(, cp_clip) all;
	uint32_t last_id;
	unsigned int under_way;
	bool is_up; /* what was there before is gone, or going */
	struct dp_ctl_clip_part part;
};

static void pump(struct cp_clips *clips);

static uint32_t
next_id(struct cp_clips *clips)
{
	if (++clips->last_id == 0)
		clips->last_id = 1;
	return clips->last_id;
}

static void
clip_free(struct cp_clip *clip)
{
	TAILQ_REMOVE(&clip->clips->all, clip, next);
	free(clip->pcm);
	free(clip);
}

static void
clip_fail(struct cp_clip *clip, int error)
{
	if (clip->state == CLIP_FAILED)
		return;
	cp_log(CP_LOG_ERROR, "media", "the media plane does not take a clip of %u ms: %s",
	       cp_clip_ms(clip), strerror(-error));
	clip->state = CLIP_FAILED;
	clip->error = error;
}

/* What came of it over there is not known. */
static void
clip_again(struct cp_clip *clip)
{
	struct cp_clips *clips = clip->clips;

	cp_media_request_id(clips->media, DP_CTL_CLIP_REMOVE, clip->id, NULL, NULL);
	clip->id = next_id(clips);
	clip->state = CLIP_WAITING;
	clip->sent = 0;
	clip->is_late = false;
}

static void
on_sent(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	struct cp_clip *clip = arg;
	struct cp_clips *clips = clip->clips;

	clips->under_way--;
	clip->under_way--;
	clip->is_late |= status == -ETIMEDOUT;
	if (status < 0 && status != -ECONNRESET && !clip->is_removed && !clip->is_late)
		clip_fail(clip, status);
	else if (clip->is_late && !clip->is_removed && clip->under_way == 0)
		clip_again(clip);
	else if (clip->state == CLIP_SENDING && clip->sent == clip->samples && clip->under_way == 0)
		clip->state = CLIP_THERE;
	if (clip->is_removed && clip->under_way == 0)
		clip_free(clip);
	if (status != -ECONNRESET)
		pump(clips);
}

static int
send_next(struct cp_clip *clip)
{
	struct cp_clips *clips = clip->clips;
	struct dp_ctl_clip head = {
		.hdr = {.type = DP_CTL_CLIP_ADD}, .clip = clip->id, .samples = clip->samples};
	struct dp_ctl_clip_part *part = &clips->part;
	uint32_t count = clip->samples - clip->sent;

	if (clip->state == CLIP_WAITING)
		return cp_media_request(clips->media, &head, sizeof(head), on_sent, clip);
	if (count > DP_CTL_CLIP_PART)
		count = DP_CTL_CLIP_PART;
	*part = (struct dp_ctl_clip_part){.hdr = {.type = DP_CTL_CLIP_FILL},
					  .clip = clip->id,
					  .offset = clip->sent,
					  .count = count};
	memcpy(part->pcm, clip->pcm + clip->sent, count * sizeof(*clip->pcm));
	return cp_media_request(clips->media, part, sizeof(*part), on_sent, clip);
}

static bool
has_more(const struct cp_clip *clip)
{
	return !clip->is_removed && !clip->is_late &&
	       (clip->state == CLIP_WAITING ||
		(clip->state == CLIP_SENDING && clip->sent < clip->samples));
}

static void
pump(struct cp_clips *clips)
{
	struct cp_clip *clip;

	TAILQ_FOREACH (clip, &clips->all, next)
		while (clips->is_up && clips->under_way < WINDOW && has_more(clip)) {
			int rc = send_next(clip);

			if (rc == -ENOTCONN || rc == -EAGAIN)
				return; /* it comes again, or room does */
			if (rc < 0) {
				clip_fail(clip, rc);
				break;
			}
			clips->under_way++;
			clip->under_way++;
			if (clip->state == CLIP_WAITING)
				clip->state = CLIP_SENDING;
			else
				clip->sent += clips->part.count;
		}
}

static void
on_listed(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	const struct dp_ctl_ids *ids = (const struct dp_ctl_ids *)reply;
	struct cp_clips *clips = arg;

	if (status < 0)
		return;
	for (uint32_t i = 0; i < ids->count && i < DP_CTL_PAGE_LEGS; i++)
		cp_media_request_id(clips->media, DP_CTL_CLIP_REMOVE, ids->ids[i], NULL, NULL);
	if (!ids->is_last && ids->count > 0 && ids->count <= DP_CTL_PAGE_LEGS) {
		struct dp_ctl_list list = {.hdr = {.type = DP_CTL_LIST_CLIPS},
					   .after = ids->ids[ids->count - 1]};

		cp_media_request(clips->media, &list, sizeof(list), on_listed, clips);
		return;
	}
	clips->is_up = true;
	pump(clips);
}

void
cp_clips_on_up(struct cp_clips *clips)
{
	struct dp_ctl_list list = {.hdr = {.type = DP_CTL_LIST_CLIPS}};

	cp_clips_on_down(clips);
	cp_media_request(clips->media, &list, sizeof(list), on_listed, clips);
}

void
cp_clips_on_down(struct cp_clips *clips)
{
	struct cp_clip *clip;

	clips->is_up = false;
	TAILQ_FOREACH (clip, &clips->all, next) {
		clip->state = CLIP_WAITING;
		clip->sent = 0;
		clip->is_late = false;
		clip->id = next_id(clips);
	}
}

int
cp_clips_create(struct cp_clips **out, struct cp_media *media, uint32_t start)
{
	struct cp_clips *clips = calloc(1, sizeof(*clips));

	if (clips == NULL)
		return -ENOMEM;
	clips->media = media;
	clips->last_id = start;
	TAILQ_INIT(&clips->all);
	*out = clips;
	return 0;
}

void
cp_clips_destroy(struct cp_clips *clips)
{
	struct cp_clip *clip;

	if (clips == NULL)
		return;
	while ((clip = TAILQ_FIRST(&clips->all)) != NULL)
		clip_free(clip);
	free(clips);
}

int
cp_clip_add(struct cp_clip **out, struct cp_clips *clips, int16_t *pcm, uint32_t samples)
{
	struct cp_clip *clip = calloc(1, sizeof(*clip));

	if (clip == NULL) {
		free(pcm);
		return -ENOMEM;
	}
	clip->clips = clips;
	clip->pcm = pcm;
	clip->samples = samples;
	clip->id = next_id(clips);
	TAILQ_INSERT_TAIL(&clips->all, clip, next);
	*out = clip;
	pump(clips);
	return 0;
}

void
cp_clip_remove(struct cp_clip *clip)
{
	if (clip->clips->is_up && (clip->state == CLIP_SENDING || clip->state == CLIP_THERE))
		cp_media_request_id(clip->clips->media, DP_CTL_CLIP_REMOVE, clip->id, NULL, NULL);
	clip->is_removed = true;
	if (clip->under_way == 0)
		clip_free(clip);
}

int
cp_clip_id(const struct cp_clip *clip, uint32_t *id)
{
	if (clip->state == CLIP_FAILED)
		return clip->error;
	if (clip->state != CLIP_THERE)
		return -EAGAIN;
	*id = clip->id;
	return 0;
}

uint32_t
cp_clip_ms(const struct cp_clip *clip)
{
	return (clip->samples + SAMPLES_A_MS - 1) / SAMPLES_A_MS;
}
