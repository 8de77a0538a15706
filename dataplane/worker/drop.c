/* The ends of packets: dropped under a name, or sunk where they were meant to go. */
#include "dataplane/worker/worker_state.h"

void
dp_worker_sink(struct dp_worker *w, struct rte_mbuf *mbuf)
{
	w->batch.done[w->batch.done_count++] = mbuf;
}

void
dp_worker_drop(struct dp_worker *w, struct dp_leg *leg, struct rte_mbuf *mbuf, enum dp_drop drop)
{
	w->stats.drops[drop]++;
	if (leg != NULL)
		leg->drops[drop]++;
	dp_worker_sink(w, mbuf);
}

void
dp_worker_drop_out(struct dp_worker *w, struct dp_leg *leg, enum dp_drop drop)
{
	w->stats.drops[drop]++;
	leg->drops[drop]++;
}

void
dp_worker_free_done(struct dp_worker *w)
{
	if (w->batch.done_count > 0)
		rte_pktmbuf_free_bulk(w->batch.done, w->batch.done_count);
	w->batch.done_count = 0;
}
