/* Digest credentials of a participant (RFC 7616, RFC 8760): SHA-256 where it is offered, else MD5. */
#ifndef BENCH_LOAD_DIGEST_H
#define BENCH_LOAD_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

/* One challenge, quotes taken off; NULL: absent. */
struct ue_challenge {
	const char *realm, *nonce, *opaque, *algorithm, *qop;
};

/* 2 SHA-256, 1 MD5, 0 one that we cannot answer. */
int ue_digest_strength(const struct ue_challenge *c);

/* The value of (Proxy-)Authorization. 0; -ENOTSUP; -ENOSPC. cnonce: 16 hex digits of the caller's making. */
int ue_digest_answer(char *out, size_t size, const struct ue_challenge *c,
		     const char *method_uri[2], const char *user_password[2], const char *cnonce);

#endif
