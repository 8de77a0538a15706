/* RTP headers: RFC 3550 5.1 and header extensions, RFC 8285 4.2 and 4.3. */
#include "dataplane/rtp/rtp.h"

enum dp_drop
dp_rtp_parse(struct dp_rtp *out, const uint8_t *data, size_t len)
{
	size_t header_len;
	size_t ext_words = 0;

	if (len < DP_RTP_HEADER_MIN)
		return DP_DROP_PKT_SHORT;
	if (data[0] >> 6 != 2)
		return DP_DROP_NOT_RTP;
	header_len = DP_RTP_HEADER_MIN + 4 * (size_t)(data[0] & 0x0f);
	if (data[0] & 0x10) {
		if (len < header_len + 4)
			return DP_DROP_RTP_HEADER;
		ext_words = dp_rtp_get16(data + header_len + 2);
		header_len += 4 + 4 * ext_words;
	}
	if (header_len > len || header_len > UINT16_MAX)
		return DP_DROP_RTP_HEADER;

	*out = (struct dp_rtp){
		.ts = dp_rtp_get32(data + 4),
		.ssrc = dp_rtp_get32(data + 8),
		.seq = dp_rtp_get16(data + 2),
		.header_len = (uint16_t)header_len,
		.pt = data[1] & 0x7f,
		.csrc_count = data[0] & 0x0f,
		.has_marker = data[1] >> 7,
		.has_padding = (data[0] & 0x20) != 0,
	};
	if (data[0] & 0x10) {
		out->ext_len = (uint16_t)(4 * ext_words);
		out->ext_offset = (uint16_t)(header_len - out->ext_len);
		out->ext_profile = dp_rtp_get16(data + out->ext_offset - 4);
	}
	return DP_DROP_NONE;
}

enum dp_drop
dp_rtp_strip(uint16_t *payload_len, const struct dp_rtp *rtp, const uint8_t *data, size_t len)
{
	size_t padding = 0;

	if (len < rtp->header_len)
		return DP_DROP_RTP_HEADER;
	if (rtp->has_padding) {
		if (len == rtp->header_len)
			return DP_DROP_RTP_HEADER;
		padding = data[len - 1];
		if (padding == 0 || padding > len - rtp->header_len)
			return DP_DROP_RTP_HEADER;
	}
	*payload_len = (uint16_t)(len - rtp->header_len - padding);
	return DP_DROP_NONE;
}

/* The head of the element at p, of left octets: its length with head in *whole; false when there is none. */
static bool
ext_head(struct dp_rtp_ext *out, uint16_t profile, const uint8_t *p, size_t left, size_t *whole)
{
	if (profile == 0xbede) {
		if (p[0] >> 4 == 15) /* RFC 8285 4.2: stop here */
			return false;
		out->id = p[0] >> 4;
		out->len = (uint8_t)((p[0] & 0x0f) + 1);
		out->data = p + 1;
	} else {
		if (left < 2)
			return false;
		out->id = p[0];
		out->len = p[1];
		out->data = p + 2;
	}
	*whole = (size_t)(out->data - p) + out->len;
	return *whole <= left;
}

bool
dp_rtp_ext_next(struct dp_rtp_ext *out, const struct dp_rtp *rtp, const uint8_t *data, size_t *at)
{
	struct dp_rtp_ext found;
	size_t whole;

	if (rtp->ext_offset == 0 || (rtp->ext_profile != 0xbede && rtp->ext_profile >> 4 != 0x100))
		return false;
	while (*at < rtp->ext_len && data[rtp->ext_offset + *at] == 0)
		(*at)++;
	if (*at >= rtp->ext_len || !ext_head(&found, rtp->ext_profile, data + rtp->ext_offset + *at,
					     rtp->ext_len - *at, &whole))
		return false;
	*at += whole;
	*out = found;
	return true;
}

int
dp_rtp_ext_level(const struct dp_rtp *rtp, const uint8_t *data, uint8_t id)
{
	struct dp_rtp_ext ext;
	size_t at = 0;

	while (dp_rtp_ext_next(&ext, rtp, data, &at))
		if (ext.id == id && ext.len >= 1)
			return ext.data[0] & 0x7f;
	return -1;
}
