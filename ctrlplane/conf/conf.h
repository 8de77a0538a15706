/* clang-format off */
/*
 * The focus (RFC 4353): conferences and who is in them. Pure: events and the time go in, a list of
 * effects comes out, which ctrlplane/app carries out on the media plane, the SIP stack and the store.
 * No I/O, no clock, no locks; one event loop.
 *
 *   admit ─▶ JOIN ─▶ joining ──────────────────────── CONNECTED ─▶ connected [PIN] [lobby] ─ GONE ─▶ gone
 *                 └▶ dialing ─ ALERTING ─▶ alerting ─┘    │           ├ REMOVE, CLOSE, media lost ─▶ RELEASE, gone
 *                                                         └ not set up in time ───┘
 *   found on the media plane after a restart of ours ─▶ adopted ─ REMOVE, CLOSE, media lost, grace ─▶ gone
 *
 * A leg is gone as soon as it is decided that it ends; the dialog's own end comes later, and GONE is -ENOENT then. It is
 * remembered for a while for the event package (cp_leg_gone, conf->gone).
 * Two clocks: now_ms is monotonic; cp_focus_set_wall says how far the wall clock is ahead of it.
 * Pointers that getters give are valid until the next cp_conf_handle. Structs are read-only outside this folder.
 */
/* clang-format on */
#ifndef CP_CONF_CONF_H
#define CP_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/map.h"
#include "ctrlplane/base/slice.h"
#include "ctrlplane/conf/event.h"
#include "ctrlplane/conf/identity.h"
#include "ctrlplane/conf/policy.h"
#include "dataplane/api/suite.h"

#define CP_CONF_DISPLAY_MAX 96
#define CP_CONF_VIA_MAX 64
#define CP_CONF_TEL_MAX 48
#define CP_CONF_CALL_ID_MAX 128
#define CP_CONF_AGENT_MAX 64
#define CP_CONF_GONE_MAX 512	 /* legs of a conference that are remembered … */
#define CP_CONF_GONE_MS 60000	 /* … for so long */
#define CP_CONF_PIN_WRONG_MAX 20 /* then strangers are not asked for it any more, for a while */
#define CP_CONF_CLOSED_MAX 1024	 /* names of conferences that are over: they get 410 */

enum cp_conf_origin {
	CP_CONF_CONFIGURED = 0,
	CP_CONF_CREATED, /* through the API */
	CP_CONF_ADOPTED, /* found on the media plane; nobody can join */
	CP_CONF_FACTORY, /* by a call to the conference factory URI; over when nobody joins it */
};

/* How we know who a participant is. */
enum cp_conf_proof {
	CP_PROOF_NONE = 0, /* From, or nothing */
	CP_PROOF_DIGEST,   /* an account of ours */
	CP_PROOF_ASSERTED, /* P-Asserted-Identity of a trusted peer */
	CP_PROOF_KMS,	   /* the KMS, by the ticket */
};

/* How the keys of a participant's media came about. */
enum cp_conf_keying {
	CP_KEYING_UNKNOWN = 0, /* none yet, or found on the media plane: told by the suite */
	CP_KEYING_NONE,	       /* plain RTP */
	CP_KEYING_SDES,	       /* protected to the next hop only */
	CP_KEYING_MIKEY,       /* MIKEY-TICKET, verified by the KMS */
};

enum cp_leg_state {
	CP_LEG_JOINING = 0, /* admitted; the dialog is being set up */
	CP_LEG_CONNECTED,
	CP_LEG_ADOPTED,	 /* media without a dialog */
	CP_LEG_DIALING,	 /* we call */
	CP_LEG_ALERTING, /* … and it rings */
	CP_LEG_GONE,	 /* remembered only */
	CP_LEG_STATES,
};

/* What keeps a connected leg out of the mix: it neither hears nor is heard, but for prompts. */
enum cp_leg_wait {
	CP_WAIT_NONE = 0,
	CP_WAIT_PIN,	 /* is asked for the PIN */
	CP_WAIT_LOBBY,	 /* for a moderator */
	CP_WAIT_GOODBYE, /* refused; hears why, then goes */
};

/* RFC 4575 5.7.2: status of an endpoint. */
enum cp_leg_status {
	CP_STATUS_PENDING = 0, /* PIN, lobby */
	CP_STATUS_DIALING_OUT,
	CP_STATUS_DIALING_IN,
	CP_STATUS_ALERTING,
	CP_STATUS_ON_HOLD,
	CP_STATUS_CONNECTED,
	CP_STATUS_MUTED_VIA_FOCUS,
	CP_STATUS_DISCONNECTING, /* decided by us, hears why */
	CP_STATUS_DISCONNECTED,
	CP_STATUSES,
};

/* RFC 4575 5.7.3 */
enum cp_join_method {
	CP_JOIN_DIALED_IN = 0,
	CP_JOIN_DIALED_OUT,
	CP_JOIN_FOCUS_OWNER,
	CP_JOIN_METHODS,
};

/* RFC 4575 5.7.5 */
enum cp_departure {
	CP_DEPARTURE_NONE = 0, /* it is there */
	CP_DEPARTED,	       /* by itself */
	CP_BOOTED,	       /* by somebody else, or by policy */
	CP_FAILED,	       /* no answer, no media, time-out, refused */
	CP_BUSY,
	CP_DEPARTURES,
};

/* A conference. */
struct cp_conf {
	struct cp_map_node by_id, by_user;
	struct cp_conf *next, **link; /* list of all, in the order of creation */
	uint32_t id; /* on the control socket; from the user part, so that it survives a restart */
	char user[CP_CONF_USER_MAX];
	char title[CP_CONF_TITLE_MAX];
	char subject[CP_CONF_SUBJECT_MAX], description[CP_CONF_SUBJECT_MAX];
	char creator[CP_IDENTITY_MAX]; /* canonical; empty: none */
	char pin[CP_CONF_PIN_MAX];     /* empty: none. Not for logs, views or audit */
	enum cp_conf_origin origin;
	enum cp_conf_security security;
	enum cp_conf_editors editors;
	enum cp_conf_notify notify; /* cp_conf_notify_policy says what it comes to */
	bool is_open, may_anonymous, believes_from, mutes_on_entry, mutes_on_hold, is_locked;
	bool has_lobby, announces, ends_with_creator, ends_when_empty, has_chat;
	bool is_installed; /* the media plane has it, or was told to */
	bool was_seen;	   /* in the running audit */
	bool was_joined;   /* somebody has been connected in it */
	bool has_creator;  /* the creator is or was in it, and has not left since */
	uint16_t loudest_n, small_size;
	uint16_t chat_history; /* messages; 0: none */
	uint32_t size_max;
	uint32_t leg_count;	  /* all: also who is called, and who waits */
	uint32_t connected_count; /* in the mix */
	int64_t created_ms;
	int64_t start_ms, end_ms, early_ms; /* wall clock, wall clock, duration */
	int32_t warned_min;		    /* minutes of the last warning of its end; 0: none */
	struct cp_conf_floors floors;
	uint64_t policy_version; /* counts changes of settings and list */
	uint32_t pin_wrong;	 /* wrong PINs of late; one is forgiven every 10 s */
	int64_t pin_wrong_ms;	 /* when the last one was forgiven */
	struct cp_leg *legs;	 /* in the order of joining */
	struct cp_leg **legs_end;
	const char *ending; /* why it is closed at the end of the event; NULL: it is not */
	uint32_t closed_tick;
	struct cp_leg *gone; /* the latest first; bounded */
	uint32_t gone_count;
	struct cp_conf_authorised *authorised; /* sorted by person, see identity.h */
	size_t authorised_count;
};

/* A participant: one SIP dialog and its audio. Times are the caller's clock (monotonic
 * milliseconds; cp_focus_wall_ms makes Unix time of them). */
struct cp_leg {
	struct cp_map_node by_id;
	struct cp_leg *next, **link; /* of its conference */
	struct cp_conf *conf;
	uint32_t id; /* on the control socket and in the API */
	uint32_t
		user_id; /* the same for all endpoints of one person in a conference: the id of the first */
	enum cp_leg_state state;
	enum cp_leg_wait wait;
	enum cp_conf_role role;
	enum cp_conf_proof proof;
	enum cp_conf_keying keying;
	enum cp_join_method method;
	enum cp_departure departure;
	/* What others may see. Empty: anonymous, private or unknown */
	char identity[CP_IDENTITY_MAX]; /* canonical */
	char display[CP_CONF_DISPLAY_MAX];
	/* Who it is, for rules and records; not for other participants when is_private */
	char person[CP_IDENTITY_MAX]; /* canonical; empty: anonymous */
	char tel[CP_CONF_TEL_MAX];    /* its second name, "tel:+…"; empty: none */
	bool is_private;
	char via[CP_CONF_VIA_MAX]; /* where the call came from, for people */
	char call_id[CP_CONF_CALL_ID_MAX];
	char agent[CP_CONF_AGENT_MAX];
	char join_reason[CP_CONF_REASON_MAX]; /* empty: none */
	char join_by[CP_IDENTITY_MAX];	      /* who called it out or let it in; empty: itself */
	char referred_by[CP_IDENTITY_MAX];    /* who sent the REFER that brought it; empty: none */
	int64_t referred_ms;		      /* 0: none */
	char left_reason[CP_CONF_REASON_MAX];
	char left_by[CP_IDENTITY_MAX]; /* who removed it; empty: itself, or policy */
	uint16_t left_status;	       /* SIP status of a failed call; 0: none */
	enum dp_suite suite;
	bool is_muted, is_deaf; /* as people set it */
	bool is_held;		/* the participant put us on hold */
	bool is_talking;
	bool has_media;	      /* FIRST_MEDIA or MEDIA_BACK came, and no MEDIA_LOST since */
	bool is_installed;    /* the media plane has it, or was told to */
	bool was_seen;	      /* in the running audit */
	bool is_in;	      /* counted as connected: past PIN and lobby */
	int16_t gain_cdb;     /* hundredths of a dB */
	int64_t joined_ms;    /* JOIN */
	int64_t connected_ms; /* 0: not yet */
	int64_t left_ms;      /* 0: it is there */
	int64_t lost_ms;      /* when media went; 0: it is there */
	int64_t deadline_ms;  /* set-up, PIN, lobby; ADOPTED: end of the grace. 0: none */
	uint32_t dtmf_count;  /* telephone events */
	uint8_t last_dtmf;    /* 0xff while it asks for a PIN */
	uint8_t floors;	      /* that it holds: a bit for each index */
	uint8_t pin_tries;    /* wrong ones */
	uint8_t pin_len;
	char pin[CP_CONF_PIN_MAX]; /* digits so far */
};

/* Times and limits of the node. 0: the default. */
struct cp_conf_limits {
	uint32_t confs_max;
	uint32_t legs_max;
	int64_t setup_ms;     /* JOINING at most; 40 s */
	int64_t ring_ms;      /* DIALING and ALERTING at most; 3 min */
	int64_t adopted_ms;   /* how long media without a dialog goes on; 0: removed at once */
	int64_t pin_ms;	      /* to enter the PIN; 60 s */
	int64_t lobby_ms;     /* to be let in; 15 min */
	int64_t unjoined_ms;  /* a conference of the factory that nobody joined; 60 s */
	bool keeps_dead_legs; /* MEDIA_LOST is shown, the leg stays */
};

struct cp_focus;

/* start: random, for leg ids. limits are copied. -ENOMEM. */
int cp_focus_create(struct cp_focus **out, const struct cp_conf_limits *limits, uint32_t start);
void cp_focus_destroy(struct cp_focus *focus);

/* The wall clock (Unix time in ms) is so far ahead of now_ms. Said before events, as often as one likes. */
void cp_focus_set_wall(struct cp_focus *focus, int64_t ahead_ms);
/* Unix time of a moment on the monotonic clock; 0 stays 0. */
int64_t cp_focus_wall_ms(const struct cp_focus *focus, int64_t ms);

/* Draining: nobody joins (503), what runs goes on. */
void cp_focus_drain(struct cp_focus *focus, bool is_draining);
bool cp_focus_is_draining(const struct cp_focus *focus);

/* -EEXIST: the user part is taken; -EINVAL: cp_conf_check says what; -ENOSPC: confs_max;
 * -ENOMEM. No effects: the caller stores it, and says NOTICE_CONF where it is to be known. */
int cp_conf_create(struct cp_conf **out, struct cp_focus *focus,
		   const struct cp_conf_settings *settings, enum cp_conf_origin origin,
		   int64_t now_ms);

struct cp_conf *cp_conf_first(const struct cp_focus *focus); /* then ->next */
struct cp_conf *cp_conf_by_user(const struct cp_focus *focus, struct cp_slice user);
struct cp_conf *cp_conf_by_id(const struct cp_focus *focus, uint32_t id);
struct cp_leg *cp_leg_by_id(const struct cp_focus *focus, uint32_t id);
/* One that is over, while it is remembered: until the second tick after its end at least. */
struct cp_conf *cp_conf_closed(const struct cp_focus *focus, uint32_t id);
struct cp_leg *cp_leg_gone(const struct cp_focus *focus, uint32_t id);
/* There was a conference of this name, among the last that are over (410, where there is none now). */
bool cp_focus_is_past(const struct cp_focus *focus, struct cp_slice user);
size_t cp_conf_count(const struct cp_focus *focus);
size_t cp_leg_count(const struct cp_focus *focus);

/* The settings as cp_conf_create takes them, borrowed from conf; the list is not among them. */
struct cp_conf_settings cp_conf_settings(const struct cp_conf *conf);
/* As far as the floors go it may be heard, or write: it holds one that controls medium, or there is none. */
bool cp_leg_has_floor(const struct cp_leg *leg, enum cp_conf_medium medium);
/* What notify comes to: OFF, PREFERRED or REQUIRED. */
enum cp_conf_notify cp_conf_notify_policy(const struct cp_conf *conf);

const char *cp_leg_state_name(
	enum cp_leg_state state); /* joining, connected, adopted, dialing, alerting, gone */
const char *cp_leg_wait_name(enum cp_leg_wait wait); /* none, pin, lobby, goodbye */
const char *
cp_conf_origin_name(enum cp_conf_origin origin); /* configured, created, adopted, factory */
const char *cp_conf_proof_name(enum cp_conf_proof proof); /* none, digest, asserted, kms */
/* For people: "none", "SDES to next hop", "mikey-ticket, verified by KMS". */
const char *cp_leg_protection(const struct cp_leg *leg);
enum cp_leg_status cp_leg_status(const struct cp_leg *leg);
const char *cp_leg_status_name(enum cp_leg_status status);   /* as RFC 4575 writes it */
const char *cp_join_method_name(enum cp_join_method method); /* dialed-in, … */
const char *cp_departure_name(enum cp_departure departure);  /* departed, booted, failed, busy */

enum cp_conf_purpose {
	CP_PURPOSE_JOIN = 0,
	CP_PURPOSE_SUBSCRIBE, /* to the event package: who may join, has joined or is listed; 403 else */
	CP_PURPOSE_DIAL_OUT, /* we are to call identity: inviter asks for it */
	CP_PURPOSE_REDIRECT, /* … where our call to somebody else was redirected to */
	CP_PURPOSE_ANSWER,   /* our call was answered by somebody else than whom we called */
};

/* Somebody wants in. Slices may be empty: nothing is known. */
struct cp_conf_request {
	struct cp_slice user;	  /* of the Request-URI */
	struct cp_slice identity; /* canonical; what SIP says */
	enum cp_conf_proof proof; /* … and how it knows: NONE (From), DIGEST, ASSERTED */
	struct cp_slice tel;	  /* canonical; the second value of P-Asserted-Identity */
	struct cp_slice kms;	  /* canonical; whom the KMS named */
	enum cp_conf_purpose purpose;
	bool has_key; /* SUBSCRIBE: NOTIFY can be protected for it */
	int64_t now_ms;
	struct cp_slice inviter; /* DIAL_OUT: who asks for it; empty: an operator */
};

struct cp_conf_verdict {
	struct cp_conf *conf;		 /* NULL: refused */
	uint16_t status;		 /* SIP status to refuse with; 0: welcome */
	uint32_t retry_after_s;		 /* 0: not worth while */
	char reason[CP_CONF_REASON_MAX]; /* a person understands it; printable ASCII without quotes
					  */
	/* Who it is taken for, for struct cp_conf_join */
	char person[CP_IDENTITY_MAX]; /* canonical; empty: anonymous */
	char tel[CP_CONF_TEL_MAX];
	enum cp_conf_proof proof;
	enum cp_conf_role role;
	enum cp_leg_wait wait; /* PIN or lobby, once it is connected */
	bool is_protected;     /* SUBSCRIBE: NOTIFY is to be protected */
};

/* The one place of admission. Changes nothing. Returns the status. */
int cp_conf_admit(struct cp_conf_verdict *out, const struct cp_focus *focus,
		  const struct cp_conf_request *request);

/* What a participant wants to do to others. */
enum cp_conf_action {
	CP_ACTION_POLICY = 0, /* settings, list, roles, lock: by conf->editors */
	CP_ACTION_STEER,      /* mute, remove, admit, announce: creator and moderators */
	CP_ACTION_INVITE, /* call somebody out: who is present or listed and no listener; moderators when locked */
};

/* identity: canonical, proven. Everybody may do to himself what he likes. */
bool cp_conf_may(const struct cp_conf *conf, const char *identity, enum cp_conf_action action);
/* In the mix or waiting for it; NULL: not there. The first of several. */
struct cp_leg *cp_conf_leg_of(const struct cp_conf *conf, const char *identity);

/* What JOIN needs. Strings are borrowed and copied, cut where too long; NULL: empty. */
struct cp_conf_join {
	struct cp_conf *conf;
	const char *identity; /* canonical, public; NULL or empty: anonymous */
	const char *display;  /* public */
	const char *via;
	enum dp_suite suite;
	bool is_held;
	bool is_private;	  /* others see neither identity nor display */
	const char *person, *tel; /* cp_conf_verdict's; NULL: identity, none */
	enum cp_conf_proof proof;
	enum cp_conf_role role;
	enum cp_leg_wait wait;
	enum cp_conf_keying keying;
	enum cp_join_method method; /* DIALED_OUT: begins in state DIALING */
	const char *reason, *by;    /* why and by whom it was called out */
	const char *referred_by;    /* canonical */
	const char *call_id, *agent;
};

/*
 * The one entry. Appends to out. 0; -ENOENT: no such conference or leg (for API calls a 404);
 * -EINVAL: value out of range; -EALREADY: it is so already; -EACCES: the actor may not; -ENOMEM. JOIN writes the new
 * leg to *leg_out (may be NULL otherwise).
 */
int cp_conf_handle(struct cp_focus *focus, const struct cp_event *event, int64_t now_ms,
		   struct cp_effects *out, struct cp_leg **leg_out);

/*
 * After a restart of ours, before the first audit. A conference as it was stored: id and Unix time of its creation.
 * Errors as cp_conf_create; -EEXIST also: the id is taken.
 */
struct cp_conf_past {
	uint32_t id;
	enum cp_conf_origin origin;
	int64_t created_wall_ms;
	bool was_joined;
};
int cp_conf_restore(struct cp_conf **out, struct cp_focus *focus,
		    const struct cp_conf_settings *settings, const struct cp_conf_past *past,
		    int64_t now_ms);

/* A leg as it was stored: when the audit finds it, it is adopted with its role, names, proof and mute; when not, it is
 * recorded as failed. Only what CP_EFFECT_SAVE_LEG stores is read. Its times are monotonic. -ENOENT: no conf; -ENOMEM. */
int cp_focus_remember(struct cp_focus *focus, uint32_t conf, const struct cp_leg *leg);

#endif
