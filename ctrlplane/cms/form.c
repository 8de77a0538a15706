/*
 * The form of AuthEnvelopedData with one KEKRecipientInfo (RFC 5083 2.1, RFC 5652 6.1 and 6.2.3, RFC 5084 3.2).
 *
 *   ContentInfo { authEnvelopedData, [0] { 0, SET { [2] { 4, { keyIdentifier }, { aes128-wrap }, wrapped key } },
 *                                          { data, { aes128-GCM, { nonce, 16 } }, [0] content }, [1] attributes?, ICV, [2]? } }
 */
#include "ctrlplane/cms/cms_state.h"

#include <errno.h>
#include <string.h>

const uint8_t cp_cms_auth_enveloped[11] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D,
					   0x01, 0x09, 0x10, 0x01, 0x17};
const uint8_t cp_cms_data[9] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01};
const uint8_t cp_cms_aes128_wrap[9] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x05};
const uint8_t cp_cms_aes128_gcm[9] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x06};

enum {
	TAG_EXPLICIT_0 = 0xA0, /* content of ContentInfo; originatorInfo */
	TAG_KEK = 0xA2,	       /* kekri */
	TAG_CONTENT = 0x80,    /* encryptedContent */
	TAG_CONTENT_PIECES = 0xA0,
	TAG_AUTH_ATTRS = 0xA1,
	TAG_UNAUTH_ATTRS = 0xA2,
	VERSION = 0,
	VERSION_KEK = 4,
};

/* Encoding. */

struct writer {
	uint8_t *at;
};

/* Octets of tag and length. */
static size_t
head_len(size_t len)
{
	size_t count = 2;

	if (len >= 0x80)
		for (; len > 0; len >>= 8)
			count++;
	return count;
}

static size_t
whole_len(size_t len)
{
	return head_len(len) + len;
}

static void
put_head(struct writer *w, uint8_t tag, size_t len)
{
	size_t count = head_len(len) - 2;

	*w->at++ = tag;
	if (count == 0) {
		*w->at++ = (uint8_t)len;
		return;
	}
	*w->at++ = (uint8_t)(0x80 | count);
	for (; count > 0; count--)
		*w->at++ = (uint8_t)(len >> (8 * (count - 1)));
}

static void
put(struct writer *w, uint8_t tag, const void *octets, size_t len)
{
	put_head(w, tag, len);
	memcpy(w->at, octets, len);
	w->at += len;
}

static void
put_number(struct writer *w, uint8_t value)
{
	put(w, CP_DER_INTEGER, &value, 1);
}

/* Room for len octets that come later. */
static uint8_t *
leave(struct writer *w, uint8_t tag, size_t len)
{
	uint8_t *place;

	put_head(w, tag, len);
	place = w->at;
	w->at += len;
	return place;
}

int
cp_cms_encode(struct cp_cms_places *p, uint8_t *room, size_t size, struct cp_slice id,
	      size_t content_len)
{
	const size_t number = 3, wrap = whole_len(sizeof(cp_cms_aes128_wrap));
	const size_t gcm_params = whole_len(CP_CMS_NONCE) + number;
	const size_t gcm = whole_len(sizeof(cp_cms_aes128_gcm)) + whole_len(gcm_params);
	const size_t kek_id = whole_len(id.len);
	const size_t kek = number + whole_len(kek_id) + whole_len(wrap) + whole_len(CP_CMS_WRAPPED);
	const size_t content =
		whole_len(sizeof(cp_cms_data)) + whole_len(gcm) + whole_len(content_len);
	const size_t data =
		number + whole_len(whole_len(kek)) + whole_len(content) + whole_len(CP_CMS_ICV);
	const size_t info = whole_len(sizeof(cp_cms_auth_enveloped)) + whole_len(whole_len(data));
	struct writer w = {room};

	if (whole_len(info) > size)
		return -ENOSPC;
	put_head(&w, CP_DER_SEQUENCE, info);
	put(&w, CP_DER_OID, cp_cms_auth_enveloped, sizeof(cp_cms_auth_enveloped));
	put_head(&w, TAG_EXPLICIT_0, whole_len(data));
	put_head(&w, CP_DER_SEQUENCE, data);
	put_number(&w, VERSION);
	put_head(&w, CP_DER_SET, whole_len(kek));
	put_head(&w, TAG_KEK, kek);
	put_number(&w, VERSION_KEK);
	put_head(&w, CP_DER_SEQUENCE, kek_id);
	put(&w, CP_DER_OCTETS, id.ptr, id.len);
	put_head(&w, CP_DER_SEQUENCE, wrap);
	put(&w, CP_DER_OID, cp_cms_aes128_wrap, sizeof(cp_cms_aes128_wrap));
	p->wrapped = leave(&w, CP_DER_OCTETS, CP_CMS_WRAPPED);
	put_head(&w, CP_DER_SEQUENCE, content);
	put(&w, CP_DER_OID, cp_cms_data, sizeof(cp_cms_data));
	put_head(&w, CP_DER_SEQUENCE, gcm);
	put(&w, CP_DER_OID, cp_cms_aes128_gcm, sizeof(cp_cms_aes128_gcm));
	put_head(&w, CP_DER_SEQUENCE, gcm_params);
	p->nonce = leave(&w, CP_DER_OCTETS, CP_CMS_NONCE);
	put_number(&w, CP_CMS_ICV);
	p->content = leave(&w, TAG_CONTENT, content_len);
	p->icv = leave(&w, CP_DER_OCTETS, CP_CMS_ICV);
	p->len = (size_t)(w.at - room);
	return 0;
}

/* Decoding. */

static bool
take_number(struct cp_der *in, uint8_t value)
{
	struct cp_der_item item;

	return cp_der_take(&item, in, CP_DER_INTEGER) && cp_der_is(&item, &value, 1);
}

static bool
take_oid(struct cp_der *in, const uint8_t *octets, size_t len)
{
	struct cp_der_item item;

	return cp_der_take(&item, in, CP_DER_OID) && cp_der_is(&item, octets, len);
}

/* kekri; the parts that we do not need (date, other) may be there. */
static int
take_recipient(struct cp_cms_message *m, struct cp_der in, struct cp_slice id)
{
	struct cp_der_item kek_id, name, wrap, key;

	if (!take_number(&in, VERSION_KEK) || !cp_der_take(&kek_id, &in, CP_DER_SEQUENCE) ||
	    !cp_der_take(&name, &kek_id.content, CP_DER_OCTETS))
		return -EBADMSG;
	if (!cp_der_is(&name, (const uint8_t *)id.ptr, id.len))
		return -ENOKEY;
	if (!cp_der_take(&wrap, &in, CP_DER_SEQUENCE) ||
	    !take_oid(&wrap.content, cp_cms_aes128_wrap, sizeof(cp_cms_aes128_wrap)) ||
	    wrap.content.left != 0 || !cp_der_take(&key, &in, CP_DER_OCTETS) ||
	    key.content.left != CP_CMS_WRAPPED || in.left != 0)
		return -EBADMSG;
	m->wrapped = key.content.at;
	return 0;
}

/* Among many recipients the one with our key. */
static int
take_recipients(struct cp_cms_message *m, struct cp_der in, struct cp_slice id)
{
	struct cp_der_item item;
	int rc = -ENOKEY;

	while (in.left > 0) {
		if (!cp_der_next(&item, &in))
			return -EBADMSG;
		if (item.tag != TAG_KEK || rc == 0)
			continue;
		rc = take_recipient(m, item.content, id);
		if (rc == -EBADMSG)
			return rc;
	}
	return rc;
}

/* EncryptedContentInfo. */
static bool
take_content(struct cp_cms_message *m, struct cp_der in)
{
	struct cp_der_item alg, params, nonce, content;

	if (!take_oid(&in, cp_cms_data, sizeof(cp_cms_data)) ||
	    !cp_der_take(&alg, &in, CP_DER_SEQUENCE) ||
	    !take_oid(&alg.content, cp_cms_aes128_gcm, sizeof(cp_cms_aes128_gcm)) ||
	    !cp_der_take(&params, &alg.content, CP_DER_SEQUENCE) || alg.content.left != 0 ||
	    !cp_der_take(&nonce, &params.content, CP_DER_OCTETS) ||
	    nonce.content.left != CP_CMS_NONCE || !take_number(&params.content, CP_CMS_ICV) ||
	    params.content.left != 0 || !cp_der_next(&content, &in) || in.left != 0)
		return false;
	m->nonce = nonce.content.at;
	m->content = content.content;
	m->is_in_pieces = content.tag == TAG_CONTENT_PIECES;
	return m->is_in_pieces || content.tag == TAG_CONTENT;
}

/* AuthEnvelopedData. */
static int
take_data(struct cp_cms_message *m, struct cp_der in, struct cp_slice id)
{
	struct cp_der_item item;
	int rc;

	if (!take_number(&in, VERSION))
		return -EBADMSG;
	if (cp_der_is_next(&in, TAG_EXPLICIT_0) && !cp_der_next(&item, &in))
		return -EBADMSG; /* originatorInfo: nothing that we need */
	if (!cp_der_take(&item, &in, CP_DER_SET))
		return -EBADMSG;
	rc = take_recipients(m, item.content, id);
	if (rc != 0)
		return rc;
	if (!cp_der_take(&item, &in, CP_DER_SEQUENCE) || !take_content(m, item.content))
		return -EBADMSG;
	if (cp_der_is_next(&in, TAG_AUTH_ATTRS)) {
		if (!cp_der_next(&item, &in) || item.is_indefinite)
			return -EBADMSG; /* DER it must be: RFC 5083 2.2 */
		m->attributes = (struct cp_der){item.whole, item.whole_len};
	}
	if (!cp_der_take(&item, &in, CP_DER_OCTETS) || item.content.left != CP_CMS_ICV)
		return -EBADMSG;
	m->icv = item.content.at;
	if (cp_der_is_next(&in, TAG_UNAUTH_ATTRS) && !cp_der_next(&item, &in))
		return -EBADMSG;
	return in.left == 0 ? 0 : -EBADMSG;
}

int
cp_cms_decode(struct cp_cms_message *m, struct cp_slice id, struct cp_slice octets)
{
	struct cp_der in = {(const uint8_t *)octets.ptr, octets.len};
	struct cp_der_item info, outer, data;

	*m = (struct cp_cms_message){0};
	if (!cp_der_take(&info, &in, CP_DER_SEQUENCE) || in.left != 0 ||
	    !take_oid(&info.content, cp_cms_auth_enveloped, sizeof(cp_cms_auth_enveloped)) ||
	    !cp_der_take(&outer, &info.content, TAG_EXPLICIT_0) || info.content.left != 0 ||
	    !cp_der_take(&data, &outer.content, CP_DER_SEQUENCE) || outer.content.left != 0)
		return -EBADMSG;
	return take_data(m, data.content, id);
}
