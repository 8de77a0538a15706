/* Tones made and measured, and WAV files read. */
#include "bench/load/tone.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/load/g711.h"

#define WAV_SECONDS_MAX 600

double
ue_peak_of(double dbov)
{
	return 32768.0 * sqrt(2.0) * pow(10.0, dbov / 20.0);
}

double
ue_dbov_of(double peak)
{
	double dbov = peak > 0 ? 20.0 * log10(peak / (32768.0 * sqrt(2.0))) : UE_SILENCE_DBOV;

	return dbov < UE_SILENCE_DBOV ? UE_SILENCE_DBOV : dbov;
}

static struct ue_sound *
sound_create(enum dp_codec_id codec, const int16_t *pcm, size_t samples)
{
	struct ue_sound *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->codec = codec;
	s->octets = ue_codec_octets(codec);
	s->samples = samples;
	s->data = malloc(samples * s->octets);
	if (!s->data) {
		free(s);
		return NULL;
	}
	ue_codec_encode(codec, s->data, pcm, samples);
	return s;
}

struct ue_sound *
ue_sound_tone(enum dp_codec_id codec, unsigned hz, double dbov)
{
	int16_t pcm[UE_RATE];
	double peak = hz ? ue_peak_of(dbov) : 0;

	for (int i = 0; i < UE_RATE; i++) {
		double v = peak * sin(2.0 * M_PI * hz * i / UE_RATE);

		pcm[i] = (int16_t)lrint(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
	}
	return sound_create(codec, pcm, UE_RATE);
}

static uint32_t
le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

struct wav {
	unsigned channels, rate;
	uint8_t *data;
	size_t len;
};

/* The chunks of a RIFF file: "fmt " says what, "data" is the sound. */
static int
wav_read(struct wav *wav, FILE *f)
{
	uint8_t head[12], chunk[8], fmt[16];

	if (fread(head, 1, 12, f) != 12 || memcmp(head, "RIFF", 4) != 0 ||
	    memcmp(head + 8, "WAVE", 4) != 0)
		return -EBADMSG;
	while (fread(chunk, 1, 8, f) == 8) {
		uint32_t len = le32(chunk + 4);

		if (memcmp(chunk, "fmt ", 4) == 0 && len >= 16) {
			if (fread(fmt, 1, 16, f) != 16 || fmt[0] != 1 || fmt[14] != 16 || !fmt[2])
				return -EPROTONOSUPPORT;
			wav->channels = fmt[2];
			wav->rate = le32(fmt + 4);
			len -= 16;
		} else if (memcmp(chunk, "data", 4) == 0 && wav->channels) {
			size_t max = (size_t)WAV_SECONDS_MAX * wav->rate * wav->channels * 2;

			wav->data = malloc(len < max ? len : max);
			if (!wav->data)
				return -ENOMEM;
			wav->len = fread(wav->data, 1, len < max ? len : max, f);
			return wav->len ? 0 : -EBADMSG;
		}
		if (fseek(f, (long)len + (len & 1), SEEK_CUR) != 0)
			return -EBADMSG;
	}
	return -EBADMSG;
}

static double
wav_sample(const struct wav *wav, size_t frame)
{
	const uint8_t *p = wav->data + frame * wav->channels * 2;

	return (int16_t)(p[0] | p[1] << 8);
}

/* Linear between the neighbours: speech for a test, no more. */
static struct ue_sound *
wav_resample(const struct wav *wav, enum dp_codec_id codec)
{
	size_t frames = wav->len / (wav->channels * 2),
	       n = (size_t)((double)frames * UE_RATE / wav->rate);
	int16_t *pcm = n ? malloc(n * sizeof(*pcm)) : NULL;
	struct ue_sound *s;

	if (!pcm)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		double at = (double)i * wav->rate / UE_RATE;
		size_t left = (size_t)at, right = left + 1 < frames ? left + 1 : left;
		double part = at - (double)left;

		pcm[i] = (int16_t)lrint(wav_sample(wav, left) * (1 - part) +
					wav_sample(wav, right) * part);
	}
	s = sound_create(codec, pcm, n);
	free(pcm);
	return s;
}

int
ue_sound_wav(struct ue_sound **out, enum dp_codec_id codec, const char *path)
{
	struct wav wav = {0};
	FILE *f = fopen(path, "rb");
	int err = f ? wav_read(&wav, f) : -errno;

	if (f)
		fclose(f);
	if (!err && (wav.rate < 1000 || wav.rate > 192000))
		err = -EPROTONOSUPPORT;
	if (!err) {
		*out = wav_resample(&wav, codec);
		err = *out ? 0 : -ENOMEM;
	}
	free(wav.data);
	return err;
}

void
ue_sound_destroy(struct ue_sound *sound)
{
	if (sound)
		free(sound->data);
	free(sound);
}

size_t
ue_sound_copy(const struct ue_sound *sound, size_t pos, uint8_t *out, size_t n)
{
	while (n > 0) {
		size_t take = sound->samples - pos < n ? sound->samples - pos : n;

		memcpy(out, sound->data + pos * sound->octets, take * sound->octets);
		out += take * sound->octets;
		n -= take;
		pos = pos + take == sound->samples ? 0 : pos + take;
	}
	return pos;
}

void
ue_tone_correlate(const int16_t *pcm, unsigned hz, unsigned phase, float *re, float *im)
{
	static float cosine[UE_RATE + UE_RATE / 4];
	static bool is_made;
	float sum_re = 0, sum_im = 0;

	if (!is_made) {
		for (int i = 0; i < UE_RATE + UE_RATE / 4; i++)
			cosine[i] = (float)cos(2.0 * M_PI * i / UE_RATE);
		is_made = true;
	}
	for (int i = 0; i < UE_WINDOW; i++) {
		sum_re += (float)pcm[i] * cosine[phase];
		sum_im += (float)pcm[i] * cosine[phase + UE_RATE / 4];
		phase += hz;
		if (phase >= UE_RATE)
			phase -= UE_RATE;
	}
	*re = sum_re;
	*im = sum_im;
}

unsigned
ue_tone_phase_next(unsigned hz, unsigned phase)
{
	return (phase + hz * UE_WINDOW) % UE_RATE;
}
