/*
 * stage_unprotect: who sent it? SRTP authenticates whole bursts; plain RTP is believed by its source address. What passes here
 * moves the leg's state: liveness and the latch of symmetric RTP. What does not, moves none.
 */
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define LATCH_SILENT_NS \
	2000000000u /* the latched source may lose its place after so long without a packet */

static bool
is_same_host(const struct dp_addr *a, const struct dp_addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* RFC 1918, RFC 6598, link-local, RFC 4193: what a peer behind a NAT may have signalled. */
static bool
is_private(const struct dp_addr *a)
{
	if (a->family == DP_FAMILY_IP6)
		return (a->ip[0] & 0xfe) == 0xfc || (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80);
	return a->ip[0] == 10 || (a->ip[0] == 172 && (a->ip[1] & 0xf0) == 16) ||
	       (a->ip[0] == 192 && a->ip[1] == 168) || (a->ip[0] == 169 && a->ip[1] == 254) ||
	       (a->ip[0] == 100 && (a->ip[1] & 0xc0) == 64);
}

/* Plain RTP: the latched source, or before the latch the signalled host (any, behind a NAT or when none was signalled). */
static bool
may_be_plain(const struct dp_addr *latched, bool is_latched, const struct dp_addr *signalled,
	     const struct dp_addr *peer)
{
	if (is_latched)
		return dp_addr_is_same(latched, peer);
	return signalled->family == DP_FAMILY_NONE || is_same_host(signalled, peer) ||
	       (is_private(signalled) && !is_private(peer));
}

static bool
may_believe_plain(const struct dp_worker *w, const struct dp_leg *leg, const struct dp_addr *peer)
{
	if (leg->is_latched && w->now_ns - leg->latched_rx_ns >= LATCH_SILENT_NS)
		return may_be_plain(&leg->latched, false, &leg->signalled_rtp, peer);
	return may_be_plain(&leg->latched, leg->is_latched && !leg->is_relatching,
			    &leg->signalled_rtp, peer);
}

/* The packet has authenticated (or is believed): commit. */
static void
commit_rtp(struct dp_worker *w, struct dp_leg *leg, const struct dp_addr *peer)
{
	if (leg->is_latched && !leg->is_relatching && dp_addr_is_same(&leg->latched, peer)) {
		leg->latched_rx_ns = w->now_ns;
	} else if (!leg->is_latched || leg->is_relatching ||
		   w->now_ns - leg->latched_rx_ns >= LATCH_SILENT_NS) {
		leg->latched = *peer;
		leg->is_latched = true;
		leg->is_relatching = false;
		leg->latched_rx_ns = w->now_ns;
		if ((leg->flags & DP_LEG_NO_LATCH) == 0)
			leg->to = *peer;
		if (leg->report.rtcp_to.family == DP_FAMILY_NONE) { /* none was signalled */
			leg->report.rtcp_to = *peer;
			leg->report.rtcp_to.port++;
		}
	}
	leg->last_rx_ns = w->now_ns;
	if (!leg->has_media) {
		leg->has_media = true;
		dp_worker_leg_event(w, leg, DP_EVENT_FIRST_MEDIA, 0, 0);
	}
}

static void
commit_rtcp(struct dp_worker *w, struct dp_leg *leg, const struct dp_addr *peer)
{
	if (leg->report.last_in_ns == 0 || !leg->report.is_latched ||
	    w->now_ns - leg->report.last_in_ns >= LATCH_SILENT_NS * 5ull) {
		leg->report.is_latched = true;
		if ((leg->flags & (DP_LEG_NO_LATCH | DP_LEG_RTCP_MUX)) == 0)
			leg->report.rtcp_to = *peer;
	}
	leg->report.last_in_ns = w->now_ns;
}

static void
commit(struct dp_worker *w, struct dp_in *in, bool is_rtcp)
{
	const struct drv_pkt *pkt = rte_mbuf_to_priv(in->mbuf);

	if (is_rtcp)
		commit_rtcp(w, in->leg, &pkt->peer);
	else
		commit_rtp(w, in->leg, &pkt->peer);
}

/* Burst of one kind: op i is of packet which[i]. What fails leaves the list, order kept. */
static uint16_t
settle(struct dp_worker *w, struct dp_in *in, uint16_t count, bool is_rtcp)
{
	struct dp_srtp_op *op = w->batch.ops;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < count; i++) {
		struct dp_leg *leg = in[i].leg;
		const struct drv_pkt *pkt = rte_mbuf_to_priv(in[i].mbuf);

		if (leg->is_secure) {
			if (op->note != 0)
				dp_worker_notes(w, leg, DP_DIR_RECEIVE, op->note);
			in[i].len = (uint16_t)op->len;
			uint8_t verdict = (op++)->verdict;

			if (verdict != DP_DROP_NONE) {
				dp_worker_drop(w, leg, in[i].mbuf, verdict);
				continue;
			}
		} else if (!is_rtcp && !may_believe_plain(w, leg, &pkt->peer)) {
			dp_worker_drop(w, leg, in[i].mbuf, DP_DROP_RTP_SOURCE);
			continue;
		} else if (is_rtcp && leg->is_latched && !is_same_host(&leg->latched, &pkt->peer)) {
			dp_worker_drop(w, leg, in[i].mbuf, DP_DROP_RTP_SOURCE);
			continue;
		}
		commit(w, &in[i], is_rtcp);
		if (kept != i)
			in[kept] = in[i];
		kept++;
	}
	return kept;
}

static unsigned
gather(struct dp_worker *w, const struct dp_in *in, uint16_t count)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < count; i++) {
		if (!in[i].leg->is_secure)
			continue;
		w->batch.ops[n++] = (struct dp_srtp_op){
			.data = rte_pktmbuf_mtod(in[i].mbuf, uint8_t *),
			.ctx = &in[i].leg->srtp_rx,
			.len = in[i].len,
			.room = in[i].len,
			.header_len = in[i].rtp.header_len,
			.ssrc = in[i].rtp.ssrc,
			.seq = in[i].rtp.seq,
		};
	}
	return n;
}

void
stage_unprotect(struct dp_worker *w, struct dp_batch *b)
{
	unsigned n;

	if (b->rtp_count > 0) {
		n = gather(w, b->rtp, b->rtp_count);
		if (n > 0)
			dp_srtp_unprotect_rtp(w->engine, b->ops, n);
		b->rtp_count = settle(w, b->rtp, b->rtp_count, false);
	}
	if (b->rtcp_count > 0) {
		n = gather(w, b->rtcp, b->rtcp_count);
		if (n > 0)
			dp_srtp_unprotect_rtcp(w->engine, b->ops, n);
		b->rtcp_count = settle(w, b->rtcp, b->rtcp_count, true);
	}
}
