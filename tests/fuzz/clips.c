/*
 * The registry of clips under any order of requests: the input is a list of them, 12 octets each. What it says of itself stays
 * true, and what is playable is what was put in, in order.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/ctl/clips.h"
#include "dataplane/ctl/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEP 12
#define SMALL_MAX (1u << 14) /* samples of most clips: the fuzzer's memory is not what is tried, */
#define IS_LARGE 0x8000	     /* in count: but this one goes to the limit */

struct order {
	uint8_t what, clip;
	uint16_t count;
	uint32_t a, unused;
};

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
consistent(const struct dp_clips *clips)
{
	uint64_t samples = 0;
	uint32_t known = 0;

	for (uint32_t i = 0; i < DP_CTL_CLIPS_MAX; i++) {
		const struct dp_clip_entry *entry = &clips->entries[i];

		must(entry->filled <= entry->clip.samples);
		must((entry->pcm == NULL) == (entry->clip.samples == 0));
		known += entry->pcm != NULL;
		samples += entry->clip.samples;
	}
	must(samples == clips->samples && samples <= DP_CTL_CLIPS_SAMPLES_MAX);
	must(known == clips->ids.count);
}

static void
add(struct dp_clips *clips, const struct order *order)
{
	struct dp_ctl_clip msg = {
		.hdr = {.version = DP_CTL_VERSION, .type = DP_CTL_CLIP_ADD, .len = sizeof(msg)},
		.clip = order->clip,
		.samples = (order->count & IS_LARGE) != 0 ? DP_CTL_CLIP_SAMPLES_MAX - order->a % 10
							  : order->a % SMALL_MAX};

	if (dp_ctl_validate(&msg, sizeof(msg)) == 0)
		dp_clips_add(clips, &msg);
}

/* Samples are their own offset, so that a look inside tells whether they are in order. */
static void
fill(struct dp_clips *clips, const struct order *order)
{
	static struct dp_ctl_clip_part msg;

	msg.hdr = (struct dp_ctl_hdr){
		.version = DP_CTL_VERSION, .type = DP_CTL_CLIP_FILL, .len = sizeof(msg)};
	msg.clip = order->clip;
	msg.offset = order->a;
	msg.count = order->count;
	for (uint32_t i = 0; i < DP_CTL_CLIP_PART; i++)
		msg.pcm[i] = (int16_t)(order->a + i);
	if (dp_ctl_validate(&msg, sizeof(msg)) == 0)
		dp_clips_fill(clips, &msg);
}

static void
play(const struct dp_clips *clips, const struct order *order)
{
	const struct dp_clip *clip;

	if (dp_clips_playable(&clip, clips, order->clip, order->a) != 0)
		return;
	must(order->a < clip->samples);
	must(clip->pcm[order->a] == (int16_t)order->a);
	must(clip->pcm[clip->samples - 1] == (int16_t)(clip->samples - 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dp_clips *clips = malloc(sizeof(*clips));

	if (clips == NULL || dp_clips_init(clips) != 0)
		abort();
	for (; size >= STEP; data += STEP, size -= STEP) {
		struct dp_clip_entry *entry;
		struct order order;

		memcpy(&order, data, STEP);
		if (order.what % 4 == 0)
			add(clips, &order);
		else if (order.what % 4 == 1)
			fill(clips, &order);
		else if (order.what % 4 == 2)
			play(clips, &order);
		else if ((entry = dp_clips_take(clips, order.clip)) != NULL)
			dp_clips_put(clips, entry);
		consistent(clips);
	}
	dp_clips_fini(clips);
	free(clips);
	return 0;
}
