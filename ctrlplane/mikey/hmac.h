/*
 * HMAC (RFC 2104) with SHA-1 and SHA-256 under a key that is prepared once. A derivation takes several
 * HMACs under one key, an exchange at the KMS some thirty; OpenSSL's own look up and allocate for each.
 */
#ifndef CP_MIKEY_HMAC_H
#define CP_MIKEY_HMAC_H

/* SHA1_Init and the like are there to stay, but named deprecated for the sake of providers. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include "ctrlplane/mikey/base.h"

#define CP_MIKEY_HMAC_KEY_MAX 64 /* octets: a block */

/* The hash once it has eaten key XOR ipad, and key XOR opad. A secret: the caller wipes it. */
struct cp_mikey_hmac {
	bool is_256;
	union {
		SHA_CTX sha1;
		SHA256_CTX sha256;
	} inner, outer;
};

void cp_mikey_hmac_init(struct cp_mikey_hmac *hmac, bool is_256, const uint8_t *key, size_t len);

/* 20 or 32 octets over text, or over the parts one behind the other. mac may lie in text. */
void cp_mikey_hmac_once(uint8_t *mac, const struct cp_mikey_hmac *hmac, const uint8_t *text,
			size_t len);
void cp_mikey_hmac_parts(uint8_t *mac, const struct cp_mikey_hmac *hmac,
			 const struct cp_mikey_octets *parts, size_t count);

#endif
