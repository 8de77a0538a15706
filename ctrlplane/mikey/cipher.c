/* AES-CM and HMAC by OpenSSL. */
#include "ctrlplane/mikey/cipher.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include "ctrlplane/keys/secret.h"
#include "ctrlplane/mikey/hmac.h"

int
cp_mikey_mac_len(uint8_t alg)
{
	static const int8_t lens[] = {0, 20, 32};

	return alg <= CP_MIKEY_MAC_HMAC_SHA_256_256 ? lens[alg] : -1;
}

void
cp_mikey_iv(uint8_t iv[16], const uint8_t salt[CP_MIKEY_SALT], uint32_t csb_id, uint64_t t)
{
	memcpy(iv, salt, CP_MIKEY_SALT);
	iv[14] = iv[15] = 0;
	for (int i = 0; i < 4; i++)
		iv[2 + i] ^= (uint8_t)(csb_id >> (24 - 8 * i));
	for (int i = 0; i < 8; i++)
		iv[6 + i] ^= (uint8_t)(t >> (56 - 8 * i));
}

int
cp_mikey_aes_cm(uint8_t *octets, size_t len, const struct cp_mikey_key *key, const uint8_t iv[16])
{
	const EVP_CIPHER *cipher = key->len == 16   ? EVP_aes_128_ctr()
				   : key->len == 32 ? EVP_aes_256_ctr()
						    : NULL;
	EVP_CIPHER_CTX *ctx;
	int done = 0, error = -EIO;

	if (cipher == NULL || len > CP_MIKEY_MSG_MAX)
		return -EINVAL;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		return -ENOMEM;
	if (EVP_EncryptInit_ex(ctx, cipher, NULL, key->octets, iv) == 1 &&
	    EVP_EncryptUpdate(ctx, octets, &done, octets, (int)len) == 1 && done == (int)len)
		error = 0;
	EVP_CIPHER_CTX_free(ctx);
	return error;
}

int
cp_mikey_hmac(uint8_t *mac, uint8_t alg, const struct cp_mikey_key *key,
	      const struct cp_mikey_octets *parts, size_t count)
{
	struct cp_mikey_hmac hmac;

	if ((alg != CP_MIKEY_MAC_HMAC_SHA_1_160 && alg != CP_MIKEY_MAC_HMAC_SHA_256_256) ||
	    key->len == 0)
		return -EINVAL;
	cp_mikey_hmac_init(&hmac, alg == CP_MIKEY_MAC_HMAC_SHA_256_256, key->octets, key->len);
	cp_mikey_hmac_parts(mac, &hmac, parts, count);
	cp_wipe(&hmac, sizeof(hmac));
	return 0;
}

bool
cp_mikey_mac_is_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
