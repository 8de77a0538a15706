/*
 * RTCP compound packets: RFC 3550 6 and A.2; timing 6.3. Reduced-size packets (RFC 5506) are not
 * accepted. Pure: random numbers and clocks are arguments. Decoders borrow from the packet;
 * integers in host order.
 */
#ifndef DP_RTCP_H
#define DP_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/drops.h"

enum dp_rtcp_type {
	DP_RTCP_SR = 200,
	DP_RTCP_RR = 201,
	DP_RTCP_SDES = 202,
	DP_RTCP_BYE = 203,
	DP_RTCP_APP = 204,
	DP_RTCP_RTPFB = 205, /* RFC 4585 */
	DP_RTCP_PSFB = 206,
	DP_RTCP_XR = 207, /* RFC 3611 */
};

#define DP_RTCP_SDES_CNAME 1
#define DP_RTCP_BLOCKS_MAX 31

struct dp_rtcp_sender {
	uint64_t ntp; /* 64-bit NTP timestamp */
	uint32_t ts;
	uint32_t packets;
	uint32_t octets;
};

struct dp_rtcp_block {
	uint32_t ssrc;
	uint32_t highest; /* extended highest sequence number received */
	uint32_t jitter;  /* timestamp units */
	uint32_t lsr;	  /* middle 32 bits of the last SR's NTP; 0: none */
	uint32_t dlsr;	  /* 1/65536 s since then */
	int32_t lost;	  /* 24 bits signed */
	uint8_t fraction; /* /256 */
};

/* One packet of a compound. Which fields hold depends on type; all others and unknown types: ssrc
 * (0 if absent) and body. */
struct dp_rtcp_packet {
	const uint8_t *body; /* behind the 4-octet head, without padding */
	uint16_t body_len;
	uint8_t type;  /* enum dp_rtcp_type, or another 192 to 223 */
	uint8_t count; /* report blocks, SDES chunks, BYE SSRCs; else the subtype */
	uint32_t ssrc; /* SR, RR, APP and feedback: the sender's */
};

/*
 * Is it a compound packet that we read? NONE, or RTCP_HEADER: version, first packet neither SR nor
 * RR, lengths that do not sum up to len, padding elsewhere than in the last packet, a body too
 * small for its count. Everything below relies on NONE here.
 */
enum dp_drop dp_rtcp_check(const uint8_t *data, size_t len);

/* Walk a checked compound: *at starts at 0; false at its end. */
bool dp_rtcp_next(struct dp_rtcp_packet *out, const uint8_t *data, size_t len, size_t *at);

/* Of an SR. */
void dp_rtcp_sender(struct dp_rtcp_sender *out, const struct dp_rtcp_packet *packet);

/* Report block i < count of an SR or RR. */
void dp_rtcp_block(struct dp_rtcp_block *out, const struct dp_rtcp_packet *packet, unsigned i);

/* One item of an SDES; text is not terminated. */
struct dp_rtcp_sdes {
	const uint8_t *text;
	uint32_t ssrc;
	uint8_t type; /* 1 CNAME */
	uint8_t len;
};

/* Walk the items over all chunks: walk starts as zeros; false at the end or at an item beyond its
 * packet. */
struct dp_rtcp_sdes_walk {
	uint16_t at;
	uint8_t chunk;
	bool is_inside;
	uint32_t ssrc;
};
bool dp_rtcp_sdes_next(struct dp_rtcp_sdes *out, const struct dp_rtcp_packet *packet,
		       struct dp_rtcp_sdes_walk *walk);

/* SSRC i < count of a BYE; its reason (not terminated, may be empty). */
uint32_t dp_rtcp_bye_ssrc(const struct dp_rtcp_packet *packet, unsigned i);
const uint8_t *dp_rtcp_bye_reason(const struct dp_rtcp_packet *packet, uint8_t *len);

/* CNAME of a source whose sound is in our mix, forwarded as RFC 3550 7.3 asks. */
struct dp_rtcp_cname {
	const char *text; /* NUL-terminated, at most 255 octets */
	uint32_t ssrc;
};

/* A compound of ours: SR or RR, SDES with our CNAME and those forwarded, BYE. */
struct dp_rtcp_make {
	const struct dp_rtcp_sender *sender; /* NULL: RR */
	const struct dp_rtcp_block *blocks;
	const char *cname;
	const struct dp_rtcp_cname *forwards;
	const uint32_t *bye_csrcs; /* SSRCs of contributors that left; with is_bye, behind ours */
	const char *bye_reason;	   /* NULL: none */
	uint32_t ssrc;
	uint8_t block_count;	/* at most 31 */
	uint8_t forward_count;	/* at most 30 */
	uint8_t bye_csrc_count; /* at most 30 */
	bool is_bye;		/* ours leaves */
};

/* What one CNAME takes in an SDES. */
size_t dp_rtcp_chunk_octets(const char *text);

/* Returns octets written (a multiple of 4), or 0 when room is too small (nothing useful is then in
 * out). */
size_t dp_rtcp_build(uint8_t *out, size_t room, const struct dp_rtcp_make *make);

/* 64-bit NTP timestamp of nanoseconds since 1970, and its middle 32 bits. */
uint64_t dp_rtcp_ntp(uint64_t unix_ns);
static inline uint32_t
dp_rtcp_ntp_mid(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

/* Round trip (RFC 3550 6.4.1) in us; now_mid: middle NTP bits at arrival. 0: unknown (no LSR, or
 * clocks disagree). */
uint32_t dp_rtcp_round_trip_us(uint32_t now_mid, const struct dp_rtcp_block *block);

/* RFC 3550 6.3.1 and A.7. */
struct dp_rtcp_timing {
	uint32_t members; /* ourselves too */
	uint32_t senders;
	uint32_t bandwidth;  /* RTCP's, octets a second: 5 % of the session's */
	uint32_t avg_octets; /* average compound with UDP and IP heads */
	uint32_t min_ms;     /* 5000, or less by the reduced minimum of 6.2 */
	uint32_t random;     /* uniform over 32 bits */
	bool have_we_sent;
	bool is_first; /* half the minimum */
};

/* Until the next compound, ns. */
uint64_t dp_rtcp_interval_ns(const struct dp_rtcp_timing *timing);

#endif
