/* Keys as hexadecimal text. */
#ifndef CP_KEYS_HEX_H
#define CP_KEYS_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Lower case, 2 * len digits and a NUL. */
void cp_hex_encode(char *text, const uint8_t *octets, size_t len);

/* Exactly 2 * len digits, either case. 0, or -EINVAL with octets wiped. */
int cp_hex_decode(uint8_t *octets, size_t len, const char *text);

#endif
