/* Sizes of the SRTP suites (RFC 3711 8.2, RFC 4568 6.2, RFC 6188, RFC 7714 12). */
#include "dataplane/api/suite.h"

static const struct dp_suite_info rows[DP_SUITE_COUNT] = {
	[DP_SUITE_NONE] = {"none", 0, 0, 0, 0, 0},
	[DP_SUITE_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, 0},
	[DP_SUITE_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, 0},
	[DP_SUITE_AES_256_CM_HMAC_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10, 0},
	[DP_SUITE_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16, 16, 1},
	[DP_SUITE_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, 16, 16, 1},
};

const struct dp_suite_info *
dp_suite_info(enum dp_suite suite)
{
	return &rows[(unsigned)suite < DP_SUITE_COUNT ? suite : DP_SUITE_NONE];
}
