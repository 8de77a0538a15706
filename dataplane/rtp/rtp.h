/*
 * RTP headers: RFC 3550 5.1, header extensions RFC 8285, RTP and RTCP on one port RFC 5761.
 *
 * Under SRTP the header is in the clear and padding is encrypted: hence two steps, dp_rtp_parse
 * before unprotect and dp_rtp_strip after it. Decoders borrow from the packet; integers come out in
 * host order.
 */
#ifndef DP_RTP_H
#define DP_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/drops.h"

#define DP_RTP_HEADER_MIN 12
#define DP_RTP_CSRC_MAX 15
#define DP_RTP_HEADER_MAX \
	(DP_RTP_HEADER_MIN + 4 * DP_RTP_CSRC_MAX) /* of what we build: no extension */

/* One parsed header; offsets are octets from the first octet of the header. */
struct dp_rtp {
	uint32_t ts;
	uint32_t ssrc;
	uint16_t seq;
	uint16_t header_len; /* with CSRC list and extension: where the payload begins */
	uint16_t ext_offset; /* of the extension's data, behind its 4-octet head; 0: no extension */
	uint16_t ext_len;    /* octets of that data, a multiple of 4 */
	uint16_t ext_profile; /* 0xBEDE one-byte, 0x100X two-byte (RFC 8285) */
	uint8_t pt;	      /* 0 to 127 */
	uint8_t csrc_count;   /* the list begins at octet 12 */
	bool has_marker;
	bool has_padding;
};

static inline uint16_t
dp_rtp_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
dp_rtp_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void
dp_rtp_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
dp_rtp_put32(uint8_t *p, uint32_t v)
{
	dp_rtp_put16(p, (uint16_t)(v >> 16));
	dp_rtp_put16(p + 2, (uint16_t)v);
}

/*
 * RTCP on the RTP port (RFC 5761 4)? True when the second octet is an RTCP packet type, 192 to 223;
 * RTP payload types 64 to 95 are not to be negotiated with mux. A packet of fewer than two octets
 * is not RTCP.
 */
static inline bool
dp_rtp_is_rtcp(const uint8_t *data, size_t len)
{
	return len >= 2 && data[1] >= 192 && data[1] <= 223;
}

/*
 * Parse the header of a datagram before SRTP has touched it. DP_DROP_NONE; PKT_SHORT (under 12
 * octets), NOT_RTP (version is not 2), RTP_HEADER (CSRC list or extension reach beyond the
 * datagram). out is written only on NONE.
 */
enum dp_drop dp_rtp_parse(struct dp_rtp *out, const uint8_t *data, size_t len);

/*
 * After unprotect: where the payload ends. len: octets of the plain packet. *payload_len is written
 * on NONE; it may be 0 (a packet of nothing but padding is legal). RTP_HEADER: the padding count is
 * 0 or more than there is.
 */
enum dp_drop dp_rtp_strip(uint16_t *payload_len, const struct dp_rtp *rtp, const uint8_t *data,
			  size_t len);

/* The i-th CSRC, i < csrc_count. */
static inline uint32_t
dp_rtp_csrc(const uint8_t *data, unsigned i)
{
	return dp_rtp_get32(data + DP_RTP_HEADER_MIN + 4 * i);
}

/* One element of an RFC 8285 extension. */
struct dp_rtp_ext {
	const uint8_t *data;
	uint8_t id;
	uint8_t len;
};

/*
 * Walk the elements: *at starts at 0. False at the end, at id 15 of the one-byte form, at an
 * element that reaches beyond the extension, and for a profile that is not RFC 8285's. Padding
 * octets are passed over.
 */
bool dp_rtp_ext_next(struct dp_rtp_ext *out, const struct dp_rtp *rtp, const uint8_t *data,
		     size_t *at);

/* Client-to-mixer audio level (RFC 6464) under the negotiated id: -dBov 0 to 127, or -1 when it is
 * not there. */
int dp_rtp_ext_level(const struct dp_rtp *rtp, const uint8_t *data, uint8_t id);

/* What a header is built from. CSRCs in host order; at most 15 of them. */
struct dp_rtp_make {
	const uint32_t *csrcs;
	uint32_t ts;
	uint32_t ssrc;
	uint16_t seq;
	uint8_t csrc_count;
	uint8_t pt;
	bool has_marker;
};

/* Write a header, no padding, no extension. out has room for DP_RTP_HEADER_MAX octets; returns the
 * octets written. */
static inline uint16_t
dp_rtp_build(uint8_t *out, const struct dp_rtp_make *make)
{
	unsigned count = make->csrc_count < DP_RTP_CSRC_MAX ? make->csrc_count : DP_RTP_CSRC_MAX;

	out[0] = (uint8_t)(0x80 | count);
	out[1] = (uint8_t)((make->has_marker ? 0x80 : 0) | (make->pt & 0x7f));
	dp_rtp_put16(out + 2, make->seq);
	dp_rtp_put32(out + 4, make->ts);
	dp_rtp_put32(out + 8, make->ssrc);
	for (unsigned i = 0; i < count; i++)
		dp_rtp_put32(out + DP_RTP_HEADER_MIN + 4 * i, make->csrcs[i]);
	return (uint16_t)(DP_RTP_HEADER_MIN + 4 * count);
}

#endif
