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

/* An m-line that is a stream and has a message of its own. */
struct cp_keying_stream {
	struct cp_keying *keying;
	bool is_open;	/* the offer under way has a message for it that is not the one of before */
	bool is_update; /* … without a ticket */
	bool is_asking; /* … and the KMS is to be asked */
	const char *source;
	struct cp_resolve resolve;
	struct cp_mikey_csb *csb, *next_csb; /* agreed; under way */
	struct cp_keying_texts texts, next;
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

	struct cp_keying_stream streams[CP_SDP_SERVICES];
	bool is_audio_settled;		    /* of the offer under way, without the KMS */
	struct cp_mikey_fault stream_fault; /* what was wrong with a stream's */
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
/* One of the messages of an offer is through: on to the next, and done when all are or one is not. */
void cp_keying_resolved(struct cp_keying *k, int status);
/* TLS finds its key by a name without the peer: has another live call one of the bundle's? */
bool cp_keying_is_name_taken(const struct cp_call *call, const struct cp_mikey_csb *csb);

/* keying_streams.c: what keying does, for the m-lines with a message of their own. Statuses as there. */
int cp_keying_streams_reoffer(struct cp_keying *k);
int cp_keying_streams_open(struct cp_keying *k, const char *source);
/* The KMS is asked for one after the other, so that an offer costs no more than it is worth: -EINPROGRESS; 0: for none any more. */
int cp_keying_next_stream(struct cp_keying *k);
int cp_keying_streams_answer(struct cp_keying *k);
void cp_keying_streams_commit(struct cp_keying *k);
void cp_keying_streams_abort(struct cp_keying *k);
void cp_keying_streams_free(struct cp_keying *k);
const struct cp_mikey_session *cp_keying_tls_named(const struct cp_keying *k, const char *name);
/* The TLS crypto sessions of our offer, into lines with room for CP_SDP_SERVICES. first_free: of an update, the first CS ID that may be
 * free; 0: of a whole TRANSFER_INIT. Their number. */
size_t cp_keying_offer_streams(struct cp_mikey_line *lines, struct cp_call *call,
			       uint8_t first_free);

#endif
