/* Nonces with number, time and HMAC: RFC 7616 5.4 (limited use) and 3.4.5 (nonce count). */
#include "ctrlplane/sip/digest_nonce.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#define STAMP_DIGITS 32 /* 16 of the number, 16 of the time */
#define MAC_OCTETS 16

static void
mac_digits(const struct cp_nonces *n, const char *stamp, char digits[2 * MAC_OCTETS + 1])
{
	uint8_t mac[EVP_MAX_MD_SIZE];

	HMAC(EVP_sha256(), n->secret, sizeof(n->secret), (const uint8_t *)stamp, STAMP_DIGITS, mac,
	     NULL);
	for (int i = 0; i < MAC_OCTETS; i++)
		snprintf(digits + 2 * i, 3, "%02x", mac[i]);
}

static bool
digits_decode(uint64_t *value, const char *digits)
{
	uint64_t v = 0;

	for (int i = 0; i < 16; i++) {
		const char *all = "0123456789abcdef";
		const char *at = digits[i] ? strchr(all, digits[i]) : NULL;

		if (!at)
			return false;
		v = v << 4 | (uint64_t)(at - all);
	}
	*value = v;
	return true;
}

int
cp_nonces_init(struct cp_nonces *n, uint64_t lifetime_ms)
{
	memset(n, 0, sizeof(*n));
	n->lifetime_ms = lifetime_ms;
	return RAND_bytes(n->secret, sizeof(n->secret)) == 1 ? 0 : -EIO;
}

void
cp_nonces_fini(struct cp_nonces *n)
{
	OPENSSL_cleanse(n->secret, sizeof(n->secret));
}

void
cp_nonce_encode(struct cp_nonces *n, uint64_t now_ms, char text[CP_NONCE_TEXT])
{
	uint64_t number = n->made++;

	n->highest_nc[number % CP_NONCE_RING] = 0;
	snprintf(text, STAMP_DIGITS + 1, "%016llx%016llx", (unsigned long long)number,
		 (unsigned long long)now_ms);
	mac_digits(n, text, text + STAMP_DIGITS);
}

enum cp_nonce_verdict
cp_nonce_may_use(const struct cp_nonces *n, const char *text, uint32_t nc, uint64_t now_ms)
{
	char mac[2 * MAC_OCTETS + 1];
	uint64_t number, made_ms;

	if (strlen(text) != CP_NONCE_TEXT - 1)
		return CP_NONCE_UNKNOWN;
	mac_digits(n, text, mac);
	if (CRYPTO_memcmp(mac, text + STAMP_DIGITS, 2 * MAC_OCTETS) != 0)
		return CP_NONCE_UNKNOWN;
	if (!digits_decode(&number, text) || !digits_decode(&made_ms, text + 16))
		return CP_NONCE_UNKNOWN;
	if (number >= n->made || n->made - number > CP_NONCE_RING)
		return CP_NONCE_STALE;
	if (now_ms < made_ms || now_ms - made_ms > n->lifetime_ms)
		return CP_NONCE_STALE;
	return nc > n->highest_nc[number % CP_NONCE_RING] ? CP_NONCE_GOOD : CP_NONCE_STALE;
}

void
cp_nonce_commit(struct cp_nonces *n, const char *text, uint32_t nc)
{
	uint64_t number;

	if (digits_decode(&number, text))
		n->highest_nc[number % CP_NONCE_RING] = nc;
}
