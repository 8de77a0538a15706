/* The stages of a turn, in order. Only turn.c includes this: a stage never calls another. */
#ifndef DP_WORKER_STAGES_H
#define DP_WORKER_STAGES_H

#include <stdbool.h>

struct dp_batch;
struct dp_worker;

/* Messages of the control thread, at most budget of them. */
void ctl_drain(struct dp_worker *w, unsigned budget);

void stage_rx(struct dp_worker *w, struct dp_batch *b);	      /* port and hand-off ring → rx */
void stage_classify(struct dp_worker *w, struct dp_batch *b); /* rx → rtp, rtcp, away */
void stage_handoff(struct dp_worker *w, struct dp_batch *b);  /* away → the owner's ring */
void stage_unprotect(struct dp_worker *w, struct dp_batch *b);
void stage_jbuf_put(struct dp_worker *w, struct dp_batch *b); /* rtp → jitter buffers */
void stage_rtcp(struct dp_worker *w,
		struct dp_batch *b); /* rtcp → what peers report; our reports that are due */

/* The next legs whose tick is due → conf, leg. */
bool tick_due(struct dp_worker *w, struct dp_batch *b);
void stage_decode(struct dp_worker *w, struct dp_batch *b);  /* jitter buffers → pcm */
void stage_mix(struct dp_worker *w, struct dp_batch *b);     /* pcm → who hears what */
void stage_encode(struct dp_worker *w, struct dp_batch *b);  /* → out */
void stage_protect(struct dp_worker *w, struct dp_batch *b); /* out → out */
void stage_tx(struct dp_worker *w, struct dp_batch *b);	     /* out → port */

#endif
