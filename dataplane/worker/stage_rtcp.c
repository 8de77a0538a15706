/*
 * stage_rtcp: what peers report of our streams, and the leg's slow clock: several times a second every leg is looked after for
 * reports that are due, media that has stopped, key presses that have ended.
 */
#include <string.h>
#include "dataplane/rtp/rtcp.h"
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define MS 1000000u
#define CLOCK_HZ 8000u

static void
read_sender(struct dp_worker *w, struct dp_leg *leg, const struct dp_rtcp_packet *packet)
{
	struct dp_rtcp_sender sender;

	dp_rtcp_sender(&sender, packet);
	leg->report.sr_in_ns = w->now_ns;
	leg->report.sr_in_mid = dp_rtcp_ntp_mid(sender.ntp);
}

static void
read_blocks(struct dp_worker *w, struct dp_leg *leg, const struct dp_rtcp_packet *packet)
{
	uint32_t now_mid = dp_rtcp_ntp_mid(dp_rtcp_ntp(w->now_ns + w->unix_offset_ns));

	for (unsigned i = 0; i < packet->count; i++) {
		struct dp_rtcp_block block;
		uint32_t round_trip_us;

		dp_rtcp_block(&block, packet, i);
		if (block.ssrc != leg->tx_ssrc)
			continue;
		leg->report.remote_lost = block.fraction;
		leg->report.remote_jitter_us =
			(uint32_t)((uint64_t)block.jitter * 1000000u / CLOCK_HZ);
		round_trip_us = dp_rtcp_round_trip_us(now_mid, &block);
		if (round_trip_us != 0)
			leg->report.round_trip_us = round_trip_us;
	}
}

/* Its CNAME, kept for those who hear it. Others that it speaks for have no SSRC in our packets. */
static void
read_names(struct dp_leg *leg, const struct dp_rtcp_packet *packet, uint32_t from)
{
	struct dp_rtcp_sdes_walk walk = {0};
	struct dp_rtcp_sdes sdes;

	while (dp_rtcp_sdes_next(&sdes, packet, &walk)) {
		if (sdes.ssrc != from || sdes.type != DP_RTCP_SDES_CNAME || sdes.len == 0 ||
		    memchr(sdes.text, 0, sdes.len) != NULL)
			continue;
		memcpy(leg->peer_cname, sdes.text, sdes.len);
		leg->peer_cname[sdes.len] = 0;
		leg->peer_cname_ssrc = from;
		return;
	}
}

static void
read_bye(struct dp_worker *w, struct dp_leg *leg, const struct dp_rtcp_packet *packet)
{
	for (unsigned i = 0; i < packet->count; i++) {
		if (dp_rtcp_bye_ssrc(packet, i) != leg->rx_ssrc)
			continue;
		dp_contributor_gone(w, leg);
		dp_worker_leg_event(w, leg, DP_EVENT_BYE, 0, 0);
		return;
	}
}

static void
read_compound(struct dp_worker *w, const struct dp_in *in)
{
	struct dp_leg *leg = in->leg;
	const uint8_t *data = rte_pktmbuf_mtod(in->mbuf, const uint8_t *);
	struct dp_rtcp_packet packet;
	uint32_t from = 0; /* the first packet is an SR or RR */
	size_t at = 0;

	if (dp_rtcp_check(data, in->len) != DP_DROP_NONE) {
		dp_worker_drop(w, leg, in->mbuf, DP_DROP_RTCP_HEADER);
		return;
	}
	leg->report.rx_rtcp++;
	dp_report_size(leg, in->len);
	while (dp_rtcp_next(&packet, data, in->len, &at)) {
		if (packet.type == DP_RTCP_SR)
			read_sender(w, leg, &packet);
		if (packet.type == DP_RTCP_SR || packet.type == DP_RTCP_RR) {
			from = packet.ssrc;
			read_blocks(w, leg, &packet);
		} else if (packet.type == DP_RTCP_SDES) {
			read_names(leg, &packet, from);
		} else if (packet.type == DP_RTCP_BYE) {
			read_bye(w, leg, &packet);
		}
	}
	w->stats.rx_sunk++;
	dp_worker_sink(w, in->mbuf);
}

static void
watch_media(struct dp_worker *w, struct dp_leg *leg)
{
	uint64_t last_ns = leg->active_ns;

	if (leg->last_rx_ns > last_ns)
		last_ns = leg->last_rx_ns;
	if (leg->report.last_in_ns > last_ns)
		last_ns = leg->report.last_in_ns;
	bool is_lost = leg->lost_after_ms != 0 && (leg->dirs & DP_DIR_RECEIVE) != 0 &&
		       w->now_ns > last_ns &&
		       w->now_ns - last_ns >= (uint64_t)leg->lost_after_ms * MS;

	if (is_lost == leg->is_lost)
		return;
	leg->is_lost = is_lost;
	/* A leg that went on hold while it was lost is not back: it is no longer expected. */
	if (is_lost || (leg->dirs & DP_DIR_RECEIVE) != 0)
		dp_worker_leg_event(w, leg, is_lost ? DP_EVENT_MEDIA_LOST : DP_EVENT_MEDIA_BACK, 0,
				    0);
}

static void
look_after(struct dp_worker *w, struct dp_leg *leg)
{
	struct dp_dtmf_event event;

	if (!leg->report.is_early && dp_contributors_has_gone(w, leg))
		dp_report_early(w, leg);
	if (leg->report.due_ns <= w->now_ns)
		dp_report_add(w, leg, false);
	watch_media(w, leg);
	if (dp_dtmf_is_open(&leg->dtmf) &&
	    dp_dtmf_expire(&leg->dtmf, w->now_ns, CLOCK_HZ, &event)) {
		leg->dtmf_events++;
		dp_worker_leg_event(w, leg, DP_EVENT_DTMF, event.code, event.duration_ms);
	}
	if (leg->srtp_rx.gone[0] != NULL)
		dp_worker_keys_back(w, leg);
}

/* All legs in a quarter of a second, evenly: so many thousandths of a leg a microsecond. */
static void
sweep(struct dp_worker *w)
{
	uint64_t since_us = (w->now_ns - w->sweep_ns) / 1000u;
	uint32_t due;

	if (since_us < 1000 || w->live_count == 0)
		return;
	w->sweep_ns = w->now_ns;
	if (since_us > 1000000u / DP_SWEEPS_PER_SECOND)
		since_us = 1000000u / DP_SWEEPS_PER_SECOND;
	w->sweep_debt += (uint32_t)(since_us * w->live_count * DP_SWEEPS_PER_SECOND / 1000u);
	due = w->sweep_debt / 1000u;
	w->sweep_debt %= 1000u;
	for (uint32_t i = 0; i < due; i++) {
		if (w->sweep_at >= w->live_count)
			w->sweep_at = 0;
		look_after(w, &w->legs[w->live[w->sweep_at++]]);
	}
	dp_reports_flush(w);
}

void
stage_rtcp(struct dp_worker *w, struct dp_batch *b)
{
	for (uint16_t i = 0; i < b->rtcp_count; i++)
		read_compound(w, &b->rtcp[i]);
	sweep(w);
}
