/* Suites as lists of SRTP parameters. */
#include "ctrlplane/mikey/sp.h"

#include <string.h>

enum {
	SP_ENCR = 0,
	SP_KEY_LEN = 1,
	SP_AUTH = 2,
	SP_AUTH_KEY_LEN = 3,
	SP_SALT_LEN = 4,
	SP_PRF = 5,
	SP_KDR = 6,
	SP_RTP_ENCR = 7,
	SP_RTCP_ENCR = 8,
	SP_FEC = 9,
	SP_RTP_AUTH = 10,
	SP_TAG_LEN = 11,
	SP_PREFIX = 12,
	SP_AEAD_TAG_LEN = 20,
	SP_COUNT = 21
};

enum { ENCR_AES_CM = 1, ENCR_AES_GCM = 6, AUTH_HMAC_SHA_1 = 1, AUTH_KEY_LEN = 20 };

size_t
cp_mikey_sp_encode(uint8_t params[CP_MIKEY_SP_MAX], enum dp_suite suite)
{
	const struct dp_suite_info *info = dp_suite_info(suite);
	const uint8_t cm[] = {
		SP_ENCR,	 1, ENCR_AES_CM,
		SP_KEY_LEN,	 1, info->key,
		SP_AUTH,	 1, AUTH_HMAC_SHA_1,
		SP_AUTH_KEY_LEN, 1, AUTH_KEY_LEN,
		SP_SALT_LEN,	 1, info->salt,
		SP_PRF,		 1, 0,
		SP_RTP_ENCR,	 1, 1,
		SP_RTCP_ENCR,	 1, 1,
		SP_RTP_AUTH,	 1, 1,
		SP_TAG_LEN,	 1, info->rtp_tag,
	};
	const uint8_t gcm[] = {
		SP_ENCR,	 1, ENCR_AES_GCM,
		SP_KEY_LEN,	 1, info->key,
		SP_SALT_LEN,	 1, info->salt,
		SP_PRF,		 1, 0,
		SP_RTP_ENCR,	 1, 1,
		SP_RTCP_ENCR,	 1, 1,
		SP_AEAD_TAG_LEN, 1, info->rtp_tag,
	};

	_Static_assert(sizeof(cm) <= CP_MIKEY_SP_MAX, "room for a policy");
	memcpy(params, info->aead ? gcm : cm, info->aead ? sizeof(gcm) : sizeof(cm));
	return info->aead ? sizeof(gcm) : sizeof(cm);
}

/* Values by type. given: bits of those that stand there. false: no parameters of SRTP, or one twice. */
static bool
read_params(uint8_t values[SP_COUNT], uint32_t *given, struct cp_mikey_octets params)
{
	*given = 0;
	for (size_t at = 0; at < params.len; at += 3) {
		uint8_t type = params.at[at];

		if (params.len - at < 3 || params.at[at + 1] != 1 || type >= SP_COUNT ||
		    (*given & 1u << type) != 0)
			return false;
		*given |= 1u << type;
		values[type] = params.at[at + 2];
	}
	return true;
}

static enum dp_suite
gcm_suite(const uint8_t values[SP_COUNT], uint32_t given)
{
	const uint32_t allowed = 1u << SP_ENCR | 1u << SP_KEY_LEN | 1u << SP_SALT_LEN |
				 1u << SP_PRF | 1u << SP_KDR | 1u << SP_RTP_ENCR |
				 1u << SP_RTCP_ENCR | 1u << SP_FEC | 1u << SP_PREFIX |
				 1u << SP_AEAD_TAG_LEN;

	if ((given & ~allowed) != 0 || values[SP_AEAD_TAG_LEN] != 16)
		return DP_SUITE_NONE;
	if ((given & 1u << SP_SALT_LEN) != 0 && values[SP_SALT_LEN] != 12)
		return DP_SUITE_NONE;
	if (values[SP_KEY_LEN] == 16)
		return DP_SUITE_AEAD_AES_128_GCM;
	return values[SP_KEY_LEN] == 32 ? DP_SUITE_AEAD_AES_256_GCM : DP_SUITE_NONE;
}

static enum dp_suite
cm_suite(const uint8_t values[SP_COUNT], uint32_t given)
{
	if (values[SP_AUTH] != AUTH_HMAC_SHA_1 || values[SP_AUTH_KEY_LEN] != AUTH_KEY_LEN ||
	    values[SP_SALT_LEN] != 14 || values[SP_RTP_AUTH] != 1 ||
	    (given & 1u << SP_AEAD_TAG_LEN) != 0)
		return DP_SUITE_NONE;
	if (values[SP_KEY_LEN] == 16 && values[SP_TAG_LEN] == 10)
		return DP_SUITE_AES_CM_128_HMAC_SHA1_80;
	if (values[SP_KEY_LEN] == 16 && values[SP_TAG_LEN] == 4)
		return DP_SUITE_AES_CM_128_HMAC_SHA1_32;
	if (values[SP_KEY_LEN] == 32 && values[SP_TAG_LEN] == 10)
		return DP_SUITE_AES_256_CM_HMAC_SHA1_80;
	return DP_SUITE_NONE;
}

enum dp_suite
cp_mikey_sp_decode(struct cp_mikey_octets params)
{
	uint8_t values[SP_COUNT] = {
		[SP_ENCR] = ENCR_AES_CM,     [SP_KEY_LEN] = 16,
		[SP_AUTH] = AUTH_HMAC_SHA_1, [SP_AUTH_KEY_LEN] = AUTH_KEY_LEN,
		[SP_SALT_LEN] = 14,	     [SP_RTP_ENCR] = 1,
		[SP_RTCP_ENCR] = 1,	     [SP_RTP_AUTH] = 1,
		[SP_TAG_LEN] = 10,	     [SP_AEAD_TAG_LEN] = 16,
	};
	uint32_t given;

	if (!read_params(values, &given, params) ||
	    (given & 0x000FE000) != 0) /* 13 to 19: RFC 4771 */
		return DP_SUITE_NONE;
	if (values[SP_PRF] != 0 || values[SP_KDR] != 0 || values[SP_RTP_ENCR] != 1 ||
	    values[SP_RTCP_ENCR] != 1 || values[SP_FEC] != 0 || values[SP_PREFIX] != 0)
		return DP_SUITE_NONE;
	if (values[SP_ENCR] == ENCR_AES_GCM)
		return gcm_suite(values, given);
	return values[SP_ENCR] == ENCR_AES_CM ? cm_suite(values, given) : DP_SUITE_NONE;
}
