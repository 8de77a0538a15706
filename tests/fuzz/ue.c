/* What conclave-ue reads from the network: SDP with crypto lines, RTP, RTCP. The first octet says which. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "bench/load/rtp.h"
#include "bench/load/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
rtp(const uint8_t *data, size_t len)
{
	struct ue_rtp_head head;
	struct ue_rtp_rx rx = {0};

	if (!ue_rtp_parse(&head, data, len))
		return;
	if (head.header_len + head.payload_len > len)
		abort();
	for (uint64_t i = 0; i < 3; i++, head.seq = (uint16_t)(head.seq * 3))
		(void)ue_rtp_rx_count(&rx, &head, len, i * 20000000);
	if (ue_rtp_rx_lost(&rx) < 0)
		abort();
}

static void
sdp(const uint8_t *data, size_t len)
{
	struct ue_sdp in, again;
	char text[UE_SDP_MAX];
	size_t n;

	if (ue_sdp_read(&in, (const char *)data, len) != 0)
		return;
	if (in.key_count > UE_KEYS_MAX || in.codec_count > UE_CODECS_MAX || in.mikey_len > len ||
	    in.line_count > UE_LINES_MAX || in.own >= in.line_count ||
	    ue_sdp_cs_id(&in, in.own) > 2 * UE_LINES_MAX)
		abort();
	for (unsigned i = 0; i < in.line_count; i++)
		if (in.line[i].mikey &&
		    (in.line[i].mikey < (const char *)data ||
		     in.line[i].mikey + in.line[i].mikey_len > (const char *)data + len))
			abort();
	/* what we know how to write we read again */
	for (unsigned i = 0; i < in.codec_count; i++)
		if (in.codec[i] == DP_CODEC_NONE)
			return;
	n = ue_sdp_write(text, &in);
	if (n > 0 && (ue_sdp_read(&again, text, n) != 0 || again.key_count != in.key_count ||
		      again.line_count != in.line_count || again.own != in.own))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ue_rtcp_news news;

	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0:
		sdp(data + 1, size - 1);
		break;
	case 1:
		rtp(data + 1, size - 1);
		break;
	default:
		ue_rtcp_parse(&news, data + 1, size - 1, 7);
	}
	return 0;
}
