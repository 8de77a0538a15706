/* stage_tx: address the packets and give them to the port. */
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

void
stage_tx(struct dp_worker *w, struct dp_batch *b)
{
	struct rte_mbuf *mbufs[DP_OUT_MAX];
	uint8_t verdicts[DP_OUT_MAX];
	uint16_t len[DP_OUT_MAX];

	if (b->out_count == 0)
		return;
	for (unsigned i = 0; i < b->out_count; i++) {
		struct drv_pkt *pkt = rte_mbuf_to_priv(b->out[i].mbuf);
		const struct dp_leg *leg = b->out[i].leg;

		mbufs[i] = b->out[i].mbuf;
		len[i] = mbufs[i]->data_len;
		pkt->peer = leg->to;
		pkt->local_port = leg->local_port;
		pkt->local_index = leg->local_index;
		pkt->flags = 0;
	}
	drv_port_tx(w->conf.port, (uint16_t)w->conf.index, mbufs, b->out_count, verdicts);
	for (unsigned i = 0; i < b->out_count; i++) {
		struct dp_leg *leg = b->out[i].leg;

		dp_worker_trace_out(w, leg, len[i], verdicts[i]);
		if (verdicts[i] != DP_DROP_NONE) {
			dp_worker_drop_out(w, leg, verdicts[i]);
			continue;
		}
		w->stats.tx_packets++;
		w->stats.tx_octets += len[i];
		leg->tx_packets++;
		leg->tx_stream++;
		leg->tx_octets += len[i];
	}
	b->out_count = 0;
}
