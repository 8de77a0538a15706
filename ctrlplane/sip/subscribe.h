/*
 * Subscriptions to the conference event package (RFC 6665, 4575): SUBSCRIBE in and out of calls, NOTIFY. It knows dialogs and
 * headers; who may, what is said and when is its handler's.
 *
 *   subscribe ─▶ accept or refuse, now or later; again for each refresh
 *   notify: one at a time ─▶ notified(status)
 *   notify with state TERMINATED is the last word: ended follows, and the subscription must not be named any more
 *   notified with 300 or more, and a refusal of the first SUBSCRIBE: it is over as well, without ended
 */
#ifndef CP_SIP_SUBSCRIBE_H
#define CP_SIP_SUBSCRIBE_H

#include "ctrlplane/sip/sip.h"

#define CP_SIP_EVENT "conference"

struct cp_sip_sub; /* owner: the agent */

/* A SUBSCRIBE. Borrowed. */
struct cp_sip_subscribe {
	const char *user;	  /* of the Request-URI, unescaped; in a call's dialog "" */
	const char *host;	  /* of the Request-URI */
	struct cp_sip_call *call; /* in whose dialog it came; NULL: in its own */
	const struct cp_sip_identity *identity; /* first one out of a call; else NULL: as before */
	struct cp_slice mikey;			/* application/mikey; empty: none */
	unsigned int expires_s;
	bool has_accept, accepts_cms; /* Accept is there; … with application/pkcs7-mime */
	const char *peer;	      /* address and port it came from, and how */
	const char *agent;	      /* User-Agent, or "" */
};

struct cp_sip_notifier {
	/* May somebody subscribe to a conference of that name at all? As the handler's look_up. */
	bool (*look_up)(void *ctx, const char *user, struct cp_sip_policy *policy);
	void (*subscribe)(void *ctx, struct cp_sip_sub *sub, const struct cp_sip_subscribe *s);
	void (*notified)(void *ctx, struct cp_sip_sub *sub, int status);
	void (*ended)(void *ctx, struct cp_sip_sub *sub);
	void *ctx;
};

/* Without it SUBSCRIBE gets 405. The struct is copied. */
void cp_sip_set_notifier(struct cp_sip *sip, const struct cp_sip_notifier *notifier);

/* 200; mikey: body of type application/mikey, empty: none. A NOTIFY must follow at once. */
void cp_sip_sub_accept(struct cp_sip_sub *sub, unsigned int expires_s, struct cp_slice mikey);

struct cp_sip_sub_refusal {
	int status;		    /* 406, 415, 423 get their headers */
	const char *text;	    /* Warning 399; NULL: none */
	unsigned int min_expires_s; /* 423 */
	unsigned int retry_after_s; /* 0: none */
	struct cp_slice mikey;	    /* an error, of type application/mikey; empty: none */
};

/* Of a first SUBSCRIBE: the end of sub. Of a refresh: it goes on as it was. */
void cp_sip_sub_refuse(struct cp_sip_sub *sub, const struct cp_sip_sub_refusal *refusal);

enum cp_sip_sub_state { CP_SIP_SUB_ACTIVE = 0, CP_SIP_SUB_TERMINATED };

struct cp_sip_notify {
	enum cp_sip_sub_state state;
	unsigned int expires_s;		/* ACTIVE: left */
	const char *reason;		/* TERMINATED: noresource, timeout, … */
	unsigned int retry_after_s;	/* TERMINATED with probation or giveup; 0: none */
	const char *type, *disposition; /* of the body; disposition NULL: none */
	struct cp_slice body;		/* empty: none */
};

/* -EBUSY: one is under way; -ENOMEM. */
int cp_sip_sub_notify(struct cp_sip_sub *sub, const struct cp_sip_notify *notify);

void cp_sip_sub_set_owner(struct cp_sip_sub *sub, void *owner);
void *cp_sip_sub_owner(const struct cp_sip_sub *sub);

#endif
