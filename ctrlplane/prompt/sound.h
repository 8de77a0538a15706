/* Sound as conclave-dp plays it: 16-bit samples, mono, 8000 a second. */
#ifndef CP_PROMPT_SOUND_H
#define CP_PROMPT_SOUND_H

#include <stddef.h>
#include <stdint.h>

#define CP_SOUND_HZ 8000
#define CP_SOUND_MAX \
	(CP_SOUND_HZ * 600u) /* samples: ten minutes, as dataplane/api/ctl.h takes them */
#define CP_SOUND_WHY_MAX 160

/* Owner: who got it, by cp_sound_fini. All zero: none. */
struct cp_sound {
	int16_t *pcm;
	uint32_t samples;
};

void cp_sound_fini(struct cp_sound *sound);

/*
 * A WAV file in memory: PCM of 8 to 32 bits, float, A-law or u-law, any rate from 4,000 to 192,000, up to 8 channels, which are
 * averaged. Resampled to 8000. -EINVAL: none of ours; -EFBIG: longer than CP_SOUND_MAX; -ENOMEM. why, of CP_SOUND_WHY_MAX
 * octets, says what is wrong with it.
 */
int cp_wav_decode(struct cp_sound *out, const void *octets, size_t len, char *why);

/*
 * Tones by a list of parts: "tone:880:120,0:60,440+480:250" is 880 Hz for 120 ms, a pause of 60 ms, two frequencies
 * together for 250 ms. At most CP_TONE_PARTS_MAX parts and CP_TONE_MS_MAX in all; 50 to 3800 Hz. -EINVAL: not such a list; -ENOMEM.
 */
#define CP_TONE_PREFIX "tone:"
#define CP_TONE_PARTS_MAX 32
#define CP_TONE_MS_MAX 10000
#define CP_TONE_PEAK 8000 /* of all frequencies together: -12 dBov */
int cp_tone_make(struct cp_sound *out, const char *list);
int cp_tone_check(const char *list); /* 0 or -EINVAL */

#endif
