/* MIME headers (RFC 2045 3, RFC 5322 2.2) as far as a protected body has them. */
#include "ctrlplane/cms/entity.h"

#include <errno.h>
#include <stdio.h>

size_t
cp_cms_entity_head(char *room, size_t size, const char *type)
{
	int len = snprintf(room, size, "Content-Type: %s\r\n\r\n", type);

	return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

static bool
is_plain(struct cp_slice encoding)
{
	return cp_slice_is_nocase(encoding, "binary") || cp_slice_is_nocase(encoding, "8bit") ||
	       cp_slice_is_nocase(encoding, "7bit");
}

int
cp_cms_entity_decode(struct cp_slice *type, struct cp_slice *octets, struct cp_slice in)
{
	struct cp_slice rest = in, line, found = {NULL, 0};

	while (cp_slice_line(&rest, &line)) {
		struct cp_slice name;

		if (line.len == 0) { /* the end of the headers */
			if (found.len == 0)
				return -EBADMSG;
			*type = found;
			*octets = rest;
			return 0;
		}
		if (!memchr(line.ptr, ':', line.len))
			return -EBADMSG; /* a folded line too: none of our headers is that long */
		cp_slice_split(&line, ':', &name);
		if (cp_slice_is_nocase(cp_slice_trim(name), "Content-Transfer-Encoding") &&
		    !is_plain(cp_slice_trim(line)))
			return -ENOTSUP;
		if (cp_slice_is_nocase(cp_slice_trim(name), "Content-Type") &&
		    cp_slice_split(&line, ';', &name))
			found = cp_slice_trim(name);
	}
	return -EBADMSG;
}
