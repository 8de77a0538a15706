/*
 * G.711 by its formulae, and by table. The mu-law code is sign, 3 bits of segment, 4 bits of step, all inverted; A-law the
 * same with every second bit inverted. Negative samples are taken in one's complement, as the ITU's software tools do.
 */
#include "dataplane/codec/g711.h"
#include "dataplane/codec/g711_state.h"

#define ULAW_BIAS 33 /* at 14 bits; 0x84 at 16 */
#define ULAW_MAX 8191

int16_t
dp_g711_ulaw_expand(uint8_t code)
{
	unsigned bits = (uint8_t)~code;
	int t = (int)((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4));

	return (int16_t)(bits & 0x80 ? 0x84 - t : t - 0x84);
}

int16_t
dp_g711_alaw_expand(uint8_t code)
{
	unsigned bits = code ^ 0x55u;
	unsigned segment = (bits & 0x70) >> 4;
	int t = (int)((bits & 0x0f) << 4) + (segment ? 0x108 : 8);

	if (segment > 1)
		t <<= segment - 1;
	return (int16_t)(bits & 0x80 ? t : -t);
}

/* Index of the highest bit set; x is not 0. */
static unsigned
top_bit(unsigned x)
{
	return 31u - (unsigned)__builtin_clz(x);
}

uint8_t
dp_g711_ulaw_compress(int16_t sample)
{
	unsigned sign = sample < 0 ? 0x80 : 0;
	unsigned size = ((unsigned)(sample < 0 ? ~sample : sample) >> 2) + ULAW_BIAS;
	unsigned segment;

	if (size > ULAW_MAX)
		size = ULAW_MAX;
	segment = top_bit(size) - 5;
	return (uint8_t) ~(sign | segment << 4 | (size >> (segment + 1) & 0x0f));
}

uint8_t
dp_g711_alaw_compress(int16_t sample)
{
	unsigned sign = sample < 0 ? 0 : 0x80;
	unsigned size = (unsigned)(sample < 0 ? ~sample : sample) >> 4;
	unsigned segment = size < 16 ? 0 : top_bit(size) - 3;
	unsigned step = segment ? size >> (segment - 1) & 0x0f : size;

	return (uint8_t)((sign | segment << 4 | step) ^ 0x55);
}

uint32_t
dp_g711_ulaw_decode_c(void *state, int16_t *pcm, const uint8_t *in, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		pcm[i] = dp_g711_ulaw_table[in[i]];
	return count;
}

uint32_t
dp_g711_alaw_decode_c(void *state, int16_t *pcm, const uint8_t *in, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		pcm[i] = dp_g711_alaw_table[in[i]];
	return count;
}

uint32_t
dp_g711_ulaw_encode_c(void *state, uint8_t *out, const int16_t *pcm, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		out[i] = dp_g711_ulaw_compress(pcm[i]);
	return count;
}

uint32_t
dp_g711_alaw_encode_c(void *state, uint8_t *out, const int16_t *pcm, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		out[i] = dp_g711_alaw_compress(pcm[i]);
	return count;
}
