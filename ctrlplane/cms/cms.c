/*
 * The ciphers of protected bodies. OpenSSL 3.0's own CMS can do the same, and the tests hold this against it; but it reads
 * versions and identifiers loosely, where we want any changed bit refused, and costs several times as much for each body.
 */
#include "ctrlplane/cms/cms.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/cms/cms_state.h"

struct cp_cms {
	EVP_CIPHER *wrap, *gcm;
	EVP_CIPHER_CTX *wrap_ctx, *gcm_ctx;
};

int
cp_cms_create(struct cp_cms **out)
{
	struct cp_cms *cms = calloc(1, sizeof(*cms));

	if (!cms)
		return -ENOMEM;
	cms->wrap = EVP_CIPHER_fetch(NULL, "AES-128-WRAP", NULL);
	cms->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	cms->wrap_ctx = EVP_CIPHER_CTX_new();
	cms->gcm_ctx = EVP_CIPHER_CTX_new();
	if (!cms->wrap || !cms->gcm || !cms->wrap_ctx || !cms->gcm_ctx) {
		bool has_ciphers = cms->wrap && cms->gcm;

		cp_cms_destroy(cms);
		return has_ciphers ? -ENOMEM : -ENOTSUP;
	}
	EVP_CIPHER_CTX_set_flags(cms->wrap_ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	*out = cms;
	return 0;
}

void
cp_cms_destroy(struct cp_cms *cms)
{
	if (!cms)
		return;
	EVP_CIPHER_CTX_free(cms->wrap_ctx);
	EVP_CIPHER_CTX_free(cms->gcm_ctx);
	EVP_CIPHER_free(cms->wrap);
	EVP_CIPHER_free(cms->gcm);
	free(cms);
}

/* Keys do not stay in the contexts. */
static void
forget(struct cp_cms *cms)
{
	EVP_CIPHER_CTX_reset(cms->wrap_ctx);
	EVP_CIPHER_CTX_reset(cms->gcm_ctx);
	EVP_CIPHER_CTX_set_flags(cms->wrap_ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
}

static bool
is_key(const struct cp_cms_key *key)
{
	return key->kek && cp_secret_len(key->kek) == CP_CMS_KEK && key->id.len > 0 &&
	       key->id.len <= CP_CMS_KEY_ID_MAX;
}

static bool
wrap(struct cp_cms *cms, uint8_t *wrapped, const struct cp_secret *kek,
     const uint8_t cek[CP_CMS_KEK])
{
	int len;

	return EVP_EncryptInit_ex(cms->wrap_ctx, cms->wrap, NULL, cp_secret_octets(kek), NULL) ==
		       1 &&
	       EVP_EncryptUpdate(cms->wrap_ctx, wrapped, &len, cek, CP_CMS_KEK) == 1 &&
	       len == CP_CMS_WRAPPED;
}

static bool
unwrap(struct cp_cms *cms, uint8_t cek[CP_CMS_KEK], const struct cp_secret *kek,
       const uint8_t *wrapped)
{
	uint8_t out[CP_CMS_WRAPPED];
	int len = 0;
	bool is_right = EVP_DecryptInit_ex(cms->wrap_ctx, cms->wrap, NULL, cp_secret_octets(kek),
					   NULL) == 1 &&
			EVP_DecryptUpdate(cms->wrap_ctx, out, &len, wrapped, CP_CMS_WRAPPED) == 1 &&
			len == CP_CMS_KEK;

	memcpy(cek, out, CP_CMS_KEK);
	cp_wipe(out, sizeof(out));
	return is_right;
}

int
cp_cms_protect(uint8_t *room, size_t size, size_t *len, struct cp_cms *cms,
	       const struct cp_cms_key *key, struct cp_slice content)
{
	struct cp_cms_places p;
	uint8_t cek[CP_CMS_KEK];
	int n = 0, rc;

	if (!is_key(key))
		return -EINVAL;
	if (content.len > CP_CMS_CONTENT_MAX)
		return -EMSGSIZE;
	rc = cp_cms_encode(&p, room, size, key->id, content.len);
	if (rc != 0)
		return rc;
	if (RAND_priv_bytes(cek, sizeof(cek)) != 1 || RAND_bytes(p.nonce, CP_CMS_NONCE) != 1 ||
	    !wrap(cms, p.wrapped, key->kek, cek) ||
	    EVP_EncryptInit_ex(cms->gcm_ctx, cms->gcm, NULL, cek, p.nonce) != 1 ||
	    EVP_EncryptUpdate(cms->gcm_ctx, p.content, &n, (const uint8_t *)content.ptr,
			      (int)content.len) != 1 ||
	    EVP_EncryptFinal_ex(cms->gcm_ctx, p.content + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cms->gcm_ctx, EVP_CTRL_AEAD_GET_TAG, CP_CMS_ICV, p.icv) != 1)
		rc = -EIO;
	cp_wipe(cek, sizeof(cek));
	forget(cms);
	if (rc == 0)
		*len = p.len;
	else
		memset(room, 0, p.len);
	return rc;
}

static bool
decrypt(struct cp_cms *cms, uint8_t *room, size_t *len, struct cp_der in)
{
	int n = 0;

	if (in.left == 0)
		return true;
	if (EVP_DecryptUpdate(cms->gcm_ctx, room + *len, &n, in.at, (int)in.left) != 1)
		return false;
	*len += (size_t)n;
	return true;
}

static bool
decrypt_all(struct cp_cms *cms, uint8_t *room, size_t *len, const struct cp_cms_message *m)
{
	struct cp_der in = m->content;
	struct cp_der_item piece;

	*len = 0;
	if (!m->is_in_pieces)
		return decrypt(cms, room, len, in);
	while (in.left > 0)
		if (!cp_der_take(&piece, &in, CP_DER_OCTETS) ||
		    !decrypt(cms, room, len, piece.content))
			return false;
	return true;
}

/* Authenticated attributes count as a SET OF: RFC 5083 2.2. */
static bool
authenticate(struct cp_cms *cms, struct cp_der attributes)
{
	static const uint8_t set = CP_DER_SET;
	int n;

	return attributes.left == 0 || (EVP_DecryptUpdate(cms->gcm_ctx, NULL, &n, &set, 1) == 1 &&
					EVP_DecryptUpdate(cms->gcm_ctx, NULL, &n, attributes.at + 1,
							  (int)attributes.left - 1) == 1);
}

int
cp_cms_open(uint8_t *room, size_t size, size_t *len, struct cp_cms *cms,
	    const struct cp_cms_key *key, struct cp_slice in)
{
	struct cp_cms_message m;
	uint8_t cek[CP_CMS_KEK], icv[CP_CMS_ICV];
	size_t done = 0;
	int n = 0, rc;

	if (!is_key(key))
		return -EINVAL;
	if (in.len > CP_CMS_CONTENT_MAX + CP_CMS_OVERHEAD)
		return -EBADMSG;
	rc = cp_cms_decode(&m, key->id, in);
	if (rc != 0)
		return rc;
	if (m.content.left > size)
		return -ENOSPC;
	memcpy(icv, m.icv, sizeof(icv));
	if (!unwrap(cms, cek, key->kek, m.wrapped) ||
	    EVP_DecryptInit_ex(cms->gcm_ctx, cms->gcm, NULL, cek, m.nonce) != 1 ||
	    !authenticate(cms, m.attributes) || !decrypt_all(cms, room, &done, &m) ||
	    EVP_CIPHER_CTX_ctrl(cms->gcm_ctx, EVP_CTRL_AEAD_SET_TAG, CP_CMS_ICV, icv) != 1 ||
	    EVP_DecryptFinal_ex(cms->gcm_ctx, room + done, &n) != 1)
		rc = -EKEYREJECTED;
	cp_wipe(cek, sizeof(cek));
	forget(cms);
	if (rc == 0)
		*len = done;
	else
		cp_wipe(room, done);
	return rc;
}
