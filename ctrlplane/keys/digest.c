/* SHA-256 of what is secret: what is kept of a bearer token. */
#include "ctrlplane/keys/digest.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

int
cp_digest_sha256(uint8_t out[CP_DIGEST_OCTETS], const void *octets, size_t len)
{
	unsigned int out_len = 0;

	if (EVP_Digest(octets, len, out, &out_len, EVP_sha256(), NULL) != 1 ||
	    out_len != CP_DIGEST_OCTETS)
		return -EIO;
	return 0;
}

bool
cp_digest_is_equal(const uint8_t a[CP_DIGEST_OCTETS], const uint8_t b[CP_DIGEST_OCTETS])
{
	return CRYPTO_memcmp(a, b, CP_DIGEST_OCTETS) == 0;
}
