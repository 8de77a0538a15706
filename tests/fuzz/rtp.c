/* RTP headers, extension walk, demux, padding, telephone-event on whatever comes. What parses must add up. */
#include <stdlib.h>
#include "dataplane/rtp/dtmf.h"
#include "dataplane/rtp/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Reads every element, so that a sanitizer sees a slice that reaches too far. */
static unsigned
walk(const struct dp_rtp *rtp, const uint8_t *data, size_t size)
{
	struct dp_rtp_ext ext;
	unsigned sum = 0;
	size_t at = 0;

	while (dp_rtp_ext_next(&ext, rtp, data, &at)) {
		must(ext.data >= data && ext.data + ext.len <= data + rtp->header_len &&
		     rtp->header_len <= size);
		for (unsigned i = 0; i < ext.len; i++)
			sum += ext.data[i];
	}
	return sum;
}

static void
events(const struct dp_rtp *rtp, const uint8_t *payload, uint16_t len)
{
	static struct dp_dtmf dtmf;
	struct dp_dtmf_packet packet = {.payload = payload,
					.arrival_ns = rtp->seq * 20000000ULL,
					.ts = rtp->ts,
					.clock_hz = 8000,
					.len = len};
	struct dp_dtmf_event out[DP_DTMF_OUT_MAX];

	must(dp_dtmf_put(&dtmf, &packet, out) <= DP_DTMF_OUT_MAX);
	must(dp_dtmf_expire(&dtmf, packet.arrival_ns + 1000000000, 8000, out) <= 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dp_rtp rtp;
	uint16_t payload_len;
	volatile unsigned sum = 0;

	dp_rtp_is_rtcp(data, size);
	if (dp_rtp_parse(&rtp, data, size) != DP_DROP_NONE)
		return 0;
	must(rtp.header_len >= DP_RTP_HEADER_MIN && rtp.header_len <= size && rtp.pt < 128);
	for (unsigned i = 0; i < rtp.csrc_count; i++)
		sum += dp_rtp_csrc(data, i);
	sum += walk(&rtp, data, size);
	must(dp_rtp_ext_level(&rtp, data, 1) <= 127);
	if (dp_rtp_strip(&payload_len, &rtp, data, size) != DP_DROP_NONE)
		return 0;
	must(rtp.header_len + payload_len <= size);
	events(&rtp, data + rtp.header_len, payload_len);
	return 0;
}
