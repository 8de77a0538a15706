/* RTCP compounds on whatever comes: what passes the check is walked whole, and every slice lies inside. */
#include <stdlib.h>
#include "dataplane/rtp/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum;

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
read_all(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += p[i];
}

static void
read_packet(const struct dp_rtcp_packet *packet)
{
	struct dp_rtcp_sdes_walk walk = {0};
	struct dp_rtcp_sender sender;
	struct dp_rtcp_block block;
	struct dp_rtcp_sdes sdes;
	const uint8_t *reason;
	uint8_t len;

	read_all(packet->body, packet->body_len);
	switch (packet->type) {
	case DP_RTCP_SR:
		dp_rtcp_sender(&sender, packet);
		__attribute__((fallthrough));
	case DP_RTCP_RR:
		for (unsigned i = 0; i < packet->count; i++) {
			dp_rtcp_block(&block, packet, i);
			must(block.lost >= -0x800000 && block.lost <= 0x7fffff);
			sum += dp_rtcp_round_trip_us(0x12345678, &block);
		}
		break;
	case DP_RTCP_SDES:
		while (dp_rtcp_sdes_next(&sdes, packet, &walk)) {
			must(sdes.text + sdes.len <= packet->body + packet->body_len);
			read_all(sdes.text, sdes.len);
		}
		break;
	case DP_RTCP_BYE:
		for (unsigned i = 0; i < packet->count; i++)
			sum += dp_rtcp_bye_ssrc(packet, i);
		reason = dp_rtcp_bye_reason(packet, &len);
		read_all(reason, len);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dp_rtcp_packet packet;
	size_t at = 0;

	if (dp_rtcp_check(data, size) != DP_DROP_NONE)
		return 0;
	while (dp_rtcp_next(&packet, data, size, &at)) {
		must(packet.body + packet.body_len <= data + size);
		read_packet(&packet);
	}
	must(at == size);
	return 0;
}
