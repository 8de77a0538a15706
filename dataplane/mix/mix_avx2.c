/* Mixing by AVX2, 16 samples at a time; the last ones by the reference. */
#include <immintrin.h>
#include "dataplane/mix/mix_state.h"

#define TARGET __attribute__((target("avx2")))

static inline TARGET __m256i
load8(const int16_t *p)
{
	return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p));
}

static TARGET void
sum_avx2(int32_t *sum, const int16_t *const *in, unsigned count, unsigned samples)
{
	unsigned i = 0;

	for (; i + 16 <= samples; i += 16) {
		__m256i low = _mm256_setzero_si256();
		__m256i high = _mm256_setzero_si256();

		for (unsigned k = 0; k < count; k++) {
			low = _mm256_add_epi32(low, load8(in[k] + i));
			high = _mm256_add_epi32(high, load8(in[k] + i + 8));
		}
		_mm256_storeu_si256((__m256i *)(sum + i), low);
		_mm256_storeu_si256((__m256i *)(sum + i + 8), high);
	}
	for (; i < samples; i++) {
		sum[i] = 0;
		for (unsigned k = 0; k < count; k++)
			sum[i] += in[k][i];
	}
}

static TARGET void
add_avx2(int32_t *sum, const int16_t *in, unsigned samples)
{
	unsigned i = 0;

	for (; i + 8 <= samples; i += 8) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(sum + i));

		_mm256_storeu_si256((__m256i *)(sum + i), _mm256_add_epi32(x, load8(in + i)));
	}
	for (; i < samples; i++)
		sum[i] += in[i];
}

/* The curve above the knee for four sums: doubles hold numerator and quotient exactly enough to round down right. */
static inline TARGET __m128i
curve(__m128i over)
{
	__m256d e = _mm256_cvtepi32_pd(over);
	__m256d room = _mm256_set1_pd(DP_MIX_HEADROOM);

	return _mm256_cvttpd_epi32(_mm256_div_pd(_mm256_mul_pd(e, room), _mm256_add_pd(e, room)));
}

/* dp_mix_limit of eight sums. */
static inline TARGET __m256i
limit(__m256i x)
{
	__m256i knee = _mm256_set1_epi32(DP_MIX_KNEE);
	__m256i size = _mm256_abs_epi32(x);
	__m256i is_over = _mm256_cmpgt_epi32(size, knee);

	if (__builtin_expect(!_mm256_testz_si256(is_over, is_over), 0)) {
		__m256i over = _mm256_and_si256(_mm256_sub_epi32(size, knee), is_over);
		__m256i bent = _mm256_set_m128i(curve(_mm256_extracti128_si256(over, 1)),
						curve(_mm256_castsi256_si128(over)));

		bent = _mm256_sign_epi32(_mm256_add_epi32(bent, knee), x);
		x = _mm256_blendv_epi8(x, bent, is_over);
	}
	return x;
}

static TARGET void
out_avx2(int16_t *out, const int32_t *sum, const int16_t *self, unsigned samples)
{
	unsigned i = 0;

	for (; i + 16 <= samples; i += 16) {
		__m256i low = _mm256_loadu_si256((const __m256i *)(sum + i));
		__m256i high = _mm256_loadu_si256((const __m256i *)(sum + i + 8));
		__m256i packed;

		if (self) {
			low = _mm256_sub_epi32(low, load8(self + i));
			high = _mm256_sub_epi32(high, load8(self + i + 8));
		}
		packed = _mm256_packs_epi32(limit(low), limit(high));
		_mm256_storeu_si256((__m256i *)(out + i), _mm256_permute4x64_epi64(packed, 0xd8));
	}
	for (; i < samples; i++)
		out[i] = dp_mix_limit(sum[i] - (self ? self[i] : 0));
}

static TARGET void
gain_avx2(int16_t *pcm, const struct dp_gain *gain, unsigned samples)
{
	__m256i mantissa = _mm256_set1_epi32(gain->mantissa);
	__m256i half = _mm256_set1_epi32(gain->shift ? 1 << (gain->shift - 1) : 0);
	__m128i shift = _mm_cvtsi32_si128(gain->shift);
	unsigned i = 0;

	if (gain->is_unity)
		return;
	for (; i + 16 <= samples; i += 16) {
		__m256i low = _mm256_mullo_epi32(load8(pcm + i), mantissa);
		__m256i high = _mm256_mullo_epi32(load8(pcm + i + 8), mantissa);

		low = _mm256_sra_epi32(_mm256_add_epi32(low, half), shift);
		high = _mm256_sra_epi32(_mm256_add_epi32(high, half), shift);
		_mm256_storeu_si256((__m256i *)(pcm + i),
				    _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8));
	}
	dp_mix_c.gain(pcm + i, gain, samples - i);
}

static TARGET struct dp_level
level_avx2(const int16_t *pcm, unsigned samples)
{
	__m256i energy = _mm256_setzero_si256();
	__m256i peak = _mm256_setzero_si256();
	__m256i low_half = _mm256_set1_epi64x(UINT32_MAX);
	uint64_t lanes[4];
	uint64_t total;
	bool is_silent;
	unsigned i = 0;

	for (; i + 16 <= samples; i += 16) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(pcm + i));
		__m256i squares = _mm256_madd_epi16(x, x); /* up to 2^31: unsigned */

		energy = _mm256_add_epi64(energy, _mm256_and_si256(squares, low_half));
		energy = _mm256_add_epi64(energy, _mm256_srli_epi64(squares, 32));
		peak = _mm256_max_epu16(peak, _mm256_abs_epi16(x));
	}
	_mm256_storeu_si256((__m256i *)lanes, energy);
	total = lanes[0] + lanes[1] + lanes[2] + lanes[3];
	peak = _mm256_subs_epu16(peak, _mm256_set1_epi16(DP_MIX_SILENT_PEAK));
	is_silent = _mm256_testz_si256(peak, peak);
	for (; i < samples; i++) {
		total += (uint64_t)((int32_t)pcm[i] * pcm[i]);
		is_silent &= pcm[i] >= -DP_MIX_SILENT_PEAK && pcm[i] <= DP_MIX_SILENT_PEAK;
	}
	return (struct dp_level){.level = dp_level_of(total, samples), .is_silent = is_silent};
}

const struct dp_mix dp_mix_avx2 = {
	.sum = sum_avx2,
	.add = add_avx2,
	.out = out_avx2,
	.gain = gain_avx2,
	.level = level_avx2,
};
