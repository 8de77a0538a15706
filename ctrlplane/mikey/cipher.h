/* AES-CM and HMAC as MIKEY uses them: RFC 3830 sections 4.2.3 and 4.2.4, RFC 6043 section 6.2. */
#ifndef CP_MIKEY_CIPHER_H
#define CP_MIKEY_CIPHER_H

#include "ctrlplane/mikey/base.h"

#define CP_MIKEY_SALT 14    /* octets of salt_key */
#define CP_MIKEY_MAC_MAX 32 /* octets */

/* Octets of the MAC of an algorithm; -1: no such algorithm. */
int cp_mikey_mac_len(uint8_t alg);

/* (S XOR (0x0000 || CSB ID || T)) || 0x0000 */
void cp_mikey_iv(uint8_t iv[16], const uint8_t salt[CP_MIKEY_SALT], uint32_t csb_id, uint64_t t);

/* Encrypts and decrypts, in place. Key of 16 or 32 octets. -EINVAL, -EIO. */
int cp_mikey_aes_cm(uint8_t *octets, size_t len, const struct cp_mikey_key *key,
		    const uint8_t iv[16]);

/* HMAC over the parts, one behind the other, into cp_mikey_mac_len octets. -EINVAL, -EIO. */
int cp_mikey_hmac(uint8_t *mac, uint8_t alg, const struct cp_mikey_key *key,
		  const struct cp_mikey_octets *parts, size_t count);

/* In time that depends on len only. */
bool cp_mikey_mac_is_same(const uint8_t *a, const uint8_t *b, size_t len);

#endif
