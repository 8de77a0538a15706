/* Lists of recipients of any octets: no crash, limits hold, and the history that is made of one is a list again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/sip/resource_list.h"

#define MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char history[CP_SIP_LIST_OCTETS_MAX];
	struct cp_sip_list list = {NULL, 0}, shown;
	int len;

	if (cp_sip_list_decode(&list, cp_slice((const char *)data, size), MAX) != 0) {
		if (list.items)
			abort();
		return 0;
	}
	if (list.count == 0 || list.count > MAX)
		abort();
	for (size_t i = 0; i < list.count; i++)
		if (!*list.items[i].identity || !*list.items[i].uri)
			abort();
	len = cp_sip_list_encode_history(history, sizeof(history), &list);
	if (len > 0) {
		if (cp_sip_list_decode(&shown, cp_slice(history, (size_t)len), MAX + 2) != 0)
			abort();
		cp_sip_list_free(&shown);
	}
	cp_sip_list_free(&list);
	return 0;
}
