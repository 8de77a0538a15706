/* What cms.c shares: object identifiers, and a message that was taken apart. */
#ifndef CP_CMS_STATE_H
#define CP_CMS_STATE_H

#include "ctrlplane/cms/cms.h"
#include "ctrlplane/cms/der.h"

#define CP_CMS_NONCE 12
#define CP_CMS_ICV 16
#define CP_CMS_WRAPPED (CP_CMS_KEK + 8)

/* Contents of OBJECT IDENTIFIER elements. */
extern const uint8_t cp_cms_auth_enveloped[11]; /* 1.2.840.113549.1.9.16.1.23 */
extern const uint8_t cp_cms_data[9];		/* 1.2.840.113549.1.7.1 */
extern const uint8_t cp_cms_aes128_wrap[9];	/* 2.16.840.1.101.3.4.1.5 */
extern const uint8_t cp_cms_aes128_gcm[9];	/* 2.16.840.1.101.3.4.1.6 */

/* Borrows from the message. */
struct cp_cms_message {
	const uint8_t *wrapped, *nonce, *icv;
	bool is_in_pieces;	  /* content: OCTET STRINGs, else the octets */
	struct cp_der content;	  /* encrypted */
	struct cp_der attributes; /* authenticated ones, whole as they stand; may be empty */
};

/* Take it apart: the recipient with that key, algorithms and lengths as the profile has them. -EBADMSG, -ENOKEY. */
int cp_cms_decode(struct cp_cms_message *message, struct cp_slice key_id, struct cp_slice in);

/* All but the encrypted content and the ICV, which the caller puts at content and icv. -ENOSPC. */
struct cp_cms_places {
	uint8_t *wrapped, *nonce, *content, *icv;
	size_t len;
};
int cp_cms_encode(struct cp_cms_places *places, uint8_t *room, size_t size, struct cp_slice key_id,
		  size_t content_len);

#endif
