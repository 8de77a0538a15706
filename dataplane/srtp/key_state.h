/*
 * An expanded master key: two sessions (SRTP hot, SRTCP cold behind it) of contiguous cache lines, in locked memory.
 *
 *   line 0          what was agreed: read at install, when a lifetime counts out, and with MKI
 *   SRTP session    AES-CM: ipad, opad and salt in one line, then the round keys (3 or 4 lines)
 *                   GCM: round keys and hash keys as ipsec-mb lays them out, the salt behind the last
 *   SRTCP session   the same
 */
#ifndef DP_SRTP_KEY_STATE_H
#define DP_SRTP_KEY_STATE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <intel-ipsec-mb.h>
#include "dataplane/api/suite.h"

struct dp_srtp_cm {
	uint8_t ipad[20]; /* SHA-1 states after the padded key: RFC 2104 4 */
	uint8_t opad[20];
	uint8_t salt[16]; /* RFC 3711 4.1.1: k_s * 2^16 */
	uint8_t zero[8];
	uint8_t round_keys[]; /* 11 x 16 or 15 x 16 */
} __attribute__((aligned(64)));

#define DP_SRTP_GCM_KEYS \
	offsetof(struct gcm_key_data, ghash_keys) + sizeof(((struct gcm_key_data *)0)->ghash_keys)

union dp_srtp_gcm {
	struct gcm_key_data keys;
	struct {
		uint8_t opaque[DP_SRTP_GCM_KEYS];
		uint8_t salt[16]; /* 12 used, RFC 7714 8.1 */
	};
};

static_assert(offsetof(struct dp_srtp_cm, round_keys) == 64, "the small parts fill one line");
static_assert(sizeof(union dp_srtp_gcm) == 1024, "the salt lies in the padding of the last line");

struct dp_srtp_key {
	uint64_t lifetime_rtp, lifetime_rtcp; /* packets, never 0 */
	uint8_t suite;
	uint8_t mki_len;
	bool is_srtp_plain;
	bool is_srtcp_plain;
	uint16_t session_size;
	uint8_t mki[DP_SRTP_MKI_MAX];
	uint8_t session[]
		__attribute__((aligned(64))); /* struct dp_srtp_cm or union dp_srtp_gcm, twice */
} __attribute__((aligned(64)));

static_assert(offsetof(struct dp_srtp_key, session) == 64, "one line in front");

/* Session keys as RFC 3711 4.3 derives them; auth only for AES-CM. */
struct dp_srtp_session {
	uint8_t cipher[DP_SRTP_KEY_MAX];
	uint8_t auth[20];
	uint8_t salt[DP_SRTP_SALT_MAX];
};

static inline void *
dp_srtp_session_at(const struct dp_srtp_key *key, bool is_rtcp)
{
	return (uint8_t *)(uintptr_t)key->session + (is_rtcp ? key->session_size : 0);
}

static inline bool
dp_srtp_suite_is_gcm(unsigned suite)
{
	return suite >= DP_SUITE_AEAD_AES_128_GCM;
}

static inline bool
dp_srtp_suite_is_256(unsigned suite)
{
	return suite == DP_SUITE_AES_256_CM_HMAC_SHA1_80 || suite == DP_SUITE_AEAD_AES_256_GCM;
}

/* Octets of tag; the -32 suite keeps 80 bits in SRTCP (RFC 4568 6.2.2). */
static inline unsigned
dp_srtp_suite_tag(unsigned suite, bool is_rtcp)
{
	if (dp_srtp_suite_is_gcm(suite))
		return 16;
	return suite == DP_SUITE_AES_CM_128_HMAC_SHA1_32 && !is_rtcp ? 4 : 10;
}

/* Derives one session (RFC 3711 4.3.1, 4.3.3; key_derivation_rate 0). */
void dp_srtp_derive(struct IMB_MGR *mgr, struct dp_srtp_session *out, const uint8_t *master,
		    const uint8_t *salt, enum dp_suite suite, bool is_rtcp);

/* Expands a session into its place in key; overwrites what is there. */
void dp_srtp_expand(struct IMB_MGR *mgr, struct dp_srtp_key *key, bool is_rtcp,
		    const struct dp_srtp_session *session);

/* The same octets in both: the same master key and salt under the same suite. Constant time in the octets. */
bool dp_srtp_key_is_same(const struct dp_srtp_key *a, const struct dp_srtp_key *b);

#endif
