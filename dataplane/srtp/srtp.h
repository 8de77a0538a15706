/*
 * SRTP and SRTCP across a whole burst with different keys (RFC 3711, 6188, 7714).
 *
 * A context is one leg's one direction: its keys, roll-over counters, replay windows, packet counts
 * (layout in srtp_state.h; it holds no secret). It is owned by one worker. Keys are expanded by the
 * control thread (dp_srtp_key_create), handed over by ring, immutable from then on, and go back by
 * ring to be wiped (dp_srtp_key_destroy).
 */
#ifndef DP_SRTP_H
#define DP_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/ctl.h"
#include "dataplane/api/suite.h"

struct dp_srtp_key;    /* session keys of one master key, expanded: locked, out of core dumps */
struct dp_srtp_engine; /* a worker's multi-buffer manager and scratch */
struct dp_srtp_rx;     /* caller's memory, see srtp_state.h */
struct dp_srtp_tx;

#define DP_SRTP_BURST_MAX 128 /* the best burst; more are cut into such pieces */
#define DP_SRTP_OUT_MAX 5     /* keys that one call can hand back */
#define DP_SRTP_TRAILER_MAX \
	(4 + DP_SRTP_MKI_MAX + DP_SRTP_TAG_MAX) /* octets protect adds at most */

struct dp_srtp_key_conf {
	enum dp_suite suite;
	uint8_t mki_len;
	bool is_srtp_plain;		      /* UNENCRYPTED_SRTP: authenticated only */
	bool is_srtcp_plain;		      /* UNENCRYPTED_SRTCP */
	uint64_t lifetime_rtp, lifetime_rtcp; /* packets; 0: the most that RFC 3711 9.2 allows */
	uint8_t mki[DP_SRTP_MKI_MAX];
	uint8_t key[DP_SRTP_KEY_MAX];
	uint8_t salt[DP_SRTP_SALT_MAX];
};

/*
 * One packet of a burst. Header fields come from dataplane/rtp's parser (unprotect) or the packet's
 * maker (protect). For RTCP only data, ctx, len and room are read.
 */
struct dp_srtp_op {
	uint8_t *data;	     /* first octet of the RTP or RTCP header */
	void *ctx;	     /* struct dp_srtp_rx * or struct dp_srtp_tx * */
	uint32_t len;	     /* octets before; after: of the plain or the protected packet */
	uint16_t room;	     /* protect: octets available from data on */
	uint16_t header_len; /* RTP header with CSRCs and extension, in octets */
	uint32_t ssrc;	     /* host order */
	uint16_t seq;	     /* host order */
	uint8_t verdict;     /* out: DP_DROP_NONE or the reason (enum dp_drop) */
	uint8_t note;	     /* out: enum dp_srtp_note, or-ed */
};

enum dp_srtp_note {
	DP_SRTP_NOTE_FIRST = 1 << 0,	/* first packet of this SSRC that authenticated */
	DP_SRTP_NOTE_ROTATED = 1 << 1,	/* NEXT became CURRENT: call dp_srtp_rx_collect */
	DP_SRTP_NOTE_KEY_SOON = 1 << 2, /* 90 % of the key's lifetime is gone (said once a key) */
	DP_SRTP_NOTE_KEY_GONE = 1 << 3, /* this was its last packet (said once a key) */
};

/*
 * Control thread; safe from any thread. NULL with errno: EINVAL unknown suite or MKI too long or a
 * lifetime beyond RFC 3711's; ENOMEM no memory; EAGAIN or EPERM RLIMIT_MEMLOCK is used up; ELIBACC
 * the cipher library failed its self-test. Wipe conf afterwards.
 */
struct dp_srtp_key *dp_srtp_key_create(const struct dp_srtp_key_conf *conf);
void dp_srtp_key_destroy(struct dp_srtp_key *key);

/*
 * Raises RLIMIT_MEMLOCK so that keys keys can be held, as far as the process may. Call before
 * privileges are dropped. 0 or -errno; *held says how many the limit now allows.
 */
int dp_srtp_keys_reserve(size_t *held, size_t keys);

/* One a worker, made before it runs. NULL: *why is one line for the operator. */
struct dp_srtp_engine *dp_srtp_engine_create(const char **why);
void dp_srtp_engine_destroy(struct dp_srtp_engine *engine);
const char *
dp_srtp_engine_name(const struct dp_srtp_engine *engine); /* instruction set and version */

/*
 * Key slots, by the owner of the context. What comes back in out must go to dp_srtp_key_destroy (on
 * the control thread); the return value is how many.
 *
 * rx, DP_KEY_CURRENT: replaces CURRENT at once. DP_KEY_NEXT: waits until it authenticates a packet
 * (NOTE_ROTATED); CURRENT then becomes PREVIOUS, or goes if the key was FRESH. tx: both slots take
 * over at once. DP_KEY_FRESH: the streams begin anew with that key: ROC 0, no replay state, SRTCP
 * index 0; keys of the old streams go, since nothing would protect them from replay. A key of the
 * same octets as one that is installed comes straight back: streams and packet counts go on, no
 * keystream is repeated.
 */
void dp_srtp_rx_init(struct dp_srtp_rx *rx);
unsigned dp_srtp_rx_install(struct dp_srtp_rx *rx, enum dp_key_slot slot, uint32_t flags,
			    struct dp_srtp_key *key, struct dp_srtp_key *out[DP_SRTP_OUT_MAX]);
unsigned dp_srtp_rx_retire(struct dp_srtp_rx *rx, enum dp_key_slot slot,
			   struct dp_srtp_key *out[DP_SRTP_OUT_MAX]);
unsigned dp_srtp_rx_collect(struct dp_srtp_rx *rx, struct dp_srtp_key *out[DP_SRTP_OUT_MAX]);
unsigned dp_srtp_rx_fini(struct dp_srtp_rx *rx, struct dp_srtp_key *out[DP_SRTP_OUT_MAX]);

void dp_srtp_tx_init(struct dp_srtp_tx *tx);
unsigned dp_srtp_tx_install(struct dp_srtp_tx *tx, enum dp_key_slot slot, uint32_t flags,
			    struct dp_srtp_key *key, struct dp_srtp_key *out[DP_SRTP_OUT_MAX]);
unsigned dp_srtp_tx_retire(struct dp_srtp_tx *tx, enum dp_key_slot slot,
			   struct dp_srtp_key *out[DP_SRTP_OUT_MAX]);
unsigned dp_srtp_tx_fini(struct dp_srtp_tx *tx, struct dp_srtp_key *out[DP_SRTP_OUT_MAX]);

/* SRTP packets under the CURRENT key, and its suite (DP_SUITE_NONE: no key). */
uint64_t dp_srtp_rx_packets(const struct dp_srtp_rx *rx);
uint64_t dp_srtp_tx_packets(const struct dp_srtp_tx *tx);
/* Of the SSRC that sent last. */
uint32_t dp_srtp_tx_roc(const struct dp_srtp_tx *tx);
enum dp_suite dp_srtp_rx_suite(const struct dp_srtp_rx *rx);
enum dp_suite dp_srtp_tx_suite(const struct dp_srtp_tx *tx);

/*
 * Burst functions: any n, suites and keys mixed, any number of packets of one context. The outcome
 * is that of handling them one after the other in the order of ops. verdict and note of every op
 * are written. An unprotected packet with a verdict other than NONE has moved no state, and its
 * octets and len are as they came. A protected packet takes up to DP_SRTP_TRAILER_MAX octets of
 * room after its end (TX_LONG if they are not there). Packets must not overlap. Drops in: SRTP_*.
 * Drops out: TX_NO_KEY, TX_LIFETIME, TX_LONG, TX_REPEAT.
 */
void dp_srtp_unprotect_rtp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n);
void dp_srtp_unprotect_rtcp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n);
void dp_srtp_protect_rtp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n);
void dp_srtp_protect_rtcp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n);

#endif
