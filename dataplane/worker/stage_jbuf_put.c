/*
 * stage_jbuf_put: sound goes into the leg's jitter buffer, telephone-event and comfort noise to their ends. The last stage on the
 * packet clock.
 */
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define COMFORT_NOISE_PT 13 /* RFC 3389 */
#define TELEPHONE_EVENT_HZ 8000

/* RFC 3550 8.2: does a peer use an SSRC that one of its conference's legs sends under? */
static void
check_collision(struct dp_worker *w, const struct dp_leg *leg, uint32_t ssrc)
{
	const struct dp_conference *conf = &w->confs[leg->conf];

	for (uint32_t i = 0; i < conf->leg_count; i++) {
		const struct dp_leg *other = &w->legs[conf->members[i]];

		if (other->tx_ssrc == ssrc)
			dp_worker_leg_event(w, other, (enum dp_event_type)DP_EVENT_SSRC_COLLISION,
					    ssrc, 0);
	}
}

static void
source_changed(struct dp_worker *w, struct dp_leg *leg, const struct dp_rtp *rtp)
{
	if (leg->rtp.received > 0)
		leg->ssrc_changes++;
	dp_contributor_gone(w, leg);
	leg->rx_ssrc = rtp->ssrc;
	dp_worker_leg_event(w, leg, DP_EVENT_SSRC, rtp->ssrc, 0);
	dp_rtp_stats_init(&leg->rtp, rtp->seq);
	check_collision(w, leg, rtp->ssrc);
}

static void
put_dtmf(struct dp_worker *w, const struct dp_in *in, const uint8_t *payload, uint16_t len)
{
	struct dp_leg *leg = in->leg;
	const struct dp_dtmf_packet packet = {
		.payload = payload,
		.arrival_ns = w->now_ns,
		.ts = in->rtp.ts,
		.clock_hz = TELEPHONE_EVENT_HZ,
		.len = len,
	};
	struct dp_dtmf_event events[DP_DTMF_OUT_MAX];
	unsigned n = dp_dtmf_put(&leg->dtmf, &packet, events);

	leg->rx_dtmf_packets++;
	for (unsigned i = 0; i < n; i++) {
		leg->dtmf_events++;
		dp_worker_leg_event(w, leg, DP_EVENT_DTMF, events[i].code, events[i].duration_ms);
	}
	dp_jbuf_skip(&leg->jbuf, w->frames, in->rtp.ssrc, in->rtp.seq);
	w->stats.rx_sunk++;
	dp_worker_sink(w, in->mbuf);
}

static const struct dp_codec *
codec_of(const struct dp_worker *w, const struct dp_leg *leg, uint8_t pt)
{
	for (unsigned i = 0; i < leg->rx_count; i++)
		if (leg->rx_pt[i] == pt)
			return &w->codecs[leg->rx_codec[i]];
	return NULL;
}

static void
put_sound(struct dp_worker *w, const struct dp_in *in, const struct dp_codec *codec,
	  const uint8_t *payload, uint16_t len)
{
	uint32_t duration = codec->duration(payload, len);
	const struct dp_jbuf_packet packet = {
		.payload = payload,
		.arrival_ns = w->now_ns,
		.ssrc = in->rtp.ssrc,
		.ts = in->rtp.ts,
		.seq = in->rtp.seq,
		.len = len,
		.duration = (uint16_t)duration,
		.tag = codec->id,
	};
	enum dp_drop drop = DP_DROP_RTP_SIZE;

	if (duration > 0 && duration <= UINT16_MAX)
		drop = dp_jbuf_put(&in->leg->jbuf, w->frames, &packet);
	if (drop == DP_DROP_NONE) {
		dp_worker_trace(w, in->leg, in->mbuf, drop);
		dp_worker_sink(w, in->mbuf);
	} else
		dp_worker_drop(w, in->leg, in->mbuf, drop);
}

static void
put_one(struct dp_worker *w, const struct dp_in *in)
{
	struct dp_leg *leg = in->leg;
	const uint8_t *data = rte_pktmbuf_mtod(in->mbuf, const uint8_t *);
	bool is_dtmf = leg->dtmf_pt != 0 && in->rtp.pt == leg->dtmf_pt;
	uint16_t len = 0;
	enum dp_drop drop = dp_rtp_strip(&len, &in->rtp, data, in->len);

	if (drop != DP_DROP_NONE) {
		dp_worker_drop(w, leg, in->mbuf, drop);
		return;
	}
	if (leg->rx_ssrc != in->rtp.ssrc || leg->rtp.received == 0)
		source_changed(w, leg, &in->rtp);
	dp_rtp_stats_count(&leg->rtp, in->rtp.seq, in->rtp.ts,
			   dp_rtp_units(w->now_ns, leg->rx_clock_hz), !is_dtmf);
	const uint8_t *payload = data + in->rtp.header_len;
	const struct dp_codec *codec = codec_of(w, leg, in->rtp.pt);

	if ((leg->dirs & DP_DIR_RECEIVE) == 0) {
		dp_worker_drop(w, leg, in->mbuf, DP_DROP_NOT_RECEIVING);
	} else if (is_dtmf) {
		put_dtmf(w, in, payload, len);
	} else if (codec != NULL && len > 0) {
		put_sound(w, in, codec, payload, len);
	} else if (codec != NULL || in->rtp.pt == COMFORT_NOISE_PT) {
		dp_jbuf_skip(&leg->jbuf, w->frames, in->rtp.ssrc, in->rtp.seq);
		leg->sunk_other++;
		w->stats.rx_sunk++;
		dp_worker_sink(w, in->mbuf);
	} else {
		dp_worker_drop(w, leg, in->mbuf, DP_DROP_RTP_PT);
	}
}

void
stage_jbuf_put(struct dp_worker *w, struct dp_batch *b)
{
	for (uint16_t i = 0; i < b->rtp_count; i++)
		put_one(w, &b->rtp[i]);
}
