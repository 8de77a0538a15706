/* Character classes of RFC 4975 section 9, for this folder. */
#ifndef CP_MSRP_CHARS_H
#define CP_MSRP_CHARS_H

#include <stdbool.h>
#include <string.h>
#include "ctrlplane/base/slice.h"

static inline bool
cp_msrp_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
cp_msrp_is_alnum(char c)
{
	return cp_msrp_is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline bool
cp_msrp_is_token_char(char c)
{
	return cp_msrp_is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`{|}~", c) != NULL);
}

/* One or more characters of a token. */
static inline bool
cp_msrp_is_token(struct cp_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!cp_msrp_is_token_char(text.ptr[i]))
			return false;
	return text.len > 0;
}

/* No control character but the tab, and UTF-8. */
static inline bool
cp_msrp_is_text(struct cp_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t') ||
		    text.ptr[i] == 0x7f)
			return false;
	return cp_slice_is_utf8(text);
}

/* What is left of text behind its first len octets. */
static inline struct cp_slice
cp_msrp_behind(struct cp_slice text, size_t len)
{
	return cp_slice(text.ptr + len, text.len - len);
}

#endif
