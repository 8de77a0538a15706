/* Keys as hexadecimal text. */
#include "ctrlplane/keys/hex.h"

#include <errno.h>
#include <string.h>

void
cp_hex_encode(char *text, const uint8_t *octets, size_t len)
{
	/* arithmetic, so that no look-up depends on a secret */
	for (size_t i = 0; i < 2 * len; i++) {
		unsigned digit = octets[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;

		text[i] = (char)('0' + digit + (((9 - digit) >> 8) & ('a' - '0' - 10)));
	}
	text[2 * len] = '\0';
}

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

int
cp_hex_decode(uint8_t *octets, size_t len, const char *text)
{
	if (strlen(text) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			explicit_bzero(octets, len);
			return -EINVAL;
		}
		octets[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}
