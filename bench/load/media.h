/*
 * The media of all participants of one process: one thread, paced by a millisecond clock, SRTP in bursts.
 *
 * The signalling thread creates legs and posts tasks; between its start and the end of the thread a leg belongs to the media
 * thread. Many legs can share sockets: what comes is then told apart by the far end's port.
 */
#ifndef BENCH_LOAD_MEDIA_H
#define BENCH_LOAD_MEDIA_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "bench/load/hear.h"
#include "bench/load/record.h"
#include "bench/load/rtp.h"
#include "bench/load/tone.h"
#include "dataplane/api/drops.h"
#include "dataplane/srtp/srtp.h"

#define UE_CNAME_MAX 40
#define UE_DIGITS_MAX 32

struct ue_media;
struct ue_leg;

union ue_sockaddr {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

struct ue_media_conf {
	union ue_sockaddr local; /* port ignored */
	uint16_t port_low, port_high;
	unsigned share; /* legs on one pair of sockets; 1: each its own */
	int cpu;	/* pin the thread; -1: anywhere */
	bool is_realtime;
	unsigned rtcp_ms; /* between reports; 0: none */
	bool has_marks;	  /* short gaps in tones, for the delay */
	/* impairments of what is sent */
	double loss, reorder; /* share of packets */
	unsigned jitter_ms;
	uint32_t seed;
};

struct ue_media_stats {
	uint64_t rx_stray; /* from a port that no leg knows */
	uint64_t tx_errors;
	uint64_t ticks_late; /* milliseconds begun more than 5 ms late */
	uint64_t late_max_ns;
};

/* What a leg does and saw. */
struct ue_leg_stats {
	struct ue_rtp_rx rx;
	uint64_t rx_since_ns; /* measuring began */
	uint64_t tx_packets, tx_octets, tx_rtcp, tx_impaired;
	uint64_t rx_rtcp, rx_early;
	uint64_t rx_other_pt;
	uint64_t rx_csrc_max;
	uint64_t drops[DP_DROP_COUNT]; /* by dp_srtp's verdict */
	uint64_t first_tx_ns, first_rx_ns, last_rx_ns;
	uint64_t attack_packets;
	uint64_t rekeys_heard; /* the far end's next key took over */
	bool has_report;       /* the far end's last report about us */
	int64_t remote_lost;
	uint32_t remote_jitter;
	double rtt_ms; /* below 0: unknown */
	bool has_bye;  /* RTCP BYE came */
};

/* Copied by the media thread, freed by it. Keys are given away; NULL leaves what is there. */
struct ue_leg_setup {
	union ue_sockaddr remote, remote_rtcp;
	const struct ue_sound *sound; /* stays the caller's */
	bool is_sending, is_receiving, is_secure, has_mux, is_fresh;
	uint8_t pt, dtmf_pt;
	unsigned ptime;
	unsigned rx_count; /* what we offered to receive */
	uint8_t rx_pt[4];
	uint8_t rx_codec[4];
	struct dp_srtp_key *rx_key, *tx_key;
};

enum ue_attack {
	UE_ATTACK_GARBAGE,   /* random octets to both ports, from our socket */
	UE_ATTACK_WRONG_KEY, /* RTP with our SSRC and wrong tags, from our socket */
	UE_ATTACK_WRONG_SOURCE, /* RTP with our SSRC from another socket: wrong tags, or a tone on a plain leg */
	UE_ATTACK_COUNT
};

/* 0 or -errno; *why says more. */
int ue_media_create(struct ue_media **out, const struct ue_media_conf *conf, const char **why);
int ue_media_start(struct ue_media *m);

/* Ends the thread; legs can be read after it. Then destroy frees them too. */
void ue_media_stop(struct ue_media *m);
void ue_media_destroy(struct ue_media *m);
const struct ue_media_stats *ue_media_stats(const struct ue_media *m);

/* 0 or -errno. ear becomes the leg's; may be NULL. */
int ue_leg_create(struct ue_leg **out, struct ue_media *m, unsigned number, struct ue_ear *ear);
void ue_leg_record(struct ue_leg *leg,
		   struct ue_record *record); /* becomes the leg's; before the thread runs */
uint16_t ue_leg_rtp_port(const struct ue_leg *leg);
uint16_t ue_leg_rtcp_port(const struct ue_leg *leg);
uint32_t ue_leg_ssrc(const struct ue_leg *leg); /* before setup */
const char *ue_leg_cname(const struct ue_leg *leg);
const struct ue_mark *ue_leg_mark(const struct ue_leg *leg);
void ue_leg_seq_set(struct ue_leg *leg, uint16_t seq); /* before setup */

/* New sockets for a leg that moves; not where legs share theirs. 0 or -errno. */
int ue_leg_move(struct ue_media *m, struct ue_leg *leg, uint16_t *rtp, uint16_t *rtcp);

/* Posted to the media thread, in order; no waiting. */
void ue_leg_setup(struct ue_media *m, struct ue_leg *leg, const struct ue_leg_setup *setup);
void ue_leg_mute(struct ue_media *m, struct ue_leg *leg, bool is_muted);
void ue_leg_dtmf(struct ue_media *m, struct ue_leg *leg, const char *digits);
void ue_leg_ssrc_change(struct ue_media *m, struct ue_leg *leg);
void ue_leg_attack(struct ue_media *m, struct ue_leg *leg, enum ue_attack kind,
		   unsigned per_second);
void ue_leg_end(struct ue_media *m, struct ue_leg *leg, bool is_polite); /* polite: RTCP BYE */
void ue_leg_measure_anew(struct ue_media *m, struct ue_leg *leg);

/* Waits until all that was posted is done, and copies what a leg saw. ear may be NULL. */
void ue_leg_snapshot(struct ue_media *m, struct ue_leg *leg, struct ue_leg_stats *stats,
		     struct ue_ear *ear);

/* Once the thread has ended. */
const struct ue_leg_stats *ue_leg_stats(const struct ue_leg *leg);
const struct ue_ear *ue_leg_ear(const struct ue_leg *leg);

#endif
