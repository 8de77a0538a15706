/* URIs of any content: a canonical form is printable ASCII, short enough, and its own canonical form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/conf/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char first[CP_IDENTITY_MAX], second[CP_IDENTITY_MAX];

	if (cp_identity(first, cp_slice((const char *)data, size)) != 0)
		return 0;
	for (const char *c = first; *c; c++)
		if (*c <= ' ' || *c > '~')
			abort();
	if (cp_identity(second, cp_slice_text(first)) != 0 || strcmp(first, second) != 0)
		abort();
	return 0;
}
