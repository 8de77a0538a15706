/* Layout of the SIP agent, for its folder. Everything runs on the event loop's thread. */
#ifndef CP_SIP_STATE_H
#define CP_SIP_STATE_H

#include <sys/queue.h>

#include "ctrlplane/base/map.h"
#include "ctrlplane/sip/digest_nonce.h"
#include "ctrlplane/sip/sip.h"
#include "ctrlplane/sip/subscribe.h"

struct cp_sip_listen;
struct cp_sip_call;
struct cp_sip_kept;

#define NUA_MAGIC_T struct cp_sip_listen
#define NUA_HMAGIC_T struct cp_sip_call
#define NTA_LEG_MAGIC_T struct cp_sip_kept
#define NTA_OUTGOING_MAGIC_T struct cp_sip_kept

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su.h>
#include <sofia-sip/tport_tag.h>

#define CP_SIP_ALLOW                                                        \
	"INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, " \
	"SUBSCRIBE"
#define CP_SIP_SUPPORTED "timer, 100rel, replaces, join, norefersub, multiple-refer, tdialog"
#define CP_SIP_LISTS "recipient-list-invite"
#define CP_SIP_ACCEPT "application/sdp"
#define CP_SIP_USER_MAX 128
#define CP_SIP_CONTACT_MAX 512
#define CP_SIP_HOST_PORT_MAX 96
#define CP_SIP_WHY_MAX 256
#define CP_SIP_ENDED_MAX 256 /* dialogs that have just ended and are still known: 603, not 481 */
#define CP_SIP_REFERS_MAX 1000
#define CP_SIP_TARGETS_MAX 8
#define CP_SIP_REFER_EVENT_MAX 40

enum cp_sip_transport { CP_SIP_UDP = 0, CP_SIP_TCP, CP_SIP_TLS };

/* One address: NUA binds one URL an instance. Owner: the agent. */
struct cp_sip_listen {
	struct cp_sip *sip;
	nua_t *nua;
	nta_agent_t *nta; /* nua's; NULL: not known */
	const char *uri;  /* as configured */
	char host
		[64]; /* in brackets when IPv6; "" for any address: the one that the peer reaches us by */
	char port[8];
	bool has_udp, has_tcp, has_tls;
	bool is_any_ip6; /* any address, of IPv6 */
	bool is_shut;
};

struct cp_sip {
	struct su_root_s *root;
	const struct cp_sip_options *options;
	struct cp_sip_handler handler;
	void *ctx;
	struct cp_nonces nonces;
	LIST_HEAD(, cp_sip_call) calls;
	LIST_HEAD(, cp_sip_kept) kept;
	struct cp_map subs; /* by handle; one dialog may have several */
	struct cp_sip_notifier notifier;
	size_t call_count;
	LIST_HEAD(, cp_sip_refer) refers;
	size_t refer_count;
	struct cp_sip_dialog_id ended[CP_SIP_ENDED_MAX]; /* a ring */
	size_t ended_next;
	bool is_stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
	su_timer_t *quiet_timer; /* stopping: calls that are not over yet */
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
	bool is_outgoing;	    /* by cp_sip_dial */
	bool is_bye_due;	    /* hang up as soon as the ACK is here (RFC 3261 15) */
	bool wants_answer;	    /* our offer is out; its answer comes with the ACK */
	bool has_update;	    /* the peer allows UPDATE */
	uint32_t credentials_tried; /* bits */
	bool is_reoffering;	    /* our re-INVITE with an offer is under way */
	enum cp_sip_pending pending;
	msg_t *update; /* the UPDATE that waits for an answer */
	struct cp_sip_dialog_id id;
	char *target, *routes; /* as in struct cp_dialog; NULL: not known, or too long */
	char *early_answer;    /* SDP of a reliable 1xx to our INVITE, with its keys; NULL: none */
	struct cp_sip_targets *targets;	  /* of a 3xx to our INVITE; NULL: none */
	struct cp_sip_identity *answerer; /* of our INVITE; NULL: nobody yet */
	char gruu[CP_SIP_URI_MAX];	  /* the peer's Contact, when it is one; "": it is none */
	char host_port[CP_SIP_HOST_PORT_MAX]; /* of contact */
	char contact[CP_SIP_CONTACT_MAX];
	char why[CP_SIP_WHY_MAX];    /* what ended it, as far as known */
	char reason[CP_SIP_WHY_MAX]; /* of the BYE that is due */
};

/* A dialog of our life before. Owner: the agent, until a BYE of either side is answered. */
struct cp_sip_kept {
	LIST_ENTRY(cp_sip_kept) entry;
	struct cp_sip_listen *listen;
	nta_leg_t *leg;
	nta_outgoing_t *bye; /* ours, under way */
	void *owner;	     /* the handler's */
	bool is_over;	     /* we hang up */
	char local_tag[CP_SIP_TAG_MAX], remote_tag[CP_SIP_TAG_MAX];
	char contact[CP_SIP_CONTACT_MAX];
};

/* A REFER, theirs or ours, and its subscription. Owner: the agent, until its last word. */
struct cp_sip_refer {
	LIST_ENTRY(cp_sip_refer) entry;
	struct cp_sip_listen *listen;
	nua_handle_t *nh; /* NULL: its dialog is gone */
	struct cp_sip_call
		*call; /* in whose dialog; NULL: it has its own, which is ours to destroy */
	bool is_ours;
	void *owner;		 /* ours: the handler's */
	int64_t born_ms;	 /* ours */
	msg_t *request;		 /* theirs, not answered yet */
	bool has_no_events;	 /* Refer-Sub: false */
	bool is_over;		 /* its last NOTIFY is out */
	unsigned int unanswered; /* NOTIFYs */
	int last_status;	 /* as it was told last */
	char event[CP_SIP_REFER_EVENT_MAX];
	char contact[CP_SIP_CONTACT_MAX];
};

/* Where a call is redirected to, the best first. */
struct cp_sip_targets {
	char uris[CP_SIP_TARGETS_MAX][CP_SIP_URI_MAX];
	unsigned int q[CP_SIP_TARGETS_MAX]; /* thousandths */
	size_t count;
};

/* The way to a target. */
struct cp_sip_route {
	struct cp_sip_listen *listen;
	enum cp_sip_transport transport;
	char local[64]; /* our address on it; "": not known before the target's is */
};

/* library.c */
/* Before the first NUA. False: this library is not one that we know, and does as it likes. */
bool cp_sip_tame_library(void);

/* sip.c */
void cp_sip_one_less(struct cp_sip *s); /* a call or BYE is over: the last that a stop waits for? */

/* invite.c */
void cp_sip_on_invite(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		      const sip_t *sip);
/* RFC 3261 26.2.2: who writes sips: means TLS, hop by hop, and this hop has none. */
bool cp_sip_is_sips_without_tls(const sip_t *sip);
void cp_sip_on_update(struct cp_sip_call *call, const sip_t *sip);
void cp_sip_on_ack(struct cp_sip_call *call, const sip_t *sip);
/* A response to our own re-INVITE: ours with an offer, or NUA's session refresh for which the peer makes the offer. */
void cp_sip_on_reinvite_response(struct cp_sip_call *call, int status, const sip_t *sip);

/* "192.0.2.1:5060/UDP": where the request that is looked at came from. */
void cp_sip_peer_name(char *text, size_t size, nua_t *nua, const sip_t *sip);

/* subscribe.c */
void cp_sip_on_subscribe(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
			 const sip_t *sip);
/* A response to one of our NOTIFYs for the conference package? */
bool cp_sip_on_notified(struct cp_sip_listen *l, nua_event_t event, int status, nua_handle_t *nh,
			tagi_t *tags);
/* The call ends; a subscription in its dialog that goes on becomes the handle's owner: true. */
bool cp_sip_sub_keeps(struct cp_sip_call *call);
bool cp_sip_sub_holds(const struct cp_sip *s, const nua_handle_t *nh);
void cp_sip_sub_free_all(struct cp_sip *s);

/* call.c */
struct cp_sip_call *cp_sip_call_create(struct cp_sip_listen *l, nua_handle_t *nh);
/* Over: tell the handler unless it asked not to be told, and free. */
void cp_sip_call_over(struct cp_sip_call *call, const char *why);
void cp_sip_call_bye(struct cp_sip_call *call);
void cp_sip_drop_early_answer(struct cp_sip_call *call); /* and wipe it */

/* facts.c */
/* The message that makes the dialog: its target and route set. */
void cp_sip_facts_begin(struct cp_sip_call *call, const sip_t *sip);
/* One that may bring another target; sip may be NULL. */
void cp_sip_facts_target(struct cp_sip_call *call, const sip_t *sip);
void cp_sip_facts_free(struct cp_sip_call *call);

/* agent.c */
nta_agent_t *cp_sip_agent_take(void); /* of the NUA made last; NULL: not known */

/* kept.c */
bool cp_sip_kept_has_bye(const struct cp_sip *s);
void cp_sip_kept_free_all(struct cp_sip *s);

/* options.c */
void cp_sip_on_options(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		       const sip_t *sip);

/* credentials.c */
/* A 401 or 407 to our INVITE: it is sent again, with what is asked for. False: we have none for it. */
bool cp_sip_answer_challenge(struct cp_sip_call *call, const sip_t *response);

/* dial.c */
void cp_sip_learn_targets(struct cp_sip_call *call, const sip_t *response); /* of a 3xx */
/* Contact of requests of ours on that way. 0 or -EINVAL. */
int cp_sip_contact_on(char contact[CP_SIP_CONTACT_MAX], char host_port[CP_SIP_HOST_PORT_MAX],
		      const struct cp_sip_route *route, const char *user);

/* refer.c */
void cp_sip_on_refer(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		     const sip_t *sip);
/* Events of a REFER: false: of none. status: of a response to us. */
bool cp_sip_on_refer_event(struct cp_sip_listen *l, nua_event_t event, int status, nua_handle_t *nh,
			   const sip_t *sip);
/* A response to one of our NOTIFYs about a REFER? */
bool cp_sip_on_refer_notified(struct cp_sip_listen *l, int status, nua_handle_t *nh, tagi_t *tags);
/* SUBSCRIBE to the subscription of a REFER: longer, or no more. False: to something else. */
bool cp_sip_on_refer_subscribe(struct cp_sip_listen *l, nua_handle_t *nh, const sip_t *sip);
/* The call ends; a REFER in its dialog that goes on becomes the handle's owner: true. */
bool cp_sip_refer_keeps(struct cp_sip_call *call);
bool cp_sip_refer_holds(const struct cp_sip *s, const nua_handle_t *nh);
void cp_sip_refer_free_all(struct cp_sip *s);

/* replace.c */
void cp_sip_dialog_learn(struct cp_sip_call *call); /* its tags, when they are there */
/* The same of our INVITE, from a response to it. */
void cp_sip_dialog_take(struct cp_sip_call *call, const sip_t *response);
void cp_sip_dialog_ended(struct cp_sip *s, const struct cp_sip_call *call);
struct cp_sip_call *cp_sip_dialog_find(struct cp_sip *s, const struct cp_sip_dialog_id *id,
				       bool *has_ended);
/* Replaces and Join of an INVITE. 0, or the status to refuse with. */
int cp_sip_check_dialogs(struct cp_sip_call **replaces, struct cp_sip_call **joins,
			 struct cp_sip *s, const sip_t *request);
/* NULL: none is named, or there is no such; status: 400 for a malformed one, else 0. */
struct cp_sip_call *cp_sip_target_dialog(struct cp_sip *s, const sip_t *request, int *status);

/* route.c */
/* -EADDRNOTAVAIL: nothing that we listen on leads there. */
int cp_sip_route(struct cp_sip_route *route, struct cp_sip *s, const char *target);
/* The address that the kernel would send from, in brackets when IPv6. */
bool cp_sip_address_towards(char host[64], const struct sockaddr *peer, socklen_t peer_len);
const char *cp_sip_transport_param(enum cp_sip_transport transport);

/* reply.c */
/* "host:port;transport=…" that the sender of request reaches us by, for cp_sip_contact_at. */
void cp_sip_host_port(char host_port[CP_SIP_HOST_PORT_MAX], const struct cp_sip_listen *l,
		      const sip_t *request);
void cp_sip_contact_at(char contact[CP_SIP_CONTACT_MAX], const char *user, const char *host_port);
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
/* Who a response of a peer that we trust says has answered; else anonymous. */
void cp_sip_identify_answer(struct cp_sip_identity *identity, struct cp_sip_listen *l,
			    const sip_t *response);
uint64_t cp_sip_now_ms(void);

/* body.c */
/* A kind of body that is known, and what came of it, which is borrowed from the request. */
struct cp_sip_part {
	const char *type;
	struct cp_slice octets; /* empty: none came */
	struct cp_slice id;	/* its Content-ID */
	bool is_optional;
};

/* Fills the parts that came, each kind once. 0, or the status to refuse with: 400, 415. */
int cp_sip_read_parts(struct cp_sip_part *parts, size_t count, su_home_t *home,
		      const sip_t *request);

/* What a request carries; borrowed from it. */
struct cp_sip_parts {
	struct cp_slice sdp;
	struct cp_slice list;	 /* application/resource-lists+xml */
	struct cp_slice list_id; /* its Content-ID */
	bool is_list_optional;
};

/* 0, or the status to refuse with: 400, 415. */
int cp_sip_parts(struct cp_sip_parts *parts, su_home_t *home, const sip_t *request);
/* Malformed, or a second one of a header that stands once: the stack keeps such apart. */
bool cp_sip_is_wrong(const sip_t *request, const struct msg_hclass_s *header);
/* The first value of a header that the stack does not know, and how many there are. NULL: none. */
const char *cp_sip_header_text(const sip_t *request, const char *name, unsigned int *count);
/* The SDP of a request, empty when it has none. 0, or the status to refuse with: 400, 415. */
int cp_sip_body(struct cp_slice *sdp, su_home_t *home, const sip_t *request);

#endif
