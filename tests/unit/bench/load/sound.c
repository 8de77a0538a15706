/* The participant's sound: G.711 against known values, tones at their levels, delays from marks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "bench/load/g711.h"
#include "bench/load/hear.h"
#include "bench/load/tone.h"

/* Some rows of the tables of ITU-T G.711: octet on the wire, sample it stands for (in 16 bits). */
static void
g711_decodes_by_the_tables(void **state)
{
	static const struct {
		enum dp_codec_id codec;
		uint8_t octet;
		int16_t pcm;
	} rows[] = {
		{DP_CODEC_PCMU, 0x80, 32124}, {DP_CODEC_PCMU, 0x00, -32124},
		{DP_CODEC_PCMU, 0xff, 0},     {DP_CODEC_PCMU, 0x7f, 0},
		{DP_CODEC_PCMU, 0xf0, 120},   {DP_CODEC_PCMU, 0xef, 132},
		{DP_CODEC_PCMA, 0xd5, 8},     {DP_CODEC_PCMA, 0x55, -8},
		{DP_CODEC_PCMA, 0xaa, 32256}, {DP_CODEC_PCMA, 0x2a, -32256},
		{DP_CODEC_PCMA, 0xc5, 264},   {DP_CODEC_PCMA, 0xf5, 528},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int16_t pcm;

		ue_codec_decode(rows[i].codec, &pcm, &rows[i].octet, 1);
		assert_int_equal(pcm, rows[i].pcm);
	}
}

/* Every octet survives decoding and encoding (the two zeroes of PCMU are one). */
static void
g711_goes_round(void **state)
{
	for (int codec = DP_CODEC_PCMU; codec <= DP_CODEC_PCMA; codec++) {
		for (int i = 0; i < 256; i++) {
			uint8_t octet = (uint8_t)i, back;
			int16_t pcm;

			ue_codec_decode(codec, &pcm, &octet, 1);
			ue_codec_encode(codec, &back, &pcm, 1);
			assert_true(back == octet ||
				    (codec == DP_CODEC_PCMU && octet == 0x7f && back == 0xff));
		}
	}
}

/* The sound of n frames of 20 ms, decoded, into an ear. */
static void
play(struct ue_ear *ear, const struct ue_sound *sound, unsigned frames)
{
	size_t at = 0;

	for (unsigned i = 0; i < frames; i++) {
		uint8_t data[2 * UE_WINDOW];
		int16_t pcm[UE_WINDOW];

		at = ue_sound_copy(sound, at, data, UE_WINDOW);
		ue_codec_decode(sound->codec, pcm, data, UE_WINDOW);
		ue_ear_hear(ear, pcm, UE_WINDOW, i * 20000000ull);
	}
}

static void
tones_are_heard_at_their_level(void **state)
{
	static const double levels[] = {-3.1, -10, -20, -35, -50};
	static const unsigned hz[] = {440, 400, 3500};

	for (int codec = DP_CODEC_PCMU; codec < DP_CODEC_COUNT; codec++) {
		for (unsigned k = 0; k < 5; k++) {
			struct ue_sound *sound = ue_sound_tone(codec, 440, levels[k]);
			struct ue_ear *ear = ue_ear_create(hz, 3, 1);

			play(ear, sound, 100);
			assert_int_equal(ear->windows, 20);
			assert_true(fabs(ue_pitch_dbov(&ear->pitch[0]) - levels[k]) < 1);
			assert_int_equal(ear->pitch[0].heard, 20);
			assert_true(ue_pitch_dbov(&ear->pitch[1]) < levels[k] - 20);
			assert_true(ue_pitch_dbov(&ear->pitch[2]) < levels[k] - 20);
			ue_ear_destroy(ear);
			ue_sound_destroy(sound);
		}
	}
}

static void
single_frames_do_for_multiples_of_fifty(void **state)
{
	static const unsigned hz[] = {450, 500};
	struct ue_sound *sound = ue_sound_tone(DP_CODEC_PCMA, 500, -20);
	struct ue_ear *ear = ue_ear_create(hz, 2, 10);

	play(ear, sound, 7);
	assert_int_equal(ear->windows, 7);
	assert_true(fabs(ue_pitch_dbov(&ear->pitch[1]) + 20) < 1);
	assert_true(ue_pitch_dbov(&ear->pitch[0]) < -45);
	ue_ear_reset(ear);
	assert_int_equal(ear->windows, 0);
	assert_true(ue_pitch_dbov(&ear->pitch[1]) == UE_SILENCE_DBOV);
	ue_ear_destroy(ear);
	ue_sound_destroy(sound);
}

static void
silence_is_not_heard(void **state)
{
	static const unsigned hz[] = {400};

	for (int codec = DP_CODEC_PCMU; codec < DP_CODEC_COUNT; codec++) {
		struct ue_sound *sound = ue_sound_tone(codec, 0, -20);
		struct ue_ear *ear = ue_ear_create(hz, 1, 1);

		play(ear, sound, 50);
		assert_int_equal(ear->pitch[0].heard, 0);
		ue_ear_destroy(ear);
		ue_sound_destroy(sound);
	}
}

/* A tone with a gap that ends shift samples into a frame; the mark was sent delay_ms before that moment. */
static double
delay_of(unsigned shift, double delay_ms)
{
	static const unsigned hz[] = {500, 700};
	struct ue_ear *ear = ue_ear_create(hz, 2, 1);
	struct ue_mark mark = {0};
	uint64_t start_ns = 5000000000ull, at = 0;
	double found;

	ear->pitch[0].mark = &mark;
	for (unsigned frame = 0; frame < 60; frame++) {
		int16_t pcm[UE_WINDOW];

		for (unsigned i = 0; i < UE_WINDOW; i++, at++) {
			bool is_gap = at >= 30 * UE_WINDOW + shift && at < 33 * UE_WINDOW + shift;
			double v = is_gap ? 0 : 3000 * sin(2 * M_PI * 500 * (double)at / UE_RATE);

			pcm[i] = (int16_t)(v + 3000 * sin(2 * M_PI * 700 * (double)at / UE_RATE));
		}
		if (frame == 33) {
			mark.number = 1;
			mark.sent_ns = start_ns + 33 * 20000000ull + shift * 125000ull -
				       (uint64_t)(delay_ms * 1e6);
		}
		ue_ear_hear(ear, pcm, UE_WINDOW, start_ns + frame * 20000000ull);
	}
	found = ue_ear_delay_ms(ear, 0.5);
	assert_int_equal(ear->delay_count, 1);
	ue_ear_destroy(ear);
	return found;
}

static void
delays_are_measured_within_a_frame(void **state)
{
	assert_true(fabs(delay_of(0, 35) - 35) < 1);
	assert_true(fabs(delay_of(80, 35) - 35) < 2);
	assert_true(fabs(delay_of(120, 60) - 60) < 2);
	assert_true(fabs(delay_of(0, 0) - 0) < 1);
}

static void
no_delay_without_a_mark(void **state)
{
	static const unsigned hz[] = {500};
	struct ue_sound *sound = ue_sound_tone(DP_CODEC_PCMU, 500, -20);
	struct ue_ear *ear = ue_ear_create(hz, 1, 1);

	play(ear, sound, 100);
	assert_true(ue_ear_delay_ms(ear, 0.5) < 0);
	ue_ear_destroy(ear);
	ue_sound_destroy(sound);
}

static void
wav_files_are_read(void **state)
{
	/* 16 kHz, two channels, 0.1 s: 1000 on the left, noise on the right */
	static const uint8_t head[44] =
		"RIFF\0\0\0\0WAVEfmt "
		"\x10\0\0\0\x01\0\x02\0\x80\x3e\0\0\0\xfa\0\0\x04\0\x10\0data\0\x19\0";
	char path[] = "/tmp/ue-wav-XXXXXX";
	int fd = mkstemp(path);
	struct ue_sound *sound = NULL;
	uint8_t frame[4] = {0xe8, 0x03, 0x55, 0xaa};
	int16_t pcm[800];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, head, 44), 44);
	for (int i = 0; i < 1600; i++)
		assert_int_equal(write(fd, frame, 4), 4);
	assert_int_equal(ue_sound_wav(&sound, DP_CODEC_L16, path), 0);
	assert_int_equal(sound->samples, 800);
	ue_codec_decode(DP_CODEC_L16, pcm, sound->data, 800);
	for (int i = 0; i < 800; i++)
		assert_int_equal(pcm[i], 1000);
	ue_sound_destroy(sound);
	/* cut short anywhere in its head, it is refused */
	for (int len = 43; len >= 0; len--) {
		assert_int_equal(ftruncate(fd, len), 0);
		assert_true(ue_sound_wav(&sound, DP_CODEC_L16, path) < 0);
	}
	close(fd);
	unlink(path);
	assert_true(ue_sound_wav(&sound, DP_CODEC_L16, "/nonexistent.wav") < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(g711_decodes_by_the_tables),
		cmocka_unit_test(g711_goes_round),
		cmocka_unit_test(tones_are_heard_at_their_level),
		cmocka_unit_test(single_frames_do_for_multiples_of_fifty),
		cmocka_unit_test(silence_is_not_heard),
		cmocka_unit_test(delays_are_measured_within_a_frame),
		cmocka_unit_test(no_delay_without_a_mark),
		cmocka_unit_test(wav_files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
