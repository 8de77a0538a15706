/* RFC 7616 3.4.1: response = H(H(user:realm:password):nonce:nc:cnonce:qop:H(method:uri)). */
#include "bench/load/digest.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/evp.h>

#define HEX_MAX (2 * EVP_MAX_MD_SIZE + 1)

int
ue_digest_strength(const struct ue_challenge *c)
{
	if (!c->realm || !c->nonce)
		return 0;
	if (!c->algorithm || strcasecmp(c->algorithm, "MD5") == 0)
		return 1;
	return strcasecmp(c->algorithm, "SHA-256") == 0 ? 2 : 0;
}

static void
hash_hex(char out[HEX_MAX], const EVP_MD *md, const char *text)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	out[0] = '\0';
	if (EVP_Digest(text, strlen(text), sum, &len, md, NULL) != 1)
		return;
	for (unsigned i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

int
ue_digest_answer(char *out, size_t size, const struct ue_challenge *c, const char *method_uri[2],
		 const char *user_password[2], const char *cnonce)
{
	const EVP_MD *md = ue_digest_strength(c) == 2 ? EVP_sha256() : EVP_md5();
	char text[1024], ha1[HEX_MAX], ha2[HEX_MAX], response[HEX_MAX];
	bool has_qop = c->qop && strstr(c->qop, "auth");
	int n;

	if (ue_digest_strength(c) == 0)
		return -ENOTSUP;
	snprintf(text, sizeof(text), "%s:%s:%s", user_password[0], c->realm, user_password[1]);
	hash_hex(ha1, md, text);
	explicit_bzero(text, sizeof(text));
	snprintf(text, sizeof(text), "%s:%s", method_uri[0], method_uri[1]);
	hash_hex(ha2, md, text);
	if (has_qop)
		snprintf(text, sizeof(text), "%s:%s:00000001:%s:auth:%s", ha1, c->nonce, cnonce,
			 ha2);
	else
		snprintf(text, sizeof(text), "%s:%s:%s", ha1, c->nonce, ha2);
	hash_hex(response, md, text);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(ha1, sizeof(ha1));
	n = snprintf(out, size,
		     "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
		     "response=\"%s\", algorithm=%s",
		     user_password[0], c->realm, c->nonce, method_uri[1], response,
		     c->algorithm ? c->algorithm : "MD5");
	if (has_qop && n > 0 && (size_t)n < size)
		n += snprintf(out + n, size - (size_t)n, ", qop=auth, nc=00000001, cnonce=\"%s\"",
			      cnonce);
	if (c->opaque && n > 0 && (size_t)n < size)
		n += snprintf(out + n, size - (size_t)n, ", opaque=\"%s\"", c->opaque);
	return n > 0 && (size_t)n < size ? 0 : -ENOSPC;
}
