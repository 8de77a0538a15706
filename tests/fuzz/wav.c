/* WAV files: whatever an operator's folder holds, decoding ends, within bounds, and what it passes is sound. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/prompt/sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[CP_SOUND_WHY_MAX] = "";
	struct cp_sound sound = {0};
	void *copy = malloc(size + 1); /* of its own, so that a read beyond is seen */
	int rc;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	rc = cp_wav_decode(&sound, copy, size, why);
	if (rc == 0 && (sound.pcm == NULL || sound.samples == 0 || sound.samples > CP_SOUND_MAX))
		abort();
	if (rc != 0 && (sound.pcm != NULL || *why == '\0' || memchr(why, 0, sizeof(why)) == NULL))
		abort();
	cp_sound_fini(&sound);
	free(copy);
	return 0;
}
