/*
 * CMS AuthEnvelopedData (RFC 5083) under a key that both sides have (KEKRecipientInfo, RFC 5652 6.2.3): AES-128-GCM (RFC 5084) with a
 * nonce of 12 octets and an ICV of 16, the content key wrapped by id-aes128-wrap (RFC 3394, 3565). The pre-shared key protection of
 * NOTIFY bodies, profile section 7.
 */
#ifndef CP_CMS_CMS_H
#define CP_CMS_CMS_H

#include <stddef.h>
#include <stdint.h>

#include "ctrlplane/base/slice.h"
#include "ctrlplane/keys/secret.h"

#define CP_CMS_KEK 16	     /* octets */
#define CP_CMS_KEY_ID_MAX 64 /* octets of a keyIdentifier that we write */
#define CP_CMS_OVERHEAD 256  /* octets at most around the content */
#define CP_CMS_CONTENT_MAX (4u << 20)

#define CP_CMS_TYPE "application/pkcs7-mime"
/* RFC 8551's spelling; RFC 8591's is auth-enveloped-data: readers go by the content's object identifier. */
#define CP_CMS_TYPE_FULL CP_CMS_TYPE ";smime-type=authEnveloped-data;name=smime.p7m"
#define CP_CMS_DISPOSITION "attachment;filename=smime.p7m;handling=required"

/* Ciphers, found once. Owner: whoever created it; one thread at a time. */
struct cp_cms;

int cp_cms_create(struct cp_cms **out);	 /* -ENOMEM; -ENOTSUP: OpenSSL lacks a cipher */
void cp_cms_destroy(struct cp_cms *cms); /* NULL is fine */

/* A key encryption key and its name, both borrowed. */
struct cp_cms_key {
	const struct cp_secret *kek; /* CP_CMS_KEK octets */
	struct cp_slice id;	     /* keyIdentifier */
};

/*
 * DER into room, under a content key and nonce of its own; room of content.len + CP_CMS_OVERHEAD suffices. 0; -EINVAL: no such
 * key; -ENOSPC, -EMSGSIZE; -EIO: no randomness.
 */
int cp_cms_protect(uint8_t *room, size_t size, size_t *len, struct cp_cms *cms,
		   const struct cp_cms_key *key, struct cp_slice content);

/*
 * The content into room, of which in.len octets suffice. BER with indefinite lengths and content in pieces is read too. -EBADMSG: not
 * of this form; -ENOKEY: for other keys; -EKEYREJECTED: the key or any octet is not the right one; -ENOSPC. Without success nothing
 * is left in room.
 */
int cp_cms_open(uint8_t *room, size_t size, size_t *len, struct cp_cms *cms,
		const struct cp_cms_key *key, struct cp_slice in);

#endif
