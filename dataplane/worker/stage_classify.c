/*
 * stage_classify: which leg, RTP or RTCP, is the header whole. By arithmetic on the local port: leg i has first + 2i for RTP and
 * the next one for RTCP; with mux (RFC 5761) both come to the first.
 */
#include <rte_prefetch.h>
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define AHEAD 8 /* packets: a cache miss takes as long as so many */

/* Our port range, another worker's (then *owner), or nobody's. */
enum owner { OURS, THEIRS, NOBODYS };

static enum owner
owner_of(const struct dp_worker *w, uint16_t port, unsigned *owner)
{
	unsigned offset = (unsigned)port - w->conf.port_base;

	if ((uint16_t)(port - w->port_first) < w->legs_max * 2)
		return OURS;
	if (port < w->conf.port_base)
		return NOBODYS;
	*owner = offset / w->conf.ports_per_queue;
	return *owner < w->conf.workers && w->conf.handoff[*owner] != NULL ? THEIRS : NOBODYS;
}

static void
prefetch_mbuf(struct rte_mbuf *mbuf)
{
	rte_prefetch0(mbuf);
	rte_prefetch0(rte_mbuf_to_priv(mbuf));
}

static void
classify_one(struct dp_worker *w, struct dp_batch *b, struct rte_mbuf *mbuf)
{
	const struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	unsigned offset = (uint16_t)(pkt->local_port - w->port_first);
	struct dp_leg *leg = &w->legs[offset / 2];
	const uint8_t *data = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	uint16_t len = rte_pktmbuf_data_len(mbuf);

	if (!leg->is_live || pkt->local_index != leg->local_index) {
		dp_worker_drop(w, NULL, mbuf, DP_DROP_NOT_FOR_US);
		return;
	}
	leg->rx_packets++;
	leg->rx_octets += len;
	if (rte_pktmbuf_pkt_len(mbuf) != len) {
		dp_worker_drop(w, leg, mbuf, DP_DROP_PKT_LONG);
		return;
	}
	if (offset % 2 != 0 || ((leg->flags & DP_LEG_RTCP_MUX) != 0 && dp_rtp_is_rtcp(data, len))) {
		b->rtcp[b->rtcp_count++] = (struct dp_in){.mbuf = mbuf, .leg = leg, .len = len};
		return;
	}
	struct dp_in *in = &b->rtp[b->rtp_count];
	enum dp_drop drop = dp_rtp_parse(&in->rtp, data, len);

	if (drop != DP_DROP_NONE) {
		dp_worker_drop(w, leg, mbuf, drop);
		return;
	}
	in->mbuf = mbuf;
	in->leg = leg;
	in->len = len;
	b->rtp_count++;
	dp_jbuf_prefetch_put(&leg->jbuf, in->rtp.seq);
}

void
stage_classify(struct dp_worker *w, struct dp_batch *b)
{
	uint16_t ours = 0;

	b->rtp_count = b->rtcp_count = b->away_count = 0;
	for (uint16_t i = 0; i < b->rx_count && i < AHEAD; i++)
		prefetch_mbuf(b->rx[i]);
	for (uint16_t i = 0; i < b->rx_count; i++) {
		struct rte_mbuf *mbuf = b->rx[i];
		const struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
		unsigned owner = 0;

		if (i + AHEAD < b->rx_count)
			prefetch_mbuf(b->rx[i + AHEAD]);
		if (i >= b->rx_wire)
			w->stats.rx_octets += mbuf->pkt_len;
		switch (owner_of(w, pkt->local_port, &owner)) {
		case OURS: {
			struct dp_leg *leg =
				&w->legs[(uint16_t)(pkt->local_port - w->port_first) / 2];

			rte_prefetch0(leg);
			rte_prefetch0(&leg->rtp);
			rte_prefetch0(&leg->srtp_rx);
			rte_prefetch0(&leg->local_index);
			rte_prefetch0(rte_pktmbuf_mtod(mbuf, void *));
			b->rx[ours++] = mbuf;
			break;
		}
		case THEIRS:
			b->away_to[b->away_count] = (uint8_t)owner;
			b->away[b->away_count++] = mbuf;
			break;
		case NOBODYS:
			dp_worker_drop(w, NULL, mbuf, DP_DROP_NOT_FOR_US);
			break;
		}
	}
	for (uint16_t i = 0; i < ours; i++)
		classify_one(w, b, b->rx[i]);
}
