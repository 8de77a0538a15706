/* Mixing: the reference in C, gains, and the choice of kernels. */
#include <math.h>
#include <string.h>
#include "dataplane/mix/mix.h"
#include "dataplane/mix/mix_state.h"

#define GAIN_CDB_MIN (-6000)
#define GAIN_CDB_MAX 2000

int16_t
dp_mix_limit(int32_t x)
{
	int64_t size = x < 0 ? -(int64_t)x : x;
	int64_t over = size - DP_MIX_KNEE;

	if (over <= 0)
		return (int16_t)x;
	size = DP_MIX_KNEE + DP_MIX_HEADROOM * over / (over + DP_MIX_HEADROOM);
	return (int16_t)(x < 0 ? -size : size);
}

struct dp_gain
dp_gain_from_cdb(int gain_cdb)
{
	struct dp_gain gain = {.is_unity = gain_cdb == 0};
	int exponent;
	double fraction;

	if (gain_cdb < GAIN_CDB_MIN)
		gain_cdb = GAIN_CDB_MIN;
	if (gain_cdb > GAIN_CDB_MAX)
		gain_cdb = GAIN_CDB_MAX;
	fraction = frexp(pow(10, gain_cdb / 2000.0), &exponent); /* 0.5 to 1, times 2^exponent */
	gain.mantissa = (int16_t)fmin(lround(fraction * 32768), 32767);
	gain.shift = (uint8_t)(15 - exponent);
	return gain;
}

static void
sum_c(int32_t *sum, const int16_t *const *in, unsigned count, unsigned samples)
{
	memset(sum, 0, samples * sizeof(*sum));
	for (unsigned k = 0; k < count; k++)
		for (unsigned i = 0; i < samples; i++)
			sum[i] += in[k][i];
}

static void
add_c(int32_t *sum, const int16_t *in, unsigned samples)
{
	for (unsigned i = 0; i < samples; i++)
		sum[i] += in[i];
}

static void
out_c(int16_t *out, const int32_t *sum, const int16_t *self, unsigned samples)
{
	for (unsigned i = 0; i < samples; i++)
		out[i] = dp_mix_limit(sum[i] - (self ? self[i] : 0));
}

static void
gain_c(int16_t *pcm, const struct dp_gain *gain, unsigned samples)
{
	if (gain->is_unity)
		return;
	for (unsigned i = 0; i < samples; i++) {
		int32_t x = pcm[i] * gain->mantissa;

		if (gain->shift)
			x = (x + (1 << (gain->shift - 1))) >> gain->shift;
		pcm[i] = (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
	}
}

static struct dp_level
level_c(const int16_t *pcm, unsigned samples)
{
	uint64_t energy = 0;
	bool is_silent = true;

	for (unsigned i = 0; i < samples; i++) {
		energy += (uint64_t)((int32_t)pcm[i] * pcm[i]);
		is_silent &= pcm[i] >= -DP_MIX_SILENT_PEAK && pcm[i] <= DP_MIX_SILENT_PEAK;
	}
	return (struct dp_level){.level = dp_level_of(energy, samples), .is_silent = is_silent};
}

const struct dp_mix dp_mix_c = {
	.sum = sum_c, .add = add_c, .out = out_c, .gain = gain_c, .level = level_c};

const struct dp_mix *
dp_mix(enum dp_isa isa)
{
	switch (isa) {
	case DP_ISA_AVX512:
		return &dp_mix_avx512;
	case DP_ISA_AVX2:
		return &dp_mix_avx2;
	default:
		return &dp_mix_c;
	}
}
