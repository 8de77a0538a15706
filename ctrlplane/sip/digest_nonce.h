/*
 * Nonces of digest authentication (RFC 7616 5.4, 5.5): each carries its number, the time at which it was made and an HMAC
 * over both, so that nothing is kept for a nonce but the highest nonce count it was used with.
 */
#ifndef CP_SIP_DIGEST_NONCE_H
#define CP_SIP_DIGEST_NONCE_H

#include <stdint.h>

#define CP_NONCE_TEXT 65    /* 64 hexadecimal digits and the NUL */
#define CP_NONCE_RING 65536 /* so many nonces are remembered; older ones are stale */

/* Owner: the SIP agent; 256 KB. */
struct cp_nonces {
	uint8_t secret[32]; /* random at start: nonces do not outlive the process */
	uint64_t made;
	uint64_t lifetime_ms;
	uint32_t highest_nc[CP_NONCE_RING]; /* by number */
};

enum cp_nonce_verdict {
	CP_NONCE_GOOD,
	CP_NONCE_STALE, /* ours, but too old, or its count was used already: challenge with stale=true */
	CP_NONCE_UNKNOWN, /* not ours */
};

/* Returns 0 or -EIO when no randomness is to be had. */
int cp_nonces_init(struct cp_nonces *n, uint64_t lifetime_ms);
void cp_nonces_fini(struct cp_nonces *n);

void cp_nonce_encode(struct cp_nonces *n, uint64_t now_ms, char text[CP_NONCE_TEXT]);

/* May the nonce be used with this count? Changes nothing. */
enum cp_nonce_verdict cp_nonce_may_use(const struct cp_nonces *n, const char *text, uint32_t nc,
				       uint64_t now_ms);

/* The response was right: this count and all below it are used up. Only after cp_nonce_may_use said GOOD. */
void cp_nonce_commit(struct cp_nonces *n, const char *text, uint32_t nc);

#endif
