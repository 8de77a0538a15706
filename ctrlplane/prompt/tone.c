/* Tones from a list of frequencies and times; soft at both ends of each part, so that nothing clicks. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/prompt/sound.h"

#define HZ_MIN 50
#define HZ_MAX 3800
#define RAMP 40 /* samples: 5 ms */

struct part {
	uint32_t hz[2]; /* 0: none */
	uint32_t samples;
};

/* Digits, at most six of them. */
static bool
take_number(const char **at, uint32_t *out)
{
	uint32_t value = 0;
	int digits = 0;

	for (; **at >= '0' && **at <= '9' && digits < 6; (*at)++, digits++)
		value = value * 10 + (uint32_t)(**at - '0');
	*out = value;
	return digits > 0;
}

static bool
take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool
is_heard(uint32_t hz)
{
	return hz >= HZ_MIN && hz <= HZ_MAX;
}

static bool
take_part(const char **at, struct part *out)
{
	uint32_t ms;

	*out = (struct part){0};
	if (!take_number(at, &out->hz[0]) || (out->hz[0] != 0 && !is_heard(out->hz[0])))
		return false;
	if (take_char(at, '+') &&
	    (out->hz[0] == 0 || !take_number(at, &out->hz[1]) || !is_heard(out->hz[1])))
		return false;
	if (!take_char(at, ':') || !take_number(at, &ms) || ms == 0 || ms > CP_TONE_MS_MAX)
		return false;
	out->samples = ms * (CP_SOUND_HZ / 1000);
	return true;
}

/* Parts, and their samples in all; 0: not such a list. */
static uint32_t
take_list(const char *list, struct part *parts, unsigned int *count)
{
	uint32_t samples = 0;

	if (strncmp(list, CP_TONE_PREFIX, strlen(CP_TONE_PREFIX)) != 0)
		return 0;
	list += strlen(CP_TONE_PREFIX);
	*count = 0;
	do {
		if (*count == CP_TONE_PARTS_MAX || !take_part(&list, &parts[*count]))
			return 0;
		samples += parts[(*count)++].samples;
		if (samples > CP_TONE_MS_MAX * (CP_SOUND_HZ / 1000))
			return 0;
	} while (take_char(&list, ','));
	return *list == '\0' ? samples : 0;
}

static double
ramp(uint32_t at, uint32_t samples)
{
	uint32_t edge = at < samples - 1 - at ? at : samples - 1 - at;

	return edge < RAMP ? 0.5 - 0.5 * cos(M_PI * (edge + 1) / (RAMP + 1)) : 1;
}

static void
write_part(int16_t *out, const struct part *part)
{
	unsigned int voices = (part->hz[0] != 0) + (part->hz[1] != 0);

	for (uint32_t i = 0; i < part->samples; i++) {
		double x = 0;

		for (unsigned int v = 0; v < voices; v++)
			x += sin(2 * M_PI * part->hz[v] * i / CP_SOUND_HZ);
		out[i] = voices == 0 ? 0
				     : (int16_t)lrint(x / voices * CP_TONE_PEAK *
						      ramp(i, part->samples));
	}
}

int
cp_tone_check(const char *list)
{
	struct part parts[CP_TONE_PARTS_MAX];
	unsigned int count;

	return take_list(list, parts, &count) > 0 ? 0 : -EINVAL;
}

int
cp_tone_make(struct cp_sound *out, const char *list)
{
	struct part parts[CP_TONE_PARTS_MAX];
	unsigned int count;
	uint32_t samples = take_list(list, parts, &count), at = 0;
	int16_t *pcm;

	if (samples == 0)
		return -EINVAL;
	pcm = calloc(samples, sizeof(*pcm));
	if (pcm == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; at += parts[i++].samples)
		write_part(pcm + at, &parts[i]);
	*out = (struct cp_sound){.pcm = pcm, .samples = samples};
	return 0;
}
