/* Our RTCP compounds: RFC 3550 6.4, 6.5, 6.6; when: 6.3 by dataplane/rtp. */
#include <stdlib.h>
#include "dataplane/rtp/rtcp.h"
#include "dataplane/worker/worker_state.h"

#define COMPOUND_MAX 1200 /* octets on the wire, SRTCP's trailer among them */
/* What a compound takes besides the CNAMEs of others: SR with a block, SDES with ours, BYE. */
#define OWN_OCTETS (28 + 24 + 4 + 72 + 4 + 4 * DP_GONE_REPORT_MAX)
#define BANDWIDTH 400 /* octets a second: 5 % of G.711's 64 kbit/s */
#define MIN_MS 5000
#define EARLY_MS 4000 /* within 5 s with the pauses between two looks at a leg */
#define IP_UDP_OCTETS 28
#define NS 1000000000u

static void
schedule(struct dp_worker *w, struct dp_leg *leg)
{
	const struct dp_rtcp_timing timing = {
		.members = 2,
		.senders = (leg->dirs & DP_DIR_RECEIVE ? 1 : 0) + (leg->dirs & DP_DIR_SEND ? 1 : 0),
		.bandwidth = BANDWIDTH,
		.avg_octets = leg->report.avg_octets,
		.min_ms = MIN_MS,
		.random = dp_worker_random(w),
		.have_we_sent = (leg->dirs & DP_DIR_SEND) != 0,
		.is_first = leg->report.is_first,
	};

	leg->report.due_ns = w->now_ns + dp_rtcp_interval_ns(&timing);
}

/* Scratch of a compound. */
struct others {
	struct dp_rtcp_cname described[DP_DESCRIBED_MAX];
	uint32_t gone[DP_GONE_REPORT_MAX];
};

void
dp_report_size(struct dp_leg *leg, uint32_t octets)
{
	struct dp_leg_report *report = &leg->report;

	report->avg_octets = (octets + IP_UDP_OCTETS + 15u * report->avg_octets) / 16u;
}

void
dp_report_early(struct dp_worker *w, struct dp_leg *leg)
{
	uint64_t due_ns = w->now_ns + (uint64_t)(dp_worker_random(w) % EARLY_MS) * (NS / 1000u);

	leg->report.is_early = true;
	if (due_ns < leg->report.due_ns)
		leg->report.due_ns = due_ns;
}

static const struct dp_addr *
report_to(const struct dp_leg *leg)
{
	return (leg->flags & DP_LEG_RTCP_MUX) != 0 ? &leg->to : &leg->report.rtcp_to;
}

/* The block on what we receive; false: nothing was received yet. */
static bool
block_of(const struct dp_worker *w, struct dp_leg *leg, struct dp_rtcp_block *block)
{
	struct dp_rtp_loss loss;
	uint64_t since_ns = w->now_ns - leg->report.sr_in_ns;

	if (leg->rtp.received == 0)
		return false;
	dp_rtp_stats_report(&leg->rtp, &loss);
	*block = (struct dp_rtcp_block){
		.ssrc = leg->rx_ssrc,
		.highest = loss.highest,
		.jitter = dp_rtp_stats_jitter(&leg->rtp),
		.lost = loss.lost,
		.fraction = loss.fraction,
		.lsr = leg->report.sr_in_mid,
		.dlsr = leg->report.sr_in_mid == 0
				? 0
				: (uint32_t)((unsigned __int128)since_ns * 65536u / NS),
	};
	return true;
}

/* CNAMEs and BYEs of those whom we mix, RFC 3550 7.3. Nothing of it goes with our own BYE. */
static void
add_others(struct dp_worker *w, struct dp_leg *leg, struct others *others,
	   struct dp_rtcp_make *make)
{
	make->forwards = others->described;
	make->forward_count = (uint8_t)dp_contributors_describe(
		w, leg, others->described, COMPOUND_MAX - DP_SRTP_TRAILER_MAX - OWN_OCTETS);
	make->bye_csrcs = others->gone;
	make->bye_csrc_count = (uint8_t)dp_contributors_take_gone(w, leg, others->gone);
}

static size_t
build(struct dp_worker *w, struct dp_leg *leg, bool is_bye, uint8_t *out, size_t room)
{
	uint64_t since_ns = w->now_ns - w->wheel.start_ns;
	const struct dp_rtcp_sender sender = {
		.ntp = dp_rtcp_ntp(w->now_ns + w->unix_offset_ns),
		.ts = leg->tx_ts + (uint32_t)((unsigned __int128)since_ns * 8000u / NS),
		.packets = leg->tx_stream,
		.octets = leg->tx_payload,
	};
	struct dp_rtcp_block block;
	struct others others;
	struct dp_rtcp_make make = {
		.sender = leg->tx_stream != leg->report.tx_at_last ? &sender : NULL,
		.blocks = &block,
		.block_count = block_of(w, leg, &block),
		.cname = leg->cname,
		.ssrc = leg->tx_ssrc,
		.is_bye = is_bye,
	};

	if (!is_bye)
		add_others(w, leg, &others, &make);
	leg->report.tx_at_last = leg->tx_stream;
	return dp_rtcp_build(out, room, &make);
}

void
dp_report_add(struct dp_worker *w, struct dp_leg *leg, bool is_bye)
{
	const struct dp_addr *to = report_to(leg);
	unsigned i = w->report_count;
	struct rte_mbuf *mbuf;

	leg->report.is_first = leg->report.is_early = false;
	schedule(w, leg);
	if (to->family == DP_FAMILY_NONE || (leg->flags & DP_LEG_NO_RTCP) != 0 ||
	    (leg->is_secure && leg->srtp_tx.current.key == NULL))
		return;
	w->stats.made++;
	mbuf = rte_pktmbuf_alloc(w->conf.pool);
	if (mbuf == NULL) {
		dp_worker_drop_out(w, leg, DP_DROP_NO_MBUF);
		return;
	}
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint16_t room = (uint16_t)(mbuf->buf_len - mbuf->data_off);
	size_t len = build(w, leg, is_bye, data, COMPOUND_MAX - DP_SRTP_TRAILER_MAX);

	pkt->peer = *to;
	pkt->local_index = leg->local_index;
	pkt->local_port = (uint16_t)(leg->local_port + ((leg->flags & DP_LEG_RTCP_MUX) == 0));
	pkt->flags = 0;
	w->report_mbufs[i] = mbuf;
	w->report_legs[i] = leg;
	w->report_ops[i] = (struct dp_srtp_op){
		.data = data,
		.ctx = &leg->srtp_tx,
		.len = (uint32_t)len,
		.room = room,
		.ssrc = leg->tx_ssrc,
	};
	w->report_count++;
	if (w->report_count == DP_REPORTS_MAX)
		dp_reports_flush(w);
}

/* Secure legs' packets before those of plain ones; returns how many. */
static unsigned
secure_first(struct dp_worker *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->report_count; i++) {
		struct dp_leg *leg = w->report_legs[i];
		struct rte_mbuf *mbuf = w->report_mbufs[i];
		struct dp_srtp_op op = w->report_ops[i];

		if (!leg->is_secure)
			continue;
		w->report_legs[i] = w->report_legs[n];
		w->report_mbufs[i] = w->report_mbufs[n];
		w->report_ops[i] = w->report_ops[n];
		w->report_legs[n] = leg;
		w->report_mbufs[n] = mbuf;
		w->report_ops[n++] = op;
	}
	return n;
}

void
dp_reports_flush(struct dp_worker *w)
{
	unsigned n, kept = 0;
	uint8_t verdicts[DP_REPORTS_MAX];

	if (w->report_count == 0)
		return;
	n = secure_first(w);
	if (n > 0)
		dp_srtp_protect_rtcp(w->engine, w->report_ops, n);
	for (unsigned i = 0; i < w->report_count; i++) {
		struct dp_leg *leg = w->report_legs[i];
		struct dp_srtp_op *op = &w->report_ops[i];

		if (i < n && op->note != 0)
			dp_worker_notes(w, leg, DP_DIR_SEND, op->note);
		if (i < n && op->verdict != DP_DROP_NONE) {
			dp_worker_drop_out(w, leg, op->verdict);
			rte_pktmbuf_free(w->report_mbufs[i]);
			continue;
		}
		w->report_mbufs[i]->data_len = (uint16_t)op->len;
		w->report_mbufs[i]->pkt_len = op->len;
		w->report_mbufs[kept] = w->report_mbufs[i];
		w->report_ops[kept] = *op;
		w->report_legs[kept++] = leg;
	}
	drv_port_tx(w->conf.port, (uint16_t)w->conf.index, w->report_mbufs, (uint16_t)kept,
		    verdicts);
	for (unsigned i = 0; i < kept; i++) {
		if (verdicts[i] != DP_DROP_NONE) {
			dp_worker_drop_out(w, w->report_legs[i], verdicts[i]);
			continue;
		}
		w->stats.tx_packets++;
		w->stats.tx_octets += w->report_ops[i].len;
		w->report_legs[i]->report.tx_rtcp++;
		dp_report_size(w->report_legs[i], w->report_ops[i].len);
		schedule(w, w->report_legs[i]);
	}
	w->report_count = 0;
}
