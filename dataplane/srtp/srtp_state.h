/*
 * Layout of SRTP contexts: roll-over counters and replay windows of RFC 3711 3.2.1, 3.3 and 3.4.
 *
 * One packet of the usual kind (CURRENT key, the SSRC that sent last, RTP) touches one cache line
 * of its context. Owner: the worker of the leg. No secrets here: the keys behind the pointers lie
 * in locked memory.
 */
#ifndef DP_SRTP_STATE_H
#define DP_SRTP_STATE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct dp_srtp_key;

#define DP_SRTP_STREAMS 4  /* SSRCs under one context */
#define DP_SRTP_WINDOW 128 /* packets of the replay window, SRTP and SRTCP alike */

enum dp_srtp_slot_flag {
	DP_SRTP_SLOT_RTP_PLAIN = 1 << 0,
	DP_SRTP_SLOT_RTCP_PLAIN = 1 << 1,
	DP_SRTP_SLOT_RTP_SOON = 1 << 5,	 /* nine tenths of its SRTP packets are used */
	DP_SRTP_SLOT_RTCP_SOON = 1 << 6, /* of its SRTCP packets */
	DP_SRTP_SLOT_GONE = 1 << 3,	 /* lifetime used up */
	DP_SRTP_SLOT_FRESH = 1 << 4,	 /* NEXT: the streams begin anew with it */
};

/* A key in its place; suite, MKI length and flags are copies, so that a look at the context
 * suffices to prefetch. */
struct dp_srtp_slot {
	struct dp_srtp_key *key; /* NULL: empty */
	uint64_t until_rtp;	 /* packets until KEY_SOON, after it until KEY_GONE */
	uint32_t until_rtcp;
	uint8_t suite;
	uint8_t mki_len;
	uint8_t flags; /* enum dp_srtp_slot_flag */
	uint8_t zero;
};

/* What is known of one SSRC's SRTP packets: highest index authenticated, and which of the 128 up to
 * it. */
struct dp_srtp_rx_stream {
	uint64_t seen[2]; /* bit i of the 128: index - i was seen */
	uint32_t ssrc;
	uint32_t roc;
	uint16_t seq; /* s_l */
	uint8_t zero[6];
};

struct dp_srtp_rx_rtcp {
	uint64_t seen[2];
	uint32_t ssrc;
	uint32_t index; /* highest authenticated */
};

struct dp_srtp_rx {
	/* hot */
	struct dp_srtp_slot current;
	uint8_t stream_count; /* of stream */
	uint8_t rtcp_count;   /* of rtcp */
	uint8_t has_others;   /* NEXT or PREVIOUS is there */
	uint8_t zero[5];
	struct dp_srtp_rx_stream stream[DP_SRTP_STREAMS]; /* the one heard last first */
	/* while keys change */
	struct dp_srtp_slot next;
	struct dp_srtp_slot previous;
	struct dp_srtp_key *gone[2]; /* for dp_srtp_rx_collect */
	struct dp_srtp_rx_rtcp rtcp[DP_SRTP_STREAMS];
} __attribute__((aligned(64)));

static_assert(offsetof(struct dp_srtp_rx, stream[1]) == 64, "one hot line");
static_assert(sizeof(struct dp_srtp_rx) == 320, "five lines");

struct dp_srtp_tx_stream {
	uint32_t ssrc;
	uint32_t roc;
	uint32_t rtcp_index; /* of the next SRTCP packet: never reset while the stream lives */
	uint16_t seq;	     /* sent last */
	uint8_t has_rtp;     /* seq is valid */
	uint8_t zero;
};

struct dp_srtp_tx {
	struct dp_srtp_slot current;
	uint8_t stream_count;
	uint8_t zero[7];
	struct dp_srtp_tx_stream stream[DP_SRTP_STREAMS]; /* the one sent last first */
} __attribute__((aligned(64)));

static_assert(offsetof(struct dp_srtp_tx, stream[2]) == 64, "one hot line");
static_assert(sizeof(struct dp_srtp_tx) == 128, "two lines");

#endif
