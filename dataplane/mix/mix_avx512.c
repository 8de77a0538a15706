/* Mixing by AVX-512 BW, 32 samples at a time; the last ones under a mask. */
#include <immintrin.h>
#include "dataplane/mix/mix_state.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))

/* The masks of the samples from i on: all 32 of a frame's step, and its halves of 16. */
static inline TARGET __mmask32
mask_of(unsigned left)
{
	return left >= 32 ? UINT32_MAX : (1u << left) - 1;
}

static TARGET void
sum_avx512(int32_t *sum, const int16_t *const *in, unsigned count, unsigned samples)
{
	for (unsigned i = 0; i < samples; i += 32) {
		__mmask32 m = mask_of(samples - i);
		__m512i low = _mm512_setzero_si512();
		__m512i high = _mm512_setzero_si512();

		for (unsigned k = 0; k < count; k++) {
			__m512i x = _mm512_maskz_loadu_epi16(m, in[k] + i);

			low = _mm512_add_epi32(low,
					       _mm512_cvtepi16_epi32(_mm512_castsi512_si256(x)));
			high = _mm512_add_epi32(
				high, _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(x, 1)));
		}
		_mm512_mask_storeu_epi32(sum + i, (__mmask16)m, low);
		_mm512_mask_storeu_epi32(sum + i + 16, (__mmask16)(m >> 16), high);
	}
}

static TARGET void
add_avx512(int32_t *sum, const int16_t *in, unsigned samples)
{
	for (unsigned i = 0; i < samples; i += 16) {
		__mmask16 m = (__mmask16)mask_of(samples - i);
		__m512i x = _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(m, in + i));

		_mm512_mask_storeu_epi32(sum + i, m,
					 _mm512_add_epi32(_mm512_maskz_loadu_epi32(m, sum + i), x));
	}
}

/* The curve above the knee for eight sums: doubles hold numerator and quotient exactly enough to round down right. */
static inline TARGET __m256i
curve(__m256i over)
{
	__m512d e = _mm512_cvtepi32_pd(over);
	__m512d room = _mm512_set1_pd(DP_MIX_HEADROOM);

	return _mm512_cvttpd_epi32(_mm512_div_pd(_mm512_mul_pd(e, room), _mm512_add_pd(e, room)));
}

/* dp_mix_limit of sixteen sums, to words. */
static inline TARGET __m256i
limit(__m512i x)
{
	__m512i knee = _mm512_set1_epi32(DP_MIX_KNEE);
	__m512i size = _mm512_abs_epi32(x);
	__mmask16 is_over = _mm512_cmpgt_epi32_mask(size, knee);

	if (__builtin_expect(is_over != 0, 0)) {
		__m512i over = _mm512_maskz_sub_epi32(is_over, size, knee);
		__m512i bent = _mm512_castsi256_si512(curve(_mm512_castsi512_si256(over)));
		__mmask16 is_negative = _mm512_cmplt_epi32_mask(x, _mm512_setzero_si512());

		bent = _mm512_inserti64x4(bent, curve(_mm512_extracti64x4_epi64(over, 1)), 1);
		bent = _mm512_add_epi32(bent, knee);
		bent = _mm512_mask_sub_epi32(bent, is_negative, _mm512_setzero_si512(), bent);
		x = _mm512_mask_mov_epi32(x, is_over, bent);
	}
	return _mm512_cvtepi32_epi16(x);
}

static TARGET void
out_avx512(int16_t *out, const int32_t *sum, const int16_t *self, unsigned samples)
{
	for (unsigned i = 0; i < samples; i += 16) {
		__mmask16 m = (__mmask16)mask_of(samples - i);
		__m512i x = _mm512_maskz_loadu_epi32(m, sum + i);

		if (self)
			x = _mm512_sub_epi32(
				x, _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(m, self + i)));
		_mm256_mask_storeu_epi16(out + i, m, limit(x));
	}
}

static TARGET void
gain_avx512(int16_t *pcm, const struct dp_gain *gain, unsigned samples)
{
	__m512i mantissa = _mm512_set1_epi32(gain->mantissa);
	__m512i half = _mm512_set1_epi32(gain->shift ? 1 << (gain->shift - 1) : 0);
	__m128i shift = _mm_cvtsi32_si128(gain->shift);

	if (gain->is_unity)
		return;
	for (unsigned i = 0; i < samples; i += 16) {
		__mmask16 m = (__mmask16)mask_of(samples - i);
		__m512i x = _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(m, pcm + i));

		x = _mm512_sra_epi32(_mm512_add_epi32(_mm512_mullo_epi32(x, mantissa), half),
				     shift);
		_mm256_mask_storeu_epi16(pcm + i, m, _mm512_cvtsepi32_epi16(x));
	}
}

static TARGET struct dp_level
level_avx512(const int16_t *pcm, unsigned samples)
{
	__m512i energy = _mm512_setzero_si512();
	__m512i peak = _mm512_setzero_si512();
	__m512i low_half = _mm512_set1_epi64(UINT32_MAX);

	for (unsigned i = 0; i < samples; i += 32) {
		__m512i x = _mm512_maskz_loadu_epi16(mask_of(samples - i), pcm + i);
		__m512i squares = _mm512_madd_epi16(x, x); /* up to 2^31: unsigned */

		energy = _mm512_add_epi64(energy, _mm512_and_si512(squares, low_half));
		energy = _mm512_add_epi64(energy, _mm512_srli_epi64(squares, 32));
		peak = _mm512_max_epu16(peak, _mm512_abs_epi16(x));
	}
	return (struct dp_level){
		.level = dp_level_of((uint64_t)_mm512_reduce_add_epi64(energy), samples),
		.is_silent =
			_mm512_cmpgt_epu16_mask(peak, _mm512_set1_epi16(DP_MIX_SILENT_PEAK)) == 0,
	};
}

const struct dp_mix dp_mix_avx512 = {
	.sum = sum_avx512,
	.add = add_avx512,
	.out = out_avx512,
	.gain = gain_avx512,
	.level = level_avx512,
};
