/* The codec table: RFC 3551 4.5.11 (L16), 4.5.14 (PCMU, PCMA). */
#include "dataplane/codec/codec.h"
#include "dataplane/codec/g711_state.h"

static uint32_t
duration_g711(const uint8_t *payload, uint32_t octets)
{
	return octets;
}

static uint32_t
duration_l16(const uint8_t *payload, uint32_t octets)
{
	return octets % 2 ? 0 : octets / 2;
}

/* L16 is in network order. */
static uint32_t
decode_l16(void *state, int16_t *pcm, const uint8_t *payload, uint32_t octets)
{
	for (uint32_t i = 0; i < octets / 2; i++)
		pcm[i] = (int16_t)(uint16_t)(payload[2 * i] << 8 | payload[2 * i + 1]);
	return octets / 2;
}

static uint32_t
encode_l16(void *state, uint8_t *out, const int16_t *pcm, uint32_t samples)
{
	for (uint32_t i = 0; i < samples; i++) {
		out[2 * i] = (uint8_t)((uint16_t)pcm[i] >> 8);
		out[2 * i + 1] = (uint8_t)pcm[i];
	}
	return 2 * samples;
}

/* The table with G.711 for one instruction set. */
/* clang-format off */
#define ROWS(isa_name) \
	{ \
		[DP_CODEC_NONE] = {.name = "none", .static_pt = -1}, \
		[DP_CODEC_PCMU] = {.name = "PCMU", .id = DP_CODEC_PCMU, .static_pt = 0, .channels = 1, \
			.clock_hz = 8000, .sample_hz = 8000, .frame_units = 1, .unit_octets = 1, .payload_max = 480, \
			.duration = duration_g711, .decode = dp_g711_ulaw_decode_##isa_name, .encode = dp_g711_ulaw_encode_##isa_name},\
		[DP_CODEC_PCMA] = {.name = "PCMA", .id = DP_CODEC_PCMA, .static_pt = 8, .channels = 1, \
			.clock_hz = 8000, .sample_hz = 8000, .frame_units = 1, .unit_octets = 1, .payload_max = 480, \
			.duration = duration_g711, .decode = dp_g711_alaw_decode_##isa_name, .encode = dp_g711_alaw_encode_##isa_name},\
		[DP_CODEC_L16] = {.name = "L16", .id = DP_CODEC_L16, .static_pt = -1, .channels = 1, \
			.clock_hz = 8000, .sample_hz = 8000, .frame_units = 1, .unit_octets = 2, .payload_max = 960, \
			.duration = duration_l16, .decode = decode_l16, .encode = encode_l16}, \
	}
/* clang-format on */

static const struct dp_codec table_c[DP_CODEC_COUNT] = ROWS(c);
static const struct dp_codec table_avx2[DP_CODEC_COUNT] = ROWS(avx2);
static const struct dp_codec table_avx512[DP_CODEC_COUNT] = ROWS(avx512);

const struct dp_codec *
dp_codec_table(enum dp_isa isa)
{
	switch (isa) {
	case DP_ISA_AVX512:
		return table_avx512;
	case DP_ISA_AVX2:
		return table_avx2;
	default:
		return table_c;
	}
}
