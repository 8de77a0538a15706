/*
 * Reception statistics of one source: RFC 3550 A.1 (extended sequence number; no probation: the
 * packets have authenticated), A.3 (expected and lost), A.8 (jitter). Owned by the leg's worker;
 * zeroed memory is "no packet yet".
 */
#ifndef DP_RTP_STATS_H
#define DP_RTP_STATS_H

#include <stdbool.h>
#include <stdint.h>

/* 36 octets. Call dp_rtp_stats_init again when the SSRC changes. */
struct dp_rtp_stats {
	uint32_t cycles;   /* sequence number roll-overs, times 65536 */
	uint32_t base_seq; /* first sequence number */
	uint32_t received; /* packets, duplicates and late ones too (A.3) */
	uint32_t expected_prior;
	uint32_t received_prior;
	uint32_t transit; /* of the last packet, timestamp units */
	uint32_t jitter;  /* timestamp units, times 16 */
	uint16_t max_seq;
	uint16_t bad_seq; /* where a jump would go on */
	uint16_t reordered;
	uint8_t is_started : 1;
	uint8_t has_transit : 1; /* a packet with a clock came */
	uint8_t is_jumping;	 /* bad_seq is valid */
};

/* What a report block of ours says (RFC 3550 6.4.1). */
struct dp_rtp_loss {
	uint32_t highest; /* extended highest sequence number */
	int32_t lost;	  /* cumulative, clamped to 24 bits signed */
	uint8_t fraction; /* since the last report, /256 */
};

/* ns on any monotonic clock, in timestamp units of rate_hz; wraps as timestamps do. */
static inline uint32_t
dp_rtp_units(uint64_t ns, uint32_t rate_hz)
{
	return (uint32_t)(ns / 1000000000u * rate_hz + ns % 1000000000u * rate_hz / 1000000000u);
}

void dp_rtp_stats_init(struct dp_rtp_stats *stats, uint16_t seq);

/*
 * Count one authenticated packet. arrival: dp_rtp_units(rx_ns, rate). The first packet of all
 * initialises. A jump of 3000 and more forward or 100 and more back counts when a second packet
 * follows it in sequence, and starts anew. has_clock: false for telephone-event, whose timestamps
 * stand still: no part in jitter.
 */
void dp_rtp_stats_count(struct dp_rtp_stats *stats, uint16_t seq, uint32_t ts, uint32_t arrival,
			bool has_clock);

/* Cumulative loss now, without ending the interval. */
int32_t dp_rtp_stats_lost(const struct dp_rtp_stats *stats);

/* For a report block: ends the interval of "fraction lost". */
void dp_rtp_stats_report(struct dp_rtp_stats *stats, struct dp_rtp_loss *out);

/* A.8 jitter in timestamp units. */
static inline uint32_t
dp_rtp_stats_jitter(const struct dp_rtp_stats *stats)
{
	return stats->jitter >> 4;
}

#endif
