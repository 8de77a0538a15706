/* A responder between TRANSFER_INIT and TRANSFER_RESP. */
#ifndef CP_MIKEY_RESPONDER_STATE_H
#define CP_MIKEY_RESPONDER_STATE_H

#include "ctrlplane/mikey/csb_state.h"
#include "ctrlplane/mikey/transfer.h"

struct cp_mikey_responder {
	const struct cp_mikey_responder_config *config;
	uint8_t *octets; /* TRANSFER_INIT: init, policy and view borrow from it */
	struct cp_mikey_msg init;
	struct cp_mikey_policy policy;
	struct cp_mikey_ticket_view view;
	struct cp_mikey_octets rand_i;
	struct cp_mikey_offer offer;
	struct cp_mikey_asked asked; /* the last RESOLVE_INIT; octets NULL: none is under way */
	/* Once resolved. */
	bool is_resolved;
	struct cp_secret *mpk_i, *mpk_r; /* mpk_r: MPKr', NULL without forking */
	struct cp_mikey_held held[CP_MIKEY_KEYS_MAX];
	size_t held_count;
	struct cp_mikey_name responder; /* IDRr of RESOLVE_RESP */
	struct cp_mikey_rand rand_kms;
};

/* What TRANSFER_INIT must be before the KMS is asked; fills in what it says. */
int cp_mikey_responder_read(struct cp_mikey_responder *responder, const struct cp_mikey_env *env,
			    struct cp_mikey_fault *fault);
/* The shield of TRANSFER_INIT, once resolved. */
int cp_mikey_responder_init_shield(struct cp_mikey_shield *shield,
				   const struct cp_mikey_responder *responder, bool with_encr);
/* How the replay caches know the message and its ticket. */
struct cp_mikey_replay_key
cp_mikey_responder_message_key(const struct cp_mikey_responder *responder);
struct cp_mikey_replay_key
cp_mikey_responder_ticket_key(const struct cp_mikey_responder *responder);

#endif
