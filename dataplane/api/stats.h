/* Counters as the control socket and telemetry show them. All are 64 bits, monotonic unless said. */
#ifndef DP_API_STATS_H
#define DP_API_STATS_H

#include <stdint.h>
#include "dataplane/api/drops.h"

#define DP_TICK_LATE_NS 5000000u /* a quarter of a period: it begins to cost the listeners delay */

/* One leg. Gauges are marked; levels in -dBov (0 loudest, 127 silence: RFC 6464). */
struct dp_leg_stats {
	uint64_t rx_packets; /* all that arrived on the leg's ports, dropped ones too */
	uint64_t rx_octets;
	uint64_t rx_rtcp;
	uint64_t rx_dtmf_packets;
	uint64_t played; /* packets whose sound was handed to the mix */
	uint64_t held;	 /* gauge: packets in the jitter buffer */
	uint64_t tx_packets;
	uint64_t tx_octets;
	uint64_t tx_rtcp;
	uint64_t lost; /* gauge: RFC 3550 A.3 cumulative number of packets lost */
	uint64_t reordered;
	uint64_t concealed_frames;
	uint64_t auth_failures; /* = drops[SRTP_AUTH] */
	uint64_t replays;	/* = drops[SRTP_REPLAY] */
	uint64_t dtmf_events;
	uint64_t ssrc_changes;
	uint64_t key_packets_rx; /* gauge: packets under the current key */
	uint64_t key_packets_tx;
	uint64_t drops[DP_DROP_COUNT];
	uint32_t jitter_us;	   /* gauge: RFC 3550 A.8 */
	uint32_t jbuf_delay_us;	   /* gauge: delay that the jitter buffer adds now */
	uint32_t round_trip_us;	   /* gauge: from the peer's RTCP, 0 unknown */
	uint32_t remote_jitter_us; /* gauge: what the peer reports of our stream */
	int32_t clock_drift_ppm;   /* gauge: the peer's media clock against ours */
	uint32_t ssrc_rx;	   /* gauge */
	uint32_t ssrc_tx;
	uint8_t level_rx;     /* gauge: what the participant sends */
	uint8_t level_tx;     /* gauge: what the participant hears */
	uint8_t remote_lost;  /* gauge: fraction lost the peer reports, /256 */
	uint8_t is_latched;   /* gauge: the remote address is known from an authenticated packet */
	uint8_t is_talking;   /* gauge */
	uint8_t is_played_to; /* gauge: a clip is being played to this leg */
	uint8_t zero[2];
};

/* One worker. rx_packets + handoff_in = rx_sunk + held + handoff_out + Σ drops of the way in; made = tx_packets + Σ drops of the way
 * out. Exact in every snapshot. */
struct dp_worker_stats {
	uint64_t rx_packets;
	uint64_t rx_octets;
	uint64_t rx_sunk; /* reached their end: played, RTCP, telephone-event, comfort noise */
	uint64_t held;	  /* gauge */
	uint64_t made;	  /* packets that we began to build */
	uint64_t tx_packets;
	uint64_t tx_octets;
	uint64_t handoff_in;
	uint64_t handoff_out;
	uint64_t turns;
	uint64_t ticks;		/* slots of the media clock that had something to do */
	uint64_t ticks_late;	/* of them: begun more than DP_TICK_LATE_NS after their time */
	uint64_t ticks_skipped; /* periods of 20 ms left out after a stall */
	uint64_t frames_shared; /* packets that carry a frame encoded once for several */
	uint64_t frames_encoded;
	uint64_t plays; /* of clips, begun; = plays_ended + playing */
	uint64_t plays_ended;
	uint64_t play_frames; /* of 20 ms, played */
	uint64_t events_lost; /* the ring to the control thread was full */
	uint64_t busy_ns;     /* time in turns that did something */
	uint64_t sleep_ns;
	uint64_t tick_late_ns_max;
	uint64_t drops[DP_DROP_COUNT];
	uint32_t legs;	      /* gauge */
	uint32_t conferences; /* gauge */
	uint32_t playing;     /* gauge: clips that are being played */
	uint32_t zero;
	/* Gauges of the last whole second, for admission; the node's total has those of its busiest worker. */
	uint32_t busy_permille; /* of the time: in turns that did something */
	uint32_t late_permille; /* of the ticks: late */
};

#endif
