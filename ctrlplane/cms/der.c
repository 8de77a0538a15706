/* BER elements (X.690 8.1). */
#include "ctrlplane/cms/der.h"

#include <string.h>

#define DEPTH_MAX 12 /* of indefinite lengths within each other */
#define CONSTRUCTED 0x20

/* Tag and length. indefinite: len is 0. */
static bool
read_head(struct cp_der *in, uint8_t *tag, size_t *len, bool *is_indefinite)
{
	unsigned int count;

	*is_indefinite = false;
	if (in->left < 2 || (in->at[0] & 0x1F) == 0x1F)
		return false;
	*tag = in->at[0];
	count = in->at[1];
	in->at += 2;
	in->left -= 2;
	*len = count;
	if (count < 0x80)
		return *len <= in->left;
	*len = 0;
	count -= 0x80;
	if (count == 0) {
		*is_indefinite = true;
		return (*tag & CONSTRUCTED) != 0;
	}
	if (count > 4 || in->left < count)
		return false;
	for (; count > 0; count--, in->at++, in->left--)
		*len = *len << 8 | in->at[0];
	return *len <= in->left;
}

/* Steps over what an indefinite length holds, to its end mark. */
static bool
skip_content(struct cp_der *in, int depth)
{
	uint8_t tag;
	size_t len;
	bool is_indefinite;

	if (depth == 0)
		return false;
	while (in->left >= 2 && (in->at[0] != 0 || in->at[1] != 0)) {
		if (!read_head(in, &tag, &len, &is_indefinite))
			return false;
		if (is_indefinite) {
			if (!skip_content(in, depth - 1))
				return false;
			len = 2;
		}
		in->at += len;
		in->left -= len;
	}
	return in->left >= 2;
}

bool
cp_der_next(struct cp_der_item *item, struct cp_der *in)
{
	struct cp_der rest = *in, end;
	size_t len;

	if (!read_head(&rest, &item->tag, &len, &item->is_indefinite))
		return false;
	end = rest;
	if (item->is_indefinite) {
		if (!skip_content(&end, DEPTH_MAX))
			return false;
		len = (size_t)(end.at - rest.at);
	}
	item->whole = in->at;
	item->whole_len = (size_t)(rest.at - in->at) + len;
	item->content = (struct cp_der){rest.at, len};
	len += item->is_indefinite ? 2 : 0;
	in->at = rest.at + len;
	in->left = rest.left - len;
	return true;
}

bool
cp_der_is_next(const struct cp_der *in, uint8_t tag)
{
	return in->left > 0 && in->at[0] == tag;
}

bool
cp_der_take(struct cp_der_item *item, struct cp_der *in, uint8_t tag)
{
	return cp_der_is_next(in, tag) && cp_der_next(item, in);
}

bool
cp_der_is(const struct cp_der_item *item, const uint8_t *octets, size_t len)
{
	return item->content.left == len && memcmp(item->content.at, octets, len) == 0;
}
