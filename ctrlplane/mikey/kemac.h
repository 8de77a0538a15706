/* Keys that protect a message or a ticket, KEMAC and its key data: RFC 3830 section 6.2, RFC 6043
 * sections 5.1.2, 5.5 and 6.2. */
#ifndef CP_MIKEY_KEMAC_H
#define CP_MIKEY_KEMAC_H

#include "ctrlplane/mikey/cipher.h"
#include "ctrlplane/mikey/prf.h"
#include "ctrlplane/mikey/write.h"

/* encr_key, salt_key and auth_key of a message or ticket. On the stack; wiped by its owner. */
struct cp_mikey_shield {
	enum cp_mikey_set set;
	struct cp_mikey_key encr, auth;
	uint8_t salt[CP_MIKEY_SALT];
};

/* how: everything but the constant. with_encr false leaves encr and salt empty. 0, -EINVAL, -EIO. */
int cp_mikey_shield_derive(struct cp_mikey_shield *shield, enum cp_mikey_set set,
			   const struct cp_mikey_derivation *how, bool with_encr);
void cp_mikey_shield_wipe(struct cp_mikey_shield *shield);

/* What a MAC covers: parts in order. */
struct cp_mikey_cover {
	struct cp_mikey_octets parts[5];
	size_t count;
};

/* The octets of a message up to its MAC, without Initiator Data and its length where they are given
 * (TRANSFER_INIT), and then what is appended. Octets past MAC are none: V is last. */
struct cp_mikey_cover cp_mikey_cover(struct cp_mikey_octets message, size_t mac_len,
				     const struct cp_mikey_ticket_view *skip);
void cp_mikey_cover_add(struct cp_mikey_cover *cover, struct cp_mikey_octets part);

/* Writes the MAC into the message's last octets. */
int cp_mikey_seal(struct cp_mikey_writer *w, const struct cp_mikey_shield *shield,
		  const struct cp_mikey_cover *cover);
bool cp_mikey_is_genuine(struct cp_mikey_v v, const struct cp_mikey_shield *shield,
			 const struct cp_mikey_cover *cover);

#define CP_MIKEY_PLAIN_MAX 1024

/* An opened KEMAC: keys borrow from plain. Wiped by its owner. */
struct cp_mikey_plain {
	struct cp_mikey_list list;
	size_t len;
	uint8_t octets[CP_MIKEY_PLAIN_MAX];
};

/* t: what the IV takes of the T beside it. -EPROTO: other algorithms, or what comes out makes no keys. */
int cp_mikey_kemac_open(struct cp_mikey_plain *plain, const struct cp_mikey_payload *payload,
			const struct cp_mikey_shield *shield, uint32_t csb_id, uint64_t t);
void cp_mikey_plain_wipe(struct cp_mikey_plain *plain);
/* The nth key that is, or is not, an MPK; false: none. */
bool cp_mikey_plain_key(struct cp_mikey_key_data *data, const struct cp_mikey_plain *plain,
			bool is_mpk, size_t nth);

/* E(encr_key, data), NULL MAC. */
struct cp_mikey_kemac_keys {
	const struct cp_mikey_key_data *data;
	size_t count;
	uint32_t csb_id;
	uint64_t t;
};

int cp_mikey_kemac_put(struct cp_mikey_writer *w, const struct cp_mikey_shield *shield,
		       const struct cp_mikey_kemac_keys *keys);
/* NULL encryption: the wishes of a TP. */
void cp_mikey_kemac_put_plain(struct cp_mikey_writer *w, const struct cp_mikey_key_data *data,
			      size_t count);

/* Does its length go with the set, and does it bear an SPI? */
bool cp_mikey_key_is_fit(const struct cp_mikey_key_data *data, enum cp_mikey_set set);
bool cp_mikey_key_is_tgk(uint8_t type); /* TGK, TGK+SALT: these are forked */
bool cp_mikey_key_has_salt(uint8_t type);

#endif
