/* Layout of a participant's MIKEY: tickets in mikey.c, transfers in transfer.c, mistakes on purpose in misbehave.c. */
#ifndef BENCH_LOAD_MIKEY_STATE_H
#define BENCH_LOAD_MIKEY_STATE_H

#include <sys/queue.h>
#include "bench/load/kms.h"
#include "bench/load/mikey.h"
#include "ctrlplane/conf/identity.h"
#include "ctrlplane/mikey/transfer.h"

#define UE_SDP_IDS "mikey" /* the list of key management protocols that is authenticated */

/* A ticket: of one call, or with --ticket-reuse of all calls of an identity to a responder. */
struct ue_ticket {
	LIST_ENTRY(ue_ticket) next;
	char identity[CP_IDENTITY_MAX], responder[CP_IDENTITY_MAX];
	bool is_asked; /* the KMS has not answered yet */
	int err;
	struct cp_mikey_request *request;
	struct cp_mikey_ticket *ticket;
	struct cp_mikey_fault fault;
	char why[160];
	unsigned uses;
	uint64_t asked_ns, came_ns;
};

struct ue_mikey_node {
	const struct ue_options *options;
	struct ue_kms *kms;
	struct cp_mikey_env env;
	LIST_HEAD(, ue_ticket) tickets;
	struct cp_mikey_replay *replay, *used; /* what came: messages, tickets without J */
	char *first; /* text of the first TRANSFER_INIT that was accepted, to be replayed */
};

/* Of what is under way; what is in force stays beside it. */
enum ue_mikey_phase {
	UE_MIKEY_IDLE,
	UE_MIKEY_WANTS_TICKET,
	UE_MIKEY_HAS_TICKET,
	UE_MIKEY_OFFERED, /* TRANSFER_INIT is out */
	UE_MIKEY_RESOLVING,
	UE_MIKEY_RESOLVED, /* of an offer that came */
	UE_MIKEY_UPDATING, /* a CSB update is out */
	UE_MIKEY_FAILED,
};

/* A Ticket Transfer that we begin: of our audio or the session, or with MIKEY at media level of an m-line that is not used. */
struct ue_transfer {
	struct ue_ticket *ticket;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_csb *csb; /* only where the m-line is not used */
	char *text;
};

struct ue_mikey {
	struct ue_mikey_node *node;
	unsigned number;
	enum ue_mikey_phase phase;
	int err; /* in UE_MIKEY_FAILED */
	char identity[CP_IDENTITY_MAX], psk_id[CP_IDENTITY_MAX], claims[CP_IDENTITY_MAX];
	char to[CP_IDENTITY_MAX];
	struct cp_secret *psk[2];
	struct ue_transfer transfer[UE_LINES_MAX]; /* by m-line */
	unsigned own;				   /* our audio's */
	uint8_t next_cs_id;			   /* its first CS ID in what is under way */
	struct cp_mikey_responder_config config;
	struct cp_mikey_responder *responder;
	/* in force */
	bool is_keyed, is_initiator; /* is_initiator: of csb */
	struct cp_mikey_csb *csb;
	uint8_t cs_id;	 /* first of the pair in use */
	uint8_t cs_last; /* the highest that the bundle had then */
	uint8_t place;	 /* how far our first pair is behind the bundle's first */
	struct ue_sdes key[2];
	char *text;  /* what we wrote last, as an answer or an update */
	char *heard; /* the offer that it answers; NULL: it answers none */
	struct cp_mikey_fault fault;
	char why[160];
	bool has_error;
	unsigned rekeys, transfers;
	struct {
		unsigned described, keyed;
	} lines; /* with MIKEY in the last answer that we took */
};

void ue_mikey_account(const struct ue_mikey *m, struct cp_mikey_account *account);
/* The participant's own words for why it failed; gives err back. */
int ue_mikey_fail(struct ue_mikey *m, int err, const char *why);
/* The same from MIKEY, where err is -EPROTO. */
int ue_mikey_fault(struct ue_mikey *m, int err, const struct cp_mikey_fault *fault);

/* Octets as base64 in place of *text, heap; and the reverse: a length, or -errno. */
int ue_mikey_text_set(char **text, const uint8_t *octets, size_t len);
int ue_mikey_octets(uint8_t *out, size_t size, const char *base64, size_t len);

/* transfer.c, for the other side in respond.c. */
struct cp_mikey_line ue_mikey_line(const struct ue_mikey *m, uint8_t cs_id, uint32_t ssrc);
/* What was agreed is in force: a new bundle, or another pair of the one that is. -EBADMSG: it has no key for each direction. */
int ue_mikey_adopt(struct ue_mikey *m, struct cp_mikey_csb *csb, bool is_initiator, uint8_t cs_id);

/* misbehave.c: the clock that it sends by, the ticket's policy, TRANSFER_INIT. */
struct cp_mikey_env ue_misbehave_env(const struct ue_mikey *m);
void ue_misbehave_policy(const struct ue_mikey *m, struct cp_mikey_policy *policy);
void ue_misbehave_init(struct ue_mikey *m, struct cp_mikey_out *out);
/* The octet to flip of a message; numbers below 0 count from its end. */
size_t ue_misbehave_at(const struct ue_mikey *m, size_t len);
bool ue_misbehaves(const struct ue_mikey *m, enum ue_misbehaviour kind);

#endif
