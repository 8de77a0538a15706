/* stage_decode: what each leg said in these 20 ms, as samples, with its level. Silence is known by its level, not by zeros. */
#include <string.h>
#include "dataplane/codec/plc.h"
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define SLOT_AHEAD 16  /* legs: prefetch of the jitter buffer's slot, */
#define FRAME_AHEAD 8  /* then of the frame in it */
#define QUIET_LEVEL 50 /* -dBov: below speech */

/* The sound before a gap, and the concealment that goes on from it. */
static struct dp_plc
conceal_from(struct dp_worker *w, const struct dp_jbuf_part *part)
{
	const struct dp_codec *codec = &w->codecs[part->tag];
	struct dp_plc plc = {.last = w->last, .since = part->since, .sample_hz = codec->sample_hz};

	if (codec->decode != NULL && part->len > 0 &&
	    codec->duration(part->payload, part->len) <= DP_CODEC_FRAME_MAX)
		plc.last_samples = codec->decode(NULL, w->last, part->payload, part->len);
	return plc;
}

static void
decode_part(struct dp_worker *w, const struct dp_jbuf_part *part, int16_t *pcm)
{
	switch (part->kind) {
	case DP_JBUF_PLAY:
		w->codecs[part->tag].decode(NULL, pcm, part->payload, part->len);
		break;
	case DP_JBUF_CONCEAL: {
		struct dp_plc plc = conceal_from(w, part);

		dp_plc_conceal(&plc, pcm, part->duration);
		break;
	}
	default:
		memset(pcm, 0, part->duration * sizeof(*pcm));
	}
}

static void
decode_parts(struct dp_worker *w, const struct dp_jbuf_out *out, int16_t *pcm)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < out->count; i++) {
		decode_part(w, &out->part[i], pcm + at);
		if (out->is_joined && out->join_at == i) {
			struct dp_plc plc = conceal_from(w, &out->join);

			dp_plc_join(&plc, pcm + at, out->part[i].duration);
		}
		at += out->part[i].duration;
	}
}

/* -dBov of what others may hear of this leg, 127: nothing. */
static uint8_t
decode_leg(struct dp_worker *w, struct dp_leg *leg, uint64_t tick_ns, int16_t *pcm)
{
	struct dp_jbuf_out out;
	struct dp_level level;

	if (leg->jbuf.phase == DP_JBUF_IDLE ||
	    !dp_jbuf_get(&leg->jbuf, w->frames, tick_ns, leg->level_rx > QUIET_LEVEL, &out)) {
		leg->level_rx = DP_MIX_SILENCE;
		return DP_MIX_SILENCE;
	}
	decode_parts(w, &out, pcm);
	level = w->mix->level(pcm, DP_SAMPLES);
	leg->level_rx = level.is_silent ? DP_MIX_SILENCE : level.level;
	if (level.is_silent || leg->is_muted)
		return DP_MIX_SILENCE;
	if (!leg->gain.is_unity) {
		w->mix->gain(pcm, &leg->gain, DP_SAMPLES);
		level = w->mix->level(pcm, DP_SAMPLES);
	}
	return level.is_silent ? DP_MIX_SILENCE : level.level;
}

void
stage_decode(struct dp_worker *w, struct dp_batch *b)
{
	if (b->is_continued)
		return;
	for (uint32_t i = 0; i < b->leg_count && i < SLOT_AHEAD; i++)
		dp_jbuf_prefetch_slot(&b->leg[i]->jbuf);
	for (uint32_t i = 0; i < b->leg_count && i < FRAME_AHEAD; i++)
		dp_jbuf_prefetch_frame(&b->leg[i]->jbuf, w->frames);
	for (uint32_t i = 0; i < b->leg_count; i++) {
		if (i + SLOT_AHEAD < b->leg_count)
			dp_jbuf_prefetch_slot(&b->leg[i + SLOT_AHEAD]->jbuf);
		if (i + FRAME_AHEAD < b->leg_count)
			dp_jbuf_prefetch_frame(&b->leg[i + FRAME_AHEAD]->jbuf, w->frames);
		b->level[i] = decode_leg(w, b->leg[i], b->tick_ns, b->pcm + (size_t)i * DP_SAMPLES);
	}
}
