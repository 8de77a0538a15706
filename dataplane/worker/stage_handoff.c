/* stage_handoff: packets of other workers' port ranges go to their owner's ring (NICs that cannot steer by port). */
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

void
stage_handoff(struct dp_worker *w, struct dp_batch *b)
{
	for (uint16_t i = 0; i < b->away_count; i++) {
		if (rte_ring_enqueue(w->conf.handoff[b->away_to[i]], b->away[i]) == 0)
			w->stats.handoff_out++;
		else
			dp_worker_drop(w, NULL, b->away[i], DP_DROP_HANDOFF_FULL);
	}
}
