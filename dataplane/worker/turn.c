/* A packet's whole life. */
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

void
dp_worker_turn(struct dp_worker *w, uint64_t now_ns)
{
	struct dp_batch *b = &w->batch;

	w->now_ns = b->now_ns = now_ns;
	ctl_drain(w, DP_CTL_BUDGET); /* keys, joins, leaves: bounded */

	/* Packet clock: from the wire to the jitter buffer. */
	stage_rx(w, b);
	stage_classify(w, b);
	stage_handoff(w, b); /* not my conference: give it to its owner */
	stage_unprotect(w, b);
	stage_jbuf_put(w, b);
	stage_rtcp(w, b);
	dp_worker_free_done(w);

	/* Media clock: from the jitter buffer to the wire. */
	while (tick_due(w, b)) {
		stage_decode(w, b);
		stage_mix(w, b);
		stage_encode(w, b);
		stage_protect(w, b);
		stage_tx(w, b);
	}
	w->stats.turns++;
}
