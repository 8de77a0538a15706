/* Layout of a crypto session bundle, and the steps that both sides of a transfer and of an update
 * share: the map, the negotiation, the sessions' keys. */
#ifndef CP_MIKEY_CSB_STATE_H
#define CP_MIKEY_CSB_STATE_H

#include "ctrlplane/mikey/csb.h"
#include "ctrlplane/mikey/exchange.h"
#include "ctrlplane/mikey/ticket_state.h"

#define CP_MIKEY_SESSIONS_MAX 68 /* a map's and as many new ones */
#define CP_MIKEY_OWN_MACS 16	 /* updates that may be on their way back to us */

struct cp_mikey_rand {
	uint8_t len;
	uint8_t octets[255];
};

/* Owned by the caller that the exchange gave it to. Keys are in locked memory. */
struct cp_mikey_csb {
	enum cp_mikey_set set;
	uint32_t id;
	bool is_initiator; /* which side we are */
	uint16_t flags;
	uint32_t rekey_s, skew_s;
	uint64_t end;
	struct cp_mikey_name initiator, responder;
	struct cp_mikey_rand rand_i, rand_r; /* rand_r: len 0 without G */
	struct cp_secret *mpk;		     /* protects updates: MPKr', without forking MPKi */
	struct cp_mikey_held held[CP_MIKEY_KEYS_MAX];
	size_t held_count;
	struct cp_mikey_session sessions[CP_MIKEY_SESSIONS_MAX];
	size_t count;
	uint8_t used[32]; /* a bit for each CS ID that was ever keyed */
	/* Updates. */
	uint64_t sent_t, taken_t; /* the last T of an update, ours and theirs; NTP */
	uint8_t own_macs[CP_MIKEY_OWN_MACS][CP_MIKEY_MAC_MAX];
	size_t own_count;
	uint8_t *pending; /* our update, until its response */
	size_t pending_len;
	struct cp_mikey_held pending_key; /* the TGK that it brings; key NULL: none */
};

/* Names, RANDs and so on of a bundle from what an exchange knows. */
void cp_mikey_rand_set(struct cp_mikey_rand *rand, struct cp_mikey_octets octets);
struct cp_mikey_octets cp_mikey_rand_octets(const struct cp_mikey_rand *rand);

/* The shield of TRANSFER_RESP and of updates. */
int cp_mikey_csb_shield(struct cp_mikey_shield *shield, const struct cp_mikey_csb *csb,
			bool with_encr);

/* The map and policies of an initial message: crypto sessions and SP payloads for lines. */
struct cp_mikey_proposal {
	struct cp_mikey_msg hdr; /* its map borrows from what follows and from held */
	uint8_t ssrcs[CP_MIKEY_CS_MAX][4];
	enum dp_suite suites[DP_SUITE_COUNT]; /* by policy number */
	size_t suite_count;
};

/* own_first: we send on the first CS of a pair. -EINVAL: no lines, too many, no key for them. */
int cp_mikey_propose(struct cp_mikey_proposal *proposal, const struct cp_mikey_line *lines,
		     size_t count, const struct cp_mikey_held *keys, bool own_first);
void cp_mikey_put_policies(struct cp_mikey_writer *w, const struct cp_mikey_proposal *proposal);

/* Suites of a crypto session in an initial message, in their order; 0 of them: any (SRTP without
 * policy). -EPROTO: there are policies, but none that we have. */
int cp_mikey_cs_suites(enum dp_suite suites[CP_MIKEY_POLICIES_MAX], size_t *count,
		       const struct cp_mikey_msg *msg, const struct cp_mikey_cs *cs);
/* Is the map of an initial message one that we key? */
int cp_mikey_check_map(const struct cp_mikey_msg *msg, struct cp_mikey_fault *fault);
bool cp_mikey_suite_is_strong_enough(enum dp_suite suite, enum cp_mikey_set set);

/* The answer to a map: one policy each, SSRCs and SPIs filled in. */
struct cp_mikey_choice {
	const struct cp_mikey_line *lines;
	size_t count;
	uint16_t suites; /* acceptable where no line says more */
	bool own_first;
	enum cp_mikey_set set;
	struct cp_mikey_octets spi;	/* where the initiator named none */
	const struct cp_mikey_csb *csb; /* of an update: what goes on; else NULL */
};

struct cp_mikey_reply {
	struct cp_mikey_msg hdr;
	uint8_t ssrcs[CP_MIKEY_CS_MAX][4];
	struct cp_mikey_sp sps[CP_MIKEY_POLICIES_MAX]; /* what the answer adds */
	uint8_t params[CP_MIKEY_POLICIES_MAX][32];
	size_t sp_count;
};

int cp_mikey_choose(struct cp_mikey_reply *reply, const struct cp_mikey_msg *init,
		    const struct cp_mikey_choice *choice, const struct cp_mikey_env *env,
		    struct cp_mikey_fault *fault);

/* Keys that an exchange brings beside those held. */
struct cp_mikey_extra {
	const struct cp_mikey_held *keys;
	size_t count;
};

/*
 * The sessions that an initial message and its response agree upon, checked against each other, keyed
 * and put into the bundle, and the extra keys with them: all of it, or nothing and -EPROTO.
 */
int cp_mikey_csb_agree(struct cp_mikey_csb *csb, const struct cp_mikey_msg *init,
		       const struct cp_mikey_msg *resp, struct cp_mikey_extra extra,
		       struct cp_mikey_fault *fault);

/* Keys of a KEMAC in a Ticket Transfer or update, added to held. */
int cp_mikey_take_kemac(struct cp_mikey_held *held, size_t *count, const struct cp_mikey_msg *msg,
			const struct cp_mikey_shield *shield, struct cp_mikey_fault *fault);

#endif
