/* The cipher engine: bursts over ipsec-mb's cipher and hash burst interfaces, GCM by direct calls. */
#include "dataplane/srtp/engine_state.h"

#include "drivers/crypto/crypto.h"
#include "drivers/crypto/locked.h"

struct dp_srtp_engine *
dp_srtp_engine_create(const char **why)
{
	struct IMB_MGR *mgr = drv_crypto_open(why);
	struct dp_srtp_engine *e;
	void *at;

	if (mgr == NULL)
		return NULL;
	if (drv_locked_get(&at, sizeof(*e)) < 0) {
		*why = "no locked memory for the SRTP engine: raise LimitMEMLOCK= or ulimit -l";
		drv_crypto_close(mgr);
		return NULL;
	}
	e = at;
	e->mgr = mgr;
	for (unsigned i = 0; i < DP_SRTP_BATCH; i++) {
		e->cipher[i].iv = e->iv[i];
		e->cipher[i].iv_len_in_bytes = 16;
		e->hash[i].auth_tag_output = e->digest[i].tag;
		e->hash[i].auth_tag_output_len_in_bytes = DP_SRTP_HASH_TAG;
	}
	e->lone.auth_tag_output_len_in_bytes = DP_SRTP_HASH_TAG;
	return e;
}

void
dp_srtp_engine_destroy(struct dp_srtp_engine *engine)
{
	if (engine == NULL)
		return;
	drv_crypto_close(engine->mgr);
	drv_locked_put(engine, sizeof(*engine));
}

const char *
dp_srtp_engine_name(const struct dp_srtp_engine *engine)
{
	return drv_crypto_name(engine->mgr);
}

void
dp_srtp_run_ciphers(struct dp_srtp_engine *e)
{
	if (e->ciphers_128)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(e->mgr, e->cipher, e->ciphers_128, IMB_CIPHER_CNTR,
						IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
	if (e->ciphers_256)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(e->mgr, e->cipher + DP_SRTP_BATCH - e->ciphers_256,
						e->ciphers_256, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
						IMB_KEY_256_BYTES);
	e->ciphers_128 = e->ciphers_256 = 0;
}

void
dp_srtp_run_hashes(struct dp_srtp_engine *e)
{
	if (e->hashes)
		IMB_SUBMIT_HASH_BURST_NOCHECK(e->mgr, e->hash, e->hashes, IMB_AUTH_HMAC_SHA_1);
	e->hashes = 0;
}

void
dp_srtp_seal(struct dp_srtp_engine *e, const struct dp_srtp_aead *a, uint8_t tag[16])
{
	const union dp_srtp_gcm *gcm = dp_srtp_session_at(a->key, a->is_rtcp);
	uint8_t iv[12];

	dp_srtp_gcm_iv(iv, gcm->salt, a->ssrc, a->index);
	if (a->suite == DP_SUITE_AEAD_AES_256_GCM)
		IMB_AES256_GCM_ENC(e->mgr, &gcm->keys, &e->gcm, a->text, a->text, a->len, iv,
				   a->aad, a->aad_len, tag, 16);
	else
		IMB_AES128_GCM_ENC(e->mgr, &gcm->keys, &e->gcm, a->text, a->text, a->len, iv,
				   a->aad, a->aad_len, tag, 16);
}

void
dp_srtp_open(struct dp_srtp_engine *e, const struct dp_srtp_aead *a, uint8_t tag[16])
{
	const union dp_srtp_gcm *gcm = dp_srtp_session_at(a->key, a->is_rtcp);
	uint8_t iv[12];

	dp_srtp_gcm_iv(iv, gcm->salt, a->ssrc, a->index);
	if (a->suite == DP_SUITE_AEAD_AES_256_GCM)
		IMB_AES256_GCM_DEC(e->mgr, &gcm->keys, &e->gcm, a->text, a->text, a->len, iv,
				   a->aad, a->aad_len, tag, 16);
	else
		IMB_AES128_GCM_DEC(e->mgr, &gcm->keys, &e->gcm, a->text, a->text, a->len, iv,
				   a->aad, a->aad_len, tag, 16);
}
