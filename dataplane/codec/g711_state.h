/* What the G.711 sources share: tables, and the rows' functions by instruction set. */
#ifndef DP_G711_STATE_H
#define DP_G711_STATE_H

#include <stdint.h>

extern const int16_t dp_g711_ulaw_table[256];
extern const int16_t dp_g711_alaw_table[256];

/* In the shape of struct dp_codec; state is not used. Any count, any alignment; in and out do not overlap. */
uint32_t dp_g711_ulaw_decode_c(void *state, int16_t *pcm, const uint8_t *in, uint32_t count);
uint32_t dp_g711_ulaw_encode_c(void *state, uint8_t *out, const int16_t *pcm, uint32_t count);
uint32_t dp_g711_alaw_decode_c(void *state, int16_t *pcm, const uint8_t *in, uint32_t count);
uint32_t dp_g711_alaw_encode_c(void *state, uint8_t *out, const int16_t *pcm, uint32_t count);

uint32_t dp_g711_ulaw_decode_avx2(void *state, int16_t *pcm, const uint8_t *in, uint32_t count);
uint32_t dp_g711_ulaw_encode_avx2(void *state, uint8_t *out, const int16_t *pcm, uint32_t count);
uint32_t dp_g711_alaw_decode_avx2(void *state, int16_t *pcm, const uint8_t *in, uint32_t count);
uint32_t dp_g711_alaw_encode_avx2(void *state, uint8_t *out, const int16_t *pcm, uint32_t count);

uint32_t dp_g711_ulaw_decode_avx512(void *state, int16_t *pcm, const uint8_t *in, uint32_t count);
uint32_t dp_g711_ulaw_encode_avx512(void *state, uint8_t *out, const int16_t *pcm, uint32_t count);
uint32_t dp_g711_alaw_decode_avx512(void *state, int16_t *pcm, const uint8_t *in, uint32_t count);
uint32_t dp_g711_alaw_encode_avx512(void *state, uint8_t *out, const int16_t *pcm, uint32_t count);

#endif
