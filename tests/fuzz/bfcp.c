/* BFCP: whatever comes, decoding ends within bounds; what is understood can be said again and means the same. */
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/bfcp/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[CP_BFCP_MAX], third[CP_BFCP_MAX];
	static struct cp_bfcp_msg msg, back;
	ssize_t frame = cp_bfcp_frame(data, size), len;
	uint8_t *copy; /* of its own, so that a read beyond is seen */

	if (frame <= 0 || (size_t)frame > size)
		return 0;
	copy = malloc((size_t)frame);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, (size_t)frame);
	if (cp_bfcp_decode(&msg, copy, (size_t)frame) == CP_BFCP_OK) {
		len = cp_bfcp_encode(again, sizeof(again), &msg);
		if (len > 0) {
			if (cp_bfcp_decode(&back, again, (size_t)len) != CP_BFCP_OK ||
			    cp_bfcp_encode(third, sizeof(third), &back) != len ||
			    memcmp(again, third, (size_t)len) != 0)
				abort();
		}
	} else {
		cp_bfcp_make_error(&back, &msg, CP_BFCP_UNKNOWN_MANDATORY, "fuzz");
		if (cp_bfcp_encode(again, sizeof(again), &back) <= 0)
			abort();
	}
	free(copy);
	return 0;
}
