/* The MIKEY base ticket and its Initiator Data: RFC 6043 section 6.10 and Appendix A. */
#ifndef CP_MIKEY_TICKET_H
#define CP_MIKEY_TICKET_H

#include "ctrlplane/mikey/kemac.h"
#include "ctrlplane/mikey/policy_code.h"

#define CP_MIKEY_SPI_DRAWN 4 /* octets of an SPI that we choose */

/* Keys as they are made or forked: a key data with octets of its own. */
struct cp_mikey_made_key {
	struct cp_mikey_key_data data; /* points into what follows */
	uint8_t key[CP_MIKEY_KEY_MAX], salt[CP_MIKEY_SALT], spi[CP_MIKEY_SPI_MAX];
};

/* The keys of a ticket in passing; wiped by its owner. */
struct cp_mikey_ticket_keys {
	struct cp_mikey_key mpk_i, mpk_r; /* not forked */
	size_t count;
	struct cp_mikey_made_key keys[CP_MIKEY_KEYS_MAX];
};

void cp_mikey_ticket_keys_wipe(struct cp_mikey_ticket_keys *keys);

/* The key with which a ticket is protected. */
struct cp_mikey_seal_key {
	enum cp_mikey_set set;
	struct cp_mikey_id id; /* IDRpsk */
	const struct cp_mikey_key *key;
};

/* Draws the keys that the policy wishes (one TGK where it says nothing) and an MPK, and writes the
 * TICKET payload without Initiator Data. -EIO, -ENOSPC. */
int cp_mikey_ticket_mint(struct cp_mikey_writer *w, struct cp_mikey_ticket_keys *keys,
			 const struct cp_mikey_policy *policy, const struct cp_mikey_seal_key *seal,
			 const struct cp_mikey_env *env);

/* Ticket Data, looked at without keys. */
struct cp_mikey_ticket_data {
	struct cp_mikey_ticket_view view;
	struct cp_mikey_list list;
	struct cp_mikey_ts t;
	struct cp_mikey_octets rand;
	const struct cp_mikey_payload *kemac; /* in list */
	struct cp_mikey_id psk;		      /* len 0: none */
	struct cp_mikey_v v;
};

int cp_mikey_ticket_look(struct cp_mikey_ticket_data *data,
			 const struct cp_mikey_ticket_view *view); /* -EPROTO */

/* -EACCES: its V does not hold; -EPROTO: it holds, but the keys are none. */
int cp_mikey_ticket_open(struct cp_mikey_ticket_keys *keys, const struct cp_mikey_ticket_data *data,
			 enum cp_mikey_set set, const struct cp_mikey_key *tpk);

/* Copies; the SPI and salt stay empty where data has none. -EPROTO: too long. */
int cp_mikey_made_key_set(struct cp_mikey_made_key *made, const struct cp_mikey_key_data *data);
/* A random SPI for a key. */
int cp_mikey_draw_spi(uint8_t spi[CP_MIKEY_SPI_DRAWN], const struct cp_mikey_env *env);

/* MPKr' or TGK' in place: the octets of a key become those of its fork. */
int cp_mikey_fork(uint8_t *octets, size_t len, const struct cp_mikey_derivation *how);

/* Initiator Data: Vi, Vr. false: it is not that. */
bool cp_mikey_initiator_data(struct cp_mikey_v *vi, struct cp_mikey_v *vr,
			     struct cp_mikey_octets data);
/* Vr by the unforked MPKr and the PRF of the policy. */
bool cp_mikey_vr_is_genuine(const struct cp_mikey_ticket_view *view, enum cp_mikey_set set,
			    const struct cp_mikey_key *mpk_r);

#endif
