/*
 * stage_encode: packets with RTP headers and encoded sound. Legs that hear the same with the same codec share one encoding. A leg
 * whose packets last other than 20 ms gathers encoded octets until a packet is full.
 */
#include <string.h>
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define TICKS10 2 /* of 10 ms in a tick */

/* The 20 ms that a leg hears, encoded; written to out unless it is shared. */
struct sound {
	const uint8_t *octets; /* NULL: encode pcm */
	const int16_t *pcm;
	uint32_t len;
	bool is_silence;
};

static uint32_t
frame_octets(const struct dp_codec *codec)
{
	return DP_SAMPLES / codec->frame_units * codec->unit_octets;
}

static struct sound
sound_of(struct dp_worker *w, struct dp_batch *b, uint32_t at)
{
	const struct dp_leg *leg = b->leg[at];
	const struct dp_codec *codec = &w->codecs[leg->tx_codec];
	struct dp_tick_conf *tc = &b->conf[b->leg_conf[at]];
	struct sound sound = {.len = frame_octets(codec)};

	switch (b->hears[at]) {
	case DP_HEARS_OWN:
	case DP_HEARS_CLIP:
		sound.pcm = b->pcm + (size_t)at * DP_SAMPLES;
		w->stats.frames_encoded++;
		break;
	case DP_HEARS_ALL: {
		uint8_t *frame = tc->frame + (size_t)leg->tx_codec * DP_FRAME_OCTETS;

		if ((tc->encoded & 1u << leg->tx_codec) == 0) {
			codec->encode(NULL, frame, tc->all, DP_SAMPLES);
			tc->encoded |= (uint8_t)(1u << leg->tx_codec);
			w->stats.frames_encoded++;
		} else {
			w->stats.frames_shared++;
		}
		sound.octets = frame;
		break;
	}
	default:
		sound.octets = w->silence[leg->tx_codec];
		sound.is_silence = true;
	}
	return sound;
}

static void
sound_write(struct dp_worker *w, const struct dp_leg *leg, const struct sound *sound, uint8_t *out)
{
	if (sound->octets != NULL)
		memcpy(out, sound->octets, sound->len);
	else
		w->codecs[leg->tx_codec].encode(NULL, out, sound->pcm, DP_SAMPLES);
}

/* SSRCs of those who are heard in this leg's mix, without itself. */
static uint8_t
csrcs_of(const struct dp_batch *b, uint32_t at, uint32_t *csrcs)
{
	const struct dp_tick_conf *tc = &b->conf[b->leg_conf[at]];
	uint8_t n = 0;

	if (b->hears[at] == DP_HEARS_SILENCE || b->hears[at] == DP_HEARS_CLIP)
		return 0;
	for (uint32_t i = 0; i < tc->heard_count && n < DP_RTP_CSRC_MAX; i++)
		if (tc->heard_leg[i] != at)
			csrcs[n++] = tc->heard[i];
	return n;
}

/* A packet for this leg with its header written; NULL: no buffer. */
static uint8_t *
packet_begin(struct dp_worker *w, struct dp_batch *b, uint32_t at, uint32_t ts, bool has_marker)
{
	struct dp_leg *leg = b->leg[at];
	uint32_t csrcs[DP_RTP_CSRC_MAX];
	struct rte_mbuf *mbuf;

	w->stats.made++;
	mbuf = b->spare_count > 0 ? b->spare[--b->spare_count] : NULL;
	if (mbuf == NULL) {
		leg->tx_seq++;
		dp_worker_drop_out(w, leg, DP_DROP_NO_MBUF);
		return NULL;
	}
	const struct dp_rtp_make make = {
		.csrcs = csrcs,
		.csrc_count = csrcs_of(b, at, csrcs),
		.ts = ts,
		.ssrc = leg->tx_ssrc,
		.seq = leg->tx_seq++,
		.pt = leg->tx_pt,
		.has_marker = has_marker,
	};
	uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint16_t header_len = dp_rtp_build(data, &make);

	b->out[b->out_count] = (struct dp_out){.mbuf = mbuf, .leg = leg};
	b->ops[b->out_count] = (struct dp_srtp_op){
		.data = data,
		.ctx = &leg->srtp_tx,
		.room = (uint16_t)(mbuf->buf_len - mbuf->data_off),
		.header_len = header_len,
		.ssrc = leg->tx_ssrc,
		.seq = make.seq,
	};
	return data + header_len;
}

static void
packet_end(struct dp_batch *b, uint32_t payload_len)
{
	b->out[b->out_count].leg->tx_payload += payload_len;
	b->ops[b->out_count].len = b->ops[b->out_count].header_len + payload_len;
	b->out_count++;
}

/* Encoded octets gather in acc; packets leave as long as one is full. */
static void
encode_gathered(struct dp_worker *w, struct dp_batch *b, uint32_t at, const struct sound *sound)
{
	struct dp_leg *leg = b->leg[at];
	uint32_t units = DP_SAMPLES / TICKS10 * leg->ptime_ticks10;
	uint32_t full = sound->len / TICKS10 * leg->ptime_ticks10;
	uint32_t now_ts = leg->tx_ts + (uint32_t)b->period * DP_SAMPLES;

	/* After a gap, a change of ptime or codec what is left over is of the past. */
	if (leg->acc_octets >= full ||
	    now_ts - leg->acc_ts != leg->acc_octets * (uint64_t)DP_SAMPLES / sound->len)
		leg->acc_octets = 0;
	if (leg->acc_octets == 0) {
		leg->acc_ts = now_ts;
		leg->acc_is_marked = false;
	}
	if (leg->is_marked && !sound->is_silence) {
		leg->acc_is_marked = true;
		leg->is_marked = false;
	}
	sound_write(w, leg, sound, leg->acc + leg->acc_octets);
	leg->acc_octets += sound->len;
	while (leg->acc_octets >= full) {
		uint8_t *payload = packet_begin(w, b, at, leg->acc_ts, leg->acc_is_marked);

		if (payload != NULL) {
			memcpy(payload, leg->acc, full);
			packet_end(b, full);
		}
		leg->acc_octets -= full;
		leg->acc_ts += units;
		leg->acc_is_marked = false;
		memmove(leg->acc, leg->acc + full, leg->acc_octets);
	}
}

static void
encode_leg(struct dp_worker *w, struct dp_batch *b, uint32_t at)
{
	struct dp_leg *leg = b->leg[at];
	struct sound sound = sound_of(w, b, at);

	if (leg->ptime_ticks10 != TICKS10) {
		encode_gathered(w, b, at, &sound);
	} else {
		uint32_t ts = leg->tx_ts + (uint32_t)b->period * DP_SAMPLES;
		bool has_marker = leg->is_marked && !sound.is_silence;
		uint8_t *payload = packet_begin(w, b, at, ts, has_marker);

		if (has_marker)
			leg->is_marked = false;
		if (payload != NULL) {
			sound_write(w, leg, &sound, payload);
			packet_end(b, sound.len);
		}
	}
	leg->is_marked |= sound.is_silence;
}

void
stage_encode(struct dp_worker *w, struct dp_batch *b)
{
	uint32_t end = b->out_from + DP_TICK_LEGS;
	uint32_t want = 0;

	b->out_until = end < b->leg_count ? end : b->leg_count;
	b->out_count = 0;
	for (uint32_t i = b->out_from; i < b->out_until; i++)
		if (b->hears[i] != DP_HEARS_NOTHING)
			want += b->leg[i]->ptime_ticks10 < TICKS10 ? 2 : 1;
	b->spare_count = 0;
	if (want == 0)
		return;
	if (rte_pktmbuf_alloc_bulk(w->conf.pool, b->spare, want) == 0)
		b->spare_count = want;
	else
		while (b->spare_count < want &&
		       (b->spare[b->spare_count] = rte_pktmbuf_alloc(w->conf.pool)) != NULL)
			b->spare_count++;
	for (uint32_t i = b->out_from; i < b->out_until; i++)
		if (b->hears[i] != DP_HEARS_NOTHING)
			encode_leg(w, b, i);
	if (b->spare_count > 0)
		rte_pktmbuf_free_bulk(b->spare, b->spare_count);
	b->spare_count = 0;
}
