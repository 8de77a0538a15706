/* What the burst functions do to slots. */
#ifndef DP_SRTP_SLOT_STATE_H
#define DP_SRTP_SLOT_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/srtp/srtp_state.h"

/* NEXT has authenticated a packet: it is CURRENT now. */
void dp_srtp_rx_rotate(struct dp_srtp_rx *rx);

uint8_t dp_srtp_slot_counted_out(struct dp_srtp_slot *slot, bool is_rtcp);

/* One packet more under this key. Gives notes (enum dp_srtp_note). */
static inline uint8_t
dp_srtp_slot_count(struct dp_srtp_slot *slot, bool is_rtcp)
{
	if (is_rtcp ? --slot->until_rtcp : --slot->until_rtp)
		return 0;
	return dp_srtp_slot_counted_out(slot, is_rtcp);
}

#endif
