/* Text put into a caller's room, for this folder: the first fault stays, and nothing is written behind it. */
#ifndef CP_MSRP_WRITER_H
#define CP_MSRP_WRITER_H

#include <errno.h>
#include <string.h>
#include "ctrlplane/base/slice.h"

struct cp_msrp_writer {
	char *out;
	size_t size, len;
	int error; /* 0 or -errno */
};

static inline void
cp_msrp_put(struct cp_msrp_writer *w, struct cp_slice text)
{
	if (w->error == 0 && text.len > w->size - w->len)
		w->error = -EMSGSIZE;
	if (w->error != 0)
		return;
	if (text.len > 0)
		memcpy(w->out + w->len, text.ptr, text.len);
	w->len += text.len;
}

static inline void
cp_msrp_put_text(struct cp_msrp_writer *w, const char *text)
{
	cp_msrp_put(w, cp_slice_text(text));
}

#endif
