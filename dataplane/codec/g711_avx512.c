/* G.711 by AVX-512 BW, 32 samples at a time; the last ones under a mask, so that no octet beyond count is touched. */
#include <immintrin.h>
#include "dataplane/codec/g711_state.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))
#define WORDS(x) _mm512_set1_epi16(x)
#define LOG_LOW 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3
#define LOG_HIGH 0, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7
#define TABLE(x) _mm512_broadcast_i32x4(_mm_setr_epi8(x))

static inline TARGET __mmask32
mask_of(uint32_t left)
{
	return left >= 32 ? UINT32_MAX : (1u << left) - 1;
}

/* log2 of words 0 to 255, that of 0 being 0. */
static inline TARGET __m512i
log2_of(__m512i x)
{
	__m512i low = _mm512_and_si512(x, WORDS(0x0f));
	__m512i high = _mm512_srli_epi16(x, 4);

	return _mm512_max_epi16(_mm512_shuffle_epi8(TABLE(LOG_LOW), low),
				_mm512_shuffle_epi8(TABLE(LOG_HIGH), high));
}

/* x, or -x where the mask says so. */
static inline TARGET __m512i
negate(__m512i x, __mmask32 is_negative)
{
	return _mm512_mask_sub_epi16(x, is_negative, _mm512_setzero_si512(), x);
}

TARGET uint32_t
dp_g711_ulaw_decode_avx512(void *state, int16_t *pcm, const uint8_t *in, uint32_t count)
{
	for (uint32_t i = 0; i < count; i += 32) {
		__mmask32 m = mask_of(count - i);
		__m512i bits = _mm512_xor_si512(
			_mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(m, in + i)), WORDS(0xff));
		__m512i step = _mm512_slli_epi16(_mm512_and_si512(bits, WORDS(0x0f)), 3);
		__m512i segment = _mm512_and_si512(_mm512_srli_epi16(bits, 4), WORDS(7));
		__m512i t = _mm512_sllv_epi16(_mm512_add_epi16(step, WORDS(0x84)), segment);

		t = _mm512_sub_epi16(t, WORDS(0x84));
		_mm512_mask_storeu_epi16(pcm + i, m,
					 negate(t, _mm512_test_epi16_mask(bits, WORDS(0x80))));
	}
	return count;
}

TARGET uint32_t
dp_g711_alaw_decode_avx512(void *state, int16_t *pcm, const uint8_t *in, uint32_t count)
{
	for (uint32_t i = 0; i < count; i += 32) {
		__mmask32 m = mask_of(count - i);
		__m512i bits = _mm512_xor_si512(
			_mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(m, in + i)), WORDS(0x55));
		__m512i step = _mm512_slli_epi16(_mm512_and_si512(bits, WORDS(0x0f)), 4);
		__m512i segment = _mm512_and_si512(_mm512_srli_epi16(bits, 4), WORDS(7));
		__mmask32 is_high = _mm512_test_epi16_mask(segment, segment);
		__m512i t = _mm512_add_epi16(
			step, _mm512_mask_blend_epi16(is_high, WORDS(8), WORDS(0x108)));

		t = _mm512_sllv_epi16(t, _mm512_subs_epu16(segment, WORDS(1)));
		_mm512_mask_storeu_epi16(pcm + i, m,
					 negate(t, _mm512_testn_epi16_mask(bits, WORDS(0x80))));
	}
	return count;
}

TARGET uint32_t
dp_g711_ulaw_encode_avx512(void *state, uint8_t *out, const int16_t *pcm, uint32_t count)
{
	for (uint32_t i = 0; i < count; i += 32) {
		__mmask32 m = mask_of(count - i);
		__m512i x = _mm512_maskz_loadu_epi16(m, pcm + i);
		__m512i sign = _mm512_srai_epi16(x, 15);
		__m512i size = _mm512_add_epi16(_mm512_srli_epi16(_mm512_xor_si512(x, sign), 2),
						WORDS(33));
		__m512i segment, step, bits;

		size = _mm512_min_epi16(size, WORDS(8191));
		segment = log2_of(_mm512_srli_epi16(size, 5));
		step = _mm512_and_si512(_mm512_srlv_epi16(_mm512_srli_epi16(size, 1), segment),
					WORDS(0x0f));
		bits = _mm512_or_si512(_mm512_slli_epi16(segment, 4), step);
		bits = _mm512_or_si512(bits, _mm512_and_si512(sign, WORDS(0x80)));
		_mm256_mask_storeu_epi8(out + i, m,
					_mm512_cvtepi16_epi8(_mm512_xor_si512(bits, WORDS(0xff))));
	}
	return count;
}

TARGET uint32_t
dp_g711_alaw_encode_avx512(void *state, uint8_t *out, const int16_t *pcm, uint32_t count)
{
	for (uint32_t i = 0; i < count; i += 32) {
		__mmask32 m = mask_of(count - i);
		__m512i x = _mm512_maskz_loadu_epi16(m, pcm + i);
		__m512i sign = _mm512_srai_epi16(x, 15);
		__m512i size = _mm512_srli_epi16(_mm512_xor_si512(x, sign), 4);
		__m512i high = _mm512_srli_epi16(size, 4);
		__m512i less = log2_of(high);
		__m512i step = _mm512_and_si512(_mm512_srlv_epi16(size, less), WORDS(0x0f));
		/* segment: 0 for the lowest 16 sizes, else the logarithm and one */
		__m512i segment = _mm512_mask_add_epi16(less, _mm512_test_epi16_mask(high, high),
							less, WORDS(1));
		__m512i bits = _mm512_or_si512(_mm512_slli_epi16(segment, 4), step);

		bits = _mm512_or_si512(bits, _mm512_andnot_si512(sign, WORDS(0x80)));
		_mm256_mask_storeu_epi8(out + i, m,
					_mm512_cvtepi16_epi8(_mm512_xor_si512(bits, WORDS(0x55))));
	}
	return count;
}
