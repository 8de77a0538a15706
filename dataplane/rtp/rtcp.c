/* RTCP compound packets, reading: RFC 3550 6.4 to 6.6 and A.2. */
#include "dataplane/rtp/rtcp.h"
#include "dataplane/rtp/rtp.h"

#define HEAD 4
#define SENDER_OCTETS 20
#define BLOCK_OCTETS 24

/* Does the body hold what its type and count promise? Octets behind it are profile extensions: passed over. */
static bool
is_body_whole(uint8_t type, uint8_t count, size_t body_len)
{
	switch (type) {
	case DP_RTCP_SR:
		return body_len >= 4 + SENDER_OCTETS + (size_t)count * BLOCK_OCTETS;
	case DP_RTCP_RR:
		return body_len >= 4 + (size_t)count * BLOCK_OCTETS;
	case DP_RTCP_SDES:
	case DP_RTCP_BYE:
		return body_len >= 4 * (size_t)count;
	case DP_RTCP_RTPFB:
	case DP_RTCP_PSFB:
		return body_len >= 8;
	case DP_RTCP_APP:
	case DP_RTCP_XR:
		return body_len >= 4;
	default:
		return true;
	}
}

/* The packet at p, of left octets: its whole length, or 0 when it is broken. *body_len: without head and padding. */
static size_t
packet_len(const uint8_t *p, size_t left, size_t *body_len)
{
	size_t whole;
	uint8_t padding = 0;

	if (left < HEAD || p[0] >> 6 != 2)
		return 0;
	whole = 4 * ((size_t)dp_rtp_get16(p + 2) + 1);
	if (whole > left)
		return 0;
	if (p[0] & 0x20) {
		padding = p[whole - 1];
		if (whole != left || padding == 0 || padding % 4 || padding > whole - HEAD)
			return 0;
	}
	*body_len = whole - HEAD - padding;
	return whole;
}

enum dp_drop
dp_rtcp_check(const uint8_t *data, size_t len)
{
	size_t at = 0;

	if (len < 8 || (data[1] != DP_RTCP_SR && data[1] != DP_RTCP_RR))
		return DP_DROP_RTCP_HEADER;
	while (at < len) {
		size_t body_len;
		size_t whole = packet_len(data + at, len - at, &body_len);

		if (whole == 0 || !is_body_whole(data[at + 1], data[at] & 0x1f, body_len))
			return DP_DROP_RTCP_HEADER;
		at += whole;
	}
	return DP_DROP_NONE;
}

bool
dp_rtcp_next(struct dp_rtcp_packet *out, const uint8_t *data, size_t len, size_t *at)
{
	size_t body_len;
	size_t whole = *at < len ? packet_len(data + *at, len - *at, &body_len) : 0;
	const uint8_t *p = data + *at;

	if (whole == 0)
		return false;
	*out = (struct dp_rtcp_packet){
		.body = p + HEAD,
		.body_len = (uint16_t)(body_len > UINT16_MAX ? UINT16_MAX : body_len),
		.type = p[1],
		.count = p[0] & 0x1f,
	};
	if (out->type != DP_RTCP_SDES && out->type != DP_RTCP_BYE && body_len >= 4)
		out->ssrc = dp_rtp_get32(out->body);
	*at += whole;
	return true;
}

void
dp_rtcp_sender(struct dp_rtcp_sender *out, const struct dp_rtcp_packet *packet)
{
	const uint8_t *p = packet->body + 4;

	*out = (struct dp_rtcp_sender){
		.ntp = (uint64_t)dp_rtp_get32(p) << 32 | dp_rtp_get32(p + 4),
		.ts = dp_rtp_get32(p + 8),
		.packets = dp_rtp_get32(p + 12),
		.octets = dp_rtp_get32(p + 16),
	};
}

void
dp_rtcp_block(struct dp_rtcp_block *out, const struct dp_rtcp_packet *packet, unsigned i)
{
	const uint8_t *p = packet->body + 4 + (packet->type == DP_RTCP_SR ? SENDER_OCTETS : 0) +
			   (size_t)i * BLOCK_OCTETS;
	uint32_t lost = dp_rtp_get32(p + 4) & 0xffffff;

	*out = (struct dp_rtcp_block){
		.ssrc = dp_rtp_get32(p),
		.fraction = p[4],
		.lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost,
		.highest = dp_rtp_get32(p + 8),
		.jitter = dp_rtp_get32(p + 12),
		.lsr = dp_rtp_get32(p + 16),
		.dlsr = dp_rtp_get32(p + 20),
	};
}

bool
dp_rtcp_sdes_next(struct dp_rtcp_sdes *out, const struct dp_rtcp_packet *packet,
		  struct dp_rtcp_sdes_walk *walk)
{
	const uint8_t *p = packet->body;

	for (;;) {
		if (!walk->is_inside) {
			if (walk->chunk >= packet->count || walk->at + 4 > packet->body_len)
				return false;
			walk->ssrc = dp_rtp_get32(p + walk->at);
			walk->at += 4;
			walk->chunk++;
			walk->is_inside = true;
		}
		if (walk->at >= packet->body_len)
			return false;
		if (p[walk->at] != 0)
			break;
		walk->at = (uint16_t)((walk->at | 3) +
				      1); /* the null octets up to the next 32-bit border */
		walk->is_inside = false;
	}
	if (walk->at + 2 > packet->body_len || walk->at + 2 + p[walk->at + 1] > packet->body_len)
		return false;
	*out = (struct dp_rtcp_sdes){.text = p + walk->at + 2,
				     .ssrc = walk->ssrc,
				     .type = p[walk->at],
				     .len = p[walk->at + 1]};
	walk->at = (uint16_t)(walk->at + 2 + out->len);
	return true;
}

uint32_t
dp_rtcp_bye_ssrc(const struct dp_rtcp_packet *packet, unsigned i)
{
	return dp_rtp_get32(packet->body + 4 * (size_t)i);
}

const uint8_t *
dp_rtcp_bye_reason(const struct dp_rtcp_packet *packet, uint8_t *len)
{
	size_t at = 4 * (size_t)packet->count;

	*len = 0;
	if (at + 1 > packet->body_len || at + 1 + packet->body[at] > packet->body_len)
		return packet->body;
	*len = packet->body[at];
	return packet->body + at + 1;
}
