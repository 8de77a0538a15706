/* G.711 mu-law and A-law, ITU-T G.711; 16-bit linear as G.191 scales it (mu-law 14 bits, A-law 13
 * bits, left-justified). */
#ifndef DP_G711_H
#define DP_G711_H

#include <stdint.h>
#include "dataplane/api/isa.h"

/* Any count, any alignment; in and out do not overlap. All instruction sets give the same octets
 * and samples. */
struct dp_g711 {
	void (*ulaw_decode)(int16_t *pcm, const uint8_t *in, uint32_t count);
	void (*alaw_decode)(int16_t *pcm, const uint8_t *in, uint32_t count);
	void (*ulaw_encode)(uint8_t *out, const int16_t *pcm, uint32_t count);
	void (*alaw_encode)(uint8_t *out, const int16_t *pcm, uint32_t count);
};

const struct dp_g711 *dp_g711(enum dp_isa isa);

/* The formulae, one value at a time: what everything else is held against. */
int16_t dp_g711_ulaw_expand(uint8_t code);
int16_t dp_g711_alaw_expand(uint8_t code);
uint8_t dp_g711_ulaw_compress(int16_t sample);
uint8_t dp_g711_alaw_compress(int16_t sample);

#endif
