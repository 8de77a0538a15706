/* Layout of a worker: for the stages, which are this folder's, and its tests. */
#ifndef DP_WORKER_STATE_H
#define DP_WORKER_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <rte_ring.h>
#include "dataplane/api/drops.h"
#include "dataplane/api/stats.h"
#include "dataplane/trace/trace.h"
#include "dataplane/worker/batch.h"
#include "dataplane/worker/conference.h"
#include "dataplane/worker/contributor.h"
#include "dataplane/worker/leg.h"
#include "dataplane/worker/load.h"
#include "dataplane/worker/play.h"
#include "dataplane/worker/wheel.h"
#include "dataplane/worker/worker.h"

#define DP_CTL_RING 4096
#define DP_EVENT_RING 1024
#define DP_KEY_RING 1024
#define DP_CTL_BUDGET 32       /* messages a turn */
#define DP_STEPS_PER_TURN 4    /* slots of the media clock a turn: packets do not wait longer */
#define DP_SWEEPS_PER_SECOND 4 /* how often every leg is looked after: RTCP, media lost */
#define DP_REPORTS_MAX 32      /* RTCP packets made and protected together */

struct dp_codec;
struct dp_mix;

/* Memory that lives as long as the worker: huge pages where the kernel has them. */
struct dp_table {
	void *memory;
	size_t octets;
};

struct dp_worker {
	/* read by every stage */
	struct dp_worker_conf conf;
	uint16_t port_first; /* of our range */
	uint32_t legs_max;
	struct dp_leg *legs;
	struct dp_conference *confs;
	struct dp_gone_ring *gone; /* of each conference */
	struct dp_play *plays;	   /* of each leg, then of each conference */
	uint32_t *playing; /* those of plays that play, in no order; stats.playing of them */
	struct dp_frame_pool *frames;
	struct dp_srtp_engine *engine;
	const struct dp_codec *codecs;
	const struct dp_mix *mix;
	uint64_t now_ns;
	struct dp_wheel wheel;
	struct dp_worker_stats
		stats; /* without what the frame pool counts: see dp_worker_snapshot */
	bool did_work; /* this turn */

	/* looking after the legs */
	uint32_t *live; /* indices of live legs, in no order */
	uint32_t live_count;
	uint32_t sweep_at;
	uint32_t sweep_debt;	 /* thousandths of legs that are due to be looked at */
	uint64_t sweep_ns;	 /* when that was last reckoned */
	uint64_t unix_offset_ns; /* wall clock minus ours */
	uint64_t random;
	struct dp_srtp_op report_ops[DP_REPORTS_MAX];
	struct rte_mbuf *report_mbufs[DP_REPORTS_MAX];
	struct dp_leg *report_legs[DP_REPORTS_MAX];
	unsigned report_count;

	/* scratch of the tick */
	uint8_t silence[DP_CODEC_COUNT][DP_FRAME_OCTETS];
	int32_t sum[DP_SAMPLES] __attribute__((aligned(64)));
	int16_t clip[DP_SAMPLES] __attribute__((aligned(64))); /* of what is played */
	int16_t last[DP_CODEC_FRAME_MAX];		       /* decoded for concealment */

	/* to and from the control thread */
	struct rte_ring *inbox, *outbox, *events, *keys;
	uint32_t events_lost;
	atomic_bool is_stopped;

	struct dp_load load;
	struct dp_trace trace;
	uint64_t lateness[DP_LATENESS_BUCKETS];
	struct dp_table tables[10];
	unsigned table_count;

	struct dp_batch batch __attribute__((aligned(64)));
};

/* table.c: zeroed memory, freed with the worker; NULL when there is none. */
void *dp_worker_table(struct dp_worker *w, size_t octets);

/* drop.c. The packet is given up: counted for the worker and the leg (NULL: none), freed at the end of the turn. */
void dp_worker_drop(struct dp_worker *w, struct dp_leg *leg, struct rte_mbuf *mbuf,
		    enum dp_drop drop);
void dp_worker_drop_out(struct dp_worker *w, struct dp_leg *leg, enum dp_drop drop);
void dp_worker_sink(struct dp_worker *w,
		    struct rte_mbuf *mbuf); /* reached its end in the jitter buffer or here */
void dp_worker_free_done(struct dp_worker *w);

/* drop.c: for the trace of a leg, when it is being traced. */
void dp_worker_trace(struct dp_worker *w, const struct dp_leg *leg, const struct rte_mbuf *mbuf,
		     enum dp_drop drop);
void dp_worker_trace_out(struct dp_worker *w, const struct dp_leg *leg, uint16_t len,
			 enum dp_drop drop);

/* event.c */
void dp_worker_event(struct dp_worker *w, const struct dp_event_rec *rec);
void dp_worker_leg_event(struct dp_worker *w, const struct dp_leg *leg, enum dp_event_type event,
			 uint32_t a, uint32_t b);
void dp_worker_notes(struct dp_worker *w, struct dp_leg *leg, uint8_t dir, unsigned notes);
void dp_worker_keys_back(struct dp_worker *w, struct dp_leg *leg);

/* snapshot.c: counters that fit together. */
void dp_worker_snapshot(const struct dp_worker *w, struct dp_worker_stats *out);
void dp_leg_snapshot(const struct dp_worker *w, const struct dp_leg *leg, struct dp_leg_stats *out);

/* report.c: make an RTCP compound of ours for this leg; sent by dp_reports_flush. */
void dp_report_add(struct dp_worker *w, struct dp_leg *leg, bool is_bye);
void dp_reports_flush(struct dp_worker *w);

/* report.c: soon, but not all legs of a conference at once: somebody is gone. */
void dp_report_early(struct dp_worker *w, struct dp_leg *leg);

/* report.c: a compound came or went, of so many octets above UDP: RFC 3550 6.3.3. */
void dp_report_size(struct dp_leg *leg, uint32_t octets);

/* May we send to this leg: its direction, its key, its address. */
static inline bool
dp_leg_may_send(const struct dp_leg *leg)
{
	return (leg->dirs & DP_DIR_SEND) != 0 && leg->to.family != DP_FAMILY_NONE &&
	       (!leg->is_secure || leg->srtp_tx.current.key != NULL);
}

/* xorshift64*: for intervals, not for secrets. */
static inline uint32_t
dp_worker_random(struct dp_worker *w)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (uint32_t)(w->random * 0x2545f4914f6cdd1dULL >> 32);
}

#endif
