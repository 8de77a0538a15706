/* RFC 3550: 5.1 header, 6.4 reports, A.3 loss, A.8 jitter. */
#include "bench/load/rtp.h"
#include <string.h>

#define RESTART 3000 /* a jump this far is another stream: RFC 3550 A.1 MAX_DROPOUT */

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

void
ue_rtp_build(uint8_t *out, const struct ue_rtp_head *head)
{
	out[0] = 0x80;
	out[1] = (uint8_t)(head->has_marker << 7 | head->pt);
	put16(out + 2, head->seq);
	put32(out + 4, head->ts);
	put32(out + 8, head->ssrc);
}

bool
ue_rtp_parse(struct ue_rtp_head *out, const uint8_t *data, size_t len)
{
	size_t at = UE_RTP_HEADER, padding = 0;

	if (len < UE_RTP_HEADER || data[0] >> 6 != 2)
		return false;
	out->csrc_count = data[0] & 15;
	out->has_marker = data[1] >> 7;
	out->pt = data[1] & 127;
	out->seq = (uint16_t)get16(data + 2);
	out->ts = get32(data + 4);
	out->ssrc = get32(data + 8);
	at += 4u * out->csrc_count;
	if (data[0] & 0x10) {
		if (at + 4 > len)
			return false;
		at += 4 + 4 * (size_t)get16(data + at + 2);
	}
	if (at > len)
		return false;
	if (data[0] & 0x20)
		padding = data[len - 1];
	out->header_len = at;
	out->payload_len = at + padding > len ? 0 : len - at - padding;
	return true;
}

bool
ue_rtp_is_rtcp(const uint8_t *data, size_t len)
{
	return len >= 8 && data[1] >= 192 && data[1] <= 223;
}

static void
source_begin(struct ue_rtp_rx *rx, const struct ue_rtp_head *head)
{
	if (rx->has_source) {
		rx->lost_before = (uint64_t)ue_rtp_rx_lost(rx);
		rx->ssrc_changes += rx->ssrc != head->ssrc;
	}
	rx->has_source = true;
	rx->ssrc = head->ssrc;
	rx->base_ext = rx->max_ext = 0x10000u + head->seq;
	rx->seen = 1;
	rx->of_source = 0;
	rx->transit = 0;
}

/* Where the packet stands against what was seen. False: seen before. */
static bool
place(struct ue_rtp_rx *rx, uint16_t seq)
{
	int16_t ahead = (int16_t)(seq - (uint16_t)rx->max_ext);

	if (ahead > 0) {
		rx->max_ext += (uint32_t)ahead;
		rx->seen = ahead < 64 ? rx->seen << ahead | 1 : 1;
		return true;
	}
	if (-ahead < 64) {
		if (rx->seen >> -ahead & 1)
			return false;
		rx->seen |= 1ULL << -ahead;
	}
	rx->reordered++;
	return true;
}

bool
ue_rtp_rx_count(struct ue_rtp_rx *rx, const struct ue_rtp_head *head, size_t len, uint64_t now_ns)
{
	int16_t ahead = (int16_t)(head->seq - (uint16_t)rx->max_ext);
	double transit = (double)now_ns * 8e-6 - (double)head->ts, d;

	if (!rx->has_source || rx->ssrc != head->ssrc || ahead > RESTART || ahead < -RESTART) {
		source_begin(rx, head);
	} else if (!place(rx, head->seq)) {
		rx->duplicates++;
		return false;
	}
	if (rx->of_source++ > 0) {
		d = transit - rx->transit;
		d = d < 0 ? -d : d;
		if (d < 80000)
			rx->jitter += (d - rx->jitter) / 16;
	}
	rx->transit = transit;
	if (rx->last_ns && now_ns - rx->last_ns > rx->gap_max_ns)
		rx->gap_max_ns = now_ns - rx->last_ns;
	rx->last_ns = now_ns;
	rx->packets++;
	rx->octets += len;
	return true;
}

int64_t
ue_rtp_rx_lost(const struct ue_rtp_rx *rx)
{
	int64_t lost;

	if (!rx->has_source)
		return 0;
	lost = (int64_t)rx->max_ext - (int64_t)rx->base_ext + 1 - (int64_t)rx->of_source;
	return (int64_t)rx->lost_before + (lost > 0 ? lost : 0);
}

void
ue_rtp_rx_reset(struct ue_rtp_rx *rx)
{
	rx->lost_unmeasured += (uint64_t)ue_rtp_rx_lost(rx);
	rx->base_ext = rx->max_ext + 1;
	rx->of_source = 0;
	rx->packets = rx->octets = rx->duplicates = rx->reordered = 0;
	rx->lost_before = 0;
	rx->ssrc_changes = 0;
	rx->gap_max_ns = 0;
}

static size_t
report_block(uint8_t *p, const struct ue_rtcp_self *self, const struct ue_rtp_rx *rx)
{
	int64_t lost = ue_rtp_rx_lost(rx) + (int64_t)rx->lost_unmeasured;

	if (!rx->has_source)
		return 0;
	put32(p, rx->ssrc);
	put32(p + 4, (uint32_t)(lost > 0x7fffff ? 0x7fffff : lost));
	put32(p + 8, rx->max_ext - 0x10000u);
	put32(p + 12, (uint32_t)rx->jitter);
	put32(p + 16, self->last_sr);
	put32(p + 20, self->since_sr);
	return 24;
}

size_t
ue_rtcp_build(uint8_t out[UE_RTCP_MAX], const struct ue_rtcp_self *self, const struct ue_rtp_rx *rx)
{
	size_t at = self->is_sender ? 28 : 8, block, name = strlen(self->cname), words;

	block = report_block(out + at, self, rx);
	out[0] = (uint8_t)(0x80 | (block > 0));
	out[1] = self->is_sender ? 200 : 201;
	put32(out + 4, self->ssrc);
	if (self->is_sender) {
		put32(out + 8, (uint32_t)(self->ntp >> 32));
		put32(out + 12, (uint32_t)self->ntp);
		put32(out + 16, self->ts);
		put32(out + 20, self->packets);
		put32(out + 24, self->octets);
	}
	at += block;
	put16(out + 2, (uint32_t)(at / 4 - 1));
	/* SDES: one chunk with CNAME, ended by at least one zero octet and padded to a word */
	name = name > 100 ? 100 : name;
	words = (4 + 4 + 2 + name + 1 + 3) / 4;
	memset(out + at, 0, words * 4);
	out[at] = 0x81;
	out[at + 1] = 202;
	put16(out + at + 2, (uint32_t)(words - 1));
	put32(out + at + 4, self->ssrc);
	out[at + 8] = 1;
	out[at + 9] = (uint8_t)name;
	memcpy(out + at + 10, self->cname, name);
	at += words * 4;
	if (self->is_bye) {
		out[at] = 0x81;
		out[at + 1] = 203;
		put16(out + at + 2, 1);
		put32(out + at + 4, self->ssrc);
		at += 8;
	}
	return at;
}

static void
reports_parse(struct ue_rtcp_news *out, const uint8_t *block, unsigned count, uint32_t our_ssrc)
{
	for (unsigned i = 0; i < count; i++, block += 24) {
		if (get32(block) != our_ssrc)
			continue;
		out->has_report = true;
		out->lost = (int32_t)(get32(block + 4) << 8) >> 8;
		out->jitter = get32(block + 12);
		out->last_sr = get32(block + 16);
		out->since_sr = get32(block + 20);
	}
}

void
ue_rtcp_parse(struct ue_rtcp_news *out, const uint8_t *data, size_t len, uint32_t our_ssrc)
{
	uint32_t from = 0;

	memset(out, 0, sizeof(*out));
	while (len >= 4) {
		size_t size = 4 * ((size_t)get16(data + 2) + 1);
		unsigned count = data[0] & 31, type = data[1];
		size_t head = type == 200 ? 28 : 8;

		if (data[0] >> 6 != 2 || size > len)
			return;
		if ((type == 200 || type == 201) && size >= 8)
			from = get32(data + 4);
		if ((type == 200 || type == 201) && size >= head + 24 * (size_t)count) {
			reports_parse(out, data + head, count, our_ssrc);
			out->has_sr |= type == 200;
			if (type == 200)
				out->sr_mid = get32(data + 10);
		}
		/* Of the sender, not of those whom it mixes. */
		out->has_bye |= type == 203 && count > 0 && size >= 8 && get32(data + 4) == from;
		out->is_valid = true;
		data += size;
		len -= size;
	}
}
