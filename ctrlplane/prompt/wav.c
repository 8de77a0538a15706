/* WAV files: libsndfile reads, speexdsp resamples, here they are bounded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sndfile.h>
#include <speex/speex_resampler.h>
#include "ctrlplane/prompt/sound.h"

#define CHANNELS_MAX 8
#define HZ_MIN 4000
#define HZ_MAX 192000
#define BLOCK 4096     /* frames read at a time */
#define QUALITY 8      /* of speexdsp's ten: more is not heard at 8 kHz */
#define OUT_BLOCK 8400 /* what BLOCK frames at 4 kHz come to, and what the resampler kept back */

void
cp_sound_fini(struct cp_sound *sound)
{
	free(sound->pcm);
	*sound = (struct cp_sound){0};
}

/* The file in memory, as libsndfile wants to see it. */
struct memory {
	const uint8_t *octets;
	sf_count_t len, at;
};

static sf_count_t
memory_len(void *user)
{
	return ((const struct memory *)user)->len;
}

static sf_count_t
memory_seek(sf_count_t offset, int whence, void *user)
{
	struct memory *m = user;
	sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m->at : m->len;

	if (offset < -base || offset > m->len - base)
		return -1;
	return m->at = base + offset;
}

static sf_count_t
memory_read(void *out, sf_count_t count, void *user)
{
	struct memory *m = user;

	if (count > m->len - m->at)
		count = m->len - m->at;
	if (count <= 0)
		return 0;
	memcpy(out, m->octets + m->at, (size_t)count);
	m->at += count;
	return count;
}

static sf_count_t
memory_write(const void *octets, sf_count_t count, void *user)
{
	return 0;
}

static sf_count_t
memory_tell(void *user)
{
	return ((const struct memory *)user)->at;
}

static int
refuse(char *why, int error, const char *text)
{
	snprintf(why, CP_SOUND_WHY_MAX, "%s", text);
	return error;
}

static int
check(const SF_INFO *info, char *why)
{
	int major = info->format & SF_FORMAT_TYPEMASK, minor = info->format & SF_FORMAT_SUBMASK;

	if (major != SF_FORMAT_WAV && major != SF_FORMAT_WAVEX)
		return refuse(why, -EINVAL, "it is no WAV file");
	switch (minor) {
	case SF_FORMAT_PCM_U8:
	case SF_FORMAT_PCM_16:
	case SF_FORMAT_PCM_24:
	case SF_FORMAT_PCM_32:
	case SF_FORMAT_FLOAT:
	case SF_FORMAT_DOUBLE:
	case SF_FORMAT_ULAW:
	case SF_FORMAT_ALAW:
		break;
	default:
		return refuse(why, -EINVAL, "its samples are neither PCM, float, A-law nor u-law");
	}
	if (info->channels < 1 || info->channels > CHANNELS_MAX)
		return refuse(why, -EINVAL, "it has more than 8 channels");
	if (info->samplerate < HZ_MIN || info->samplerate > HZ_MAX)
		return refuse(why, -EINVAL, "its rate is not between 4,000 and 192,000 Hz");
	if (info->frames <= 0)
		return refuse(why, -EINVAL, "it has no sound");
	if (info->frames > (sf_count_t)(CP_SOUND_MAX / CP_SOUND_HZ) * info->samplerate)
		return refuse(why, -EFBIG, "it is longer than 10 minutes");
	return 0;
}

/* Frames to mono in place; what is no number is silence. */
static void
mix_down(float *block, sf_count_t frames, int channels)
{
	for (sf_count_t i = 0; i < frames; i++) {
		float sum = 0;

		for (int c = 0; c < channels; c++)
			sum += block[i * channels + c];
		sum /= (float)channels;
		block[i] = sum >= -2 && sum <= 2 ? sum : 0;
	}
}

static int16_t
to_sample(float x)
{
	x = x * 32768 + (x < 0 ? -0.5f : 0.5f);
	return x >= INT16_MAX ? INT16_MAX : x <= INT16_MIN ? INT16_MIN : (int16_t)x;
}

/* Resamples count floats; as many samples as there is room for go to out. */
static void
put(struct cp_sound *out, uint32_t room, SpeexResamplerState *resampler, const float *in,
    uint32_t count)
{
	float resampled[OUT_BLOCK];

	while (count > 0 && out->samples < room) {
		uint32_t taken = count, made = OUT_BLOCK;

		speex_resampler_process_float(resampler, 0, in, &taken, resampled, &made);
		for (uint32_t i = 0; i < made && out->samples < room; i++)
			out->pcm[out->samples++] = to_sample(resampled[i]);
		if (taken == 0 && made == 0)
			return;
		in += taken;
		count -= taken;
	}
}

static int
read_all(struct cp_sound *out, SNDFILE *file, const SF_INFO *info, SpeexResamplerState *resampler)
{
	static const float zeros[BLOCK];
	uint32_t room =
		(uint32_t)((info->frames * CP_SOUND_HZ + info->samplerate - 1) / info->samplerate);
	float *block = malloc(sizeof(*block) * BLOCK * (size_t)info->channels);
	sf_count_t got;

	out->pcm = malloc(room * sizeof(*out->pcm));
	if (block == NULL || out->pcm == NULL) {
		free(block);
		return -ENOMEM;
	}
	speex_resampler_skip_zeros(resampler);
	while (out->samples < room && (got = sf_readf_float(file, block, BLOCK)) > 0) {
		mix_down(block, got, info->channels);
		put(out, room, resampler, block, (uint32_t)got);
	}
	/* what the resampler still holds; a file that ends early ends in silence */
	while (out->samples < room) {
		uint32_t before = out->samples;

		put(out, room, resampler, zeros, BLOCK);
		if (out->samples == before)
			break;
	}
	free(block);
	return 0;
}

int
cp_wav_decode(struct cp_sound *out, const void *octets, size_t len, char *why)
{
	SF_VIRTUAL_IO io = {memory_len, memory_seek, memory_read, memory_write, memory_tell};
	struct memory memory = {.octets = octets, .len = (sf_count_t)len};
	SpeexResamplerState *resampler = NULL;
	struct cp_sound sound = {0};
	SF_INFO info = {0};
	SNDFILE *file = sf_open_virtual(&io, SFM_READ, &info, &memory);
	int rc;

	if (file == NULL)
		return refuse(why, -EINVAL, "it is no WAV file");
	rc = check(&info, why);
	if (rc == 0) {
		resampler = speex_resampler_init(1, (uint32_t)info.samplerate, CP_SOUND_HZ, QUALITY,
						 NULL);
		rc = resampler == NULL ? -ENOMEM : read_all(&sound, file, &info, resampler);
		if (rc != 0)
			refuse(why, rc, "there is no memory");
	}
	if (resampler != NULL)
		speex_resampler_destroy(resampler);
	sf_close(file);
	if (rc != 0)
		cp_sound_fini(&sound);
	else
		*out = sound;
	return rc;
}
