/* RTCP compound packets, writing: RFC 3550 6.1, 6.4 to 6.6; timing 6.3 and A.7; round trip 6.4.1. */
#include <string.h>
#include "dataplane/rtp/rtcp.h"
#include "dataplane/rtp/rtp.h"

#define NTP_UNIX_SECONDS 2208988800u /* from 1900 to 1970 */
#define TEXT_MAX 255

/* A cursor that runs on beyond its room without writing, so that only the end is asked whether all fitted. */
struct cursor {
	uint8_t *out;
	size_t room;
	size_t at;
};

static void
put_octets(struct cursor *c, const void *octets, size_t n)
{
	if (n <= c->room && c->at <= c->room - n)
		memcpy(c->out + c->at, octets, n);
	c->at += n;
}

static void
put8(struct cursor *c, uint8_t v)
{
	put_octets(c, &v, 1);
}

static void
put32(struct cursor *c, uint32_t v)
{
	uint8_t octets[4];

	dp_rtp_put32(octets, v);
	put_octets(c, octets, 4);
}

static size_t
begin(struct cursor *c, uint8_t type, unsigned count)
{
	size_t start = c->at;

	put32(c, 0x80000000u | (uint32_t)count << 24 | (uint32_t)type << 16);
	return start;
}

/* Pad to 32 bits with nulls and set the length. */
static void
end(struct cursor *c, size_t start)
{
	while (c->at % 4)
		put8(c, 0);
	if (c->at <= c->room)
		dp_rtp_put16(c->out + start + 2, (uint16_t)((c->at - start) / 4 - 1));
}

static void
put_report(struct cursor *c, const struct dp_rtcp_make *make)
{
	unsigned count =
		make->block_count < DP_RTCP_BLOCKS_MAX ? make->block_count : DP_RTCP_BLOCKS_MAX;
	size_t start = begin(c, make->sender ? DP_RTCP_SR : DP_RTCP_RR, count);

	put32(c, make->ssrc);
	if (make->sender) {
		put32(c, (uint32_t)(make->sender->ntp >> 32));
		put32(c, (uint32_t)make->sender->ntp);
		put32(c, make->sender->ts);
		put32(c, make->sender->packets);
		put32(c, make->sender->octets);
	}
	for (unsigned i = 0; i < count; i++) {
		const struct dp_rtcp_block *block = &make->blocks[i];

		put32(c, block->ssrc);
		put32(c, (uint32_t)block->fraction << 24 | ((uint32_t)block->lost & 0xffffff));
		put32(c, block->highest);
		put32(c, block->jitter);
		put32(c, block->lsr);
		put32(c, block->dlsr);
	}
	end(c, start);
}

static void
put_text(struct cursor *c, const char *text)
{
	size_t n = strnlen(text, TEXT_MAX);

	put8(c, (uint8_t)n);
	put_octets(c, text, n);
}

/* A chunk: SSRC, CNAME, and at least one null up to the border. */
static void
put_chunk(struct cursor *c, uint32_t ssrc, const char *cname)
{
	put32(c, ssrc);
	put8(c, DP_RTCP_SDES_CNAME);
	put_text(c, cname);
	do
		put8(c, 0);
	while (c->at % 4);
}

size_t
dp_rtcp_chunk_octets(const char *text)
{
	size_t octets = 4 + 2 + strnlen(text, TEXT_MAX) + 1;

	return (octets + 3) / 4 * 4;
}

static void
put_sdes(struct cursor *c, const struct dp_rtcp_make *make)
{
	unsigned count = make->forward_count < 30 ? make->forward_count : 30;
	size_t start = begin(c, DP_RTCP_SDES, 1 + count);

	put_chunk(c, make->ssrc, make->cname);
	for (unsigned i = 0; i < count; i++)
		put_chunk(c, make->forwards[i].ssrc, make->forwards[i].text);
	end(c, start);
}

static void
put_bye(struct cursor *c, const struct dp_rtcp_make *make)
{
	unsigned count = make->bye_csrc_count < 30 ? make->bye_csrc_count : 30;
	size_t start = begin(c, DP_RTCP_BYE, make->is_bye + count);

	if (make->is_bye)
		put32(c, make->ssrc);
	for (unsigned i = 0; i < count; i++)
		put32(c, make->bye_csrcs[i]);
	if (make->bye_reason)
		put_text(c, make->bye_reason);
	end(c, start);
}

size_t
dp_rtcp_build(uint8_t *out, size_t room, const struct dp_rtcp_make *make)
{
	struct cursor c = {.out = out, .room = room};

	put_report(&c, make);
	put_sdes(&c, make);
	if (make->is_bye || make->bye_csrc_count > 0)
		put_bye(&c, make);
	return c.at <= room ? c.at : 0;
}

uint64_t
dp_rtcp_ntp(uint64_t unix_ns)
{
	uint64_t seconds = unix_ns / 1000000000u + NTP_UNIX_SECONDS;
	uint64_t fraction = ((unix_ns % 1000000000u) << 32) / 1000000000u;

	return seconds << 32 | fraction;
}

uint32_t
dp_rtcp_round_trip_us(uint32_t now_mid, const struct dp_rtcp_block *block)
{
	uint32_t elapsed = now_mid - block->lsr - block->dlsr;

	if (block->lsr == 0 ||
	    elapsed > INT32_MAX) /* no SR yet, or a negative time: clocks disagree */
		return 0;
	return (uint32_t)(((uint64_t)elapsed * 1000000u) >> 16 > UINT32_MAX
				  ? 0
				  : ((uint64_t)elapsed * 1000000u) >> 16);
}

uint64_t
dp_rtcp_interval_ns(const struct dp_rtcp_timing *timing)
{
	double min_s = timing->min_ms / 1000.0 / (timing->is_first ? 2 : 1);
	double bandwidth = timing->bandwidth ? timing->bandwidth : 1;
	double n = timing->members ? timing->members : 1;
	double t;

	/* 6.3.1: a quarter of the bandwidth to the senders while they are at most a quarter of the members. */
	if (timing->senders > 0 && timing->senders * 4.0 <= n) {
		bandwidth *= timing->have_we_sent ? 0.25 : 0.75;
		n = timing->have_we_sent ? timing->senders : n - timing->senders;
	}
	t = n * timing->avg_octets / bandwidth;
	if (t < min_s)
		t = min_s;
	t *= 0.5 + timing->random / 4294967296.0;
	t /= 1.21828; /* e - 1.5: timer reconsideration converges below the mean */
	return (uint64_t)(t * 1e9);
}
