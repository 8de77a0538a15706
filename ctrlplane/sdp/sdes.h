/* a=crypto lines: SDP security descriptions for SRTP (RFC 4568 sections 6 and 9, RFC 6188, RFC
 * 7714). */
#ifndef CP_SDP_SDES_H
#define CP_SDP_SDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"
#include "ctrlplane/keys/keys.h"

#define CP_SDES_KEYS_MAX 2   /* of one line; more than we can hold at a time is refused */
#define CP_SDES_LINE_MAX 384 /* octets of an encoded line with its NUL */

/* What a line is. */
enum cp_sdes_verdict {
	CP_SDES_FINE = 0,
	CP_SDES_INVALID,     /* violates RFC 4568: as if it did not stand there */
	CP_SDES_UNSUPPORTED, /* valid, but a suite, method or parameter that we do not do */
};

enum cp_sdes_flag {
	CP_SDES_PLAIN_SRTP = 1 << 0,
	CP_SDES_PLAIN_SRTCP = 1 << 1,
	CP_SDES_UNAUTHENTICATED = 1 << 2,
};

/* One line, taken apart. Holds keys: end it with cp_sdes_drop. */
struct cp_sdes {
	uint32_t tag;
	enum dp_suite suite;
	uint8_t key_count;
	uint8_t flags;	 /* enum cp_sdes_flag: negotiated, so repeated in an answer */
	const char *why; /* what is wrong, for people; never holds input */
	struct cp_key keys[CP_SDES_KEYS_MAX];
};

/* value is what follows "a=crypto:". The tag is set when it could be read. Keys are there only when
 * FINE. */
enum cp_sdes_verdict cp_sdes_decode(struct cp_sdes *out, struct cp_slice value);
void cp_sdes_drop(struct cp_sdes *sdes);

/* "1 AES_CM_128_HMAC_SHA1_80 inline:…": what follows "a=crypto:". Returns its length or -ENOSPC. */
int cp_sdes_encode(char *text, size_t size, uint32_t tag, const struct cp_key *key, uint8_t flags);

#endif
