/*
 * Packet loss concealment for codecs without memory: the last pitch period of what was heard,
 * repeated and faded to silence over 60 ms. Keeps no state: given the same last sound it goes on
 * where it left off, so that a leg pays nothing until a packet is missing.
 */
#ifndef DP_PLC_H
#define DP_PLC_H

#include <stdint.h>

/*
 * Write `samples` of concealment that begin `since` samples after the end of last[0 ..
 * last_samples). last_samples may be small or 0 (then silence). sample_hz: of both.
 */
struct dp_plc {
	const int16_t *last;
	uint32_t last_samples;
	uint32_t since;
	uint32_t sample_hz;
};
void dp_plc_conceal(const struct dp_plc *plc, int16_t *pcm, uint32_t samples);

/* Sound is back: cross-fade the first 5 ms of pcm from what concealment would have gone on with. */
void dp_plc_join(const struct dp_plc *plc, int16_t *pcm, uint32_t samples);

#endif
