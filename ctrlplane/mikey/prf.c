/* PRF MIKEY-1 and PRF-HMAC-SHA-256, and the labels of every derivation. */
#include "ctrlplane/mikey/prf.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>
#include "ctrlplane/keys/secret.h"

#define SPLIT 32    /* octets of inkey that one P takes: 256 bits for both PRFs */
#define HASH_MAX 32 /* octets */

/* What P works with: an HMAC that is keyed once for each block of inkey. */
struct p_state {
	EVP_MAC_CTX *hmac;
	char digest[8];
	size_t hash; /* octets */
};

/* HMAC(s, a || label) under the key that is set; either may be left out. */
static bool
hmac(uint8_t *out, struct p_state *p, const uint8_t *a, const struct cp_mikey_octets *label)
{
	return EVP_MAC_init(p->hmac, NULL, 0, NULL) == 1 &&
	       (a == NULL || EVP_MAC_update(p->hmac, a, p->hash) == 1) &&
	       (label == NULL || EVP_MAC_update(p->hmac, label->at, label->len) == 1) &&
	       EVP_MAC_final(p->hmac, out, NULL, HASH_MAX) == 1;
}

/* XORs P(s, label, m) into out; s is the key that is set. */
static bool
p_into(uint8_t *out, size_t len, struct p_state *p, struct cp_mikey_octets label)
{
	uint8_t a[HASH_MAX], block[HASH_MAX];
	bool ok = hmac(a, p, NULL, &label); /* A(1) = HMAC(s, label) */

	for (size_t done = 0; done < len && ok; done += p->hash) {
		ok = hmac(block, p, a, &label);
		for (size_t i = 0; i < p->hash && done + i < len && ok; i++)
			out[done + i] ^= block[i];
		if (done + p->hash < len && ok)
			ok = hmac(a, p, a, NULL);
	}
	cp_wipe(a, sizeof(a));
	cp_wipe(block, sizeof(block));
	return ok;
}

/* All that is wanted of one block of inkey. */
static bool
block_into(const struct cp_mikey_wanted *wanted, size_t count, struct p_state *p,
	   struct cp_mikey_octets s)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, p->digest, 0),
		OSSL_PARAM_END,
	};
	bool ok = EVP_MAC_init(p->hmac, s.at, s.len, params) == 1;

	for (size_t i = 0; i < count && ok; i++)
		ok = p_into(wanted[i].octets, wanted[i].len, p, wanted[i].label);
	return ok;
}

int
cp_mikey_prf(const struct cp_mikey_wanted *wanted, size_t count, uint8_t prf,
	     struct cp_mikey_octets inkey)
{
	bool is_mikey_1 = prf == CP_MIKEY_PRF_MIKEY_1;
	struct p_state p = {.hash = is_mikey_1 ? 20 : 32};
	EVP_MAC *mac;
	bool ok;

	if (prf > CP_MIKEY_PRF_HMAC_SHA_256 || inkey.len == 0)
		return -EINVAL;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	p.hmac = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
	memcpy(p.digest, is_mikey_1 ? "SHA1" : "SHA256", is_mikey_1 ? 5 : 7);
	for (size_t i = 0; i < count; i++)
		memset(wanted[i].octets, 0, wanted[i].len);
	ok = p.hmac != NULL;
	for (size_t at = 0; at < inkey.len && ok; at += SPLIT)
		ok = block_into(wanted, count, &p,
				cp_mikey_octets(inkey.at + at,
						inkey.len - at < SPLIT ? inkey.len - at : SPLIT));
	EVP_MAC_CTX_free(p.hmac); /* wipes its key */
	EVP_MAC_free(mac);
	for (size_t i = 0; i < count && !ok; i++)
		cp_wipe(wanted[i].octets, wanted[i].len);
	return ok ? 0 : -EIO;
}

static uint8_t *
put32(uint8_t *at, uint32_t number)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(number >> shift);
	return at;
}

/* Its length in one octet, then itself: RANDs are 255 octets at most. */
static uint8_t *
put_rand(uint8_t *at, struct cp_mikey_octets octets)
{
	*at++ = (uint8_t)octets.len;
	if (octets.len > 0)
		memcpy(at, octets.at, octets.len);
	return at + octets.len;
}

size_t
cp_mikey_label(uint8_t *label, const struct cp_mikey_derivation *d)
{
	bool is_message = d->family == CP_MIKEY_INITIAL || d->family == CP_MIKEY_RESPONSE;
	uint8_t *at = put32(label, d->constant);

	*at++ = d->family == CP_MIKEY_FROM_TGK ? d->cs_id : 0xFF;
	at = put32(at, is_message ? d->csb_id : 0xFFFFFFFF);
	*at++ = d->family;
	switch (d->family) {
	case CP_MIKEY_INITIAL:
	case CP_MIKEY_RESPONSE:
	case CP_MIKEY_FROM_TGK:
		at = put_rand(at, d->rand_i);
		at = put_rand(at, d->rand_r);
		break;
	case CP_MIKEY_FORK:
		*at++ = (uint8_t)(d->id.len >> 8);
		at = put_rand(at, d->id); /* the low octet of its length, and itself */
		at = put_rand(at, d->rand);
		break;
	case CP_MIKEY_FROM_TPK:
	case CP_MIKEY_SPLIT_MPK:
		at = put_rand(at, d->rand);
		break;
	case CP_MIKEY_VR:
		break;
	}
	return (size_t)(at - label);
}

int
cp_mikey_derive_each(const struct cp_mikey_each *each, size_t count,
		     const struct cp_mikey_derivation *derivation)
{
	struct cp_mikey_derivation d = *derivation;
	uint8_t labels[CP_MIKEY_EACH_MAX][CP_MIKEY_LABEL_MAX];
	struct cp_mikey_wanted wanted[CP_MIKEY_EACH_MAX];

	if (d.rand_i.len > 255 || d.rand_r.len > 255 || d.rand.len > 255 ||
	    d.id.len > CP_MIKEY_ID_MAX || count > CP_MIKEY_EACH_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		d.constant = each[i].constant;
		wanted[i] = (struct cp_mikey_wanted){
			each[i].octets, each[i].len,
			cp_mikey_octets(labels[i], cp_mikey_label(labels[i], &d))};
	}
	return cp_mikey_prf(wanted, count, d.prf, d.inkey);
}

int
cp_mikey_derive(uint8_t *out, size_t len, const struct cp_mikey_derivation *d)
{
	const struct cp_mikey_each each = {d->constant, out, len};

	return cp_mikey_derive_each(&each, 1, d);
}
