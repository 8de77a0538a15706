/* The control socket's messages: whatever comes, the check ends, reads within len, and what it passes holds its promises. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/api/ctl.h"
#include "dataplane/ctl/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
promises(const struct dp_ctl_hdr *hdr, size_t size)
{
	must(hdr->len == size && hdr->type < DP_CTL_REQUEST_END && hdr->version == DP_CTL_VERSION);
	if (hdr->type == DP_CTL_LEG_ADD || hdr->type == DP_CTL_LEG_UPDATE) {
		const struct dp_ctl_leg *leg = (const struct dp_ctl_leg *)hdr;

		must(leg->rx_count <= DP_CTL_CODECS_MAX && leg->tx.codec < DP_CODEC_COUNT);
		must(leg->ptime_ms >= 10 && leg->ptime_ms <= 60);
		must(memchr(leg->cname, 0, sizeof(leg->cname)) != NULL);
	} else if (hdr->type == DP_CTL_KEY_INSTALL) {
		const struct dp_ctl_key *key = (const struct dp_ctl_key *)hdr;

		must(key->suite > DP_SUITE_NONE && key->suite < DP_SUITE_COUNT);
		must(key->mki_len <= DP_SRTP_MKI_MAX && key->slot <= DP_KEY_NEXT);
	} else if (hdr->type == DP_CTL_CLIP_ADD) {
		const struct dp_ctl_clip *clip = (const struct dp_ctl_clip *)hdr;

		must(clip->clip != 0 && clip->samples - 1 < DP_CTL_CLIP_SAMPLES_MAX);
	} else if (hdr->type == DP_CTL_CLIP_FILL) {
		const struct dp_ctl_clip_part *part = (const struct dp_ctl_clip_part *)hdr;

		must(part->count - 1 < DP_CTL_CLIP_PART);
		must((uint64_t)part->offset + part->count <= DP_CTL_CLIP_SAMPLES_MAX);
	} else if (hdr->type == DP_CTL_PLAY) {
		const struct dp_ctl_play *play = (const struct dp_ctl_play *)hdr;

		must((play->leg != 0 || play->conf != 0) && play->play != 0);
		must(play->flags <= (DP_PLAY_LOOP | DP_PLAY_OVER));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *copy = malloc(size + 1); /* of its own, so that a read beyond is seen */

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	if (dp_ctl_validate(copy, size) == 0)
		promises(copy, size);
	free(copy);
	return 0;
}
