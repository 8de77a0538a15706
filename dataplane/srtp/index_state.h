/*
 * May this index be accepted? Packet index estimate (RFC 3711 3.3.1 and appendix A) and replay check (3.3.2) on const state, and
 * the commits that follow authentication.
 */
#ifndef DP_SRTP_INDEX_STATE_H
#define DP_SRTP_INDEX_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/api/drops.h"
#include "dataplane/srtp/srtp_state.h"

#define DP_SRTP_INDEX_END (1ULL << 48)	    /* SRTP indices are below */
#define DP_SRTP_RTCP_INDEX_END (1ULL << 31) /* SRTCP indices are below */

/*
 * The index a packet must have: the one of the three candidates that is nearest to the highest seen. Before the first roll-over there
 * is no candidate below. stream NULL: the first packet of its SSRC, ROC 0.
 */
static inline uint64_t
dp_srtp_index_estimate(const struct dp_srtp_rx_stream *stream, uint16_t seq)
{
	uint64_t roc;

	if (stream == NULL)
		return seq;
	roc = stream->roc;
	if (stream->seq < 0x8000)
		roc -= (seq - stream->seq > 0x8000 && roc > 0);
	else
		roc += (stream->seq - 0x8000 > seq);
	return roc << 16 | seq;
}

/* Where index stands to a window of 128 whose newest is top. */
static inline enum dp_drop
dp_srtp_window_may(const uint64_t seen[2], uint64_t top, uint64_t index)
{
	uint64_t age;

	if (index > top)
		return DP_DROP_NONE;
	age = top - index;
	if (age >= DP_SRTP_WINDOW)
		return DP_DROP_SRTP_STALE;
	return seen[age / 64] >> age % 64 & 1 ? DP_DROP_SRTP_REPLAY : DP_DROP_NONE;
}

static inline void
dp_srtp_window_commit(uint64_t seen[2], uint64_t top, uint64_t index)
{
	uint64_t ahead = index - top;

	if (index <= top) {
		seen[(top - index) / 64] |= 1ULL << (top - index) % 64;
		return;
	}
	if (ahead < 64) {
		seen[1] = seen[1] << ahead | seen[0] >> (64 - ahead);
		seen[0] = seen[0] << ahead | 1;
	} else {
		seen[1] = ahead < 128 ? seen[0] << (ahead - 64) : 0;
		seen[0] = 1;
	}
}

static inline uint64_t
dp_srtp_rx_top(const struct dp_srtp_rx_stream *stream)
{
	return (uint64_t)stream->roc << 16 | stream->seq;
}

static inline enum dp_drop
dp_srtp_rx_may(const struct dp_srtp_rx_stream *stream, uint64_t index)
{
	if (index >= DP_SRTP_INDEX_END)
		return DP_DROP_SRTP_STALE;
	return stream ? dp_srtp_window_may(stream->seen, dp_srtp_rx_top(stream), index)
		      : DP_DROP_NONE;
}

static inline void
dp_srtp_rx_commit(struct dp_srtp_rx_stream *stream, uint64_t index)
{
	uint64_t top = dp_srtp_rx_top(stream);

	dp_srtp_window_commit(stream->seen, top, index);
	if (index > top) {
		stream->roc = (uint32_t)(index >> 16);
		stream->seq = (uint16_t)index;
	}
}

/*
 * The index of a packet to send: strictly above the last one of its SSRC, at most 2^15 ahead. False: it would be one that was
 * used, or the 48 bits are used up.
 */
static inline bool
dp_srtp_tx_may(const struct dp_srtp_tx_stream *stream, uint16_t seq, uint64_t *index)
{
	uint16_t ahead = (uint16_t)(seq - stream->seq);

	if (!stream->has_rtp) {
		*index = (uint64_t)stream->roc << 16 | seq;
		return true;
	}
	*index = ((uint64_t)stream->roc << 16 | stream->seq) + ahead;
	return ahead != 0 && ahead < 0x8000 && *index < DP_SRTP_INDEX_END;
}

#endif
