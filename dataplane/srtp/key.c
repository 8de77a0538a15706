/* Makes and wipes expanded keys: key derivation of RFC 3711 4.3, RFC 6188 3 and RFC 7714 11. */
#include "dataplane/srtp/srtp.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "dataplane/srtp/key_state.h"
#include "drivers/crypto/crypto.h"
#include "drivers/crypto/locked.h"

enum label {
	LABEL_CIPHER = 0,
	LABEL_AUTH = 1,
	LABEL_SALT = 2,
	LABEL_RTCP = 3, /* added for SRTCP */
};

/* The control thread's manager. Made with the first key; serves key expansion only, under its lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct IMB_MGR *expander;

/* len octets of the PRF: AES-CM keystream from (label XOR salt) * 2^16. A 96-bit salt stands padded on the right. */
static void
prf(struct IMB_MGR *mgr, const uint8_t *round_keys, bool is_256, const uint8_t *salt,
    unsigned label, uint8_t *out, unsigned len)
{
	uint8_t iv[16] = {0};
	IMB_JOB job = {0};

	memcpy(iv, salt, DP_SRTP_SALT_MAX);
	iv[7] ^= (uint8_t)label;
	memset(out, 0, len);
	job.enc_keys = round_keys;
	job.key_len_in_bytes = is_256 ? 32 : 16;
	job.src = job.dst = out;
	job.msg_len_to_cipher_in_bytes = len;
	job.iv = iv;
	job.iv_len_in_bytes = sizeof(iv);
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(mgr, &job, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
					is_256 ? IMB_KEY_256_BYTES : IMB_KEY_128_BYTES);
}

static void
expand_aes(struct IMB_MGR *mgr, bool is_256, const uint8_t *key, void *round_keys)
{
	DECLARE_ALIGNED(uint8_t unused[16 * 15], 16);

	if (is_256)
		IMB_AES_KEYEXP_256(mgr, key, round_keys, unused);
	else
		IMB_AES_KEYEXP_128(mgr, key, round_keys, unused);
	explicit_bzero(unused, sizeof(unused));
}

void
dp_srtp_derive(struct IMB_MGR *mgr, struct dp_srtp_session *out, const uint8_t *master,
	       const uint8_t *salt, enum dp_suite suite, bool is_rtcp)
{
	const struct dp_suite_info *info = dp_suite_info(suite);
	bool is_256 = dp_srtp_suite_is_256(suite);
	unsigned first = is_rtcp ? LABEL_RTCP : 0;
	uint8_t padded[DP_SRTP_SALT_MAX] = {0};
	DECLARE_ALIGNED(uint8_t round_keys[16 * 15], 16);

	memcpy(padded, salt, info->salt);
	expand_aes(mgr, is_256, master, round_keys);
	prf(mgr, round_keys, is_256, padded, first + LABEL_CIPHER, out->cipher, info->key);
	prf(mgr, round_keys, is_256, padded, first + LABEL_AUTH, out->auth, sizeof(out->auth));
	prf(mgr, round_keys, is_256, padded, first + LABEL_SALT, out->salt, info->salt);
	explicit_bzero(round_keys, sizeof(round_keys));
	explicit_bzero(padded, sizeof(padded));
}

static void
expand_hmac(struct IMB_MGR *mgr, uint8_t *state, const uint8_t *auth, uint8_t pad)
{
	uint8_t block[64];

	memset(block, pad, sizeof(block));
	for (int i = 0; i < 20; i++)
		block[i] ^= auth[i];
	IMB_SHA1_ONE_BLOCK(mgr, block, state);
	explicit_bzero(block, sizeof(block));
}

void
dp_srtp_expand(struct IMB_MGR *mgr, struct dp_srtp_key *key, bool is_rtcp,
	       const struct dp_srtp_session *session)
{
	bool is_256 = dp_srtp_suite_is_256(key->suite);

	if (dp_srtp_suite_is_gcm(key->suite)) {
		union dp_srtp_gcm *gcm = dp_srtp_session_at(key, is_rtcp);

		if (is_256)
			IMB_AES256_GCM_PRE(mgr, session->cipher, &gcm->keys);
		else
			IMB_AES128_GCM_PRE(mgr, session->cipher, &gcm->keys);
		memcpy(gcm->salt, session->salt, 12);
	} else {
		struct dp_srtp_cm *cm = dp_srtp_session_at(key, is_rtcp);

		expand_hmac(mgr, cm->ipad, session->auth, 0x36);
		expand_hmac(mgr, cm->opad, session->auth, 0x5c);
		memcpy(cm->salt, session->salt, DP_SRTP_SALT_MAX);
		expand_aes(mgr, is_256, session->cipher, cm->round_keys);
	}
}

bool
dp_srtp_key_is_same(const struct dp_srtp_key *a, const struct dp_srtp_key *b)
{
	uint8_t differs = 0;

	if (a->suite != b->suite)
		return false;
	for (unsigned i = 0; i < a->session_size; i++)
		differs |= a->session[i] ^ b->session[i];
	return differs == 0;
}

static unsigned
session_size(unsigned suite)
{
	if (dp_srtp_suite_is_gcm(suite))
		return sizeof(union dp_srtp_gcm);
	return dp_srtp_suite_is_256(suite) ? 64 + 256 : 64 + 192;
}

static bool
is_valid(const struct dp_srtp_key_conf *conf)
{
	return conf->suite > DP_SUITE_NONE && conf->suite < DP_SUITE_COUNT &&
	       conf->mki_len <= DP_SRTP_MKI_MAX && conf->lifetime_rtp <= DP_SRTP_MAX_PACKETS &&
	       conf->lifetime_rtcp <= DP_SRTCP_MAX_PACKETS;
}

/* Called with the lock held. 0 or an errno. */
static int
expand(struct dp_srtp_key *key, const struct dp_srtp_key_conf *conf)
{
	const char *why;

	if (expander == NULL && (expander = drv_crypto_open(&why)) == NULL)
		return errno;
	for (int is_rtcp = 0; is_rtcp < 2; is_rtcp++) {
		struct dp_srtp_session session;

		dp_srtp_derive(expander, &session, conf->key, conf->salt, conf->suite, is_rtcp);
		dp_srtp_expand(expander, key, is_rtcp, &session);
		explicit_bzero(&session, sizeof(session));
	}
	return 0;
}

struct dp_srtp_key *
dp_srtp_key_create(const struct dp_srtp_key_conf *conf)
{
	struct dp_srtp_key *key;
	void *at;
	int status;

	if (!is_valid(conf)) {
		errno = EINVAL;
		return NULL;
	}
	status = drv_locked_get(&at, sizeof(*key) + 2 * session_size(conf->suite));
	if (status < 0) {
		errno = -status;
		return NULL;
	}
	key = at;
	key->suite = (uint8_t)conf->suite;
	key->session_size = (uint16_t)session_size(conf->suite);
	key->lifetime_rtp = conf->lifetime_rtp ? conf->lifetime_rtp : DP_SRTP_MAX_PACKETS;
	key->lifetime_rtcp = conf->lifetime_rtcp ? conf->lifetime_rtcp : DP_SRTCP_MAX_PACKETS;
	key->is_srtp_plain = conf->is_srtp_plain;
	key->is_srtcp_plain = conf->is_srtcp_plain;
	key->mki_len = conf->mki_len;
	memcpy(key->mki, conf->mki, conf->mki_len);
	pthread_mutex_lock(&lock);
	status = expand(key, conf);
	pthread_mutex_unlock(&lock);
	if (status == 0)
		return key;
	dp_srtp_key_destroy(key);
	errno = status;
	return NULL;
}

void
dp_srtp_key_destroy(struct dp_srtp_key *key)
{
	if (key)
		drv_locked_put(key, sizeof(*key) + 2 * (size_t)key->session_size);
}

int
dp_srtp_keys_reserve(size_t *held, size_t keys)
{
	size_t each = sizeof(struct dp_srtp_key) + 2 * sizeof(union dp_srtp_gcm), octets;
	int status = drv_locked_reserve(&octets, (keys + 64) * (each + 64) + ((size_t)8 << 20));

	if (status == 0)
		*held = octets / each;
	return status;
}
