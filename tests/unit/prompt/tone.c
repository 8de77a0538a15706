/* Tones: what a list says is what sounds; what is no list is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/prompt/sound.h"

static double
amplitude(const int16_t *pcm, unsigned int samples, double hz)
{
	double re = 0, im = 0;

	for (unsigned int i = 0; i < samples; i++) {
		re += pcm[i] * cos(2 * M_PI * hz * i / CP_SOUND_HZ);
		im += pcm[i] * sin(2 * M_PI * hz * i / CP_SOUND_HZ);
	}
	return 2 * sqrt(re * re + im * im) / samples;
}

static void
frequencies_and_times(void **state)
{
	struct cp_sound sound;

	assert_int_equal(cp_tone_make(&sound, "tone:500:200,0:60,400+1000:300"), 0);
	assert_int_equal(sound.samples, 8 * 560);
	assert_in_range(amplitude(sound.pcm + 400, 800, 500), CP_TONE_PEAK - 50, CP_TONE_PEAK + 50);
	assert_in_range(amplitude(sound.pcm + 400, 800, 1000), 0, 50);
	for (unsigned int i = 1600; i < 2080; i++)
		assert_int_equal(sound.pcm[i], 0);
	assert_in_range(amplitude(sound.pcm + 2480, 1600, 400), CP_TONE_PEAK / 2 - 50,
			CP_TONE_PEAK / 2 + 50);
	assert_in_range(amplitude(sound.pcm + 2480, 1600, 1000), CP_TONE_PEAK / 2 - 50,
			CP_TONE_PEAK / 2 + 50);
	for (unsigned int i = 0; i < sound.samples; i++)
		assert_in_range(sound.pcm[i] + CP_TONE_PEAK, 0, 2 * CP_TONE_PEAK);
	cp_sound_fini(&sound);
}

/* Neither end of a part jumps. */
static void
soft_ends(void **state)
{
	struct cp_sound sound;

	assert_int_equal(cp_tone_make(&sound, "tone:3800:5,3000:1"), 0);
	assert_in_range(sound.pcm[0] + 60, 0, 120);
	assert_in_range(sound.pcm[39] + 60, 0, 120);
	assert_int_equal(sound.samples, 48);
	cp_sound_fini(&sound);
}

static void
what_is_no_list(void **state)
{
	static const char *const rows[] = {
		"",
		"440:100",
		"tone:",
		"tone",
		"tone:440",
		"tone:440:",
		"tone:440:0",
		"tone::100",
		"tone:440:100,",
		"tone:440:100 ",
		"tone: 440:100",
		"tone:440:100,,440:100",
		"tone:49:100",
		"tone:3801:100",
		"tone:440+0:100",
		"tone:0+440:100",
		"tone:440+:100",
		"tone:440+480+500:100",
		"tone:-440:100",
		"tone:440:10001",
		"tone:440:5000,440:5001",
		"tone:440:1000000000000",
		"tone:44000000000000000000:100",
		"TONE:440:100",
	};
	struct cp_sound sound = {0};
	char many[1024] = CP_TONE_PREFIX;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(cp_tone_make(&sound, rows[i]), -EINVAL);
		assert_int_equal(cp_tone_check(rows[i]), -EINVAL);
		assert_null(sound.pcm);
	}
	for (unsigned int i = 0; i < CP_TONE_PARTS_MAX; i++)
		snprintf(many + strlen(many), 16, "%s440:10", i > 0 ? "," : "");
	assert_int_equal(cp_tone_check(many), 0);
	strcat(many, ",440:10");
	assert_int_equal(cp_tone_check(many), -EINVAL);
	assert_int_equal(cp_tone_make(&sound, "tone:440:10000"), 0);
	assert_int_equal(sound.samples, 80000);
	cp_sound_fini(&sound);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frequencies_and_times),
		cmocka_unit_test(soft_ends),
		cmocka_unit_test(what_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
