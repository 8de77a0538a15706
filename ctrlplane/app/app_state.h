/* Layout of conclave-cp: what the parts of this folder share. One event loop, no locks. */
#ifndef CP_APP_STATE_H
#define CP_APP_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ctrlplane/app/setup/config.h"
#include "ctrlplane/app/keying.h"
#include "ctrlplane/app/mikey.h"
#include "ctrlplane/app/overload.h"
#include "ctrlplane/app/subscribe.h"
#include "ctrlplane/app/prompts.h"
#include "ctrlplane/app/streams.h"
#include "ctrlplane/base/map.h"
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/media/media.h"
#include "ctrlplane/mgmt/mgmt.h"
#include "ctrlplane/sdp/sdp.h"
#include "ctrlplane/sip/resource_list.h"
#include "ctrlplane/sip/sip.h"
#include "ctrlplane/store/archive/archive.h"

#include <sofia-sip/su_wait.h>

#define CP_APP_AREA "app"

/* A file descriptor on the loop. */
struct cp_app_watch {
	struct cp_app *app;
	int index; /* of sofia's root; 0: not registered */
	int fd;
	void (*ready)(struct cp_app *app, int events);
};

/* What the media plane is being asked for on behalf of a call. */
enum cp_app_step {
	CP_STEP_NONE = 0,
	CP_STEP_JOIN,	   /* leg and keys; then 200 to the INVITE */
	CP_STEP_CHANGE,	   /* their offer: changes and receive keys; then 200, then our send key */
	CP_STEP_ANSWER,	   /* their answer to our offer */
	CP_STEP_REINSTALL, /* the media plane had lost the leg; then our re-INVITE */
	CP_STEP_KEYS,	   /* not the media plane: the KMS is asked about their new ticket */
};

/* Who calls, kept while the KMS is asked. */
struct cp_caller {
	char user[CP_CONF_USER_MAX]; /* of the conference */
	char called
		[CP_CONF_USER_MAX]; /* of the Request-URI: whom a ticket of the caller's is for */
	char uri[CP_IDENTITY_MAX], tel[CP_IDENTITY_MAX]; /* proven by SIP; empty: nothing is */
	char display[128];
	char referrer[CP_IDENTITY_MAX]; /* of Referred-By, nothing proves it; empty: none */
	char via[96];
	enum cp_conf_proof proof;
	bool is_private;
};

/* A call of ours until it is answered: on whose word, and who wants to hear of it. */
struct cp_dialing {
	char inviter[CP_IDENTITY_MAX]; /* canonical; empty: an operator */
	char reason[CP_CONF_REASON_MAX];
	char replaces[CP_SIP_HEADER_MAX], join[CP_SIP_HEADER_MAX]; /* headers of our INVITE */
	bool is_referred;					   /* the inviter asked by REFER */
	char *history;		      /* recipient-list-history; NULL: none */
	unsigned int hops;	      /* Max-Forwards; 0: 70 */
	struct cp_sip_refer *refer;   /* is told how it goes; NULL: nobody is */
	struct cp_redirect *redirect; /* NULL: it was never redirected */
};

/* Whom the creator of a conference wants called (RFC 5366). */
struct cp_guests {
	struct cp_sip_list list;
	unsigned int hops;
};

/* A participant's call. Owner: the app; freed when its leg is gone and no request is under way. */
struct cp_call {
	struct cp_map_node by_leg;
	struct cp_app *app;
	struct cp_sip_call *sip; /* NULL: over */
	uint32_t leg, conf;
	enum cp_app_step step;
	unsigned int waiting; /* requests under way */
	int error;	      /* of the first that failed */
	bool is_linked;	      /* in the map of calls */
	bool is_connected;
	bool is_over;	     /* free when nothing is under way */
	bool is_rekey_due;   /* our re-INVITE as soon as it may be */
	bool is_reoffer_due; /* the same, without new keys */
	bool has_leg;	     /* local is right */
	bool is_outgoing;    /* we called */
	bool is_private;     /* others are not to learn who it is */
	int64_t rekey_ms;    /* not before */
	int64_t keys_end_ms; /* MIKEY: re-key by then (TRr); 0: no demand */
	uint32_t ssrc;	     /* ours, of the leg */
	uint32_t worker;     /* that has the leg */
	bool has_rx_ssrc;
	uint32_t rx_ssrc;			 /* theirs, as the media plane last saw it */
	struct cp_keying *keying;		 /* NULL: not by MIKEY */
	struct cp_caller *caller;		 /* until it has joined */
	struct cp_dialing *dialing;		 /* our call: until it is answered */
	const struct cp_config_factory *factory; /* that was called; NULL: a conference */
	uint32_t named;	   /* leg that Replaces or Join names, until the caller is in; 0: none */
	bool is_replacing; /* … by Replaces */
	struct cp_guests *guests; /* until the caller is in; NULL: none */
	uint32_t made;	/* conference that the factory made and nobody has joined yet; 0: none */
	int end_status; /* SIP status of a call that failed; 0: it did not */
	int key_status; /* SIP status to refuse with: MIKEY failed */
	struct cp_sdp_session sdp;
	struct cp_sdp_result next; /* agreed, not yet carried out */
	bool has_next;
	struct cp_sdp_local local;
	struct cp_line lines[CP_LINES]; /* by enum cp_sdp_service */
	bool wants_stream[CP_LINES];	/* our next offer has it anew */
	bool has_renewed_streams;	/* that was tried once */
	char cname[DP_CTL_CNAME_MAX];
	char identity[CP_IDENTITY_MAX]; /* canonical, as it joined; empty: anonymous or private */
	char source[CP_CONF_VIA_MAX];	/* address it came from, without port */
	char uri[CP_IDENTITY_MAX];	/* for people; "anonymous" when it wants to be */
	const char *verified_by;
	char call_id[128];
	char agent[64];
};

/* Taking stock of the media plane. */
struct cp_audit {
	bool is_running;
	bool lists_legs;
	uint32_t *confs;
	size_t conf_count, conf_room;
	size_t at; /* conference whose legs are being listed */
};

struct cp_keep_ending;
struct cp_redirect;
struct cp_floors;
struct cp_chat;

struct cp_app {
	struct cp_config *config;
	su_root_t *root;
	struct cp_focus *focus;
	struct cp_media *media;
	struct cp_mgmt *mgmt;
	struct cp_sip *sip;
	struct cp_map calls; /* by leg */
	LIST_HEAD(, cp_adopted) adopted;
	struct cp_effects effects;
	bool is_running_effects;
	struct cp_audit audit;
	struct cp_app_mikey mikey;
	struct cp_subscribe *subscribe;
	struct cp_archive *archive;
	TAILQ_HEAD(cp_keep_endings, cp_keep_ending)
	endings; /* records that wait for their numbers */
	bool is_store_bad;
	struct cp_app_watch archive_watch;
	struct cp_prompts *prompts;
	struct cp_floors *floors;
	struct cp_chat *chat;
	struct cp_streams *streams;
	struct cp_app_watch media_watch, mgmt_watch, signal_watch, kms_watch, streams_watch;
	su_timer_t *fast, *slow, *stop_timer;
	int64_t started_ms;
	uint64_t calls_total, calls_refused;
	uint64_t calls_shed; /* of them: for overload */
	struct cp_overload overload;
	bool is_asking_load;
	int64_t load_asked_ms;
	int64_t fast_ms; /* when the fast timer ran last */
	bool is_stopping;
	bool is_sip_stopped; /* all have answered our BYE */
	bool is_sip_left_behind; /* ended without waiting: the loop's and NUA's memory goes with the process */
	struct cp_mgmt_ops ops;
	struct cp_sdp_policy policy; /* with the media plane's addresses */
};

/* app.c */
int64_t cp_app_now_ms(void);
void cp_app_end_when_done(struct cp_app *app); /* a record is written */
int cp_app_watch(struct cp_app_watch *w, int fd,
		 int events); /* replaces what was watched; fd -1: nothing */

/* effects.c */
/* Hand an event to the focus, whose status it returns; what follows waits for cp_app_carry_out. */
int cp_app_say(struct cp_app *app, const struct cp_event *event, struct cp_leg **leg);
/* Carry out all that waits; from within an effect it is left to the loop that runs already. */
void cp_app_carry_out(struct cp_app *app);
int cp_app_handle(struct cp_app *app, const struct cp_event *event); /* both */
/* A notice to the log and to the API's live events. */
void cp_app_tell(struct cp_app *app, const struct cp_effect *notice);

/* call.c */
extern const struct cp_sip_handler cp_app_sip_handler;
struct cp_call *cp_app_call(const struct cp_app *app, uint32_t leg);
void cp_call_step_done(struct cp_call *call);
void cp_call_free_all(struct cp_app *app);

void cp_call_hang_up(struct cp_call *call, int cause, const char *why);
void cp_call_over(struct cp_call *call, const char *why); /* its dialog is over */
void cp_call_free(struct cp_call *call);
void cp_call_refuse_sdp(struct cp_call *call, struct cp_sdp_result *r);
void cp_call_refuse_new(struct cp_call *call, const struct cp_sip_refusal *refusal); /* frees it */
void cp_call_refuse_done(struct cp_call *call); /* it was refused: count and free */
/* The SDP policy for a call to a conference, with the addresses that the media plane has now. */
const struct cp_sdp_policy *cp_call_policy(const struct cp_call *call, uint32_t conf_id,
					   bool wants_new_key);
/* The same for one that its factory has not made yet: conf NULL. */
const struct cp_sdp_policy *cp_call_policy_for(const struct cp_call *call,
					       const struct cp_conf *conf,
					       enum cp_conf_security security, bool wants_new_key);
/* Everything is agreed: into the conference as whom the verdict takes it for, and to the media plane. */
void cp_call_join(struct cp_call *call, const struct cp_conf_verdict *verdict);
/* What offer and answer came to, to the media plane. */
void cp_call_carry_on_offer(struct cp_call *call);
void cp_call_drop_next(struct cp_call *call);

/* call_streams.c: floor and chat */
void cp_call_stream_policy(struct cp_sdp_policy *policy, const struct cp_call *call,
			   const struct cp_conf *conf);
int cp_call_encode(char *text, size_t size, struct cp_call *call); /* call->sdp, as cp_sdp_encode */
void cp_call_commit(
	struct cp_call *call); /* what call->next agreed on, and what it refused to the log */
void cp_call_streams_answered(struct cp_call *call); /* call->next is the answer to our offer */
void cp_call_streams_agreed(struct cp_call *call);   /* call->sdp and its keys are in force */

/* invite.c */
/* Who calls is known; where is he to go? A factory, a Replaces. 0, or the status to refuse with and why. */
int cp_call_settle(struct cp_call *call, const char *identity, const char **why);
bool cp_call_look_up(void *app, const char *user, struct cp_sip_policy *policy);
void cp_call_on_invite(void *app, struct cp_sip_call *sip, const struct cp_sip_invite *invite);

/* factory.c */
/* The list of recipients in an INVITE to a factory. 0, or the status to refuse with. */
int cp_factory_keep_list(struct cp_call *call, const struct cp_sip_invite *invite);
/* Who calls is known: a conference for him, into which call->caller is on its way. 0, or the status to refuse with and why. */
int cp_factory_open(struct cp_call *call, const char *creator, const char **why);
void cp_factory_joined(struct cp_call *call); /* the caller is in: now the others */
void cp_factory_forget(struct cp_call *call); /* he never came in, or is gone */

/* replace.c: Replaces and Join */
/* The conference that they lead to, whatever was called. */
const char *cp_replace_user(const struct cp_app *app, const struct cp_sip_invite *invite);
void cp_replace_look_up(void *app, struct cp_sip_call *sip, struct cp_sip_policy *policy);
/* What they name is where call->caller is on its way to. 0, or the status to refuse with. */
int cp_replace_find(struct cp_call *call, const struct cp_sip_invite *invite);
/* Who calls is known: may he? 0, or the status to refuse with and why. */
int cp_replace_check(const struct cp_call *call, const char *identity, const char **why);
/* cp_conf_admit, with the seat of who is replaced. Returns the status. */
int cp_replace_admit(struct cp_conf_verdict *verdict, const struct cp_call *call,
		     struct cp_conf_request request);
void cp_replace_done(struct cp_call *call); /* the caller is in: the other leaves */

/* rekey.c */
void cp_call_rekey(struct cp_call *call);
void cp_call_tick(struct cp_app *app); /* re-INVITEs that wait for their time */
void cp_call_on_reoffer_failed(void *app, struct cp_sip_call *sip, int status);

/* refer.c */
/* Ask uri by REFER to dial in. As cp_app_dial. */
int cp_app_refer(struct cp_app *app, const struct cp_conf *conf, const char *uri);
void cp_refer_on_request(void *app, struct cp_sip_refer *refer,
			 const struct cp_sip_refer_request *request);
void cp_refer_on_report(void *app, void *owner, int status, bool is_over);

/* call_keys.c: calls keyed by MIKEY */
bool cp_call_takes_mikey(const struct cp_app *app, enum cp_conf_security security);
void cp_call_start_keyed(struct cp_call *call); /* an INVITE with MIKEY in call->next */
/* An INVITE without SDP, admitted: our offer is in call->next, and wants a ticket for who calls. */
void cp_call_start_late(struct cp_call *call, const struct cp_conf_verdict *verdict);
/* An offer with MIKEY on a running call. */
void cp_call_offer_keyed(struct cp_call *call);
void cp_call_keys_agreed(struct cp_call *call); /* and in force */
void cp_call_ask_ticket(struct cp_call *call);	/* for a re-key; then cp_call_rekey goes on */

/* The offer in call->next without MIKEY, where the conference takes that; false: it does not. */
bool cp_call_offer_without(struct cp_call *call);

/* dialout.c */
struct cp_dial_order {
	const char *uri;
	const char *inviter;	     /* canonical; NULL or empty: an operator */
	const char *reason;	     /* NULL: none */
	const char *replaces, *join; /* NULL or empty: none */
	const char *history;	     /* NULL: none */
	unsigned int hops;	     /* 0: 70 */
	struct cp_sip_refer *refer;  /* NULL: nobody wants to hear of it. Taken on success */
	bool is_referred; /* … though refer may have had its last word: none is wanted */
	struct cp_redirect *redirect; /* NULL: not redirected. Taken on success */
};

/*
 * Call somebody into the conference. -EINVAL: no URI that can be called; -EACCES: verdict says why; -EAGAIN, -ENOMEM: not now. What
 * comes later of it, refer hears.
 */
int cp_app_dial(struct cp_conf_verdict *verdict, struct cp_app *app, const struct cp_conf *conf,
		const struct cp_dial_order *order);
/* Our call got an answer, 1xx to 6xx: the roster and who asked for it learn it. 2xx and beyond end the dialling. */
void cp_call_dial_progress(struct cp_call *call, int status);
/* May who answered, so far as SIP says it, be here? 0, or the status to release it with. */
int cp_call_check_answerer(struct cp_call *call, const char **why);
int cp_call_dial(struct cp_call *call); /* the leg is there: our INVITE */
bool cp_call_is_welcome(struct cp_call *call, const char *who);

/* redirect.c */
const char *cp_redirect_to(const struct cp_redirect *redirect);
/* Our call was answered by call->end_status: where else may it go? */
void cp_redirect_learn(struct cp_call *call);
/* Our call has failed: on to the next. why: what became of it, when anything was tried. False: nowhere. */
bool cp_redirect_follow(char why[CP_CONF_REASON_MAX], struct cp_call *call);

/* legs.c: a call's requests to the media plane. They count into call->waiting and end in cp_call_step_done. */
void cp_call_add_leg(struct cp_call *call, enum cp_app_step step, const struct cp_sdp_media *media,
		     uint32_t changes);
void cp_call_change_leg(struct cp_call *call, enum cp_app_step step,
			const struct cp_sdp_media *media, uint32_t changes);
void cp_call_replace_leg(struct cp_call *call, enum cp_app_step step,
			 const struct cp_sdp_media *media);
void cp_call_install_tx_key(struct cp_call *call, const struct cp_sdp_media *media,
			    uint32_t changes);

/* load.c: admission by measured load */
void cp_load_init(struct cp_app *app);
void cp_load_tick(struct cp_app *app, int64_t now_ms);
/* A timer of that period ran so long after its last time. */
void cp_load_turn(struct cp_app *app, int64_t since_ms, int64_t period_ms);
/* Would one more harm those who are there? conf NULL: a new conference. */
bool cp_load_refuses(struct cp_app *app, const struct cp_conf *conf);
void cp_load_admitted(struct cp_app *app, const struct cp_conf *conf);
unsigned int cp_load_retry_after_s(void);

/* adopted.c: calls of our life before */
int cp_adopted_load(struct cp_app *app);
void cp_adopted_found(struct cp_app *app, uint32_t leg); /* its media goes on */
void cp_adopted_release(struct cp_app *app, uint32_t leg, int cause, const char *text); /* BYE */
void cp_adopted_free_all(struct cp_app *app);
/* For cp_sip_handler. */
void cp_adopted_on_ended(void *app, void *owner, const char *why);
void cp_adopted_keep(void *app, struct cp_sip_call *sip);

/* audit.c */
void cp_audit_start(struct cp_app *app);
void cp_audit_stop(struct cp_app *app);

/* keep.c: what outlives the program */
/* Load it, and add the conferences of the configuration. */
int cp_keep_open(struct cp_app *app);
void cp_keep_tick(struct cp_app *app);
/* Before what waits for settling is closed. */
void cp_keep_close(struct cp_app *app);
/* SAVE_CONF, DROP_CONF, SAVE_LEG, RECORD, AUDIT. */
void cp_keep_effect(struct cp_app *app, const struct cp_effect *e);
/* Something that no event of the focus tells. by, conf (user part): NULL: nobody, the node. */
void cp_keep_audit(struct cp_app *app, const char *by, const char *conf, const char *what);
/* cp_conf_create, stored and audited; by: who. */
int cp_app_create_conf(struct cp_conf **out, struct cp_app *app,
		       const struct cp_conf_settings *settings, enum cp_conf_origin origin,
		       const char *by);

/* api.c */
void cp_api_init(struct cp_app *app);

#endif
