/* PRF MIKEY-1 and PRF-HMAC-SHA-256, and the labels of every derivation. */
#include "ctrlplane/mikey/prf.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include "ctrlplane/keys/secret.h"

#define SPLIT 32    /* octets of inkey that one P takes: 256 bits for both PRFs */
#define HASH_MAX 32 /* octets */
#define OUT_MAX 64  /* octets: more is never derived */

/* What P works with: A(i) and then the label, in one piece. */
struct p_state {
	const EVP_MD *md;
	size_t hash; /* octets */
	const uint8_t *s;
	int s_len;
	uint8_t text[HASH_MAX + CP_MIKEY_LABEL_MAX]; /* A(i) || label */
	size_t label_len;
};

/* XORs P(s, label, m) into out. */
static int
p_into(uint8_t *out, size_t len, struct p_state *p)
{
	uint8_t *a = p->text;
	uint8_t block[HASH_MAX], next[HASH_MAX];
	int error = 0;

	/* A(1) = HMAC(s, label) */
	if (HMAC(p->md, p->s, p->s_len, p->text + p->hash, p->label_len, next, NULL) == NULL)
		error = -EIO;
	for (size_t done = 0; done < len && error == 0; done += p->hash) {
		memcpy(a, next, p->hash);
		if (HMAC(p->md, p->s, p->s_len, p->text, p->hash + p->label_len, block, NULL) ==
		    NULL)
			error = -EIO;
		for (size_t i = 0; i < p->hash && done + i < len; i++)
			out[done + i] ^= block[i];
		if (done + p->hash < len &&
		    HMAC(p->md, p->s, p->s_len, a, p->hash, next, NULL) == NULL)
			error = -EIO;
	}
	cp_wipe(block, sizeof(block));
	cp_wipe(next, sizeof(next));
	return error;
}

int
cp_mikey_prf(uint8_t *out, size_t len, uint8_t prf, struct cp_mikey_octets inkey,
	     struct cp_mikey_octets label)
{
	struct p_state p = {.label_len = label.len};
	int error = 0;

	if (prf > CP_MIKEY_PRF_HMAC_SHA_256 || len > OUT_MAX || label.len > CP_MIKEY_LABEL_MAX ||
	    inkey.len == 0)
		return -EINVAL;
	p.md = prf == CP_MIKEY_PRF_MIKEY_1 ? EVP_sha1() : EVP_sha256();
	p.hash = prf == CP_MIKEY_PRF_MIKEY_1 ? 20 : 32;
	memcpy(p.text + p.hash, label.at, label.len);
	memset(out, 0, len);
	for (size_t at = 0; at < inkey.len && error == 0; at += SPLIT) {
		p.s = inkey.at + at;
		p.s_len = (int)(inkey.len - at < SPLIT ? inkey.len - at : SPLIT);
		error = p_into(out, len, &p);
	}
	cp_wipe(&p, sizeof(p));
	if (error < 0)
		cp_wipe(out, len);
	return error;
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
cp_mikey_derive(uint8_t *out, size_t len, const struct cp_mikey_derivation *d)
{
	uint8_t label[CP_MIKEY_LABEL_MAX];

	if (d->rand_i.len > 255 || d->rand_r.len > 255 || d->rand.len > 255 ||
	    d->id.len > CP_MIKEY_ID_MAX)
		return -EINVAL;
	return cp_mikey_prf(out, len, d->prf, d->inkey,
			    cp_mikey_octets(label, cp_mikey_label(label, d)));
}
