/* PRF MIKEY-1 and PRF-HMAC-SHA-256, and the labels of every derivation. */
#include "ctrlplane/mikey/prf.h"

#include <errno.h>
#include <string.h>
#include "ctrlplane/keys/secret.h"
#include "ctrlplane/mikey/hmac.h"

#define SPLIT 32    /* octets of inkey that one P takes: 256 bits for both PRFs */
#define HASH_MAX 32 /* octets */

/* What P works with: an HMAC that is keyed once for each block of inkey. */
struct p_state {
	struct cp_mikey_hmac hmac;
	size_t hash; /* octets */
};

/* XORs P(s, label, m) into out; s is the key that is set. */
static void
p_into(uint8_t *out, size_t len, const struct p_state *p, struct cp_mikey_octets label)
{
	uint8_t a[HASH_MAX], block[HASH_MAX];
	const struct cp_mikey_octets both[] = {{a, p->hash}, label};

	cp_mikey_hmac_once(a, &p->hmac, label.at, label.len); /* A(1) = HMAC(s, label) */
	for (size_t done = 0; done < len; done += p->hash) {
		cp_mikey_hmac_parts(block, &p->hmac, both, 2);
		for (size_t i = 0; i < p->hash && done + i < len; i++)
			out[done + i] ^= block[i];
		if (done + p->hash < len)
			cp_mikey_hmac_once(a, &p->hmac, a, p->hash);
	}
	cp_wipe(a, sizeof(a));
	cp_wipe(block, sizeof(block));
}

int
cp_mikey_prf(const struct cp_mikey_wanted *wanted, size_t count, uint8_t prf,
	     struct cp_mikey_octets inkey)
{
	bool is_256 = prf == CP_MIKEY_PRF_HMAC_SHA_256;
	struct p_state p = {.hash = is_256 ? 32 : 20};

	if (prf > CP_MIKEY_PRF_HMAC_SHA_256 || inkey.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		memset(wanted[i].octets, 0, wanted[i].len);
	for (size_t at = 0; at < inkey.len; at += SPLIT) {
		size_t len = inkey.len - at < SPLIT ? inkey.len - at : SPLIT;

		cp_mikey_hmac_init(&p.hmac, is_256, inkey.at + at, len);
		for (size_t i = 0; i < count; i++)
			p_into(wanted[i].octets, wanted[i].len, &p, wanted[i].label);
	}
	cp_wipe(&p, sizeof(p));
	return 0;
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
