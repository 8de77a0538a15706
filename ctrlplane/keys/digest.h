/* SHA-256 of what is secret: what is kept of a bearer token. */
#ifndef CP_KEYS_DIGEST_H
#define CP_KEYS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_DIGEST_OCTETS 32

/* 0 or -EIO. */
int cp_digest_sha256(uint8_t out[CP_DIGEST_OCTETS], const void *octets, size_t len);

/* The time it takes does not depend on where they differ. */
bool cp_digest_is_equal(const uint8_t a[CP_DIGEST_OCTETS], const uint8_t b[CP_DIGEST_OCTETS]);

#endif
