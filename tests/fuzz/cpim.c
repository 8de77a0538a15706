/* Message/CPIM: whatever comes, reading ends within bounds; text that is understood can be written again and means the same. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/msrp/cpim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char from_name[CP_CPIM_HEAD_MAX], subject[CP_CPIM_HEAD_MAX], again[CP_CPIM_HEAD_MAX];

static void
say_again(const struct cp_cpim *cpim)
{
	static char text[CP_CPIM_HEAD_MAX];
	struct cp_cpim_out out = {.from_uri = cpim->from.uri,
				  .to_uri = cpim->to[0].uri,
				  .content_type = cp_slice_text("text/plain")};
	struct cp_cpim back;
	ssize_t name, about, len;

	name = cp_cpim_text(from_name, sizeof(from_name), cpim->from.name);
	about = cp_cpim_text(subject, sizeof(subject), cpim->subject);
	if (name < 0 || about < 0)
		abort(); /* it never grows */
	out.from_name = cp_slice(from_name, (size_t)name);
	out.subject = cp_slice(subject, (size_t)about);
	len = cp_cpim_encode(text, sizeof(text), &out);
	if (len == -EMSGSIZE || len == -EINVAL)
		return; /* escapes made it longer; or a URI with a line of its own kind */
	if (cp_cpim_decode(&back, text, (size_t)len) != len ||
	    cp_cpim_text(again, sizeof(again), back.from.name) != name ||
	    memcmp(again, from_name, (size_t)name) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cp_slice value;
	struct cp_cpim cpim;
	char *copy = malloc(size + 1); /* of its own, so that a read beyond is seen */
	ssize_t at;

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	copy = realloc(copy, size > 0 ? size : 1);
	at = cp_cpim_decode(&cpim, copy, size);
	if (at > (ssize_t)size || at > CP_CPIM_HEAD_MAX)
		abort();
	if (at > 0) {
		cp_cpim_content_header(&value, &cpim, "Content-ID");
		say_again(&cpim);
	}
	free(copy);
	return 0;
}
