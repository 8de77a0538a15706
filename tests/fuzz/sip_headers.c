/* P-Asserted-Identity, Privacy and digest parameters of any octets: no crash, and nothing is taken from what is refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/sip/digest.h"
#include "ctrlplane/sip/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_identity(const char *text)
{
	struct cp_sip_identity id = {0}, zero = {0};

	if (cp_sip_decode_asserted(&id, text) != 0) {
		if (memcmp(&id, &zero, sizeof(id)) != 0)
			abort();
	} else if (!*id.uri && !*id.tel) {
		abort();
	}
	cp_sip_decode_history(id.uri, text);
	cp_sip_is_anonymous(id.uri);
	cp_sip_is_private(text);
}

/* One parameter a line. */
static void
try_digest(char *text)
{
	const char *params[32] = {NULL};
	struct cp_digest_answer a;
	size_t count = 0;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line && count < 31;
	     line = strtok_r(NULL, "\n", &rest))
		params[count++] = line;
	if (cp_digest_decode(&a, params) == 0 &&
	    (!*a.username || !*a.nonce || strlen(a.nc_text) != 8))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	try_identity(text);
	try_digest(text);
	free(text);
	return 0;
}
