/* Lists of tones and names of files, as API clients write them: what passes is bounded, and means the same to all who look at it. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/prompt/loader.h"
#include "ctrlplane/prompt/sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MADE_MAX 24 /* octets of lists that are made too: long sounds take long */

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
make(const char *text)
{
	struct cp_sound sound = {0};

	must(cp_tone_make(&sound, text) == 0);
	must(sound.samples > 0 && sound.samples <= CP_TONE_MS_MAX * (CP_SOUND_HZ / 1000));
	for (uint32_t i = 0; i < sound.samples; i++)
		must(sound.pcm[i] >= -CP_TONE_PEAK && sound.pcm[i] <= CP_TONE_PEAK);
	cp_sound_fini(&sound);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* of its own, so that a read beyond is seen */
	int rc;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	rc = cp_tone_check(text);
	must(rc == 0 || rc == -EINVAL);
	must(rc != 0 || strncmp(text, CP_TONE_PREFIX, strlen(CP_TONE_PREFIX)) == 0);
	if (cp_loader_is_name(text)) {
		must(rc != 0 && text[0] != '.' && strlen(text) < CP_LOADER_NAME_MAX);
		must(strpbrk(text, "/\\: %~\n") == NULL);
	}
	if (rc == 0 && strlen(text) < MADE_MAX)
		make(text);
	free(text);
	return 0;
}
