/*
 * G.711 mu-law and A-law by the formulae of ITU-T G.711, one value at a time: what tables and SIMD are held against. 16-bit
 * linear as G.191 scales it (mu-law 14 bits, A-law 13 bits, left-justified). Whole frames: dp_codec_table.
 */
#ifndef DP_G711_H
#define DP_G711_H

#include <stdint.h>

int16_t dp_g711_ulaw_expand(uint8_t code);
int16_t dp_g711_alaw_expand(uint8_t code);
uint8_t dp_g711_ulaw_compress(int16_t sample);
uint8_t dp_g711_alaw_compress(int16_t sample);

#endif
