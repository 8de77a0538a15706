/* What the worker tells the control thread unasked. Nothing here waits: a full ring loses the event and counts it. */
#include <rte_ring_elem.h>
#include "dataplane/worker/worker_state.h"

#define PERMILLE_SOON 900
#define PERMILLE_GONE 1000

void
dp_worker_event(struct dp_worker *w, const struct dp_event_rec *rec)
{
	if (rte_ring_enqueue_elem(w->events, (void *)(uintptr_t)rec, sizeof(*rec)) != 0)
		w->stats.events_lost++;
}

void
dp_worker_leg_event(struct dp_worker *w, const struct dp_leg *leg, enum dp_event_type event,
		    uint32_t a, uint32_t b)
{
	struct dp_event_rec rec = {
		.event = event,
		.conf = w->confs[leg->conf].id,
		.leg = leg->id,
		.a = a,
		.b = b,
	};

	dp_worker_event(w, &rec);
}

/* Keys that a rotation displaced go back to be wiped; while the ring is full they stay in the context. */
void
dp_worker_keys_back(struct dp_worker *w, struct dp_leg *leg)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
	unsigned n;

	if (rte_ring_free_count(w->keys) < DP_SRTP_OUT_MAX)
		return;
	n = dp_srtp_rx_collect(&leg->srtp_rx, out);
	for (unsigned i = 0; i < n; i++)
		rte_ring_enqueue(w->keys, out[i]);
}

void
dp_worker_notes(struct dp_worker *w, struct dp_leg *leg, uint8_t dir, unsigned notes)
{
	if ((notes & DP_SRTP_NOTE_ROTATED) != 0)
		dp_worker_keys_back(w, leg);
	if ((notes & DP_SRTP_NOTE_KEY_SOON) != 0)
		dp_worker_leg_event(w, leg, DP_EVENT_KEY_SOON, dir, PERMILLE_SOON);
	if ((notes & DP_SRTP_NOTE_KEY_GONE) != 0)
		dp_worker_leg_event(w, leg, DP_EVENT_KEY_SOON, dir, PERMILLE_GONE);
}
