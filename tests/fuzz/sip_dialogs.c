/* Refer-To, Replaces, Join and Target-Dialog of any octets: no crash, and what is refused changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/sip/dialog_id.h"
#include "ctrlplane/sip/refer_to.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_dialogs(const char *text)
{
	struct cp_sip_dialog_id id, zero;

	for (int header = CP_SIP_REPLACES; header <= CP_SIP_TARGET_DIALOG; header++) {
		memset(&id, 0, sizeof(id));
		memset(&zero, 0, sizeof(zero));
		if (cp_sip_dialog_id_decode(&id, text, (enum cp_sip_dialog_header)header) != 0) {
			if (memcmp(&id, &zero, sizeof(id)) != 0)
				abort();
		} else if (!*id.call_id || !*id.local_tag || !*id.remote_tag ||
			   !cp_sip_dialog_is_same(&id, &id)) {
			abort();
		}
	}
}

static void
try_refer_to(const char *text)
{
	struct cp_sip_refer_to to, zero, again;

	memset(&to, 0, sizeof(to));
	memset(&zero, 0, sizeof(zero));
	if (cp_sip_refer_to_decode(&to, text) != 0) {
		if (memcmp(&to, &zero, sizeof(to)) != 0)
			abort();
		return;
	}
	if (!*to.uri == !*to.content_id)
		abort();
	/* what we dial is a URI without method and headers */
	if (*to.uri && (cp_sip_refer_uri_decode(&again, cp_slice_text(to.uri)) != 0 ||
			strcmp(again.uri, to.uri) != 0 || *again.replaces || *again.join))
		abort();
	if (strpbrk(to.replaces, "\r\n") || strpbrk(to.join, "\r\n") || strpbrk(to.uri, "<> \r\n"))
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
	try_dialogs(text);
	try_refer_to(text);
	free(text);
	return 0;
}
