/* Protected bodies of any content, and MIME entities: nothing that is not ours is opened, what is stays within its room. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/cms/cms.h"
#include "ctrlplane/cms/entity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t octets[CP_CMS_KEK] = {0, 1, 2,  3,	 4,  5,	 6,  7,
						   8, 9, 10, 11, 12, 13, 14, 15};
	static struct cp_cms *cms;
	static struct cp_secret *kek;
	struct cp_slice in = cp_slice((const char *)data, size), type, body;
	uint8_t *room = malloc(size + 1);
	struct cp_cms_key key;
	size_t len = 0;

	if (!cms && (cp_cms_create(&cms) != 0 || cp_secret_create(&kek, octets, sizeof(octets))))
		abort();
	key = (struct cp_cms_key){.kek = kek, .id = cp_slice_text("cd177e50-240")};
	if (cp_cms_open(room, size, &len, cms, &key, in) == 0 && len > size)
		abort();
	if (cp_cms_entity_decode(&type, &body, in) == 0 &&
	    (body.ptr + body.len != in.ptr + in.len || type.len == 0))
		abort();
	free(room);
	return 0;
}
