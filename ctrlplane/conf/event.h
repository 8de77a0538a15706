/*
 * What can happen to a focus, and what follows from it: events go into cp_conf_handle, effects come out. Strings of an
 * event are borrowed.
 */
#ifndef CP_CONF_EVENT_H
#define CP_CONF_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/conf/policy.h"
#include "dataplane/api/suite.h"

#define CP_CONF_REASON_MAX 128

struct cp_conf;
struct cp_conf_join;

enum cp_event_type {
	CP_EVENT_JOIN =
		1, /* join → leg in the result. Admission has been asked; SDP has been agreed */
	CP_EVENT_CONNECTED, /* leg, flag (is_held), suite, keying, proof, person: 200 is out, or after a late offer the
			       ACK in; of our own call: it was answered. PIN, lobby and "has joined" begin here */
	CP_EVENT_CHANGED, /* leg, flag, suite, keying: re-INVITE or UPDATE agreed */
	CP_EVENT_GONE, /* leg, text, value: SIP status when it failed, else 0: its dialog is over (BYE, CANCEL,
			     time-out, our call refused, our RELEASE done) */
	CP_EVENT_MUTE, /* leg, flag */
	CP_EVENT_DEAF, /* leg, flag */
	CP_EVENT_GAIN, /* leg, value: hundredths of a dB, -6000 … 2000 */
	CP_EVENT_FLOOR, /* leg, value: index of the floor, flag: it holds it from now on, or no more */
	CP_EVENT_REMOVE, /* leg, text: why */
	CP_EVENT_CLOSE,	 /* conf, text: why. All legs are released; the conference is forgotten */
	CP_EVENT_CLOSE_ALL,  /* text: the program ends. Stored conferences stay in the store */
	CP_EVENT_LOCK,	     /* conf, flag */
	CP_EVENT_MIX_POLICY, /* conf, value: loudest_n; value2: small_size */
	CP_EVENT_TICK,	     /* about once a second: schedule, deadlines, warnings */
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
	/* The policy. -EACCES: actor may not; -EINVAL: see cp_conf_check; -EALREADY: nothing changes. */
	CP_EVENT_UPDATE, /* conf, change */
	CP_EVENT_AUTHORISE, /* conf, people: onto the list, or into another role. Legs there follow at once */
	CP_EVENT_DISALLOW, /* conf, people: off the list; flag: and out of the conference */
	CP_EVENT_SET_LIST, /* conf, people: instead of the whole list */
	CP_EVENT_ROLE,	   /* leg, value: enum cp_conf_role; of all legs of that person */
	CP_EVENT_ADMIT,	   /* leg: in from the lobby; or conf: all who wait there */
	CP_EVENT_ANNOUNCE, /* conf, leg (0: all), text: the name of a clip; -EINVAL: no name */
	/* Our own calls */
	CP_EVENT_DIALING,  /* leg: our INVITE is out */
	CP_EVENT_ALERTING, /* leg: 180 or 183 came, or it rings for who is called by REFER */
	CP_EVENT_PROMPTED, /* leg, value: enum cp_prompt: it has been played to its end, or cannot be */
	CP_EVENT_TYPES,
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
	const struct cp_conf_change *change;
	const struct cp_conf_person *people;
	size_t people_count;
	const char *
		actor; /* canonical identity of the participant who asks: may it? NULL: an operator, or we */
	const char *
		by; /* who did it, for audit and roster: "operator", a token's name; NULL: the actor, or nobody */
	const char *
		person; /* CONNECTED of our call: canonical identity of who answered; NULL: as it was called */
	bool is_private; /* CONNECTED of our call: who answered does not want to be seen by others */
	uint8_t proof;	 /* CONNECTED: enum cp_conf_proof; 0: as it was */
	uint8_t keying;	 /* CONNECTED, CHANGED: enum cp_conf_keying; 0: as it was */
};

/* What a participant, or all, are to hear. Clips and tones are ctrlplane/app's. */
enum cp_prompt {
	CP_PROMPT_NONE = 0,
	CP_PROMPT_ENTER_PIN,
	CP_PROMPT_WRONG_PIN, /* try again */
	CP_PROMPT_GOODBYE,   /* three wrong PINs; the leg is released once it was heard */
	CP_PROMPT_LOBBY,     /* you wait for a moderator */
	CP_PROMPT_WELCOME,   /* you are in the conference */
	CP_PROMPT_JOINED,    /* to all but value: that leg has joined */
	CP_PROMPT_LEFT,	     /* to all: somebody has left */
	CP_PROMPT_MUTED,     /* you are muted */
	CP_PROMPT_UNMUTED,   /* you are heard again */
	CP_PROMPT_LISTENER,  /* you only listen */
	CP_PROMPT_LOCKED,    /* to all */
	CP_PROMPT_UNLOCKED,  /* to all */
	CP_PROMPT_ENDS_IN,   /* to all; value: minutes */
	CP_PROMPT_ALONE,     /* music or silence for the only one there, until PROMPT_STOP */
	CP_PROMPT_CLIP,	     /* the clip that text names */
	CP_PROMPTS,
};

const char *cp_prompt_name(enum cp_prompt prompt); /* enter-pin, wrong-pin, … ; names of clips */

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
	CP_EFFECT_RELEASE, /* end the dialog: BYE, or refuse the pending INVITE; text is the reason,
			      value the status (200: a plain end) */
	CP_EFFECT_REKEY,   /* our re-INVITE with a new key */
	/* For the log, the API's live events, the event package and the records */
	CP_EFFECT_NOTICE,
	/* Announcements: who is muted and deaf in the mix (PIN, lobby) hears them all the same */
	CP_EFFECT_PROMPT,      /* conf, leg (0: all who are in it), prompt, value, text */
	CP_EFFECT_PROMPT_STOP, /* conf, leg (0: all), prompt (0: whatever plays) */
	/* To the store. Details come from struct cp_conf and struct cp_leg */
	CP_EFFECT_SAVE_CONF, /* conf: settings; value: and the list */
	CP_EFFECT_DROP_CONF, /* conf; text: its user part */
	CP_EFFECT_SAVE_LEG,  /* leg: what a restart of ours must not forget */
	CP_EFFECT_RECORD,    /* leg: it is over (cp_leg_gone gives it); its record is complete */
	CP_EFFECT_AUDIT,     /* conf, leg, by, text: who changed what. Never a PIN */
	CP_EFFECT_TYPES,
};

enum cp_notice {
	CP_NOTICE_JOINED = 1, /* leg: connected, and past PIN and lobby */
	CP_NOTICE_LEFT,	      /* leg, text: cp_leg_gone gives it still */
	CP_NOTICE_CHANGED,    /* leg: state, mute, deaf, gain, hold, media, role */
	CP_NOTICE_DTMF,	      /* leg, value, value2; not while it asks for the PIN */
	CP_NOTICE_TALKERS,    /* conf */
	CP_NOTICE_CONF,	      /* conf: created, settings */
	CP_NOTICE_CLOSED,     /* conf id, text: cp_conf_closed gives it still */
	CP_NOTICE_ADOPTED,    /* leg */
	CP_NOTICE_ADDED,      /* leg: it is in the roster from now on, not connected yet */
	CP_NOTICE_WAITING,    /* leg: connected, in the lobby or asked for its PIN */
	CP_NOTICE_LIST,	      /* conf: who is authorised */
	CP_NOTICE_FLOOR, /* conf, value: index; who holds that floor or waits for it; said by ctrlplane/app */
	CP_NOTICE_CHAT, /* conf: a message to all was said in its chat; said by ctrlplane/app */
	CP_NOTICES,
};

struct cp_effect {
	enum cp_effect_type type;
	enum cp_notice notice;
	enum cp_prompt prompt;
	uint32_t conf, leg;
	bool is_muted, is_deaf; /* LEG_MIX: as the media plane is to be told */
	int16_t gain_cdb;
	int32_t value, value2;
	char text[CP_CONF_REASON_MAX];
	char by[CP_IDENTITY_MAX]; /* AUDIT; NOTICE: who did it, empty: nobody */
};

/* A growing list; zeroed is empty. The same list may be used again and again. */
struct cp_effects {
	size_t count, room;
	bool has_failed; /* out of memory: some are missing */
	struct cp_effect *items;
};

void cp_effects_clear(struct cp_effects *effects);
void cp_effects_fini(struct cp_effects *effects);

#endif
