/*
 * Arbitrary octets to unprotect, as SRTP and as SRTCP, under each suite: nothing is accepted that was not protected under the key, nothing
 * outside of the packet is touched, and what is dropped is left as it came.
 *
 * First octet: suite, RTCP, MKI. Second: header length of SRTP in words. The rest is the packet.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/api/drops.h"
#include "dataplane/srtp/srtp.h"
#include "dataplane/srtp/srtp_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MKIS 2

static struct dp_srtp_engine *engine;
static struct dp_srtp_rx contexts[DP_SUITE_COUNT][MKIS];

static void
set_up(void)
{
	const char *why;

	engine = dp_srtp_engine_create(&why);
	if (engine == NULL)
		abort();
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		for (int mki = 0; mki < MKIS; mki++) {
			struct dp_srtp_key_conf conf = {
				.suite = suite, .mki_len = (uint8_t)(4 * mki), .mki = {1, 2, 3, 4}};
			struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

			dp_srtp_rx_init(&contexts[suite][mki]);
			dp_srtp_rx_install(&contexts[suite][mki], DP_KEY_CURRENT, 0,
					   dp_srtp_key_create(&conf), out);
			conf.key[0] = 1;
			dp_srtp_rx_install(&contexts[suite][mki], DP_KEY_NEXT, 0,
					   dp_srtp_key_create(&conf), out);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dp_srtp_rx *rx, before;
	struct dp_srtp_op op;
	uint8_t *packet;

	if (engine == NULL)
		set_up();
	if (size < 2 || size > 4096)
		return 0;
	rx = &contexts[1 + data[0] % (DP_SUITE_COUNT - 1)][data[0] >> 6 & 1];
	before = *rx;
	packet = malloc(size - 2 ? size - 2 : 1);
	if (packet == NULL)
		return 0;
	memcpy(packet, data + 2, size - 2);
	op = (struct dp_srtp_op){.data = packet,
				 .ctx = rx,
				 .len = (uint32_t)(size - 2),
				 .header_len = (uint16_t)(4 * data[1])};
	if (size >= 14) {
		op.seq = (uint16_t)(packet[2] << 8 | packet[3]);
		op.ssrc = (uint32_t)packet[8] << 24 | (uint32_t)packet[9] << 16 |
			  (uint32_t)packet[10] << 8 | packet[11];
	}
	if (data[0] & 0x80)
		dp_srtp_unprotect_rtcp(engine, &op, 1);
	else
		dp_srtp_unprotect_rtp(engine, &op, 1);
	if (op.verdict == DP_DROP_NONE) {
		*rx = before; /* a seed: take it again next time */
	} else if (memcmp(&before, rx, sizeof(before)) != 0 ||
		   memcmp(packet, data + 2, size - 2) != 0 || op.len != size - 2 || op.note != 0) {
		abort();
	}
	free(packet);
	return 0;
}
