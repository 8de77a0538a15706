/* Layout of a call's keying, for keying*.c. */
#ifndef CP_APP_KEYING_STATE_H
#define CP_APP_KEYING_STATE_H

#include "ctrlplane/app/app_state.h"
#include "ctrlplane/app/resolve.h"

/* A message and our answer to it, or our message. Owned, no secrets. */
struct cp_keying_texts {
	uint8_t *theirs, *ours;
	size_t theirs_len, ours_len;
};

struct cp_keying {
	struct cp_call *call;
	struct cp_resolve resolve;  /* as whom we act, their TRANSFER_INIT, what was wrong */
	char peer[CP_IDENTITY_MAX]; /* who the KMS says is at the other end; "": nobody yet */
	void (*done)(struct cp_call *call, int status);

	/* agreed */
	struct cp_mikey_csb *csb;
	uint8_t cs_id;	    /* the first of the pair that is in use */
	uint8_t rank;	    /* of the audio among the pairs of SRTP that the exchange listed */
	uint8_t srtp_lines; /* m-lines of SRTP that shared the last message */
	uint32_t peer_ssrc; /* what it said it sends; the media plane is told of another one */
	struct cp_keying_texts texts;

	/* under way */
	struct cp_kms_ask *ask; /* dial-out: for a ticket */
	uint8_t asked_csb[4];	/* of our last message to the KMS */
	char invitee[CP_IDENTITY_MAX];
	bool is_for_one; /* nobody but the invitee is on the ticket */
	struct cp_mikey_request *request;
	struct cp_mikey_ticket *ticket;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_csb *next_csb; /* NULL: an update of csb */
	uint8_t next_cs_id;	       /* 0: nothing is under way */
	uint8_t next_lines;	       /* srtp_lines */
	struct cp_keying_texts next;
	int verdict; /* SIP status that take found; 0: the KMS answered well */
};

int cp_keying_create(struct cp_keying **out, struct cp_call *call, const char *name);
/* A copy of octets; false: no memory. */
bool cp_keying_keep(uint8_t **to, size_t *to_len, const uint8_t *octets, size_t len);
void cp_keying_drop_texts(struct cp_keying_texts *texts);
/* The pair's keys into call->next. Else the SIP status. */
int cp_keying_set(struct cp_call *call, const struct cp_mikey_csb *csb, uint8_t cs_id);
/* The m-line of the call under a pair of CS IDs: our SSRC, and for an update the suite that is in use, else the policy's,
 * that one first. */
struct cp_mikey_line cp_keying_line(const struct cp_call *call, uint8_t cs_id, bool is_update);
int cp_keying_status(const struct cp_keying *k, int rc); /* of -EPROTO and of our own trouble */

#endif
