/* What the stages hand to each other: the packets of a burst, then the legs of a tick. Hot, reused every turn. */
#ifndef DP_WORKER_BATCH_H
#define DP_WORKER_BATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>
#include "dataplane/rtp/rtp.h"
#include "dataplane/srtp/srtp.h"
#include "drivers/port/port.h"

#define DP_BURST_MAX 64
#define DP_TICK_LEGS 64 /* legs of small conferences that tick together */
#define DP_TICK_CONFS DP_TICK_LEGS
#define DP_OUT_MAX 128	/* packets built, protected and sent together: DP_TICK_LEGS at ptime 10 */
#define DP_SAMPLES 160	/* of a tick */
#define DP_HEARD_MAX 16 /* contributors whose SSRC is remembered for CSRC lists: 15 and self */

struct dp_leg;

/* A packet of sound or RTCP between classify and its end. */
struct dp_in {
	struct rte_mbuf *mbuf;
	struct dp_leg *leg;
	struct dp_rtp rtp; /* parsed before unprotect; not of RTCP */
	uint16_t len;	   /* octets of the plain packet */
};

/* Why a leg of the tick hears what. */
enum dp_hears {
	DP_HEARS_NOTHING, /* nothing is sent */
	DP_HEARS_SILENCE,
	DP_HEARS_ALL,  /* the conference's sum, shared */
	DP_HEARS_OWN,  /* its own mix, in its row of pcm */
	DP_HEARS_CLIP, /* what is played to it alone, there as well */
};

/* A conference of the tick. */
struct dp_tick_conf {
	uint32_t conf;	/* index */
	uint32_t first; /* of its legs in the tick */
	uint32_t count;
	uint32_t heard_count;		  /* of heard */
	uint32_t heard[DP_HEARD_MAX];	  /* SSRCs of contributors */
	uint32_t heard_leg[DP_HEARD_MAX]; /* their places in the tick */
	bool has_all;			  /* all holds the sum, limited */
	uint8_t encoded;		  /* bit per codec: the shared frame is there */
	int16_t *all;			  /* DP_SAMPLES */
	uint8_t *frame;			  /* DP_CODEC_COUNT of DP_FRAME_OCTETS */
};
#define DP_FRAME_OCTETS (DP_SAMPLES * 2)

/* A packet on its way out. Its op is ops[] of the same place. */
struct dp_out {
	struct rte_mbuf *mbuf;
	struct dp_leg *leg;
};

struct dp_batch {
	uint64_t now_ns;

	/* Packet clock. */
	uint16_t burst; /* most packets of a turn */
	uint16_t
		rx_wire; /* of rx: from here on from the wire, before it what other workers found */
	uint16_t rx_count;   /* what came */
	uint16_t away_count; /* belongs to other workers */
	uint16_t rtp_count, rtcp_count;
	struct rte_mbuf *rx[DP_BURST_MAX];
	struct rte_mbuf *away[DP_BURST_MAX];
	uint8_t away_to[DP_BURST_MAX];
	struct dp_in rtp[DP_BURST_MAX];
	struct dp_in rtcp[DP_BURST_MAX];
	struct rte_mbuf *done[DP_BURST_MAX * 2];       /* to be freed together */
	struct rte_mbuf *done_other[DP_BURST_MAX * 2]; /* those of other pools */
	uint16_t done_count;

	/* Media clock. */
	uint64_t tick_ns;    /* nominal */
	uint64_t period;     /* of 20 ms since the clock began */
	uint32_t slot_at;    /* next conference of the slot under way; UINT32_MAX: none under way */
	uint32_t steps_left; /* of this turn */
	bool is_continued;   /* the same legs again: their packets did not all fit */
	uint32_t conf_count, leg_count;
	uint32_t out_from;  /* first leg that has not been sent its packets */
	uint32_t out_until; /* end of those that are now being sent */
	uint16_t out_count;
	struct dp_tick_conf *conf; /* DP_TICK_CONFS, or one large one */
	struct dp_leg **leg;	   /* of all conferences of the tick, one after the other */
	uint32_t *leg_conf;	   /* place in conf */
	uint8_t *hears;		   /* enum dp_hears */
	uint8_t *level;		   /* -dBov after gain, 127: does not contribute */
	int16_t *pcm;		   /* rows of DP_SAMPLES */
	const int16_t **rows;	   /* scratch of the mix: contributors' rows */
	uint32_t *who;		   /* and their places */
	struct rte_mbuf *spare[DP_OUT_MAX]; /* taken from the pool in one go */
	uint32_t spare_count;
	struct dp_out out[DP_OUT_MAX];
	struct dp_srtp_op ops[DP_SRTP_BURST_MAX];
};

#endif
