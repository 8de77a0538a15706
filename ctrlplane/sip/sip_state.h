/* Layout of the SIP agent, for its folder. Everything runs on the event loop's thread. */
#ifndef CP_SIP_STATE_H
#define CP_SIP_STATE_H

#include <sys/queue.h>

#include "ctrlplane/sip/digest_nonce.h"
#include "ctrlplane/sip/sip.h"

struct cp_sip_listen;
struct cp_sip_call;

#define NUA_MAGIC_T struct cp_sip_listen
#define NUA_HMAGIC_T struct cp_sip_call

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su.h>
#include <sofia-sip/tport_tag.h>

#define CP_SIP_ALLOW "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE"
#define CP_SIP_SUPPORTED "timer, 100rel"
#define CP_SIP_ACCEPT "application/sdp"
#define CP_SIP_USER_MAX 128
#define CP_SIP_CONTACT_MAX 512
#define CP_SIP_WHY_MAX 256

/* One address: NUA binds one URL an instance. Owner: the agent. */
struct cp_sip_listen {
	struct cp_sip *sip;
	nua_t *nua;
	const char *uri; /* as configured */
	char host
		[64]; /* in brackets when IPv6; "" for any address: the one that the peer reaches us by */
	char port[8];
	bool is_shut;
};

struct cp_sip {
	struct su_root_s *root;
	const struct cp_sip_options *options;
	struct cp_sip_handler handler;
	void *ctx;
	struct cp_nonces nonces;
	LIST_HEAD(, cp_sip_call) calls;
	size_t call_count;
	bool is_stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
	su_timer_t *ack_timer; /* stopping: accepted calls whose ACK is not here yet */
	size_t listen_count;
	struct cp_sip_listen listens[];
};

enum cp_sip_pending {
	CP_SIP_PENDING_NONE = 0,
	CP_SIP_PENDING_INVITE, /* first or re-INVITE not answered yet */
	CP_SIP_PENDING_UPDATE,
	CP_SIP_PENDING_ACK, /* the answer to an offer in a 200 to us goes with our ACK */
};

/* A dialog made by an INVITE to us. Owner: the agent, until NUA says that it is over. */
struct cp_sip_call {
	LIST_ENTRY(cp_sip_call) entry;
	struct cp_sip_listen *listen;
	nua_handle_t *nh;
	void *owner;	  /* the handler's */
	bool is_detached; /* the handler wants to hear no more of it */
	bool is_accepted; /* 200 was sent to the first INVITE */
	bool is_acked;
	bool is_outgoing;   /* by cp_sip_dial */
	bool is_bye_due;    /* hang up as soon as the ACK is here (RFC 3261 15) */
	bool wants_answer;  /* our offer is out; its answer comes with the ACK */
	bool has_update;    /* the peer allows UPDATE */
	bool is_reoffering; /* our re-INVITE with an offer is under way */
	enum cp_sip_pending pending;
	msg_t *update; /* the UPDATE that waits for an answer */
	char contact[CP_SIP_CONTACT_MAX];
	char why[CP_SIP_WHY_MAX];    /* what ended it, as far as known */
	char reason[CP_SIP_WHY_MAX]; /* of the BYE that is due */
};

/* sip.c */
void cp_sip_bye_sent(struct cp_sip *s); /* the last that a stop waits for? */

/* invite.c */
void cp_sip_on_invite(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		      const sip_t *sip);
void cp_sip_on_update(struct cp_sip_call *call, const sip_t *sip);
void cp_sip_on_ack(struct cp_sip_call *call, const sip_t *sip);
/* A response to our own re-INVITE: ours with an offer, or NUA's session refresh for which the peer makes the offer. */
void cp_sip_on_reinvite_response(struct cp_sip_call *call, int status, const sip_t *sip);

/* call.c */
struct cp_sip_call *cp_sip_call_create(struct cp_sip_listen *l, nua_handle_t *nh);
/* Over: tell the handler unless it asked not to be told, and free. */
void cp_sip_call_over(struct cp_sip_call *call, const char *why);
void cp_sip_call_bye(struct cp_sip_call *call);

/* options.c */
void cp_sip_on_options(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		       const sip_t *sip);

/* reply.c */
/* "<sip:user@host:port;transport=…>;isfocus"; user "": the server itself, without isfocus. */
void cp_sip_contact(char contact[CP_SIP_CONTACT_MAX], const struct cp_sip_listen *l,
		    const char *user, const sip_t *request);
void cp_sip_reply_refusal(struct cp_sip_listen *l, nua_handle_t *nh, msg_t *with,
			  const struct cp_sip_refusal *refusal);

/* auth.c */
enum cp_sip_verdict {
	CP_SIP_KNOWN,	  /* identity is filled, as well as it goes */
	CP_SIP_CHALLENGE, /* ask for digest authentication */
	CP_SIP_REFUSE,	  /* 403: proves to be somebody, says to be somebody else */
};
enum cp_sip_verdict cp_sip_identify(struct cp_sip_identity *identity, bool *is_stale,
				    struct cp_sip_listen *l, const sip_t *request,
				    bool needs_identity);
void cp_sip_challenge(struct cp_sip_listen *l, nua_handle_t *nh, bool is_stale);
uint64_t cp_sip_now_ms(void);

/* body.c */
/* The SDP of a request, empty when it has none. 0, or the status to refuse with: 400, 415. */
int cp_sip_body(struct cp_slice *sdp, su_home_t *home, const sip_t *request);

#endif
