/* Mixing: exact sums minus self, the limiter's curve, gain, level; every instruction set against the reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/mix/mix.h"

#define MAX 960
#define LEGS 12

static int16_t frames[LEGS][MAX + 32];
static uint64_t seed = 88172645463325252u;

static uint32_t
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

/* loudness 0: small samples; 1: any; 2: the extremes. */
static void
fill(int16_t *pcm, unsigned n, int loudness)
{
	static const int16_t extremes[] = {INT16_MIN, INT16_MAX, 0, -1, 24576, 24577, -24577};

	for (unsigned i = 0; i < n; i++)
		pcm[i] = loudness == 0	 ? (int16_t)(draw() % 4001 - 2000)
			 : loudness == 1 ? (int16_t)draw()
					 : extremes[draw() % 7];
}

static void
each_hears_the_others_exactly(void **state)
{
	const int16_t *in[3] = {frames[0], frames[1], frames[2]};

	for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
		const struct dp_mix *mix = dp_mix(isa);
		int32_t sum[160];
		int16_t out[160];

		for (int k = 0; k < 3; k++)
			fill(frames[k], 160, 0);
		mix->sum(sum, in, 3, 160);
		mix->out(out, sum, in[1], 160);
		for (int i = 0; i < 160; i++)
			assert_int_equal(out[i], in[0][i] + in[2][i]);
		mix->out(out, sum, NULL, 160);
		for (int i = 0; i < 160; i++)
			assert_int_equal(out[i], in[0][i] + in[1][i] + in[2][i]);
	}
}

static void
limiter_is_identity_then_a_monotonic_curve(void **state)
{
	int32_t before = dp_mix_limit(-200000);

	for (int32_t x = -200000; x <= 200000; x++) {
		int32_t y = dp_mix_limit(x);

		if (abs(x) <= DP_MIX_KNEE)
			assert_int_equal(y, x);
		else
			assert_true(abs(y) <= abs(x) && abs(y) >= DP_MIX_KNEE);
		assert_true(y >= before && y - before <= 1);
		assert_int_equal(dp_mix_limit(-x), -y);
		before = y;
	}
	assert_int_equal(dp_mix_limit(DP_MIX_KNEE + 8191), DP_MIX_KNEE + 8191 / 2);
	assert_in_range(dp_mix_limit(INT32_MAX), 32700, 32767);
	assert_in_range(-dp_mix_limit(INT32_MIN), 32700, 32767);
}

static void
all_sets_sum_and_limit_alike(void **state)
{
	const struct dp_mix *c = dp_mix(DP_ISA_C);
	static int32_t want_sum[MAX], sum[MAX + 1];
	static int16_t want[MAX], got[MAX + 1];

	for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
		const struct dp_mix *mix = dp_mix(isa);

		for (unsigned n = 1; n <= MAX; n += n < 200 ? 1 : 37) {
			unsigned count = n % (LEGS + 1);
			const int16_t *in[LEGS];

			for (unsigned k = 0; k < LEGS; k++) {
				fill(frames[k], MAX, (int)(n % 3));
				in[k] = frames[k] + k % 4;
			}
			c->sum(want_sum, in, count, n);
			sum[n] = 77;
			mix->sum(sum, in, count, n);
			assert_memory_equal(sum, want_sum, n * sizeof(*sum));
			c->add(want_sum, in[3], n);
			mix->add(sum, in[3], n);
			assert_memory_equal(sum, want_sum, n * sizeof(*sum));
			assert_int_equal(sum[n], 77);
			got[n] = 0x5a5a;
			for (int with_self = 0; with_self < 2; with_self++) {
				c->out(want, want_sum, with_self ? in[1] : NULL, n);
				mix->out(got, sum, with_self ? in[1] : NULL, n);
				assert_memory_equal(got, want, n * sizeof(*got));
			}
			assert_int_equal(got[n], 0x5a5a);
		}
	}
}

/* Sums far beyond 16 bits, so that every lane's division is tried. */
static void
all_sets_limit_all_sums_alike(void **state)
{
	static int32_t sum[MAX];
	static int16_t got[MAX];

	for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
		for (int32_t base = -400000; base < 400000; base += MAX) {
			for (int i = 0; i < MAX; i++)
				sum[i] = base + i;
			dp_mix(isa)->out(got, sum, NULL, MAX);
			for (int i = 0; i < MAX; i++)
				assert_int_equal(got[i], dp_mix_limit(sum[i]));
		}
		for (int round = 0; round < 500; round++) {
			for (int i = 0; i < MAX; i++)
				sum[i] = (int32_t)draw() >> draw() % 20;
			sum[0] = INT32_MAX;
			sum[1] = -INT32_MAX;
			dp_mix(isa)->out(got, sum, NULL, MAX);
			for (int i = 0; i < MAX; i++)
				assert_int_equal(got[i], dp_mix_limit(sum[i]));
		}
	}
}

static void
out_may_be_self(void **state)
{
	for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
		const int16_t *in[2] = {frames[0], frames[1]};
		int16_t other[160];
		int32_t sum[160];

		fill(frames[0], 160, 0);
		fill(frames[1], 160, 0);
		memcpy(other, frames[1], sizeof(other));
		dp_mix(isa)->sum(sum, in, 2, 160);
		dp_mix(isa)->out(frames[0], sum, frames[0], 160);
		assert_memory_equal(frames[0], other, sizeof(other));
	}
}

static void
gain_is_right_saturates_and_is_alike(void **state)
{
	static int16_t want[MAX], got[MAX + 1];

	for (int cdb = -6500; cdb <= 2500; cdb += 50) {
		struct dp_gain gain = dp_gain_from_cdb(cdb);
		double factor = pow(10, fmin(fmax(cdb, -6000), 2000) / 2000.0);

		fill(want, MAX, 1);
		memcpy(got, want, sizeof(want));
		dp_mix(DP_ISA_C)->gain(want, &gain, MAX);
		for (int i = 0; i < MAX; i++) {
			double exact = fmin(fmax(got[i] * factor, INT16_MIN), INT16_MAX);

			assert_true(fabs(want[i] - exact) <= 0.51 + fabs(exact) / 16384);
		}
		assert_int_equal(gain.is_unity, cdb == 0);
		for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
			for (unsigned n = 1; n < 70; n += 3) {
				int16_t a[70], b[71];

				fill(a, n, (int)(n % 3));
				memcpy(b, a, sizeof(a));
				b[n] = 0x5a5a;
				dp_mix(DP_ISA_C)->gain(a, &gain, n);
				dp_mix(isa)->gain(b, &gain, n);
				assert_memory_equal(a, b, n * sizeof(*a));
				assert_int_equal(b[n], 0x5a5a);
			}
		}
	}
}

static void
zero_gain_mutes(void **state)
{
	struct dp_gain mute = {0};
	int16_t pcm[33];

	for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
		fill(pcm, 33, 1);
		dp_mix(isa)->gain(pcm, &mute, 33);
		for (int i = 0; i < 33; i++)
			assert_int_equal(pcm[i], 0);
	}
}

/* RFC 6464: RMS over a full-scale square wave. */
static void
level_is_rms_in_dbov(void **state)
{
	static const struct {
		int amplitude, level;
	} squares[] = {{32767, 0}, {16384, 6}, {3277, 20}, {328, 40}, {33, 60}, {10, 70}, {1, 90}};
	int16_t pcm[160];

	for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
		const struct dp_mix *mix = dp_mix(isa);

		for (size_t k = 0; k < sizeof(squares) / sizeof(squares[0]); k++) {
			for (int i = 0; i < 160; i++)
				pcm[i] = (int16_t)(i / 8 % 2 ? squares[k].amplitude
							     : -squares[k].amplitude);
			assert_int_equal(mix->level(pcm, 160).level, squares[k].level);
			assert_int_equal(mix->level(pcm, 160).is_silent, squares[k].amplitude <= 8);
		}
		for (int i = 0; i < 160; i++)
			pcm[i] = (int16_t)lrint(32767 * sin(2 * M_PI * i / 16));
		assert_int_equal(mix->level(pcm, 160).level, 3);
		memset(pcm, 0, sizeof(pcm));
		assert_int_equal(mix->level(pcm, 160).level, DP_MIX_SILENCE);
		assert_true(mix->level(pcm, 160).is_silent);
		pcm[159] = 9;
		assert_false(mix->level(pcm, 160).is_silent);
		pcm[159] = -8;
		assert_true(mix->level(pcm, 160).is_silent);
	}
}

static void
level_rounds_to_the_nearest_db_and_is_alike(void **state)
{
	for (int round = 0; round < 4000; round++) {
		unsigned n = 1 + draw() % MAX;
		int limit = 1 << draw() % 16;
		double energy = 0;
		struct dp_level want;
		double exact;

		for (unsigned i = 0; i < n; i++) {
			frames[0][i] =
				round < 8
					? INT16_MIN
					: (int16_t)((int)(draw() % (2u * (unsigned)limit)) - limit);
			energy += (double)frames[0][i] * frames[0][i];
		}
		want = dp_mix(DP_ISA_C)->level(frames[0], n);
		exact = energy > 0 ? -10 * log10(energy / n / 32767 / 32767) : 127;
		assert_true(fabs(want.level - fmin(exact, 127)) <= 0.51);
		for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
			struct dp_level got = dp_mix(isa)->level(frames[0], n);

			assert_int_equal(got.level, want.level);
			assert_int_equal(got.is_silent, want.is_silent);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hears_the_others_exactly),
		cmocka_unit_test(limiter_is_identity_then_a_monotonic_curve),
		cmocka_unit_test(all_sets_sum_and_limit_alike),
		cmocka_unit_test(all_sets_limit_all_sums_alike),
		cmocka_unit_test(out_may_be_self),
		cmocka_unit_test(gain_is_right_saturates_and_is_alike),
		cmocka_unit_test(zero_gain_mutes),
		cmocka_unit_test(level_is_rms_in_dbov),
		cmocka_unit_test(level_rounds_to_the_nearest_db_and_is_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
