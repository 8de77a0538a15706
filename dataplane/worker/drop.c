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
	if (leg != NULL) {
		leg->drops[drop]++;
		dp_worker_trace(w, leg, mbuf, drop);
	}
	dp_worker_sink(w, mbuf);
}

void
dp_worker_trace(struct dp_worker *w, const struct dp_leg *leg, const struct rte_mbuf *mbuf,
		enum dp_drop drop)
{
	const uint8_t *data = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	if (dp_trace_wants(&w->trace, (uint32_t)(leg - w->legs)))
		dp_trace_add(&w->trace,
			     &(struct dp_trace_rec){
				     .now_ns = w->now_ns,
				     .len = mbuf->data_len,
				     .seq = mbuf->data_len >= 4 ? dp_rtp_get16(data + 2) : 0,
				     .drop = (uint8_t)drop,
			     });
}

void
dp_worker_trace_out(struct dp_worker *w, const struct dp_leg *leg, uint16_t len, enum dp_drop drop)
{
	if (dp_trace_wants(&w->trace, (uint32_t)(leg - w->legs)))
		dp_trace_add(&w->trace, &(struct dp_trace_rec){.now_ns = w->now_ns,
							       .len = len,
							       .drop = (uint8_t)drop,
							       .is_out = true});
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
	struct dp_batch *b = &w->batch;
	unsigned plain = 0, other = 0;

	for (unsigned i = 0; i < b->done_count; i++) {
		struct rte_mbuf *mbuf = b->done[i];

		if (mbuf->nb_segs == 1 && mbuf->pool == w->conf.pool && RTE_MBUF_DIRECT(mbuf) &&
		    rte_mbuf_refcnt_read(mbuf) == 1)
			b->done[plain++] = mbuf;
		else
			b->done_other[other++] = mbuf;
	}
	/* As they lie: rte_pktmbuf_free would look at their second line, which nothing else has touched. */
	if (plain > 0)
		rte_mempool_put_bulk(w->conf.pool, (void **)b->done, plain);
	if (other > 0)
		rte_pktmbuf_free_bulk(b->done_other, other);
	b->done_count = 0;
}
