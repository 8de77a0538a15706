/* Digest authentication: RFC 7616 3.4 with the algorithms of RFC 8760 that SIP phones have. */
#include "ctrlplane/sip/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

const char *
cp_digest_name(enum cp_digest_algorithm algorithm)
{
	switch (algorithm) {
	case CP_DIGEST_MD5:
		return "MD5";
	case CP_DIGEST_SHA256:
		return "SHA-256";
	case CP_DIGEST_NONE:
		break;
	}
	return "";
}

/* Hash of the parts joined by colons, in hexadecimal; parts end with NULL. */
static void
hash_parts(enum cp_digest_algorithm algorithm, const char *const *parts, char hex[CP_DIGEST_HEX])
{
	const EVP_MD *md = algorithm == CP_DIGEST_SHA256 ? EVP_sha256() : EVP_md5();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t hash[EVP_MAX_MD_SIZE] = {0};
	unsigned int len = 0;

	hex[0] = '\0';
	if (!ctx || EVP_DigestInit_ex(ctx, md, NULL) != 1)
		goto out;
	for (int i = 0; parts[i]; i++) {
		if (i)
			EVP_DigestUpdate(ctx, ":", 1);
		EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]));
	}
	if (EVP_DigestFinal_ex(ctx, hash, &len) != 1)
		len = 0;
	for (unsigned int i = 0; i < len && i < (CP_DIGEST_HEX - 1) / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
out:
	EVP_MD_CTX_free(ctx);
	OPENSSL_cleanse(hash, sizeof(hash));
}

/* Copy a value without its quotes and backslashes to *at; NULL when it does not fit or its quotes do not match. */
static const char *
value_copy(const char *value, char **at, const char *end)
{
	char *out = *at;
	bool is_quoted = *value == '"';

	if (is_quoted)
		value++;
	for (; *value && !(is_quoted && *value == '"'); value++) {
		if (is_quoted && *value == '\\' && value[1])
			value++;
		if (*at + 1 >= end)
			return NULL;
		*(*at)++ = *value;
	}
	if (is_quoted && (*value != '"' || value[1] != '\0'))
		return NULL;
	if (*at >= end)
		return NULL;
	*(*at)++ = '\0';
	return out;
}

static int
nc_decode(uint32_t *nc, const char *text)
{
	uint32_t v = 0;

	if (strlen(text) != 8)
		return -EINVAL;
	for (int i = 0; i < 8; i++) {
		int c = text[i] | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else
			return -EINVAL;
	}
	*nc = v;
	return 0;
}

static enum cp_digest_algorithm
algorithm_decode(const char *name)
{
	if (!*name || strcasecmp(name, "MD5") == 0) /* RFC 7616 3.4: absent means MD5 */
		return CP_DIGEST_MD5;
	if (strcasecmp(name, "SHA-256") == 0)
		return CP_DIGEST_SHA256;
	return CP_DIGEST_NONE;
}

int
cp_digest_decode(struct cp_digest_answer *a, const char *const *params)
{
	const char *algorithm = "";
	struct {
		const char *name;
		const char **into;
	} known[] = {
		{"username", &a->username}, {"realm", &a->realm},	{"nonce", &a->nonce},
		{"uri", &a->uri},	    {"response", &a->response}, {"cnonce", &a->cnonce},
		{"qop", &a->qop},	    {"nc", &a->nc_text},	{"algorithm", &algorithm},
	};
	const size_t count = sizeof(known) / sizeof(known[0]);
	char *at = a->text;

	for (size_t k = 0; k < count; k++)
		*known[k].into = "";
	a->nc = 0;
	for (; params && *params; params++) {
		size_t name_len = strcspn(*params, "=");

		for (size_t k = 0; k < count; k++) {
			if (strlen(known[k].name) != name_len || (*params)[name_len] != '=' ||
			    strncasecmp(known[k].name, *params, name_len) != 0)
				continue;
			if (**known[k].into)
				return -EINVAL; /* twice */
			*known[k].into =
				value_copy(*params + name_len + 1, &at, a->text + sizeof(a->text));
			if (!*known[k].into) {
				*known[k].into = "";
				return -E2BIG;
			}
		}
	}
	a->algorithm = algorithm_decode(algorithm);
	if (!*a->username || !*a->nonce || !*a->uri || !*a->response || !*a->cnonce ||
	    strcasecmp(a->qop, "auth") != 0)
		return -EINVAL;
	return nc_decode(&a->nc, a->nc_text);
}

void
cp_digest_ha1(enum cp_digest_algorithm algorithm, const char *user, const char *realm,
	      const char *password, char ha1[CP_DIGEST_HEX])
{
	hash_parts(algorithm, (const char *const[]){user, realm, password, NULL}, ha1);
}

void
cp_digest_expected(const struct cp_digest_answer *a, const char *ha1, const char *method,
		   char expected[CP_DIGEST_HEX])
{
	char ha2[CP_DIGEST_HEX];

	hash_parts(a->algorithm, (const char *const[]){method, a->uri, NULL}, ha2);
	hash_parts(a->algorithm,
		   (const char *const[]){ha1, a->nonce, a->nc_text, a->cnonce, a->qop, ha2, NULL},
		   expected);
}

bool
cp_digest_is_right(const struct cp_digest_answer *a, const char *ha1, const char *method)
{
	char expected[CP_DIGEST_HEX];
	size_t len;
	bool is_right;

	if (a->algorithm == CP_DIGEST_NONE || !ha1 || !*ha1)
		return false;
	cp_digest_expected(a, ha1, method, expected);
	len = strlen(expected);
	is_right = len > 0 && strlen(a->response) == len &&
		   CRYPTO_memcmp(expected, a->response, len) == 0;
	OPENSSL_cleanse(expected, sizeof(expected));
	return is_right;
}
