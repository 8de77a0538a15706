/* stage_protect: encrypt and authenticate what goes out, a whole burst with as many keys. Plain legs' packets pass by. */
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

/* Plain legs' packets to the end; returns how many come before them. */
static unsigned
secure_first(struct dp_batch *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->out_count; i++) {
		if (!b->out[i].leg->is_secure)
			continue;
		if (i != n) {
			struct dp_out out = b->out[n];
			struct dp_srtp_op op = b->ops[n];

			b->out[n] = b->out[i];
			b->ops[n] = b->ops[i];
			b->out[i] = out;
			b->ops[i] = op;
		}
		n++;
	}
	return n;
}

void
stage_protect(struct dp_worker *w, struct dp_batch *b)
{
	unsigned n = secure_first(b), kept = 0;

	if (n > 0)
		dp_srtp_protect_rtp(w->engine, b->ops, n);
	for (unsigned i = 0; i < b->out_count; i++) {
		struct dp_srtp_op *op = &b->ops[i];
		struct dp_leg *leg = b->out[i].leg;

		if (i < n && op->note != 0)
			dp_worker_notes(w, leg, DP_DIR_SEND, op->note);
		if (i < n && op->verdict != DP_DROP_NONE) {
			dp_worker_drop_out(w, leg, op->verdict);
			rte_pktmbuf_free(b->out[i].mbuf);
			continue;
		}
		b->out[i].mbuf->data_len = (uint16_t)op->len;
		b->out[i].mbuf->pkt_len = op->len;
		b->out[kept++] = b->out[i];
	}
	b->out_count = (uint16_t)kept;
}
