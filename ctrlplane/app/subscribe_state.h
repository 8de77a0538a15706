/* Layout of subscribers and of the conferences that they watch, for subscribe*.c. */
#ifndef CP_APP_SUBSCRIBE_STATE_H
#define CP_APP_SUBSCRIBE_STATE_H

#include "ctrlplane/app/app_state.h"
#include "ctrlplane/app/resolve.h"
#include "ctrlplane/app/subscribe.h"
#include "ctrlplane/cms/cms.h"
#include "ctrlplane/event/roster.h"
#include "ctrlplane/mikey/csb.h"
#include "ctrlplane/sip/subscribe.h"

#define CP_SUB_MIKEY_MAX 8192 /* octets of a message in a SUBSCRIBE */
#define CP_SUB_DATAGRAM 62000 /* octets of a body that UDP may still carry, with SIP around it */

/*
 * What there is to see. Who knows the name of a dialog can put himself into it (Replaces, Join, BYE): call-info is for those who
 * may remove its participant anyway.
 */
enum cp_sub_view {
	CP_VIEW_ALL = 0,
	CP_VIEW_STEERING, /* with call-info: creator and moderators */
	CP_VIEWS
};

/* A conference that somebody watches. Owner: struct cp_subscribe, while it has subscribers. */
struct cp_watch {
	LIST_ENTRY(cp_watch) entry;
	uint32_t conf;
	struct cp_roster *rosters[CP_VIEWS]; /* the first one always; NULL: nobody has that view */
	LIST_HEAD(, cp_sub) subs;
	size_t count;
	bool is_dirty;	    /* the conference may differ from what the roster knows */
	bool is_judged;	    /* who may watch it has been looked at since the last change of that */
	int64_t shown_ms;   /* when it was last shown to the roster */
	int64_t recheck_ms; /* something shown ends by itself; 0: nothing */
};

/* A key encryption key and its name. */
struct cp_sub_key {
	struct cp_secret *kek; /* NULL: none */
	char id[CP_MIKEY_SESSION_NAME];
	bool is_own; /* of a SUBSCRIBE, not of a call */
};

/* A subscription. Owner: its cp_sip_sub, whose owner it is; freed when that ends. */
struct cp_sub {
	LIST_ENTRY(cp_sub) entry; /* of its watch */
	LIST_ENTRY(cp_sub) of_all;
	struct cp_app *app;
	struct cp_sip_sub *sip;
	struct cp_watch *watch;	     /* NULL: not accepted yet, or over: */
	bool is_over;		     /* its last NOTIFY is out */
	char user[CP_CONF_USER_MAX]; /* of the conference */
	char host[128];		     /* that it was called at */
	uint32_t leg;		     /* in whose dialog; 0: in its own */
	/* who it is, as SIP has it, or the call */
	char identity[CP_IDENTITY_MAX], tel[CP_IDENTITY_MAX];
	enum cp_conf_proof proof;
	char kms[CP_IDENTITY_MAX]; /* whom the KMS named; empty: nobody */
	bool is_by_key; /* … and nothing but the call's key proves that it is the same: never in the clear */
	char source[CP_CONF_VIA_MAX];
	char via[96];
	/* the SUBSCRIBE that is being looked at */
	bool is_pending;
	bool is_plain_only; /* it takes no protected bodies */
	bool may_steer;	    /* … by whoever proves to be allowed to */
	unsigned int asked_s;
	struct cp_resolve *resolve; /* its TRANSFER_INIT; NULL: none */
	void (*keys_done)(struct cp_sub *sub, int status);
	uint8_t *message;
	size_t message_len;
	struct cp_sub_key next;
	uint8_t *answer; /* TRANSFER_RESP, or an error; NULL: none */
	size_t answer_len;
	/* agreed */
	struct cp_sub_key key;
	bool is_protected;
	int64_t expires_ms;
	/* what it knows */
	enum cp_sub_view view;
	uint32_t version;
	uint64_t revision;
	int64_t next_ms; /* not before */
	bool is_sending, wants_full;
	size_t sent; /* octets of the last body */
};

struct cp_subscribe {
	LIST_HEAD(, cp_watch) watches;
	LIST_HEAD(, cp_sub) subs; /* all, also those that are being looked at or end */
	size_t count;		  /* of subscriptions that were accepted */
	struct cp_cms *cms;
	/* scratch for bodies */
	char *plain;
	uint8_t *sealed;
	size_t plain_room, sealed_room;
	bool is_stopping;
};

/* subscribe.c */
void cp_sub_end(struct cp_sub *sub, const char *reason, unsigned int retry_after_s);
/* May it still watch, and see what it sees? */
bool cp_sub_is_welcome(struct cp_sub *sub);
struct cp_roster *cp_sub_roster(const struct cp_sub *sub);
/* Out of its watch, which goes with the last one. */
void cp_sub_leave(struct cp_sub *sub);

/* subscribe_keys.c */
/* The TRANSFER_INIT of a SUBSCRIBE, binary or base64. 0: done will follow; else the SIP status. */
int cp_sub_keys_start(struct cp_sub *sub, struct cp_slice mikey,
		      void (*done)(struct cp_sub *sub, int status));
/* TRANSFER_RESP into sub->answer, the key into sub->next. Else the SIP status. */
int cp_sub_keys_answer(struct cp_sub *sub);
void cp_sub_keys_refused(struct cp_sub *sub); /* the MIKEY error into sub->answer */
/* The key of its call, or of a call of the same identity in the conference, into sub->next. False: there is none. */
bool cp_sub_keys_of_call(struct cp_sub *sub, const struct cp_conf *conf);
/*
 * SIP proves nothing, but who it says it is has a call here from the same address, whose key will protect all that it is told: nobody
 * else can read that. Then the KMS, which named that caller, vouches for it too.
 */
bool cp_sub_keys_vouch(struct cp_sub *sub, const struct cp_conf *conf);
void cp_sub_keys_commit(struct cp_sub *sub);
void cp_sub_keys_abort(struct cp_sub *sub);
void cp_sub_keys_free(struct cp_sub *sub);

/* subscribe_view.c: the conference as its subscribers see it. Returns when that changes by itself; 0: it does not. */
int64_t cp_sub_show(struct cp_roster *roster, struct cp_app *app, const struct cp_conf *conf,
		    enum cp_sub_view view);

/* subscribe_notify.c */
/* What the roster knows is made true. */
void cp_watch_show(struct cp_app *app, struct cp_watch *watch);
/* NOTIFY of what it lacks; a full one where it asked for that. 0, -EAGAIN: the last one is still under way. */
int cp_sub_notify(struct cp_sub *sub);
/* The last NOTIFY. state: with the document. */
void cp_sub_notify_end(struct cp_sub *sub, const char *reason, unsigned int retry_after_s,
		       struct cp_roster_body *body);

#endif
