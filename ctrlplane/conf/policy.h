/*
 * The policy of a conference: what its creator, its moderators or an operator set, who may join in which role, and who
 * may change what. Wall-clock times are Unix time in milliseconds.
 */
#ifndef CP_CONF_POLICY_H
#define CP_CONF_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"
#include "ctrlplane/conf/floors.h"
#include "ctrlplane/conf/identity.h"

#define CP_CONF_USER_MAX 64
#define CP_CONF_TITLE_MAX 96
#define CP_CONF_SUBJECT_MAX 256
#define CP_CONF_PIN_MAX 17 /* digits with their NUL; 4 to 16 of them */
#define CP_CONF_AUTHORISED_MAX 20000
#define CP_CONF_CHAT_HISTORY_MAX 100

/* What media security a conference wants; ctrlplane/app makes a cp_sdp_policy of it. */
enum cp_conf_security {
	CP_CONF_SDES = 0, /* SRTP keyed by SDES, no fall-back */
	CP_CONF_EITHER,	  /* SRTP where offered, keyed by MIKEY-TICKET or SDES, else plain RTP */
	CP_CONF_NONE,	  /* plain RTP only */
	CP_CONF_MIKEY,	  /* SRTP keyed by MIKEY-TICKET, no fall-back */
};

/* What a participant may do. */
enum cp_conf_role {
	CP_ROLE_PARTICIPANT = 0,
	CP_ROLE_LISTENER, /* is never heard */
	CP_ROLE_MODERATOR,
	CP_ROLE_CREATOR, /* one of a conference */
};

/* Who may change the policy, beside operators. */
enum cp_conf_editors {
	CP_EDITORS_CREATOR = 0,
	CP_EDITORS_MODERATORS,	 /* and the creator */
	CP_EDITORS_PARTICIPANTS, /* all who are listed or present, but listeners */
};

/* Protection of NOTIFY bodies (profile section 7). */
enum cp_conf_notify {
	CP_NOTIFY_DEFAULT = 0, /* by security: MIKEY required, EITHER preferred, else off */
	CP_NOTIFY_OFF,
	CP_NOTIFY_PREFERRED,
	CP_NOTIFY_REQUIRED, /* a subscriber without a key gets 403 */
};

/* Somebody on the list of those who may join. */
struct cp_conf_person {
	const char *uri; /* made canonical here */
	enum cp_conf_role role;
};

/*
 * What may be set. Strings are borrowed by cp_conf_create and CP_EVENT_UPDATE, which copy. A zeroed one with a user part
 * is a conference that nobody may join.
 */
struct cp_conf_settings {
	const char *user;  /* user part of the conference URI: letters, digits and -_.!~*'()&=+$,;?/
			      ; not empty. Cannot be changed */
	const char *title; /* NULL: the user part */
	const char *subject;	 /* NULL: none */
	const char *description; /* NULL: none */
	const char *creator;	 /* URI; NULL: none. Stands on the list without being in it */
	const char *pin;	 /* 4 to 16 digits; NULL or "": none */
	enum cp_conf_security security;
	enum cp_conf_editors editors;
	enum cp_conf_notify notify;
	bool is_open;	     /* anybody may join; else only who is on the list */
	bool may_anonymous;  /* a participant without an identity may join (an open conference only)
			     */
	bool believes_from;  /* From is taken for who calls, where nothing is proven */
	bool mutes_on_entry; /* all but the creator and moderators */
	bool mutes_on_hold;  /* music on hold of one is not heard by all */
	bool is_locked;	     /* nobody joins but the creator and moderators, and whom they call */
	bool has_lobby;	     /* others wait until a moderator lets them in */
	bool announces;	     /* "has joined", "has left", "ends in …" */
	bool ends_with_creator;	  /* over when the creator's last leg has left */
	bool ends_when_empty;	  /* over when the last leg has left */
	bool has_chat;		  /* a chat room over MSRP */
	uint16_t chat_history;	  /* the last messages of the room that who comes gets; 0: none */
	uint32_t size_max;	  /* participants; 0: the node's limit */
	uint16_t loudest_n;	  /* talkers mixed; 0: all */
	uint16_t small_size;	  /* up to so many participants all are mixed */
	int64_t start_ms, end_ms; /* wall clock; 0: at once, never */
	int64_t early_ms;	  /* how long before its start one may join */
	struct cp_conf_floors floors;
	const char *const *authorised; /* URIs of those who may join as participants */
	size_t authorised_count;
	const struct cp_conf_person *people; /* the same with roles; both make one list */
	size_t people_count;
};

/* Which settings CP_EVENT_UPDATE changes. The list has events of its own. */
#define CP_CONF_SET_TITLE (1u << 0)
#define CP_CONF_SET_SUBJECT (1u << 1)
#define CP_CONF_SET_DESCRIPTION (1u << 2)
#define CP_CONF_SET_CREATOR (1u << 3)
#define CP_CONF_SET_PIN (1u << 4)
#define CP_CONF_SET_SECURITY (1u << 5) /* of those who join from now on */
#define CP_CONF_SET_EDITORS (1u << 6)
#define CP_CONF_SET_NOTIFY (1u << 7)
#define CP_CONF_SET_OPEN (1u << 8)
#define CP_CONF_SET_ANONYMOUS (1u << 9)
#define CP_CONF_SET_MUTES_ON_ENTRY (1u << 10)
#define CP_CONF_SET_MUTES_ON_HOLD (1u << 11)
#define CP_CONF_SET_LOCKED (1u << 12)
#define CP_CONF_SET_LOBBY (1u << 13) /* off: who waits comes in */
#define CP_CONF_SET_ANNOUNCES (1u << 14)
#define CP_CONF_SET_ENDS_WITH_CREATOR (1u << 15)
#define CP_CONF_SET_ENDS_WHEN_EMPTY (1u << 16)
#define CP_CONF_SET_SIZE_MAX (1u << 17) /* nobody who is there has to leave */
#define CP_CONF_SET_LOUDEST_N (1u << 18)
#define CP_CONF_SET_SMALL_SIZE (1u << 19)
#define CP_CONF_SET_START (1u << 20)
#define CP_CONF_SET_END (1u << 21)
#define CP_CONF_SET_EARLY (1u << 22)
#define CP_CONF_SET_BELIEVES_FROM (1u << 23)
#define CP_CONF_SET_CHAT (1u << 24) /* of those who join from now on; off: it ends for all */
#define CP_CONF_SET_CHAT_HISTORY (1u << 25)
#define CP_CONF_SET_FLOORS (1u << 26)
#define CP_CONF_SET_ALL ((1u << 27) - 1)

struct cp_conf_change {
	uint32_t which; /* CP_CONF_SET_* */
	struct cp_conf_settings to;
};

/* One of the list, as it is kept. */
struct cp_conf_authorised {
	char identity[CP_IDENTITY_MAX]; /* canonical */
	enum cp_conf_role role;
	uint32_t order; /* used while a list is made */
};

/* Names on the wire of the API, in configurations and in the store; *_of: -EINVAL: no such name. */
const char *
cp_conf_security_name(enum cp_conf_security security); /* sdes, either, none, mikey-ticket */
const char *
cp_conf_role_name(enum cp_conf_role role); /* participant, listener, moderator, creator */
const char *
cp_conf_editors_name(enum cp_conf_editors editors);	     /* creator, moderators, participants */
const char *cp_conf_notify_name(enum cp_conf_notify notify); /* default, off, preferred, required */
int cp_conf_security_of(enum cp_conf_security *out, struct cp_slice name);
int cp_conf_role_of(enum cp_conf_role *out, struct cp_slice name);
int cp_conf_editors_of(enum cp_conf_editors *out, struct cp_slice name);
int cp_conf_notify_of(enum cp_conf_notify *out, struct cp_slice name);

/* 0, or -EINVAL and what is wrong with it, for people. Looks at those of which only; CP_CONF_SET_USER: the name too. */
#define CP_CONF_SET_USER (1u << 31)
int cp_conf_check(const struct cp_conf_settings *settings, uint32_t which, char *why, size_t size);

#endif
