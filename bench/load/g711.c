/* ITU-T G.711 and RFC 3551 4.5.11 (L16), sample by sample. */
#include "bench/load/g711.h"

unsigned
ue_codec_octets(enum dp_codec_id codec)
{
	if (codec == DP_CODEC_PCMU || codec == DP_CODEC_PCMA)
		return 1;
	return codec == DP_CODEC_L16 ? 2 : 0;
}

/* The number of the segment: position of the highest bit of value above the lowest segment. */
static int
segment_of(int value, int lowest)
{
	int segment = 0;

	while (segment < 7 && value >= lowest << (segment + 1))
		segment++;
	return segment;
}

static uint8_t
ulaw_encode(int16_t pcm)
{
	int sign = pcm < 0 ? 0x80 : 0, value = pcm < 0 ? -(int)pcm : pcm, segment;

	value = (value > 32635 ? 32635 : value) + 132;
	segment = segment_of(value, 128);
	return (uint8_t) ~(sign | segment << 4 | ((value >> (segment + 3)) & 15));
}

static int16_t
ulaw_decode(uint8_t octet)
{
	int bits = ~octet & 0xff, value = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;

	return (int16_t)(bits & 0x80 ? -value : value);
}

static uint8_t
alaw_encode(int16_t pcm)
{
	int sign = pcm < 0 ? 0 : 0x80, value = pcm < 0 ? -(int)pcm - 1 : pcm, segment;

	segment = segment_of(value, 256);
	if (value >= 256)
		return (uint8_t)((sign | (segment + 1) << 4 | ((value >> (segment + 4)) & 15)) ^
				 0x55);
	return (uint8_t)((sign | value >> 4) ^ 0x55);
}

static int16_t
alaw_decode(uint8_t octet)
{
	int bits = octet ^ 0x55, segment = (bits >> 4) & 7, value = (bits & 15) << 4;

	value = segment == 0 ? value + 8 : (value + 0x108) << (segment - 1);
	return (int16_t)(bits & 0x80 ? value : -value);
}

void
ue_codec_encode(enum dp_codec_id codec, uint8_t *out, const int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (codec == DP_CODEC_PCMU) {
			out[i] = ulaw_encode(pcm[i]);
		} else if (codec == DP_CODEC_PCMA) {
			out[i] = alaw_encode(pcm[i]);
		} else {
			out[2 * i] = (uint8_t)((uint16_t)pcm[i] >> 8);
			out[2 * i + 1] = (uint8_t)pcm[i];
		}
	}
}

void
ue_codec_decode(enum dp_codec_id codec, int16_t *pcm, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (codec == DP_CODEC_PCMU)
			pcm[i] = ulaw_decode(in[i]);
		else if (codec == DP_CODEC_PCMA)
			pcm[i] = alaw_decode(in[i]);
		else
			pcm[i] = (int16_t)(in[2 * i] << 8 | in[2 * i + 1]);
	}
}
