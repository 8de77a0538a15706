/* Nicknames in quotes, and whether two are one (RFC 7701 section 7.1, RFC 7700 as far as ASCII goes). */
#include "ctrlplane/msrp/nickname.h"

#include <errno.h>
#include "ctrlplane/msrp/chars.h"

ssize_t
cp_msrp_nickname_decode(char *out, struct cp_slice value)
{
	char room[CP_MSRP_NICKNAME_MAX + 1];
	size_t len = 0;

	if (value.len < 2 || value.ptr[0] != '"' || value.ptr[value.len - 1] != '"')
		return -EINVAL;
	value = cp_slice(value.ptr + 1, value.len - 2);
	if (!cp_msrp_is_text(value))
		return -EINVAL;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '"' || len == CP_MSRP_NICKNAME_MAX)
			return -EINVAL;
		if (value.ptr[i] == '\\' &&
		    (++i == value.len || (value.ptr[i] != '\\' && value.ptr[i] != '"')))
			return -EINVAL;
		room[len++] = value.ptr[i];
	}
	if (len > 0 && cp_msrp_nickname_is_same(cp_slice(room, len), cp_slice(NULL, 0)))
		return -EINVAL;
	memcpy(out, room, len);
	out[len] = '\0';
	return (ssize_t)len;
}

ssize_t
cp_msrp_nickname_encode(char *out, size_t size, struct cp_slice name)
{
	size_t len = 0;

	if (name.len > CP_MSRP_NICKNAME_MAX || !cp_msrp_is_text(name))
		return -EINVAL;
	if (size < 2)
		return -EMSGSIZE;
	out[len++] = '"';
	for (size_t i = 0; i < name.len; i++) {
		bool is_escaped = name.ptr[i] == '"' || name.ptr[i] == '\\';

		if (size - len < 2u + is_escaped) /* also the quote at the end */
			return -EMSGSIZE;
		if (is_escaped)
			out[len++] = '\\';
		out[len++] = name.ptr[i];
	}
	out[len++] = '"';
	return (ssize_t)len;
}

/* The next character that counts, small; -1 at the end. A run of blanks is one. */
static int
next(struct cp_slice *rest)
{
	char c;

	if (rest->len == 0)
		return -1;
	c = rest->ptr[0];
	*rest = cp_msrp_behind(*rest, 1);
	if (c == '\t')
		c = ' ';
	while (c == ' ' && rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
		*rest = cp_msrp_behind(*rest, 1);
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool
cp_msrp_nickname_is_same(struct cp_slice a, struct cp_slice b)
{
	int one, other;

	a = cp_slice_trim(a);
	b = cp_slice_trim(b);
	do {
		one = next(&a);
		other = next(&b);
	} while (one == other && one >= 0);
	return one == other;
}
