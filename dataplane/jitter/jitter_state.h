/* Layout of the jitter buffer: for dataplane/jitter, dataplane/worker (which embeds it in the leg)
 * and tests. */
#ifndef DP_JITTER_STATE_H
#define DP_JITTER_STATE_H

#include <stdint.h>
#include "dataplane/jitter/jitter.h"

#define DP_JBUF_SLOTS 32 /* a power of two: 300 ms at ptime 10 */
#define DP_JBUF_NO_BLOCK 0u
#define DP_JBUF_NO_SOUND UINT32_MAX /* slot of a sequence number that carried no sound */
#define DP_JBUF_BIG 0x80000000u	    /* this bit of a block number: of the big class */

enum dp_jbuf_phase {
	DP_JBUF_IDLE,	  /* no stream: the next packet starts one */
	DP_JBUF_STARTING, /* packets are held until start_ns */
	DP_JBUF_RUNNING,
};

/*
 * One leg's buffer. Line 0 is the whole hot state, lines 1 and 2 the slots (one of them is touched
 * by a packet), line 3 and 4 are cold. Packets sit in the slot of their sequence number, so that
 * order and duplicates cost nothing.
 */
struct dp_jbuf {
	/* line 0 */
	uint64_t anchor_ns; /* when play_ts is to be played: the next tick; STARTING: not before
			       this */
	uint64_t seen;	    /* bit i: sequence number next_seq - 1 - i has come */
	uint32_t play_ts;   /* the next timestamp unit to play */
	uint32_t ssrc;
	uint32_t us_q16; /* microseconds per timestamp unit, 16 fraction bits */
	int32_t low_us;	 /* low quantile of slack: how early the late ones among the packets come */
	int32_t mean_us; /* mean slack: the delay that we add */
	int32_t tick_min_us; /* least slack of the packets since the last tick; INT32_MAX: none came
			      */
	uint32_t played;
	uint16_t min_ms, max_ms;
	uint16_t next_seq;    /* the lowest that put still takes */
	uint16_t top_seq;     /* the highest that came */
	uint16_t tick_units;  /* timestamp units of 20 ms */
	uint8_t phase;	      /* enum dp_jbuf_phase */
	uint8_t held;	      /* packets in slots */
	uint8_t hungry_ticks; /* ticks in a row with nothing to play */
	uint8_t late_ticks;   /* of those, ticks in which packets came, all late */
	uint8_t settle_ticks; /* left in which to come down to the right delay fast */
	uint8_t wait_ticks;   /* that a change of delay has waited for its moment; 0: none is due */

	/* lines 1, 2 */
	uint32_t slot[DP_JBUF_SLOTS] __attribute__((aligned(64))); /* block numbers */

	/* line 3: touched on loss, restarts and reports */
	uint32_t last __attribute__((
		aligned(64))); /* block last played, kept for concealment; NO_BLOCK */
	uint32_t since;	       /* timestamp units concealed after it */
	uint32_t prior_ssrc;   /* what was before ssrc; its stragglers are late */
	int32_t drift_ppm;
	uint64_t changed_ns; /* when ssrc took over */
	uint64_t drift_ns;   /* start of the span over which drift is measured; 0: none */
	int64_t drift_us;    /* mean slack then, without what we moved it by */
	int64_t moved_us;    /* sum of what insertions and removals moved slack by */

	/* line 4 */
	struct dp_jbuf_counts counts; /* .played lives in line 0 */
};

_Static_assert(__builtin_offsetof(struct dp_jbuf, slot) == 64,
	       "the hot state of a jitter buffer is one line");
_Static_assert(__builtin_offsetof(struct dp_jbuf, last) == 192, "slots are two lines");

/* Head of a frame block; the payload follows at once. 16 octets, so that 160-octet payloads take
 * three lines. */
struct dp_frame {
	uint32_t ts;
	uint16_t duration; /* timestamp units */
	uint16_t len;
	uint16_t seq;
	uint8_t tag;
	uint8_t is_touched;  /* a part was handed out: counts as played when it goes */
	uint32_t arrival_us; /* wraps after 71 minutes */
	uint8_t payload[];
};

#define DP_FRAME_SMALL_OCTETS (sizeof(struct dp_frame) + DP_JBUF_SMALL_MAX)
#define DP_FRAME_BIG_OCTETS (sizeof(struct dp_frame) + DP_JBUF_PAYLOAD_MAX)

/* Free blocks of one size as a stack: the one freed last, still in the cache, is used next. */
struct dp_frame_class {
	uint8_t *blocks;
	uint32_t *free;
	uint32_t free_count;
	uint32_t count;
	uint32_t octets;
};

struct dp_frame_pool {
	struct dp_frame_class small, big;
	struct dp_jbuf_totals totals;
};

/* Ahead of put: the hot line, and the slot that the packet will take. */
static inline void
dp_jbuf_prefetch_put(const struct dp_jbuf *jb, uint16_t seq)
{
	__builtin_prefetch(jb, 1);
	__builtin_prefetch(&jb->slot[seq % DP_JBUF_SLOTS], 1);
}

/* Ahead of get, the hot line being there: the slot that is played next. */
static inline void
dp_jbuf_prefetch_slot(const struct dp_jbuf *jb)
{
	__builtin_prefetch(&jb->slot[jb->next_seq % DP_JBUF_SLOTS], 1);
	__builtin_prefetch(&jb->last, 1);
}

/* Ahead of get, hot line and slot being there: the frame in it, of 160 octets. */
static inline void
dp_jbuf_prefetch_frame(const struct dp_jbuf *jb, const struct dp_frame_pool *pool)
{
	uint32_t block = jb->slot[jb->next_seq % DP_JBUF_SLOTS];
	const struct dp_frame_class *class = block & DP_JBUF_BIG ? &pool->big : &pool->small;
	const uint8_t *frame = class->blocks + (size_t)((block & ~DP_JBUF_BIG) - 1) * class->octets;

	if (block == DP_JBUF_NO_BLOCK || block == DP_JBUF_NO_SOUND)
		return;
	__builtin_prefetch(frame, 1);
	__builtin_prefetch(frame + 64);
	__builtin_prefetch(frame + 128);
}

#endif
