/* stage_rx: a burst from our queue, and what other workers found to be ours. */
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

void
stage_rx(struct dp_worker *w, struct dp_batch *b)
{
	struct rte_ring *handoff = w->conf.handoff[w->conf.index];
	uint16_t n = 0;

	if (handoff != NULL && !rte_ring_empty(handoff)) {
		n = (uint16_t)rte_ring_dequeue_burst(handoff, (void **)b->rx, b->burst / 2, NULL);
		w->stats.handoff_in += n;
	}
	uint16_t wire = drv_port_rx(w->conf.port, (uint16_t)w->conf.index, b->rx + n,
				    (uint16_t)(b->burst - n));

	w->stats.rx_packets += wire;
	b->rx_wire = n;
	b->rx_count = (uint16_t)(n + wire);
	w->did_work |= b->rx_count > 0;
}
