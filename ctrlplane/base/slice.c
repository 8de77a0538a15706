/* Taking borrowed text apart. */
#include "ctrlplane/base/slice.h"

#include <errno.h>
#include <strings.h>

bool
cp_slice_is(struct cp_slice slice, const char *text)
{
	return cp_slice_is_same(slice, cp_slice_text(text));
}

bool
cp_slice_is_same(struct cp_slice a, struct cp_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
cp_slice_is_nocase(struct cp_slice slice, const char *text)
{
	return slice.len == strlen(text) &&
	       (slice.len == 0 || strncasecmp(slice.ptr, text, slice.len) == 0);
}

bool
cp_slice_has_prefix(struct cp_slice slice, const char *prefix)
{
	size_t len = strlen(prefix);

	return slice.len >= len && (len == 0 || memcmp(slice.ptr, prefix, len) == 0);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct cp_slice
cp_slice_trim(struct cp_slice slice)
{
	while (slice.len > 0 && is_blank(slice.ptr[0])) {
		slice.ptr++;
		slice.len--;
	}
	while (slice.len > 0 && is_blank(slice.ptr[slice.len - 1]))
		slice.len--;
	return slice;
}

bool
cp_slice_split(struct cp_slice *rest, char c, struct cp_slice *part)
{
	const char *at;

	if (rest->len == 0)
		return false;
	at = memchr(rest->ptr, c, rest->len);
	*part = cp_slice(rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len);
	rest->ptr += part->len + (at != NULL);
	rest->len -= part->len + (at != NULL);
	return true;
}

bool
cp_slice_word(struct cp_slice *rest, struct cp_slice *word)
{
	size_t len = 0;

	while (rest->len > 0 && is_blank(rest->ptr[0])) {
		rest->ptr++;
		rest->len--;
	}
	if (rest->len == 0)
		return false;
	while (len < rest->len && !is_blank(rest->ptr[len]))
		len++;
	*word = cp_slice(rest->ptr, len);
	rest->ptr += len;
	rest->len -= len;
	return true;
}

bool
cp_slice_line(struct cp_slice *rest, struct cp_slice *line)
{
	if (!cp_slice_split(rest, '\n', line))
		return false;
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

int
cp_slice_number(uint64_t *out, struct cp_slice slice, uint64_t max)
{
	uint64_t value = 0;

	if (slice.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < slice.len; i++) {
		unsigned digit = (unsigned char)slice.ptr[i] - '0';

		if (digit > 9)
			return -EINVAL;
		if (value > (max - (digit < max ? digit : max)) / 10)
			return -ERANGE;
		value = value * 10 + digit;
		if (value > max)
			return -ERANGE;
	}
	*out = value;
	return 0;
}

int
cp_slice_copy(char *room, size_t size, struct cp_slice slice)
{
	room[0] = '\0';
	if (slice.len >= size)
		return -ENAMETOOLONG;
	if (slice.len > 0 && memchr(slice.ptr, '\0', slice.len) != NULL)
		return -EINVAL;
	if (slice.len > 0)
		memcpy(room, slice.ptr, slice.len);
	room[slice.len] = '\0';
	return 0;
}

/* Octets of the UTF-8 character at the start (RFC 3629 section 4); 0: it is none. */
static size_t
character(struct cp_slice slice)
{
	const unsigned char *c = (const unsigned char *)slice.ptr;
	size_t len = c[0] < 0x80		   ? 1
		     : c[0] >= 0xc2 && c[0] < 0xe0 ? 2
		     : (c[0] & 0xf0) == 0xe0	   ? 3
		     : c[0] >= 0xf0 && c[0] < 0xf5 ? 4
						   : 0;

	if (len == 0 || len > slice.len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return len;
}

bool
cp_slice_is_utf8(struct cp_slice slice)
{
	while (slice.len > 0) {
		size_t len = character(slice);

		if (len == 0)
			return false;
		slice = cp_slice(slice.ptr + len, slice.len - len);
	}
	return true;
}

void
cp_slice_copy_text(char *room, size_t size, struct cp_slice slice)
{
	size_t used = 0;

	while (slice.len > 0) {
		size_t len = character(slice), take = len ? len : 1;
		bool prints = len > 1 || (len == 1 && slice.ptr[0] >= ' ' && slice.ptr[0] != 0x7f);

		if (used + take >= size)
			break;
		if (prints)
			memcpy(room + used, slice.ptr, take);
		else
			room[used] = '?';
		used += take;
		slice = cp_slice(slice.ptr + take, slice.len - take);
	}
	room[used] = '\0';
}
