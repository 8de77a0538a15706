/* Base64 (RFC 4648 section 4) by arithmetic: neither branches nor addresses depend on the octets of
 * a key. */
#include "ctrlplane/base/base64.h"

#include <errno.h>
#include <string.h>

/* All ones when lo <= v <= hi, else 0. */
static uint32_t
within(uint32_t v, uint32_t lo, uint32_t hi)
{
	return ((lo - 1 - v) & (v - hi - 1)) >> 31 ? UINT32_MAX : 0;
}

static char
digit(uint32_t v)
{
	uint32_t c = 0;

	c |= within(v, 0, 25) & (v + 'A');
	c |= within(v, 26, 51) & (v - 26 + 'a');
	c |= within(v, 52, 61) & (v - 52 + '0');
	c |= within(v, 62, 62) & '+';
	c |= within(v, 63, 63) & '/';
	return (char)c;
}

/* 0 … 63, or a value with the top bit set. */
static uint32_t
value(unsigned char text)
{
	uint32_t c = text;
	uint32_t v = 0, good = 0;

	v |= within(c, 'A', 'Z') & (c - 'A');
	v |= within(c, 'a', 'z') & (c - 'a' + 26);
	v |= within(c, '0', '9') & (c - '0' + 52);
	v |= within(c, '+', '+') & 62;
	v |= within(c, '/', '/') & 63;
	good = within(c, 'A', 'Z') | within(c, 'a', 'z') | within(c, '0', '9') |
	       within(c, '+', '+') | within(c, '/', '/');
	return v | (~good & 0x80000000u);
}

void
cp_base64_encode(char *text, const uint8_t *octets, size_t len)
{
	size_t i;

	for (i = 0; i + 2 < len; i += 3) {
		uint32_t group =
			(uint32_t)octets[i] << 16 | (uint32_t)octets[i + 1] << 8 | octets[i + 2];

		*text++ = digit(group >> 18);
		*text++ = digit(group >> 12 & 63);
		*text++ = digit(group >> 6 & 63);
		*text++ = digit(group & 63);
	}
	if (i < len) {
		uint32_t group = (uint32_t)octets[i] << 16 |
				 (i + 1 < len ? (uint32_t)octets[i + 1] << 8 : 0);

		*text++ = digit(group >> 18);
		*text++ = digit(group >> 12 & 63);
		*text++ = i + 1 < len ? digit(group >> 6 & 63) : '=';
		*text++ = '=';
	}
	*text = '\0';
}

int
cp_base64_decode(uint8_t *octets, size_t size, struct cp_slice text)
{
	size_t digits = text.len, pads = 0, len, n = 0;
	uint32_t group = 0, bad = 0;

	while (digits > 0 && text.ptr[digits - 1] == '=') {
		digits--;
		pads++;
	}
	len = digits * 3 / 4;
	if (digits % 4 == 1 || pads > 2 || (pads > 0 && (digits + pads) % 4 != 0))
		return -EINVAL;
	if (len > size)
		return -ENOSPC;
	for (size_t i = 0; i < digits; i++) {
		uint32_t v = value((unsigned char)text.ptr[i]);

		bad |= v & 0x80000000u;
		group = group << 6 | (v & 63);
		if (i % 4 != 0)
			octets[n++] = (uint8_t)(group >> (6 - i % 4 * 2));
	}
	/* what is left over after the last octet */
	if (digits % 4 == 2)
		bad |= group & 0xf;
	else if (digits % 4 == 3)
		bad |= group & 0x3;
	if (bad) {
		explicit_bzero(octets, len);
		return -EINVAL;
	}
	return (int)len;
}
