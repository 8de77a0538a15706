/* WAV files: every format, rate and channel count by a tone that must come out; truncated, strange and long ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctrlplane/prompt/sound.h"

#define PEAK 0.25 /* of full scale */

static uint8_t *
slurp(int fd, size_t *len)
{
	uint8_t *octets;

	*len = (size_t)lseek(fd, 0, SEEK_END);
	octets = malloc(*len);
	assert_int_equal(pread(fd, octets, *len, 0), *len);
	return octets;
}

/* A file of a second or so with a tone in all channels but the last of several, which is silent. */
static uint8_t *
file_make(size_t *len, int format, int hz, int channels, double tone_hz, unsigned int ms)
{
	char path[] = "/tmp/conclave-wav.XXXXXX";
	int fd = mkstemp(path);
	SF_INFO info = {.samplerate = hz, .channels = channels, .format = format};
	unsigned int frames = (unsigned int)((uint64_t)hz * ms / 1000);
	double *block = calloc((size_t)frames * (size_t)channels, sizeof(*block));
	SNDFILE *file;
	uint8_t *octets;

	assert_true(fd >= 0);
	unlink(path);
	file = sf_open_fd(fd, SFM_WRITE, &info, SF_FALSE);
	assert_non_null(file);
	for (unsigned int i = 0; i < frames; i++)
		for (int c = 0; c < (channels == 1 ? 1 : channels - 1); c++)
			block[i * (unsigned int)channels + (unsigned int)c] =
				PEAK * sin(2 * M_PI * tone_hz * i / hz);
	assert_int_equal(sf_writef_double(file, block, frames), frames);
	sf_close(file);
	free(block);
	octets = slurp(fd, len);
	close(fd);
	return octets;
}

static double
amplitude(const struct cp_sound *sound, double hz)
{
	unsigned int from = sound->samples / 4, n = sound->samples / 2;
	double re = 0, im = 0;

	for (unsigned int i = from; i < from + n; i++) {
		re += sound->pcm[i] * cos(2 * M_PI * hz * i / CP_SOUND_HZ);
		im += sound->pcm[i] * sin(2 * M_PI * hz * i / CP_SOUND_HZ);
	}
	return 2 * sqrt(re * re + im * im) / n;
}

static void
every_format_and_rate(void **state)
{
	static const int formats[] = {
		SF_FORMAT_WAV | SF_FORMAT_PCM_U8,  SF_FORMAT_WAV | SF_FORMAT_PCM_16,
		SF_FORMAT_WAV | SF_FORMAT_PCM_24,  SF_FORMAT_WAV | SF_FORMAT_PCM_32,
		SF_FORMAT_WAV | SF_FORMAT_FLOAT,   SF_FORMAT_WAV | SF_FORMAT_DOUBLE,
		SF_FORMAT_WAV | SF_FORMAT_ULAW,	   SF_FORMAT_WAV | SF_FORMAT_ALAW,
		SF_FORMAT_WAVEX | SF_FORMAT_PCM_16};
	static const int rates[] = {4000, 8000, 11025, 16000, 22050, 44100, 48000, 192000};
	char why[CP_SOUND_WHY_MAX];

	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++)
		for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
			int channels = (int)((f + r) % 3) + 1;
			double want = 32768 * PEAK * (channels == 1 ? 1 : channels - 1) / channels;
			struct cp_sound sound;
			size_t len;
			uint8_t *octets = file_make(&len, formats[f], rates[r], channels, 600, 500);

			assert_int_equal(cp_wav_decode(&sound, octets, len, why), 0);
			assert_in_range(sound.samples, 4000 - 1, 4000 + 1);
			assert_in_range(amplitude(&sound, 600), want * 0.95, want * 1.05);
			assert_true(amplitude(&sound, 1000) < want * 0.05);
			cp_sound_fini(&sound);
			free(octets);
		}
}

/* At 8000 Hz and 16 bits nothing is changed: the resampler is at 1 : 1. */
static void
what_is_ours_stays(void **state)
{
	char why[CP_SOUND_WHY_MAX];
	struct cp_sound sound;
	size_t len;
	uint8_t *octets =
		file_make(&len, SF_FORMAT_WAV | SF_FORMAT_PCM_16, CP_SOUND_HZ, 1, 700, 300);

	assert_int_equal(cp_wav_decode(&sound, octets, len, why), 0);
	assert_int_equal(sound.samples, 2400);
	for (unsigned int i = 0; i < 2400; i++) {
		double want = 32768 * PEAK * sin(2 * M_PI * 700 * i / CP_SOUND_HZ);

		assert_true(fabs(sound.pcm[i] - want) < 40 || i < 64 || i > 2400 - 64);
	}
	cp_sound_fini(&sound);
	free(octets);
}

/* Nothing above 4 kHz folds down into speech. */
static void
what_cannot_be_heard_is_gone(void **state)
{
	char why[CP_SOUND_WHY_MAX];
	struct cp_sound sound;
	size_t len;
	uint8_t *octets = file_make(&len, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000, 1, 7000, 500);

	assert_int_equal(cp_wav_decode(&sound, octets, len, why), 0);
	assert_true(amplitude(&sound, 1000) < 20);
	cp_sound_fini(&sound);
	free(octets);
}

static void
truncated_at_every_length(void **state)
{
	static const int formats[] = {SF_FORMAT_WAV | SF_FORMAT_PCM_16,
				      SF_FORMAT_WAV | SF_FORMAT_FLOAT,
				      SF_FORMAT_WAVEX | SF_FORMAT_PCM_24};

	for (size_t f = 0; f < 3; f++) {
		char why[CP_SOUND_WHY_MAX];
		size_t len;
		uint8_t *octets = file_make(&len, formats[f], 16000, 2, 600, 10);

		for (size_t n = 0; n < len; n++) {
			struct cp_sound sound = {0};
			uint8_t *copy = malloc(n + 1); /* so that a read beyond is seen */
			int rc;

			memcpy(copy, octets, n);
			rc = cp_wav_decode(&sound, copy, n, why);
			assert_true(rc == 0 || rc == -EINVAL);
			assert_true(rc == 0 ? sound.samples > 0 : sound.pcm == NULL);
			assert_true(sound.samples <= 81);
			cp_sound_fini(&sound);
			free(copy);
		}
		free(octets);
	}
}

static void
what_is_refused(void **state)
{
	static const struct {
		int format, hz, channels, error;
		unsigned int ms;
		const char *why;
	} rows[] = {
		{SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 8000, 1, -EINVAL, 100, "no WAV"},
		{SF_FORMAT_WAV | SF_FORMAT_GSM610, 8000, 1, -EINVAL, 100, "neither PCM"},
		{SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 8000, 1, -EINVAL, 100, "neither PCM"},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 3999, 1, -EINVAL, 100, "rate"},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 200000, 1, -EINVAL, 100, "rate"},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 9, -EINVAL, 100, "channels"},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, -EINVAL, 0, "no sound"},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 4000, 1, -EFBIG, 600001, "10 minutes"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char why[CP_SOUND_WHY_MAX] = "";
		struct cp_sound sound = {0};
		size_t len;
		uint8_t *octets = file_make(&len, rows[i].format, rows[i].hz, rows[i].channels, 600,
					    rows[i].ms);

		assert_int_equal(cp_wav_decode(&sound, octets, len, why), rows[i].error);
		assert_non_null(strstr(why, rows[i].why));
		assert_null(sound.pcm);
		free(octets);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_and_rate),
		cmocka_unit_test(what_is_ours_stays),
		cmocka_unit_test(what_cannot_be_heard_is_gone),
		cmocka_unit_test(truncated_at_every_length),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
