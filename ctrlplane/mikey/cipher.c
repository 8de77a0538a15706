/* AES-CM and HMAC by OpenSSL. */
#include "ctrlplane/mikey/cipher.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

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
	char digest[] = "SHA256", sha1[] = "SHA1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 alg == CP_MIKEY_MAC_HMAC_SHA_1_160 ? sha1 : digest,
						 0),
		OSSL_PARAM_END,
	};
	EVP_MAC *hmac;
	EVP_MAC_CTX *ctx;
	bool ok;

	if ((alg != CP_MIKEY_MAC_HMAC_SHA_1_160 && alg != CP_MIKEY_MAC_HMAC_SHA_256_256) ||
	    key->len == 0)
		return -EINVAL;
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	ctx = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
	ok = ctx != NULL && EVP_MAC_init(ctx, key->octets, key->len, params) == 1;
	for (size_t i = 0; i < count && ok; i++)
		ok = EVP_MAC_update(ctx, parts[i].at, parts[i].len) == 1;
	ok = ok && EVP_MAC_final(ctx, mac, NULL, CP_MIKEY_MAC_MAX) == 1;
	EVP_MAC_CTX_free(ctx); /* wipes its key */
	EVP_MAC_free(hmac);
	return ok ? 0 : -EIO;
}

bool
cp_mikey_mac_is_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
