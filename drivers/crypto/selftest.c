/* Known answers: RFC 3711 B.2 and RFC 6188 7.1 (AES-CM), RFC 2202 3 (HMAC-SHA1), RFC 7714 16 (AES-GCM). */
#include "drivers/crypto/crypto.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <intel-ipsec-mb.h>

#define JOBS 17 /* one more than the lanes of the widest HMAC */
#define STREAM 48

struct ctr_answer {
	const char *name;
	uint8_t key[32];
	int key_len;
	uint8_t stream[STREAM];
};

static const uint8_t ctr_iv[16] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
				   0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0x00, 0x00};

/* clang-format off */
static const struct ctr_answer ctr_answers[] = {
	{"AES-CM-128 (RFC 3711 B.2) gives a wrong keystream on this CPU",
	 {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c}, 16,
	 {0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4,
	  0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7, 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab,
	  0x41, 0xe9, 0x5b, 0x3b, 0xb0, 0xa2, 0xe8, 0xdd, 0x47, 0x79, 0x01, 0xe4, 0xfc, 0xa8, 0x94, 0xc0}},
	{"AES-CM-256 (RFC 6188 7.1) gives a wrong keystream on this CPU",
	 {0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f, 0xd1, 0x70, 0xa8, 0x5e, 0xc9, 0x3c, 0x40, 0xb1, 0xf0, 0x92,
	  0x2e, 0xc4, 0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82, 0x72, 0x14, 0x7c, 0xc4, 0x38, 0x94, 0x4a, 0x98}, 32,
	 {0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77, 0xd0, 0x8b, 0x55, 0x15, 0xa4,
	  0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8, 0x54, 0xf6, 0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac,
	  0x63, 0xc4, 0x86, 0x8b, 0x70, 0x96, 0xd8, 0x84, 0x21, 0xb5, 0x63, 0xb8, 0xc9, 0x4c, 0x9a, 0x31}},
};

/* RFC 7714 16: key 00 01 02 .., IV, AAD and text of all its RTP examples. */
static const uint8_t gcm_iv[12] = {0x51, 0x75, 0x3c, 0x65, 0x80, 0xc2, 0x72, 0x6f, 0x20, 0x71, 0x84, 0x14};
static const uint8_t gcm_aad[12] = {0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2};
static const char gcm_text[] = "Gallia est omnis divisa in partes tres";
static const uint8_t gcm128_answer[38 + 16] = {
	0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e, 0x4b, 0xca, 0xbe, 0x63,
	0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a, 0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf,
	0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1, 0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce};
static const uint8_t gcm256_answer[38 + 16] = {
	0x32, 0xb1, 0xde, 0x78, 0xa8, 0x22, 0xfe, 0x12, 0xef, 0x9f, 0x78, 0xfa, 0x33, 0x2e, 0x33, 0xaa, 0xb1, 0x80,
	0x12, 0x38, 0x9a, 0x58, 0xe2, 0xf3, 0xb5, 0x0b, 0x2a, 0x02, 0x76, 0xff, 0xae, 0x0f, 0x1b, 0xa6, 0x37, 0x99,
	0xb8, 0x7b, 0x7a, 0xa3, 0xdb, 0x36, 0xdf, 0xff, 0xd6, 0xb0, 0xf9, 0xbb, 0x78, 0x78, 0xd7, 0xa7, 0x6c, 0x13};

/* RFC 2202 3, test case 1: key 20 x 0b, "Hi There". */
static const uint8_t hmac_answer[12] = {0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b, 0xc0, 0xb6};
/* clang-format on */

static bool
ctr_is_right(struct IMB_MGR *mgr, const struct ctr_answer *answer)
{
	DECLARE_ALIGNED(uint8_t keys[16 * 15], 16);
	DECLARE_ALIGNED(uint8_t unused[16 * 15], 16);
	uint8_t text[2][STREAM] = {{0}};
	IMB_JOB jobs[2] = {{0}};

	if (answer->key_len == 16)
		IMB_AES_KEYEXP_128(mgr, answer->key, keys, unused);
	else
		IMB_AES_KEYEXP_256(mgr, answer->key, keys, unused);
	for (int i = 0; i < 2; i++) {
		jobs[i].enc_keys = keys;
		jobs[i].key_len_in_bytes = (uint64_t)answer->key_len;
		jobs[i].src = jobs[i].dst = text[i];
		jobs[i].msg_len_to_cipher_in_bytes = STREAM - (unsigned)i; /* a broken block too */
		jobs[i].iv = ctr_iv;
		jobs[i].iv_len_in_bytes = sizeof(ctr_iv);
	}
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(mgr, jobs, 2, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
					answer->key_len == 16 ? IMB_KEY_128_BYTES
							      : IMB_KEY_256_BYTES);
	return memcmp(text[0], answer->stream, STREAM) == 0 &&
	       memcmp(text[1], answer->stream, STREAM - 1) == 0 && text[1][STREAM - 1] == 0;
}

static bool
hmac_is_right(struct IMB_MGR *mgr)
{
	static const char text[] = "Hi There";
	uint8_t block[64], ipad[20], opad[20], tags[JOBS][12] = {{0}};
	IMB_JOB jobs[JOBS] = {{0}};
	bool is_right = true;

	memset(block, 0x36, sizeof(block));
	memset(block, 0x36 ^ 0x0b, 20);
	IMB_SHA1_ONE_BLOCK(mgr, block, ipad);
	memset(block, 0x5c, sizeof(block));
	memset(block, 0x5c ^ 0x0b, 20);
	IMB_SHA1_ONE_BLOCK(mgr, block, opad);
	for (int i = 0; i < JOBS; i++) {
		jobs[i].src = (const uint8_t *)text;
		jobs[i].msg_len_to_hash_in_bytes = sizeof(text) - 1;
		jobs[i].u.HMAC._hashed_auth_key_xor_ipad = ipad;
		jobs[i].u.HMAC._hashed_auth_key_xor_opad = opad;
		jobs[i].auth_tag_output = tags[i];
		jobs[i].auth_tag_output_len_in_bytes = sizeof(tags[i]);
	}
	IMB_SUBMIT_HASH_BURST_NOCHECK(mgr, jobs, JOBS, IMB_AUTH_HMAC_SHA_1);
	for (int i = 0; i < JOBS; i++)
		is_right &= memcmp(tags[i], hmac_answer, sizeof(hmac_answer)) == 0;
	return is_right;
}

static bool
gcm_is_right(struct IMB_MGR *mgr, bool is_256, const uint8_t *answer)
{
	struct gcm_key_data key;
	struct gcm_context_data ctx;
	uint8_t raw[32], out[38 + 16];
	const uint8_t *text = (const uint8_t *)gcm_text;

	for (int i = 0; i < 32; i++)
		raw[i] = (uint8_t)i;
	if (is_256) {
		IMB_AES256_GCM_PRE(mgr, raw, &key);
		IMB_AES256_GCM_ENC(mgr, &key, &ctx, out, text, 38, gcm_iv, gcm_aad, 12, out + 38,
				   16);
	} else {
		IMB_AES128_GCM_PRE(mgr, raw, &key);
		IMB_AES128_GCM_ENC(mgr, &key, &ctx, out, text, 38, gcm_iv, gcm_aad, 12, out + 38,
				   16);
	}
	if (memcmp(out, answer, sizeof(out)) != 0)
		return false;
	if (is_256)
		IMB_AES256_GCM_DEC(mgr, &key, &ctx, out, out, 38, gcm_iv, gcm_aad, 12, out + 38,
				   16);
	else
		IMB_AES128_GCM_DEC(mgr, &key, &ctx, out, out, 38, gcm_iv, gcm_aad, 12, out + 38,
				   16);
	return memcmp(out, text, 38) == 0 && memcmp(out + 38, answer + 38, 16) == 0;
}

const char *
drv_crypto_selftest(struct IMB_MGR *mgr)
{
	for (unsigned i = 0; i < sizeof(ctr_answers) / sizeof(ctr_answers[0]); i++)
		if (!ctr_is_right(mgr, &ctr_answers[i]))
			return ctr_answers[i].name;
	if (!hmac_is_right(mgr))
		return "HMAC-SHA1 (RFC 2202) gives a wrong tag on this CPU";
	if (!gcm_is_right(mgr, false, gcm128_answer))
		return "AES-128-GCM (RFC 7714 16.1) gives a wrong answer on this CPU";
	if (!gcm_is_right(mgr, true, gcm256_answer))
		return "AES-256-GCM (RFC 7714 16.2) gives a wrong answer on this CPU";
	if ((mgr->features & IMB_FEATURE_SELF_TEST) &&
	    !(mgr->features & IMB_FEATURE_SELF_TEST_PASS))
		return "intel-ipsec-mb's own self-test failed on this CPU";
	return NULL;
}
