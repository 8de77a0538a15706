/* HMAC with SHA-1 and SHA-256 under a key that is prepared once. */
#include "ctrlplane/mikey/hmac.h"

#include <assert.h>
#include <string.h>
#include "ctrlplane/keys/secret.h"

#define BLOCK 64

void
cp_mikey_hmac_init(struct cp_mikey_hmac *hmac, bool is_256, const uint8_t *key, size_t len)
{
	uint8_t pad[BLOCK];

	assert(len <= CP_MIKEY_HMAC_KEY_MAX);
	hmac->is_256 = is_256;
	memset(pad, 0x36, sizeof(pad));
	for (size_t i = 0; i < len; i++)
		pad[i] ^= key[i];
	if (is_256) {
		SHA256_Init(&hmac->inner.sha256);
		SHA256_Update(&hmac->inner.sha256, pad, sizeof(pad));
	} else {
		SHA1_Init(&hmac->inner.sha1);
		SHA1_Update(&hmac->inner.sha1, pad, sizeof(pad));
	}
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	if (is_256) {
		SHA256_Init(&hmac->outer.sha256);
		SHA256_Update(&hmac->outer.sha256, pad, sizeof(pad));
	} else {
		SHA1_Init(&hmac->outer.sha1);
		SHA1_Update(&hmac->outer.sha1, pad, sizeof(pad));
	}
	cp_wipe(pad, sizeof(pad));
}

static void
run_256(uint8_t *mac, const struct cp_mikey_hmac *hmac, const struct cp_mikey_octets *parts,
	size_t count)
{
	SHA256_CTX hash = hmac->inner.sha256;
	uint8_t digest[SHA256_DIGEST_LENGTH];

	for (size_t i = 0; i < count; i++)
		SHA256_Update(&hash, parts[i].at, parts[i].len);
	SHA256_Final(digest, &hash);
	hash = hmac->outer.sha256;
	SHA256_Update(&hash, digest, sizeof(digest));
	SHA256_Final(mac, &hash);
	cp_wipe(digest, sizeof(digest));
	cp_wipe(&hash, sizeof(hash));
}

static void
run_1(uint8_t *mac, const struct cp_mikey_hmac *hmac, const struct cp_mikey_octets *parts,
      size_t count)
{
	SHA_CTX hash = hmac->inner.sha1;
	uint8_t digest[SHA_DIGEST_LENGTH];

	for (size_t i = 0; i < count; i++)
		SHA1_Update(&hash, parts[i].at, parts[i].len);
	SHA1_Final(digest, &hash);
	hash = hmac->outer.sha1;
	SHA1_Update(&hash, digest, sizeof(digest));
	SHA1_Final(mac, &hash);
	cp_wipe(digest, sizeof(digest));
	cp_wipe(&hash, sizeof(hash));
}

void
cp_mikey_hmac_parts(uint8_t *mac, const struct cp_mikey_hmac *hmac,
		    const struct cp_mikey_octets *parts, size_t count)
{
	if (hmac->is_256)
		run_256(mac, hmac, parts, count);
	else
		run_1(mac, hmac, parts, count);
}

void
cp_mikey_hmac_once(uint8_t *mac, const struct cp_mikey_hmac *hmac, const uint8_t *text, size_t len)
{
	const struct cp_mikey_octets part = {text, len};

	cp_mikey_hmac_parts(mac, hmac, &part, 1);
}
