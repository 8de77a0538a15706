/* Concealment: goes on with the pitch that was heard, fades to silence, keeps no state, joins without a step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "dataplane/codec/plc.h"

static int16_t last[960];

static struct dp_plc
after_tone(double hz, uint32_t samples)
{
	for (uint32_t i = 0; i < samples; i++)
		last[i] = (int16_t)lrint(8000 * sin(2 * M_PI * hz * i / 8000));
	return (struct dp_plc){.last = last, .last_samples = samples, .sample_hz = 8000};
}

/* The first 10 ms are what the tone would have gone on with. */
static void
a_tone_goes_on(void **state)
{
	static const double tones[] = {100, 160, 200, 250, 320, 400};

	for (size_t k = 0; k < sizeof(tones) / sizeof(tones[0]); k++) {
		struct dp_plc plc = after_tone(tones[k], 320);
		int16_t pcm[80];

		dp_plc_conceal(&plc, pcm, 80);
		for (int i = 0; i < 80; i++)
			assert_true(fabs(pcm[i] -
					 8000 * sin(2 * M_PI * tones[k] * (320 + i) / 8000)) < 600);
	}
}

static void
it_fades_to_silence_in_60_ms(void **state)
{
	struct dp_plc plc = after_tone(200, 160);
	int16_t pcm[640];
	int before = INT16_MAX;

	dp_plc_conceal(&plc, pcm, 640);
	for (int period = 0; period < 16; period++) {
		int peak = 0;

		for (int i = 0; i < 40; i++)
			peak = abs(pcm[40 * period + i]) > peak ? abs(pcm[40 * period + i]) : peak;
		assert_true(peak <= before);
		before = peak;
		if (period >= 12)
			assert_int_equal(peak, 0);
	}
	assert_true(abs(pcm[10]) > 7000);
}

/* In one piece or in pieces: the same samples, since nothing is remembered. */
static void
pieces_are_the_whole(void **state)
{
	struct dp_plc plc = after_tone(170, 160);
	int16_t whole[480], pieces[480];

	dp_plc_conceal(&plc, whole, 480);
	for (uint32_t at = 0; at < 480; at += 96) {
		plc.since = at;
		dp_plc_conceal(&plc, pieces + at, 96);
	}
	assert_memory_equal(whole, pieces, sizeof(whole));
}

static void
little_or_nothing_heard_is_no_harm(void **state)
{
	for (uint32_t n = 0; n <= 160; n++) {
		struct dp_plc plc = after_tone(300, n);
		int16_t pcm[160];

		dp_plc_conceal(&plc, pcm, 160);
		for (int i = 0; i < 160; i++)
			assert_true(abs(pcm[i]) <= 8000 && (n > 0 || pcm[i] == 0));
		dp_plc_join(&plc, pcm, 160);
	}
}

static void
silence_and_full_scale_stay_so(void **state)
{
	struct dp_plc plc = {.last = last, .last_samples = 160, .sample_hz = 8000};
	int16_t pcm[160];

	for (int i = 0; i < 160; i++)
		last[i] = 0;
	dp_plc_conceal(&plc, pcm, 160);
	for (int i = 0; i < 160; i++)
		assert_int_equal(pcm[i], 0);
	for (int i = 0; i < 160; i++)
		last[i] = i / 20 % 2 ? INT16_MIN : INT16_MAX;
	dp_plc_conceal(&plc, pcm, 80);
	for (int i = 0; i < 80; i++)
		assert_true(pcm[i] == INT16_MIN || pcm[i] == INT16_MAX);
}

/* From concealment into sound: the first sample is nearly concealment, after 5 ms the sound is untouched. */
static void
sound_comes_back_without_a_step(void **state)
{
	struct dp_plc plc = after_tone(200, 160);
	int16_t concealed[160], pcm[160];

	for (int i = 0; i < 160; i++)
		pcm[i] = 5000;
	plc.since = 60;
	dp_plc_conceal(&plc, concealed, 160);
	dp_plc_join(&plc, pcm, 160);
	assert_true(abs(pcm[0] - concealed[0]) < 500);
	for (int i = 40; i < 160; i++)
		assert_int_equal(pcm[i], 5000);
	for (int i = 1; i < 40; i++) {
		int low = concealed[i] < 5000 ? concealed[i] : 5000;
		int high = concealed[i] < 5000 ? 5000 : concealed[i];

		assert_in_range(pcm[i] + 40000, low + 40000 - 1, high + 40000 + 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tone_goes_on),
		cmocka_unit_test(it_fades_to_silence_in_60_ms),
		cmocka_unit_test(pieces_are_the_whole),
		cmocka_unit_test(little_or_nothing_heard_is_no_harm),
		cmocka_unit_test(silence_and_full_scale_stay_so),
		cmocka_unit_test(sound_comes_back_without_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
