/* HTTP digest authentication for SIP (RFC 3261 22, RFC 7616, RFC 8760): MD5 and SHA-256, qop=auth. Pure. */
#ifndef CP_SIP_DIGEST_H
#define CP_SIP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_DIGEST_HEX 65    /* digits of the longest hash and the NUL */
#define CP_DIGEST_TEXT 2048 /* octets of parameters that we accept */

enum cp_digest_algorithm {
	CP_DIGEST_NONE = 0,
	CP_DIGEST_MD5,
	CP_DIGEST_SHA256,
};

/* What a client sent in Authorization. Strings lie in text, unquoted; absent ones are "". */
struct cp_digest_answer {
	enum cp_digest_algorithm algorithm; /* NONE: one that we do not know */
	uint32_t nc;
	const char *username, *realm, *nonce, *uri, *response, *cnonce, *qop, *nc_text;
	char text[CP_DIGEST_TEXT];
};

/*
 * Decode the parameters of an Authorization header, each "name=value" or "name=\"value\"", the array NULL-terminated.
 * Returns 0, -EINVAL when one that qop=auth needs is missing or malformed, -E2BIG.
 */
int cp_digest_decode(struct cp_digest_answer *a, const char *const *params);

/* H(user:realm:password) in hexadecimal. */
void cp_digest_ha1(enum cp_digest_algorithm algorithm, const char *user, const char *realm,
		   const char *password, char ha1[CP_DIGEST_HEX]);

/* What the response has to be (RFC 7616 3.4.1) for one who knows ha1. */
void cp_digest_expected(const struct cp_digest_answer *a, const char *ha1, const char *method,
			char expected[CP_DIGEST_HEX]);

/* Does the response prove knowledge of ha1? In constant time. */
bool cp_digest_is_right(const struct cp_digest_answer *a, const char *ha1, const char *method);

const char *cp_digest_name(enum cp_digest_algorithm algorithm);

#endif
