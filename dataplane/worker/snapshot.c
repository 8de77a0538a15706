/* Counters that fit together: taken between two packets by the worker itself. */
#include "dataplane/worker/worker_state.h"

void
dp_worker_snapshot(const struct dp_worker *w, struct dp_worker_stats *out)
{
	const struct dp_jbuf_totals *totals = dp_frame_pool_totals(w->frames);

	*out = w->stats;
	out->rx_sunk += totals->played;
	out->held = totals->held;
	for (unsigned d = 0; d < DP_DROP_COUNT; d++)
		out->drops[d] += totals->drops[d];
	out->legs = w->live_count;
}

static void
snapshot_jbuf(const struct dp_leg *leg, struct dp_leg_stats *out)
{
	struct dp_jbuf_counts counts;

	dp_jbuf_counts(&leg->jbuf, &counts);
	out->played = counts.played;
	out->held = dp_jbuf_held(&leg->jbuf);
	out->reordered = counts.reordered;
	out->concealed_frames = counts.concealed;
	out->jbuf_delay_us = dp_jbuf_delay_us(&leg->jbuf);
	out->clock_drift_ppm = dp_jbuf_drift_ppm(&leg->jbuf);
	out->drops[DP_DROP_JBUF_RESET] += counts.reset;
	out->drops[DP_DROP_JBUF_OVERFLOW] += counts.overflow;
	out->drops[DP_DROP_JBUF_SKEW] += counts.skew;
	out->drops[DP_DROP_JBUF_LATE] += counts.expired;
}

void
dp_leg_snapshot(const struct dp_worker *w, const struct dp_leg *leg, struct dp_leg_stats *out)
{
	int32_t lost = dp_rtp_stats_lost(&leg->rtp);

	*out = (struct dp_leg_stats){
		.rx_packets = leg->rx_packets,
		.rx_octets = leg->rx_octets,
		.rx_rtcp = leg->report.rx_rtcp,
		.rx_dtmf_packets = leg->rx_dtmf_packets,
		.tx_packets = leg->tx_packets,
		.tx_octets = leg->tx_octets,
		.tx_rtcp = leg->report.tx_rtcp,
		.lost = lost > 0 ? (uint64_t)lost : 0,
		.auth_failures = leg->drops[DP_DROP_SRTP_AUTH],
		.replays = leg->drops[DP_DROP_SRTP_REPLAY],
		.dtmf_events = leg->dtmf_events,
		.ssrc_changes = leg->ssrc_changes,
		.key_packets_rx = dp_srtp_rx_packets(&leg->srtp_rx),
		.key_packets_tx = dp_srtp_tx_packets(&leg->srtp_tx),
		.jitter_us = (uint32_t)((uint64_t)dp_rtp_stats_jitter(&leg->rtp) * 1000000u /
					(leg->rx_clock_hz == 0 ? 1 : leg->rx_clock_hz)),
		.round_trip_us = leg->report.round_trip_us,
		.remote_jitter_us = leg->report.remote_jitter_us,
		.remote_lost = leg->report.remote_lost,
		.ssrc_rx = leg->rx_ssrc,
		.ssrc_tx = leg->tx_ssrc,
		.level_rx = leg->level_rx,
		.level_tx = leg->level_tx,
		.is_latched = leg->is_latched,
		.is_played_to = w->plays[leg - w->legs].clip != NULL,
	};
	for (unsigned d = 0; d < DP_DROP_COUNT; d++)
		out->drops[d] = leg->drops[d];
	snapshot_jbuf(leg, out);
}
