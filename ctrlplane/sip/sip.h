/*
 * The focus's SIP user agent (RFC 3261, 3262, 3311, 4028, 4579) over sofia-sip's NUA with its media engine off: SDP goes through as
 * text. It decides nothing about conferences: it asks its handler, which answers now or later.
 *
 * A call: invite → accept or refuse; then offer → accept or refuse, any number of times; answer comes behind an accept to an
 * invite or offer without SDP (we made the offer). ended is the last word of a call that was not refused or hung up by us:
 * behind it, behind refuse of an invite and behind hang_up the call must not be named again.
 */
#ifndef CP_SIP_SIP_H
#define CP_SIP_SIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrlplane/base/dialog.h"
#include "ctrlplane/base/slice.h"
#include "ctrlplane/sip/dialog_id.h"
#include "ctrlplane/sip/digest.h"
#include "ctrlplane/sip/identity.h"
#include "ctrlplane/sip/peers.h"
#include "ctrlplane/sip/refer_to.h"

struct cp_sip;
struct cp_sip_call;
struct cp_sip_refer;
struct cp_sip_kept;
struct su_root_s;

/* An account for digest authentication. HA1s in hexadecimal, "" where there is none. */
struct cp_sip_account {
	const char *user;
	const char *uri; /* canonical; who it is once authenticated */
	char ha1_md5[CP_DIGEST_HEX];
	char ha1_sha256[CP_DIGEST_HEX];
};

#define CP_SIP_CREDENTIALS_MAX 16

/* Who we are to those who ask our INVITEs for a password. */
struct cp_sip_credential {
	const char *realm, *user, *password;
};

/* Stays the caller's and unchanged while the agent lives. */
struct cp_sip_options {
	const char *const
		*listen; /* "sip:192.0.2.1:5060", "sip:[::1]:5060;transport=tcp", "sips:…" */
	size_t listen_count;
	const char *tls_dir; /* agent.pem and cafile.pem, for sips: */
	const char *user_agent;
	const char *realm;
	const struct cp_sip_account *accounts;
	size_t account_count;
	const struct cp_sip_credential *credentials;
	size_t credential_count;     /* CP_SIP_CREDENTIALS_MAX at most */
	const struct cp_peer *peers; /* whose P-Asserted-Identity we believe */
	size_t peer_count;
	uint64_t nonce_lifetime_ms;
	unsigned int session_expires_s; /* RFC 4028; 0: only what peers ask for */
	unsigned int min_se_s;
	unsigned int t1_ms;	  /* RFC 3261 17.1.1.1 */
	unsigned int message_max; /* octets */
	unsigned int calls_max;
	unsigned int pending_max; /* INVITEs not answered yet; beyond: 503 */
	const char
		*outbound_proxy; /* our requests out of a dialog go there; NULL: to their target */
};

struct cp_sip_invite {
	const char *user; /* of the Request-URI, unescaped */
	const struct cp_sip_identity *identity;
	struct cp_slice sdp; /* empty: we are to make the offer */
	const char *call_id;
	const char *peer;	      /* address and port it came from, and how */
	const char *agent;	      /* User-Agent, or "" */
	struct cp_slice list;	      /* application/resource-lists+xml (RFC 5366); empty: none */
	struct cp_sip_call *replaces; /* whose place it is to take (RFC 3891); NULL: nobody's */
	struct cp_sip_call *joins; /* whose conference it is meant for (RFC 3911); NULL: nobody's */
	const char *referred_by;   /* URI, canonical; "": none. Nothing proves it */
	unsigned int hops;	   /* Max-Forwards left for what we send because of it */
};

/* What to refuse with; beyond status all may be absent. */
struct cp_sip_refusal {
	int status;
	const char *phrase; /* NULL: the standard one */
	int warning_code;   /* 0: none */
	const char *warning_text;
	unsigned int retry_after_s; /* 0: none */
	struct cp_slice sdp;	    /* a body that says what is wrong; empty: none */
	const char *unsupported;    /* 420: which option tag; NULL: none */
};

/* What a conference asks of those who call it. */
struct cp_sip_policy {
	bool needs_identity; /* challenge whom no trusted peer vouches for */
	bool is_over;	     /* there was one; who asks is told so */
	bool takes_mikey; /* … unless the SDP has a MIKEY message, which proves it by the keys */
	bool takes_lists; /* of people to be called: a conference factory (RFC 5366) */
};

/* A REFER to us (RFC 3515, 5368): somebody is to be called, hung up on, or referred. */
struct cp_sip_refer_request {
	const char *user; /* of the Request-URI, unescaped */
	struct cp_sip_call
		*call; /* whose dialog it came in, or that Target-Dialog names; NULL: none */
	const struct cp_sip_identity *identity; /* who sends it, when not in a dialog; else NULL */
	const struct cp_sip_refer_to *to;
	struct cp_slice list; /* where to->content_id points to */
	const char *peer;
	unsigned int hops;
};

struct cp_sip_handler {
	/* Is there a conference of that name? */
	bool (*look_up)(void *ctx, const char *user, struct cp_sip_policy *policy);
	/* Replaces or Join names that call: what its conference asks, in the place of the one that is called. */
	void (*look_up_call)(void *ctx, struct cp_sip_call *call, struct cp_sip_policy *policy);
	void (*invite)(void *ctx, struct cp_sip_call *call, const struct cp_sip_invite *invite);
	/* re-INVITE or UPDATE with an offer; empty: a re-INVITE that asks for ours. */
	void (*offer)(void *ctx, struct cp_sip_call *call, struct cp_slice sdp);
	/* Answer to our offer; empty: none came. */
	void (*answer)(void *ctx, struct cp_sip_call *call, struct cp_slice sdp);
	/* Our re-INVITE was refused; 491: both had one, try again in a while (RFC 3261 14.1). */
	void (*reoffer_failed)(void *ctx, struct cp_sip_call *call, int status);
	void (*established)(void *ctx, struct cp_sip_call *call); /* first ACK */
	void (*ended)(void *ctx, struct cp_sip_call *call, const char *why);
	/* What cp_sip_call_facts says is new: the dialog is established, or its target is another. */
	void (*dialog)(void *ctx, struct cp_sip_call *call);
	/* The peer has hung up; the kept dialog of that owner must not be named again. */
	void (*kept_ended)(void *ctx, void *owner, const char *why);
	/* 1xx to our INVITE. */
	void (*ringing)(void *ctx, struct cp_sip_call *call, int status);
	/* Accept it or refuse it, now or later. */
	void (*refer)(void *ctx, struct cp_sip_refer *refer,
		      const struct cp_sip_refer_request *request);
	/* How our REFER went: its answer, then what its NOTIFYs report. is_over: that was the last word. */
	void (*referred)(void *ctx, void *owner, int status, bool is_over);
	/* One address could not be opened: what and why. */
	void (*listen_failed)(void *ctx, const char *listen, const char *why);
};

/* All URIs are bound before it returns: 0, -EADDRINUSE when one of them could not be, -ENOMEM, -EIO. */
int cp_sip_create(struct cp_sip **sip, struct su_root_s *root, const struct cp_sip_options *options,
		  const struct cp_sip_handler *handler, void *ctx);

/* Refuse new calls, end what goes on, and call done when the wire is quiet (then destroy). */
void cp_sip_stop(struct cp_sip *sip, void (*done)(void *ctx), void *ctx);
void cp_sip_destroy(struct cp_sip *sip);

/* 200 with SDP to the invite or offer that waits. */
void cp_sip_accept(struct cp_sip_call *call, struct cp_slice sdp);
void cp_sip_refuse(struct cp_sip_call *call, const struct cp_sip_refusal *refusal);

/*
 * Our own re-INVITE with an offer; its answer comes by the handler's answer, or reoffer_failed with the status. -EBUSY: another
 * offer is under way, -EINVAL: the call is not established.
 */
int cp_sip_reoffer(struct cp_sip_call *call, struct cp_slice sdp);

/* Our own INVITE; its answer comes by the handler's answer, its end by ended. */
struct cp_sip_dial {
	const char *to, *from; /* URIs */
	const char *target;    /* where to, when the call to whom it is for was redirected */
	const char *user;      /* of the conference, for Contact */
	struct cp_slice sdp;
	struct cp_slice history; /* recipient-list-history (RFC 5366 5); empty: none */
	const char *replaces, *join, *referred_by; /* values of these headers; NULL or "": none */
	unsigned int hops;			   /* Max-Forwards; 0: 70 */
	void *owner;
};

/* -EAGAIN: no room, or we are stopping; -EINVAL, -ENOMEM. */
int cp_sip_dial(struct cp_sip_call **out, struct cp_sip *sip, const struct cp_sip_dial *dial);

/* BYE with a Reason (RFC 3326): a SIP status and text. An invite that waits is refused with that status. */
void cp_sip_hang_up(struct cp_sip_call *call, int cause, const char *text);

/*
 * Who answered our INVITE: what a peer that we trust asserts in its 200, and the last entry of that peer's History-Info where it
 * asserts nothing; anonymous: nobody says who it is. NULL: nobody answered yet.
 */
const struct cp_sip_identity *cp_sip_call_answerer(const struct cp_sip_call *call);
/* Its name, as far as it is known: tags may be empty. Goes with the call. */
const struct cp_sip_dialog_id *cp_sip_call_dialog(struct cp_sip_call *call);

/* Where a 3xx to our INVITE says to go, the best first: URIs without headers. NULL: nowhere else. */
const char *cp_sip_call_target(const struct cp_sip_call *call, size_t i);

/* What of its dialog outlives us. -EAGAIN: it is not established; -ENAMETOOLONG. */
int cp_sip_call_facts(struct cp_dialog *out, const struct cp_sip_call *call);

/*
 * A dialog of our life before: the peer may hang up, refresh it and ask for what it may do; a new offer is refused with 488. -ENOENT: we
 * do not listen there any more; -ENOTSUP: the stack does not let us; -EINVAL, -ENOMEM.
 */
int cp_sip_keep(struct cp_sip_kept **out, struct cp_sip *sip, const struct cp_dialog *dialog,
		void *owner);
/* BYE with a Reason. It must not be named again. */
void cp_sip_kept_bye(struct cp_sip_kept *kept, int cause, const char *text);

/* The conference that the call came to is another than the one in the Request-URI: for Contact. -EINVAL: no such user part. */
int cp_sip_call_set_user(struct cp_sip_call *call, const char *user);

/* 200, and NOTIFYs that follow where the sender wants them. Until refuse or a final status refer may be named. */
void cp_sip_refer_accept(struct cp_sip_refer *refer);
void cp_sip_refer_refuse(struct cp_sip_refer *refer, const struct cp_sip_refusal *refusal);
/* What came of it so far: NOTIFY with a status line. 200 and beyond are final. */
void cp_sip_refer_progress(struct cp_sip_refer *refer, int status, const char *phrase);

/* A REFER of ours: somebody is to call the conference user. */
struct cp_sip_refer_order {
	struct cp_sip_call *call; /* who is there already, in another conference; NULL: nobody */
	const char *to, *from;	  /* URIs: who is asked, and the conference as others know it */
	const char *user;	  /* of the conference */
	unsigned int hops;	  /* Max-Forwards; 0: 70 */
	void *owner;
};

/* -EBUSY: one to the same call is under way; -EAGAIN, -EINVAL, -ENOMEM. */
int cp_sip_refer_send(struct cp_sip *sip, const struct cp_sip_refer_order *order);

/* The caller's own pointer. */
void cp_sip_call_set_owner(struct cp_sip_call *call, void *owner);
void *cp_sip_call_owner(const struct cp_sip_call *call);

size_t cp_sip_call_count(const struct cp_sip *sip);

#endif
