/* SRTP crypto suites of the profile (RFC 3711, 6188, 7714) and the sizes that follow from them. */
#ifndef DP_API_SUITE_H
#define DP_API_SUITE_H

#include <stdint.h>

enum dp_suite {
	DP_SUITE_NONE = 0, /* plain RTP: only where a conference's policy allows it */
	DP_SUITE_AES_CM_128_HMAC_SHA1_80,
	DP_SUITE_AES_CM_128_HMAC_SHA1_32,
	DP_SUITE_AES_256_CM_HMAC_SHA1_80,
	DP_SUITE_AEAD_AES_128_GCM,
	DP_SUITE_AEAD_AES_256_GCM,
	DP_SUITE_COUNT
};

#define DP_SRTP_KEY_MAX 32  /* octets of the longest master key */
#define DP_SRTP_SALT_MAX 14 /* octets of the longest master salt */
#define DP_SRTP_TAG_MAX 16  /* octets of the longest authentication tag */
#define DP_SRTP_MKI_MAX \
	16 /* octets of MKI that we hold; RFC 4568 allows 128, longer is refused by policy */
#define DP_SRTP_MAX_PACKETS (1ULL << 48)  /* RFC 3711 9.2: SRTP packets per master key */
#define DP_SRTCP_MAX_PACKETS (1ULL << 31) /* and SRTCP packets */

/* Octets, by suite. rtcp_tag differs from rtp_tag for the _32 suite (RFC 4568 6.2). */
struct dp_suite_info {
	const char *name; /* the SDES name, RFC 4568 6.2 and RFC 7714 14.1 */
	uint8_t key;
	uint8_t salt;
	uint8_t rtp_tag;
	uint8_t rtcp_tag;
	uint8_t aead;
};

/* The row of a suite; an unknown number gives the row of DP_SUITE_NONE. */
const struct dp_suite_info *dp_suite_info(enum dp_suite suite);

#endif
