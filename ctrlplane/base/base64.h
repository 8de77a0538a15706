/* Base64 by RFC 4648 section 4, strict, without table look-ups by secret octets: for keys. */
#ifndef CP_BASE_BASE64_H
#define CP_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"

#define CP_BASE64_LEN(octets) (((octets) + 2) / 3 * 4) /* characters, padding included, no NUL */

/* Writes CP_BASE64_LEN(len) characters and a NUL. */
void cp_base64_encode(char *text, const uint8_t *octets, size_t len);

/*
 * The whole slice. Padding may be left out, but is right where it stands (RFC 4568 6.1 discards
 * it); bits beyond the last octet are zero; nothing else than the alphabet. Returns the number of
 * octets, or -EINVAL, -ENOSPC beyond size. On failure the octets written are wiped.
 */
int cp_base64_decode(uint8_t *octets, size_t size, struct cp_slice text);

#endif
