/* Tones made and measured: levels in dBov (RFC 3551: 0 dBov is a square wave at full scale, so a full sine is at -3.01). */
#ifndef BENCH_LOAD_TONE_H
#define BENCH_LOAD_TONE_H

#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/codec_id.h"

#define UE_RATE 8000 /* samples a second */
#define UE_WINDOW \
	160 /* samples of the shortest measurement: tones on multiples of 50 Hz do not leak into each other */
#define UE_SILENCE_DBOV -96.0

/* Encoded sound that goes round and round. Shared by participants, never changed. */
struct ue_sound {
	enum dp_codec_id codec;
	unsigned octets; /* of one sample */
	size_t samples;
	uint8_t *data;
};

/* Peak of a sine of that level, and back. */
double ue_peak_of(double dbov);
double ue_dbov_of(double peak);

/* One second of a tone (a whole number of Hz goes round without a seam). 0 Hz is silence. NULL: no memory. */
struct ue_sound *ue_sound_tone(enum dp_codec_id codec, unsigned hz, double dbov);

/* A PCM WAV file (16 bits, first channel, any rate), resampled to 8000 Hz. 0 or -errno. */
int ue_sound_wav(struct ue_sound **out, enum dp_codec_id codec, const char *path);

void ue_sound_destroy(struct ue_sound *sound);

/* n samples from position pos on, encoded. Returns the next position. */
size_t ue_sound_copy(const struct ue_sound *sound, size_t pos, uint8_t *out, size_t n);

/*
 * How much of a frequency is in UE_WINDOW samples: real and imaginary part against a cosine of peak 1 whose phase at the first
 * sample is phase / UE_RATE turns. Sums over consecutive windows are what a longer window would give.
 */
void ue_tone_correlate(const int16_t *pcm, unsigned hz, unsigned phase, float *re, float *im);

/* The phase one window later. */
unsigned ue_tone_phase_next(unsigned hz, unsigned phase);

#endif
