/*
 * G.711 by AVX2, 16 samples at a time. There is no 16-bit shift by variable counts: multiplication by a power of two from a
 * byte table stands in for it; the segment (a logarithm of 8 bits) is the larger of two nibble tables.
 */
#include <immintrin.h>
#include "dataplane/codec/g711.h"
#include "dataplane/codec/g711_state.h"

#define TARGET __attribute__((target("avx2")))

/* pow2[s] = 2^s in the low octet of each word; also in the high octet when shifted there. */
#define POW2 1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0
#define POW2_DOWN (char)128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0
#define LOG_LOW 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3
#define LOG_HIGH 0, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7
#define TABLE(x) _mm256_broadcastsi128_si256(_mm_setr_epi8(x))

/* log2 of words 0 to 255, that of 0 being 0. */
static inline TARGET __m256i
log2_of(__m256i x)
{
	__m256i low = _mm256_and_si256(x, _mm256_set1_epi16(0x0f));
	__m256i high = _mm256_srli_epi16(x, 4);

	return _mm256_max_epi16(_mm256_shuffle_epi8(TABLE(LOG_LOW), low),
				_mm256_shuffle_epi8(TABLE(LOG_HIGH), high));
}

/* x >> s for words x < 2^15 and s 0 to 7: the high half of 2x * 2^(15 - s). */
static inline TARGET __m256i
shift_down(__m256i x, __m256i s)
{
	__m256i power = _mm256_slli_epi16(_mm256_shuffle_epi8(TABLE(POW2_DOWN), s), 8);

	return _mm256_mulhi_epu16(_mm256_slli_epi16(x, 1), power);
}

/* Sixteen words 0 to 255 to octets. */
static inline TARGET __m128i
to_octets(__m256i x)
{
	__m256i packed = _mm256_packus_epi16(x, x);

	return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
}

TARGET uint32_t
dp_g711_ulaw_decode_avx2(void *state, int16_t *pcm, const uint8_t *in, uint32_t count)
{
	uint32_t i = 0;

	for (; i + 16 <= count; i += 16) {
		__m256i code = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(in + i)));
		__m256i bits = _mm256_xor_si256(code, _mm256_set1_epi16(0xff));
		__m256i step =
			_mm256_slli_epi16(_mm256_and_si256(bits, _mm256_set1_epi16(0x0f)), 3);
		__m256i segment =
			_mm256_and_si256(_mm256_srli_epi16(bits, 4), _mm256_set1_epi16(7));
		/* segment's high octet is 0 and table[0] is 1: clear it */
		__m256i power = _mm256_and_si256(_mm256_shuffle_epi8(TABLE(POW2), segment),
						 _mm256_set1_epi16(0xff));
		__m256i t =
			_mm256_mullo_epi16(_mm256_add_epi16(step, _mm256_set1_epi16(0x84)), power);
		__m256i size = _mm256_sub_epi16(t, _mm256_set1_epi16(0x84));
		__m256i sign = _mm256_srai_epi16(_mm256_slli_epi16(bits, 8), 15);

		_mm256_storeu_si256((__m256i *)(pcm + i),
				    _mm256_sub_epi16(_mm256_xor_si256(size, sign), sign));
	}
	for (; i < count; i++)
		pcm[i] = dp_g711_ulaw_table[in[i]];
	return count;
}

TARGET uint32_t
dp_g711_alaw_decode_avx2(void *state, int16_t *pcm, const uint8_t *in, uint32_t count)
{
	uint32_t i = 0;

	for (; i + 16 <= count; i += 16) {
		__m256i code = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(in + i)));
		__m256i bits = _mm256_xor_si256(code, _mm256_set1_epi16(0x55));
		__m256i step =
			_mm256_slli_epi16(_mm256_and_si256(bits, _mm256_set1_epi16(0x0f)), 4);
		__m256i segment =
			_mm256_and_si256(_mm256_srli_epi16(bits, 4), _mm256_set1_epi16(7));
		__m256i is_low = _mm256_cmpeq_epi16(segment, _mm256_setzero_si256());
		__m256i bias =
			_mm256_blendv_epi8(_mm256_set1_epi16(0x108), _mm256_set1_epi16(8), is_low);
		__m256i less = _mm256_subs_epu16(segment, _mm256_set1_epi16(1));
		__m256i power = _mm256_and_si256(_mm256_shuffle_epi8(TABLE(POW2), less),
						 _mm256_set1_epi16(0xff));
		__m256i size = _mm256_mullo_epi16(_mm256_add_epi16(step, bias), power);
		/* the sign bit is set for positive samples */
		__m256i sign = _mm256_srai_epi16(
			_mm256_slli_epi16(_mm256_xor_si256(bits, _mm256_set1_epi16(0x80)), 8), 15);

		_mm256_storeu_si256((__m256i *)(pcm + i),
				    _mm256_sub_epi16(_mm256_xor_si256(size, sign), sign));
	}
	for (; i < count; i++)
		pcm[i] = dp_g711_alaw_table[in[i]];
	return count;
}

TARGET uint32_t
dp_g711_ulaw_encode_avx2(void *state, uint8_t *out, const int16_t *pcm, uint32_t count)
{
	uint32_t i = 0;

	for (; i + 16 <= count; i += 16) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(pcm + i));
		__m256i sign = _mm256_srai_epi16(x, 15);
		__m256i size = _mm256_srli_epi16(_mm256_xor_si256(x, sign), 2);
		__m256i segment, step, bits;

		size = _mm256_min_epi16(_mm256_add_epi16(size, _mm256_set1_epi16(33)),
					_mm256_set1_epi16(8191));
		segment = log2_of(_mm256_srli_epi16(size, 5));
		step = _mm256_and_si256(shift_down(_mm256_srli_epi16(size, 1), segment),
					_mm256_set1_epi16(0x0f));
		bits = _mm256_or_si256(_mm256_slli_epi16(segment, 4), step);
		bits = _mm256_or_si256(bits, _mm256_and_si256(sign, _mm256_set1_epi16(0x80)));
		_mm_storeu_si128((__m128i *)(out + i),
				 to_octets(_mm256_xor_si256(bits, _mm256_set1_epi16(0xff))));
	}
	for (; i < count; i++)
		out[i] = dp_g711_ulaw_compress(pcm[i]);
	return count;
}

TARGET uint32_t
dp_g711_alaw_encode_avx2(void *state, uint8_t *out, const int16_t *pcm, uint32_t count)
{
	uint32_t i = 0;

	for (; i + 16 <= count; i += 16) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(pcm + i));
		__m256i sign = _mm256_srai_epi16(x, 15);
		__m256i size = _mm256_srli_epi16(_mm256_xor_si256(x, sign), 4);
		__m256i high = _mm256_srli_epi16(size, 4);
		__m256i less = log2_of(high);
		__m256i is_low = _mm256_cmpeq_epi16(high, _mm256_setzero_si256());
		/* segment: 0 for the lowest 16 sizes, else the logarithm and one */
		__m256i segment =
			_mm256_add_epi16(less, _mm256_andnot_si256(is_low, _mm256_set1_epi16(1)));
		__m256i step = _mm256_and_si256(shift_down(size, less), _mm256_set1_epi16(0x0f));
		__m256i bits = _mm256_or_si256(_mm256_slli_epi16(segment, 4), step);

		bits = _mm256_or_si256(bits, _mm256_andnot_si256(sign, _mm256_set1_epi16(0x80)));
		_mm_storeu_si128((__m128i *)(out + i),
				 to_octets(_mm256_xor_si256(bits, _mm256_set1_epi16(0x55))));
	}
	for (; i < count; i++)
		out[i] = dp_g711_alaw_compress(pcm[i]);
	return count;
}
