/*
 * SRTP and SRTCP across a whole burst with different keys (RFC 3711, 6188, 7714).
 *
 * A context is one leg's one direction: up to three key slots, roll-over counters, replay windows, packet counts. It is owned by one
 * worker. Keys are expanded by the control thread (dp_srtp_key_create), handed over by ring, immutable from then on, and go back by
 * ring to be wiped (dp_srtp_key_destroy).
 */
#ifndef DP_SRTP_H
#define DP_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/suite.h"

struct dp_srtp_key;    /* session keys of one master key, expanded: locked memory, out of core dumps */
struct dp_srtp_engine; /* a worker's multi-buffer manager and scratch */
struct dp_srtp_rx;     /* see srtp_state.h */
struct dp_srtp_tx;

#define DP_SRTP_BURST_MAX 128

struct dp_srtp_key_conf {
	enum dp_suite suite;
	uint8_t mki_len;
	bool is_srtp_plain;  /* UNENCRYPTED_SRTP: authenticated only */
	bool is_srtcp_plain; /* UNENCRYPTED_SRTCP */
	uint64_t lifetime_rtp, lifetime_rtcp; /* packets; 0: the suite's maximum */
	uint8_t mki[DP_SRTP_MKI_MAX];
	uint8_t key[DP_SRTP_KEY_MAX];
	uint8_t salt[DP_SRTP_SALT_MAX];
};

/* One packet of a burst. Header fields come from dataplane/rtp's parser (unprotect) or the packet's maker (protect). */
struct dp_srtp_op {
	uint8_t *data;	     /* first octet of the RTP or RTCP header */
	void *ctx;	     /* struct dp_srtp_rx * or struct dp_srtp_tx * */
	uint32_t len;	     /* octets before; after: of the plain or the protected packet */
	uint16_t room;	     /* protect: octets available from data on */
	uint16_t header_len; /* RTP header with CSRCs and extension; unused for RTCP */
	uint32_t ssrc;	     /* host order */
	uint16_t seq;
	uint8_t verdict;     /* out: DP_DROP_NONE or the reason */
	uint8_t note;	     /* out: enum dp_srtp_note, or-ed */
};

enum dp_srtp_note {
	DP_SRTP_NOTE_FIRST = 1 << 0,	 /* first packet of this SSRC that authenticated */
	DP_SRTP_NOTE_ROTATED = 1 << 1,	 /* NEXT became CURRENT with this packet */
	DP_SRTP_NOTE_KEY_SOON = 1 << 2,	 /* 90 % of the lifetime is gone (said once) */
	DP_SRTP_NOTE_KEY_GONE = 1 << 3,	 /* all of it (said once) */
};

/* Control thread. NULL with errno on failure (unknown suite, no memory, RLIMIT_MEMLOCK). Wipe conf afterwards. */
struct dp_srtp_key *dp_srtp_key_create(const struct dp_srtp_key_conf *conf);
void dp_srtp_key_destroy(struct dp_srtp_key *key);

struct dp_srtp_engine *dp_srtp_engine_create(void);
void dp_srtp_engine_destroy(struct dp_srtp_engine *engine);

/* Burst functions: any n; verdict and note of every op are written; a packet with a verdict other than NONE has moved no state. */
void dp_srtp_unprotect_rtp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n);
void dp_srtp_unprotect_rtcp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n);
void dp_srtp_protect_rtp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n);
void dp_srtp_protect_rtcp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n);

#endif
