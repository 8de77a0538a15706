/* The parts of "mikey show": messages from text, the tree, the keys. */
#ifndef CP_CLI_MIKEY_STATE_H
#define CP_CLI_MIKEY_STATE_H

#include <jansson.h>
#include "ctrlplane/mikey/exchange.h"

#define CP_CLI_MIKEY_MAX 16 /* messages of one SDP body */

/* A message on the heap. */
struct cp_cli_mikey_input {
	uint8_t *octets;
	size_t len;
};

/* Messages in what somebody gave: base64, hexadecimal, octets, or the key-mgmt lines of an SDP body.
 * The count, or -EINVAL: none of these, -ENOMEM. */
int cp_cli_mikey_find(struct cp_cli_mikey_input inputs[CP_CLI_MIKEY_MAX], const uint8_t *text,
		      size_t len);
void cp_cli_mikey_drop(struct cp_cli_mikey_input *inputs, size_t count);

/* The message as a tree; with an "error" where it ends before its time. */
json_t *cp_cli_mikey_tree(struct cp_mikey_msg *msg, struct cp_mikey_octets in);
json_t *cp_cli_mikey_key_tree(const struct cp_mikey_key_data *data, bool reveal);
json_t *cp_cli_mikey_hex(struct cp_mikey_octets octets);

/* Keys that somebody gave, and those that follow from them. */
struct cp_cli_mikey_keys {
	bool reveal;
	struct cp_mikey_key psk, mpk_i, mpk_r, tpk; /* len 0: not known; MPKr not forked */
	struct cp_mikey_ticket_keys ticket;	    /* of a ticket that was opened */
};

/* Lines "name: hex": psk, psk256, psk128, mpki, mpkr, tpk; others are passed over. -errno. */
int cp_cli_mikey_keys_read(struct cp_cli_mikey_keys *keys, const char *path, enum cp_mikey_set set);
void cp_cli_mikey_keys_wipe(struct cp_cli_mikey_keys *keys);

/* An array of what was verified, opened and derived. init: the message that msg answers; NULL: not
 * given. False in *holds: something does not. */
json_t *cp_cli_mikey_examine(const struct cp_mikey_msg *msg, const struct cp_mikey_msg *init,
			     struct cp_cli_mikey_keys *keys, bool *holds);

#endif
