/*
 * A leg as its worker keeps it: what a packet or a tick touches stands in lines of its own, first those of the packet clock,
 * then those of the media clock, then what is cold. Owner: the worker; no other thread reads it.
 */
#ifndef DP_WORKER_LEG_H
#define DP_WORKER_LEG_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/ctl.h"
#include "dataplane/codec/codec.h"
#include "dataplane/jitter/jitter_state.h"
#include "dataplane/mix/mix.h"
#include "dataplane/rtp/dtmf.h"
#include "dataplane/rtp/rtp_stats.h"
#include "dataplane/srtp/srtp_state.h"

#define DP_LEG_LINE __attribute__((aligned(64)))
#define DP_LEG_ACC_MAX \
	1280 /* octets of encoded sound that wait for a packet of ptime: 60 ms of L16 and a tick */
#define DP_LEG_CNAME_MAX 256

/* What was reported of us and by us. */
struct dp_leg_report {
	uint64_t due_ns;     /* of our next compound */
	uint64_t last_in_ns; /* RTCP that was accepted */
	uint64_t sr_in_ns;   /* arrival of the peer's last SR */
	uint32_t sr_in_mid;  /* its middle NTP bits */
	uint32_t avg_octets; /* RFC 3550 6.3.3, with IP and UDP heads */
	uint32_t
		tx_at_last; /* low bits of tx_packets when the last report left: did we send since? */
	uint32_t round_trip_us;
	uint32_t remote_jitter_us;
	uint32_t joined;      /* period in which the leg was added */
	uint32_t gone_seen;   /* of the conference's gone_count: whom the leg was told of */
	uint32_t describe_at; /* member whose CNAME is next */
	uint8_t remote_lost;
	bool is_first;
	bool is_early;	 /* due_ns was brought forward for the sake of a BYE */
	bool is_latched; /* rtcp_to comes from a packet that authenticated */
	struct dp_addr rtcp_to;
	uint64_t rx_rtcp, tx_rtcp;
};

struct dp_leg {
	/* line 0: every packet in */
	uint32_t id;
	uint32_t conf; /* index */
	bool is_live;
	uint8_t dirs; /* enum dp_leg_dir */
	bool is_secure;
	bool is_latched;
	uint16_t flags; /* enum dp_leg_flag */
	uint8_t dtmf_pt;
	uint8_t rx_count;
	uint8_t rx_pt[DP_CTL_CODECS_MAX];
	uint8_t rx_codec[DP_CTL_CODECS_MAX]; /* enum dp_codec_id */
	struct dp_addr latched;
	uint64_t last_rx_ns;	/* RTP that authenticated, from anywhere */
	uint64_t latched_rx_ns; /* and from the latched address */

	/* line 1 */
	struct dp_rtp_stats rtp DP_LEG_LINE;
	uint32_t heard; /* period from 1 in which rx_ssrc was last in a CSRC list; 0: never */
	uint64_t rx_packets;
	uint64_t rx_octets;
	uint32_t rx_ssrc;
	uint32_t rx_clock_hz;

	/* lines 2 to 6, the first of them hot */
	struct dp_srtp_rx srtp_rx;

	/* lines 7 to 12, the first three of them hot; both clocks */
	struct dp_jbuf jbuf DP_LEG_LINE;

	/* every packet out */
	uint32_t tx_ssrc DP_LEG_LINE;
	uint32_t tx_ts; /* of the media clock's period 0 */
	uint16_t tx_seq;
	uint16_t local_port;
	uint8_t local_index;
	uint8_t tx_pt;
	uint8_t tx_codec;
	uint8_t ptime_ticks10; /* ptime / 10 ms */
	struct dp_addr to;
	struct dp_gain gain;
	uint8_t level_rx, level_tx;
	bool is_muted;
	bool is_deaf;
	bool is_marked;	    /* the next packet with sound begins a talkspurt */
	bool has_media;	    /* FIRST_MEDIA was said */
	uint32_t member;    /* place among the conference's legs */
	uint32_t tx_stream; /* packets of this SSRC, and their octets of sound: RFC 3550 6.4.1 */
	uint32_t tx_payload;

	/* the first line hot */
	struct dp_srtp_tx srtp_tx;

	/* cold */
	uint64_t tx_packets DP_LEG_LINE;
	uint64_t tx_octets;
	uint64_t rx_dtmf_packets, dtmf_events, sunk_other;
	uint64_t active_ns; /* when it began to be meant to send */
	uint32_t ssrc_changes;
	uint32_t live_at;    /* place in the worker's list of live legs */
	uint32_t acc_octets; /* of acc */
	uint32_t acc_ts;     /* timestamp of its first octet */
	uint16_t lost_after_ms;
	bool is_lost; /* MEDIA_LOST was said */
	bool is_relatching;
	bool acc_is_marked;
	struct dp_addr signalled_rtp, signalled_rtcp;
	struct dp_dtmf dtmf;
	struct dp_leg_report report;
	uint32_t drops[DP_DROP_COUNT];
	char cname[DP_CTL_CNAME_MAX];
	uint32_t peer_cname_ssrc;
	char peer_cname[DP_LEG_CNAME_MAX]; /* what the peer's SDES said of that SSRC */
	uint8_t acc[DP_LEG_ACC_MAX];
} __attribute__((aligned(128)));

static_assert(offsetof(struct dp_leg, rtp) == 64, "the first line holds what every packet needs");
static_assert(offsetof(struct dp_leg, srtp_rx) == 128, "line 1 holds the counters of reception");
static_assert(offsetof(struct dp_leg, srtp_tx) - offsetof(struct dp_leg, tx_ssrc) == 64,
	      "sending needs one line of ours");

#endif
