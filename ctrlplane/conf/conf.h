/* clang-format off */
/*
 * The focus (RFC 4353): conferences and who is in them. Pure: events and the time go in, a list of
 * effects comes out, which ctrlplane/app carries out on the media plane and the SIP stack.
 * No I/O, no clock, no locks; one event loop.
 *
 *   admit ─▶ JOIN ─▶ joining ─ CONNECTED ─▶ connected ─ GONE ─▶ forgotten
 *                      │                       ├ REMOVE, CLOSE, media lost ─▶ RELEASE, forgotten
 *                      └ not set up in time ───┘
 *   found on the media plane after a restart of ours ─▶ adopted ─ REMOVE, CLOSE, media lost, grace ─▶ forgotten
 *
 * A leg is forgotten as soon as it is decided that it ends; the dialog's own end comes later, and GONE is -ENOENT then.
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
#include "ctrlplane/conf/identity.h"
#include "dataplane/api/suite.h"

#define CP_CONF_USER_MAX 64
#define CP_CONF_TITLE_MAX 96
#define CP_CONF_DISPLAY_MAX 96
#define CP_CONF_VIA_MAX 64
#define CP_CONF_REASON_MAX 128

/* What media security a conference wants; ctrlplane/app makes a cp_sdp_policy of it. */
enum cp_conf_security {
	CP_CONF_SDES = 0, /* SRTP keyed by SDES, no fall-back */
	CP_CONF_EITHER,	  /* SRTP where offered, keyed by MIKEY-TICKET or SDES, else plain RTP */
	CP_CONF_NONE,	  /* plain RTP only */
	CP_CONF_MIKEY,	  /* SRTP keyed by MIKEY-TICKET, no fall-back */
};

/* What an operator sets. Strings are borrowed by cp_conf_create and cp_conf_update, which copy. */
struct cp_conf_settings {
	const char *user;  /* user part of the conference URI: letters, digits and -_.!~*'()&=+$,;?/
			      ; not empty */
	const char *title; /* NULL: the user part */
	enum cp_conf_security security;
	bool is_open;	    /* anybody may join; else only who is on the list */
	bool may_anonymous; /* a participant without an identity may join (an open conference only)
			     */
	bool mutes_on_entry;
	bool mutes_on_hold; /* music on hold of one is not heard by all */
	bool is_locked;
	uint32_t size_max;	       /* participants; 0: the node's limit */
	uint16_t loudest_n;	       /* talkers mixed; 0: all */
	uint16_t small_size;	       /* up to so many participants all are mixed */
	const char *const *authorised; /* URIs; made canonical here */
	size_t authorised_count;
};

enum cp_conf_origin {
	CP_CONF_CONFIGURED = 0,
	CP_CONF_CREATED, /* through the API */
	CP_CONF_ADOPTED, /* found on the media plane; nobody can join */
};

/* A conference. */
struct cp_conf {
	struct cp_map_node by_id, by_user;
	struct cp_conf *next, **link; /* list of all, in the order of creation */
	uint32_t id; /* on the control socket; from the user part, so that it survives a restart */
	char user[CP_CONF_USER_MAX];
	char title[CP_CONF_TITLE_MAX];
	enum cp_conf_origin origin;
	enum cp_conf_security security;
	bool is_open, may_anonymous, mutes_on_entry, mutes_on_hold, is_locked;
	bool is_installed; /* the media plane has it, or was told to */
	bool was_seen;	   /* in the running audit */
	uint16_t loudest_n, small_size;
	uint32_t size_max;
	uint32_t leg_count;
	int64_t created_ms;
	struct cp_leg *legs; /* in the order of joining */
	struct cp_leg **legs_end;
	char (*authorised)[CP_IDENTITY_MAX]; /* canonical, sorted */
	size_t authorised_count;
};

enum cp_leg_state {
	CP_LEG_JOINING = 0, /* admitted; the dialog is being set up */
	CP_LEG_CONNECTED,
	CP_LEG_ADOPTED, /* media without a dialog */
};

/* A participant: one SIP dialog and its audio. Times are the caller's clock (monotonic
 * milliseconds). */
struct cp_leg {
	struct cp_map_node by_id;
	struct cp_leg *next, **link; /* of its conference */
	struct cp_conf *conf;
	uint32_t id; /* on the control socket and in the API */
	enum cp_leg_state state;
	char identity[CP_IDENTITY_MAX]; /* canonical; empty: anonymous or unknown */
	char display[CP_CONF_DISPLAY_MAX];
	char via[CP_CONF_VIA_MAX]; /* where the call came from, for people */
	enum dp_suite suite;
	bool is_muted, is_deaf; /* as people set it */
	bool is_held;		/* the participant put us on hold */
	bool is_talking;
	bool has_media;	      /* FIRST_MEDIA or MEDIA_BACK came, and no MEDIA_LOST since */
	bool is_installed;    /* the media plane has it, or was told to */
	bool was_seen;	      /* in the running audit */
	int16_t gain_cdb;     /* hundredths of a dB */
	int64_t joined_ms;    /* JOIN */
	int64_t connected_ms; /* 0: not yet */
	int64_t lost_ms;      /* when media went; 0: it is there */
	int64_t deadline_ms;  /* JOINING: set-up; ADOPTED: end of the grace. 0: none */
	uint32_t dtmf_count;  /* telephone events */
	uint8_t last_dtmf;
};

/* Times and limits of the node. */
struct cp_conf_limits {
	uint32_t confs_max;
	uint32_t legs_max;
	int64_t setup_ms;     /* JOINING at most; 0: 40 s */
	int64_t adopted_ms;   /* how long media without a dialog goes on; 0: removed at once */
	bool keeps_dead_legs; /* MEDIA_LOST is shown, the leg stays */
};

struct cp_focus;

/* start: random, for leg ids. limits are copied. -ENOMEM. */
int cp_focus_create(struct cp_focus **out, const struct cp_conf_limits *limits, uint32_t start);
void cp_focus_destroy(struct cp_focus *focus);

/* Draining: nobody joins (503), what runs goes on. */
void cp_focus_drain(struct cp_focus *focus, bool is_draining);
bool cp_focus_is_draining(const struct cp_focus *focus);

/* -EEXIST: the user part is taken; -EINVAL: bad user part or authorised URI; -ENOSPC: confs_max;
 * -ENOMEM. */
int cp_conf_create(struct cp_conf **out, struct cp_focus *focus,
		   const struct cp_conf_settings *settings, enum cp_conf_origin origin,
		   int64_t now_ms);

struct cp_conf *cp_conf_first(const struct cp_focus *focus); /* then ->next */
struct cp_conf *cp_conf_by_user(const struct cp_focus *focus, struct cp_slice user);
struct cp_conf *cp_conf_by_id(const struct cp_focus *focus, uint32_t id);
struct cp_leg *cp_leg_by_id(const struct cp_focus *focus, uint32_t id);
size_t cp_conf_count(const struct cp_focus *focus);
size_t cp_leg_count(const struct cp_focus *focus);

const char *cp_leg_state_name(enum cp_leg_state state); /* joining, connected, adopted */
const char *
cp_conf_security_name(enum cp_conf_security security);	     /* sdes, either, none, mikey-ticket */
const char *cp_conf_origin_name(enum cp_conf_origin origin); /* configured, created, adopted */

/* Somebody wants in. */
struct cp_conf_request {
	struct cp_slice user;	  /* of the Request-URI */
	struct cp_slice identity; /* canonical; empty: anonymous */
};

struct cp_conf_verdict {
	struct cp_conf *conf;		 /* NULL: refused */
	uint16_t status;		 /* SIP status to refuse with; 0: welcome */
	char reason[CP_CONF_REASON_MAX]; /* a person understands it; printable ASCII without quotes
					  */
};

/* The one place of admission. Changes nothing. Returns the status. */
int cp_conf_admit(struct cp_conf_verdict *out, const struct cp_focus *focus,
		  const struct cp_conf_request *request);

enum cp_event_type {
	CP_EVENT_JOIN =
		1, /* join → leg in the result. Admission has been asked; SDP has been agreed */
	CP_EVENT_CONNECTED, /* leg, flag (is_held), suite: 200 is out, or after a late offer the ACK in */
	CP_EVENT_CHANGED, /* leg, flag, suite: re-INVITE or UPDATE agreed */
	CP_EVENT_GONE,	  /* leg: its dialog is over (BYE, CANCEL, time-out, our RELEASE done) */
	CP_EVENT_MUTE,	  /* leg, flag */
	CP_EVENT_DEAF,	  /* leg, flag */
	CP_EVENT_GAIN,	  /* leg, value: hundredths of a dB, -6000 … 2000 */
	CP_EVENT_REMOVE,  /* leg, text: why */
	CP_EVENT_CLOSE,	  /* conf, text: why. All legs are released; the conference is forgotten */
	CP_EVENT_CLOSE_ALL,  /* text: the program ends */
	CP_EVENT_LOCK,	     /* conf, flag */
	CP_EVENT_MIX_POLICY, /* conf, value: loudest_n; value2: small_size */
	CP_EVENT_TICK,	     /* about once a second */
	/* the media plane's events, see enum dp_event_type */
	CP_EVENT_FIRST_MEDIA, /* leg */
	CP_EVENT_MEDIA_LOST,  /* leg */
	CP_EVENT_MEDIA_BACK,  /* leg */
	CP_EVENT_MEDIA_BYE,   /* leg: RTCP BYE */
	CP_EVENT_DTMF,	      /* leg, value: code, value2: ms */
	CP_EVENT_KEY_SOON,    /* leg, value: enum dp_leg_dir, value2: per mille */
	CP_EVENT_TALKERS,     /* conf, ids, id_count */
	/*
	 * Taking stock after the media connection came up (HELLO): BEGIN, one for each conference
	 * and leg that LIST gave, END. In the first audit of our life what we do not know is
	 * adopted, later it is removed; what we know and the media plane has not is installed again
	 * under fresh keys.
	 */
	CP_EVENT_AUDIT_BEGIN,
	CP_EVENT_AUDIT_CONF, /* conf */
	CP_EVENT_AUDIT_LEG,  /* conf, leg */
	CP_EVENT_AUDIT_END,
};

/* What JOIN needs. Strings are borrowed and copied, cut where too long. */
struct cp_conf_join {
	struct cp_conf *conf;
	const char *identity; /* canonical; NULL or empty: anonymous */
	const char *display;
	const char *via;
	enum dp_suite suite;
	bool is_held;
};

struct cp_event {
	enum cp_event_type type;
	uint32_t conf, leg;
	bool flag; /* MUTE, DEAF, LOCK: on; CONNECTED, CHANGED: is_held */
	int32_t value, value2;
	enum dp_suite suite; /* CONNECTED, CHANGED */
	const char *text;
	const struct cp_conf_join *join;
	const uint32_t *ids;
	size_t id_count;
};

enum cp_effect_type {
	/* To the media plane, in this order. Details come from struct cp_conf, struct cp_leg and
	   the dialog's SDP. */
	CP_EFFECT_CONF_INSTALL = 1, /* DP_CTL_CONF_CREATE; -EEXIST counts as done */
	CP_EFFECT_CONF_UPDATE,	    /* DP_CTL_CONF_UPDATE */
	CP_EFFECT_CONF_DESTROY,	    /* DP_CTL_CONF_DESTROY; id only, the conference is forgotten */
	CP_EFFECT_LEG_INSTALL,	    /* DP_CTL_LEG_ADD and its keys */
	CP_EFFECT_LEG_UPDATE,	    /* DP_CTL_LEG_UPDATE and keys, from the SDP session's changes */
	CP_EFFECT_LEG_MIX,	    /* DP_CTL_LEG_MIX with mute, deaf, gain of this effect */
	CP_EFFECT_LEG_REMOVE,	    /* DP_CTL_LEG_REMOVE; id only, the leg may be forgotten */
	/* To the SIP stack */
	CP_EFFECT_RELEASE, /* end the dialog: BYE, or refuse the pending INVITE; text is the reason
			    */
	CP_EFFECT_REKEY,   /* our re-INVITE with a new key */
	/* For the log and the API's live events */
	CP_EFFECT_NOTICE,
};

enum cp_notice {
	CP_NOTICE_JOINED = 1, /* leg: connected */
	CP_NOTICE_LEFT,	      /* leg, text */
	CP_NOTICE_CHANGED,    /* leg: mute, deaf, gain, hold, media */
	CP_NOTICE_DTMF,	      /* leg, value, value2 */
	CP_NOTICE_TALKERS,    /* conf */
	CP_NOTICE_CONF,	      /* conf: created, locked, policy */
	CP_NOTICE_CLOSED,     /* conf id, text */
	CP_NOTICE_ADOPTED,    /* leg */
};

struct cp_effect {
	enum cp_effect_type type;
	enum cp_notice notice;
	uint32_t conf, leg;
	bool is_muted, is_deaf; /* LEG_MIX: as the media plane is to be told */
	int16_t gain_cdb;
	int32_t value, value2;
	char text[CP_CONF_REASON_MAX];
};

/* A growing list; zeroed is empty. The same list may be used again and again. */
struct cp_effects {
	size_t count, room;
	bool has_failed; /* out of memory: some are missing */
	struct cp_effect *items;
};

void cp_effects_clear(struct cp_effects *effects);
void cp_effects_fini(struct cp_effects *effects);

/*
 * The one entry. Appends to out. 0; -ENOENT: no such conference or leg (for API calls a 404);
 * -EINVAL: value out of range; -EALREADY: it is so already; -ENOMEM. JOIN writes the new leg to
 * *leg_out (may be NULL otherwise).
 */
int cp_conf_handle(struct cp_focus *focus, const struct cp_event *event, int64_t now_ms,
		   struct cp_effects *out, struct cp_leg **leg_out);

#endif
