/* Ticket Transfer and the responder's Ticket Resolve, RFC 6043 sections 4.2.2 and 4.2.3: the initiator
 * (dial-out, conclave-ue) and the responder (the focus), which waits for the KMS between two calls. */
#ifndef CP_MIKEY_TRANSFER_H
#define CP_MIKEY_TRANSFER_H

#include "ctrlplane/mikey/base.h"
#include "ctrlplane/mikey/csb.h"
#include "ctrlplane/mikey/replay.h"
#include "ctrlplane/mikey/request.h"

/* Initiator. */

struct cp_mikey_transfer {
	struct cp_mikey_id responder; /* IDRr: whom it means to reach; on the ticket */
	const struct cp_mikey_line *lines;
	size_t count;
	const char *sdp_ids; /* "mikey" in an SDP offer, NULL elsewhere */
	uint32_t csb_id;     /* 0: drawn */
	struct cp_mikey_limits limits;
};

struct cp_mikey_initiator; /* between TRANSFER_INIT and its responses */

/* TRANSFER_INIT into out. -EPERM: the ticket may not be used (again). The ticket may be destroyed
 * before the initiator. */
int cp_mikey_initiator_make(struct cp_mikey_initiator **initiator, struct cp_mikey_out *out,
			    struct cp_mikey_ticket *ticket,
			    const struct cp_mikey_transfer *transfer,
			    const struct cp_mikey_env *env);
/* A TRANSFER_RESP. 0 and a bundle of its own for each answer (several phones may answer); -EPROTO:
 * refused, nothing changed. An Error message is a refusal with its number; authentic false unless its
 * MAC held. */
int cp_mikey_initiator_take(struct cp_mikey_csb **csb, struct cp_mikey_initiator *initiator,
			    struct cp_mikey_octets in, const struct cp_mikey_env *env,
			    struct cp_mikey_fault *fault);
void cp_mikey_initiator_destroy(struct cp_mikey_initiator *initiator);

/* Responder. */

struct cp_mikey_responder_config {
	struct cp_mikey_account
		account;  /* user: as whom the ticket is resolved; outlives the responder,
					    as do the caches */
	uint16_t suites;  /* acceptable for SRTP: bits 1u << enum dp_suite */
	bool takes_mode3; /* tickets made by the initiator */
	const char
		*sdp_ids; /* the list that must be authenticated ("mikey"), or NULL: none asked */
	struct cp_mikey_replay *replay;	 /* messages; NULL: none kept (tests) */
	struct cp_mikey_replay *tickets; /* tickets with J=0 that were used; NULL: none kept */
};

struct cp_mikey_responder;

/* What TRANSFER_INIT claims, before anything is verified, and what it offers. */
struct cp_mikey_offer {
	struct cp_mikey_id initiator,
		responder; /* claimed: IDRi of the ticket policy, IDRr of the message */
	uint32_t csb_id;
	enum cp_mikey_set set;
	const struct cp_mikey_policy *policy; /* not yet verified before resolved */
	struct {
		uint8_t cs_id;
		enum cp_mikey_use use;
		bool has_ssrc;
		uint32_t ssrc;
		uint16_t suites; /* acceptable ones; SRTP without policy: all of ours */
	} sessions[CP_MIKEY_CS_MAX];
	size_t count;
};

/*
 * 1. TRANSFER_INIT, looked at without KMS traffic: form, policy, flags, validity, T, suites, the
 *    resolver on the ticket. The replay caches are asked here, told in 3.
 * 2. resolve_make: RESOLVE_INIT_PSK for the KMS. Again after a time-out: a new one; only the answer
 *    to the last is taken.
 * 3. resolve_take: RESOLVE_RESP; then V and Vi of TRANSFER_INIT and T again. After it offer's
 *    identities are what the KMS vouches for. A refused RESOLVE_RESP leaves all as it was.
 * 4. answer: TRANSFER_RESP and the bundle. Whether they are welcome is for the caller, between 3 and 4.
 * Refused anywhere: -EPROTO with fault; error_make makes the Error message for it.
 */
int cp_mikey_responder_create(struct cp_mikey_responder **responder,
			      const struct cp_mikey_responder_config *config,
			      struct cp_mikey_octets in, const struct cp_mikey_env *env,
			      struct cp_mikey_fault *fault);
const struct cp_mikey_offer *cp_mikey_responder_offer(const struct cp_mikey_responder *responder);
int cp_mikey_responder_resolve_make(struct cp_mikey_out *out, struct cp_mikey_responder *responder,
				    const struct cp_mikey_env *env);
int cp_mikey_responder_resolve_take(struct cp_mikey_responder *responder, struct cp_mikey_octets in,
				    const struct cp_mikey_env *env, struct cp_mikey_fault *fault);
/* lines: one for each m-line of the offer: its first CS ID, suites, the responder's SSRC. A line that
 * is missing is answered with any of the config's suites and an SSRC that is drawn. */
struct cp_mikey_answer {
	const struct cp_mikey_line *lines;
	size_t count;
};
int cp_mikey_responder_answer(struct cp_mikey_csb **csb, struct cp_mikey_out *out,
			      struct cp_mikey_responder *responder,
			      const struct cp_mikey_answer *answer, const struct cp_mikey_env *env,
			      struct cp_mikey_fault *fault);
void cp_mikey_responder_destroy(struct cp_mikey_responder *responder);

/* Error message for a TRANSFER_INIT that was refused. responder may be NULL (it was refused by
 * create): then in is what came. Without authentication unless fault says that the message was
 * authentic and responder has the keys. */
int cp_mikey_responder_error(struct cp_mikey_out *out, const struct cp_mikey_responder *responder,
			     struct cp_mikey_octets in, const struct cp_mikey_env *env,
			     const struct cp_mikey_fault *fault);

#endif
