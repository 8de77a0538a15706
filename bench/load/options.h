/* The command line of conclave-ue, and the timed actions that it or a script asks for. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "bench/load/sdp.h"

#define UE_TONES_MAX 64
#define UE_ACTIONS_MAX 128
#define UE_HEADERS_MAX 8
#define UE_DIALOG_MAX 520     /* of a dialog's name, with its NUL */
#define UE_ACTION_ARG_MAX 400 /* of an action's argument, with its NUL */

enum ue_action_kind {
	UE_HOLD,     /* re-INVITE; arg: direction */
	UE_UNHOLD,   /* re-INVITE sendrecv */
	UE_REKEY,    /* re-INVITE with a new key */
	UE_REINVITE, /* re-INVITE, nothing changed */
	UE_MOVE,     /* re-INVITE from other media ports, with a new key */
	UE_CODEC,    /* re-INVITE; arg: codec */
	UE_DTMF,     /* arg: digits */
	UE_MUTE,     /* send silence */
	UE_UNMUTE,
	UE_SSRC,    /* go on under another SSRC */
	UE_GARBAGE, /* arg: datagrams a second */
	UE_WRONG_KEY,
	UE_WRONG_SOURCE,
	UE_BYE,
	UE_VANISH,    /* leave without BYE, silently */
	UE_REFER,     /* arg: whom the focus is to call */
	UE_FLOOR_ASK, /* arg: floor, empty: the first */
	UE_FLOOR_RELEASE,
	UE_FLOOR_REVOKE, /* as its chair */
	UE_SAY,		 /* arg: text */
	UE_WHISPER,	 /* arg: URI TEXT */
	UE_SEND_FILE,	 /* arg: path */
	UE_NICKNAME,	 /* arg: name; empty: none any more */
	UE_STALL,	 /* read the chat no more */
	UE_CUT,		 /* arg: floor or chat: break its connection off */
	UE_CONNECT,	 /* the same: connect once more */
};

/* What MIKEY's participant does wrong on purpose. */
enum ue_misbehaviour {
	UE_WELL_BEHAVED,
	UE_WRONG_PSK,
	UE_EXPIRED,	   /* calls after its ticket's end */
	UE_OTHER_IDENTITY, /* asks for a ticket as somebody else */
	UE_REPLAY,	   /* all but the first participant send the first one's message */
	UE_FLIP,	   /* a bit in octet N of TRANSFER_INIT or TRANSFER_RESP */
	UE_FLIP_UPDATE,	   /* the same in what re-keys the call */
	UE_TRUNCATE,	   /* N octets of it */
	UE_NO_FLAG,	   /* turns one in the ticket's policy */
	UE_FORGED_VR,	   /* Initiator Data that nobody with MPKr has sealed */
	UE_NO_SDP_IDS,
	UE_WRONG_IDRI,
	UE_SKEW, /* a clock that is N seconds off */
};

/* How it watches its conference. */
enum ue_watch {
	UE_WATCH_NOT = 0,
	UE_WATCH_CALL,	 /* in the call's dialog, under the call's key */
	UE_WATCH_DIALOG, /* in a dialog of its own, under the call's key */
	UE_WATCH_TICKET, /* in a dialog of its own, by a ticket of its own */
};

/* What it does wrong about it on purpose. */
enum ue_watch_wrong {
	UE_WATCH_WELL = 0,
	UE_WATCH_NO_KEY,
	UE_WATCH_WRONG_KEY,
	UE_WATCH_GAP,	 /* loses the first partial document */
	UE_WATCH_REFUSE, /* 481 to the second NOTIFY */
};

/* What the first INVITE says about another dialog. */
enum ue_names {
	UE_NAMES_NONE = 0,
	UE_NAMES_REPLACES, /* take its place */
	UE_NAMES_JOIN,	   /* come into its conference */
};

/* What a chair of a floor does with requests that wait for it. */
enum ue_chair {
	UE_CHAIR_NOT = 0,
	UE_CHAIR_GRANT,
	UE_CHAIR_DENY,
};

/* What it does wrong about TCP streams on purpose. */
enum ue_stream_wrong {
	UE_STREAM_WELL = 0,
	UE_STREAM_WRONG_KEY,
	UE_STREAM_WRONG_NAME,  /* of the key */
	UE_STREAM_WRONG_OWNER, /* the key of another participant */
	UE_STREAM_WRONG_PLAIN, /* without TLS */
};

/* Reliable provisional responses (RFC 3262). */
enum ue_100rel {
	UE_100REL_NO,
	UE_100REL_SUPPORTED,
	UE_100REL_REQUIRED,
};

struct ue_action {
	double at; /* seconds after the answer */
	enum ue_action_kind kind;
	char arg[UE_ACTION_ARG_MAX];
};

/* A participant's password is wiped before exit. */
struct ue_options {
	const char *uri;
	/* signalling */
	const char *from, *display, *user, *pai, *transport, *local;
	char password[128];
	const char *header[UE_HEADERS_MAX];
	unsigned header_count;
	unsigned sip_port;
	double timeout;
	bool is_late_offer, has_bye;
	unsigned session_expires;
	const char *tls_dir;
	enum ue_100rel reliable;
	enum ue_names names;
	char dialog[UE_DIALOG_MAX]; /* CALL-ID;to-tag=TAG;from-tag=TAG */
	const char *dialog_file;    /* where our own is written */
	const char *recipients;	    /* of the list in the INVITE; NULL: none */
	/* keys */
	bool is_plain, has_mux;
	unsigned suite_count;
	enum dp_suite suite[UE_KEYS_MAX];
	uint32_t mki;
	uint8_t mki_len;
	const char *lifetime, *params;
	/* keys by MIKEY-TICKET, where there is a KMS */
	const char *kms, *kms_ca, *kms_id, *identity, *psk_file, *tpk_file, *responder;
	unsigned mikey_set; /* enum cp_mikey_set */
	unsigned validity;  /* seconds */
	unsigned trr;	    /* seconds; 0: no demand */
	bool reuses_tickets, is_mikey_at_session, has_sdes_too;
	bool is_rekey_full; /* by TRANSFER_INIT on a new ticket, not by a CSB update */
	enum ue_misbehaviour misbehaviour;
	const char *misbehave_arg;
	long misbehave_number;
	bool misbehaves_each; /* N is 0 for the first participant, 1 for the second… */
	/* watches the conference */
	enum ue_watch watch;
	enum ue_watch_wrong watch_wrong;
	unsigned watch_expires, watchers;
	/* waits to be called, on sip_port */
	bool is_listening;
	/* m-lines that are offered */
	unsigned line_count, own_line;
	struct ue_line line[UE_LINES_MAX];
	/* floor control and chat */
	bool has_floor, has_chat, chat_wants_reports;
	bool asks_again;	  /* for a floor that it had */
	const char *stream_setup; /* active, passive, actpass */
	unsigned stream_tls;	  /* enum cp_tls_version */
	enum ue_stream_wrong stream_wrong;
	enum ue_chair chair;
	double floor_for; /* seconds that a floor is held; 0: until it is released */
	const char *nickname;
	unsigned chat_messages, chat_size;
	double chat_rate;  /* a second; 0: as fast as they are answered */
	double chat_delay; /* seconds from the connection to the first */
	/* sound */
	unsigned codec_count;
	enum dp_codec_id codec[UE_CODECS_MAX];
	unsigned ptime;
	unsigned tone_count;
	unsigned tone[UE_TONES_MAX];
	double level;
	const char *wav;
	const char *record;
	bool is_silent, has_media;
	/* hearing */
	unsigned expect_count;
	unsigned expect[UE_TONES_MAX];
	bool must_hear;
	double tolerance;
	unsigned listen_every; /* 0: by the number of participants */
	double settle;
	bool has_marks;
	/* how many */
	unsigned count, per_conference, first, talkers, share, window;
	double rate, seconds;
	bool prints_each, is_quiet, has_progress, is_realtime;
	int cpu;
	/* network */
	uint16_t port_low, port_high;
	double loss, reorder;
	unsigned jitter_ms;
	int start_seq; /* -1: random */
	unsigned rtcp_ms;
	uint32_t seed;
	/* what happens when */
	unsigned actors; /* the first so many participants act; 0: all */
	unsigned action_count;
	struct ue_action action[UE_ACTIONS_MAX];
};

/* 0: go on; 1: printed what was asked for, exit 0; 2: a mistake, explained on stderr. */
int ue_options_read(struct ue_options *o, int argc, char **argv);

/* The first "%d" of text becomes number. */
void ue_number_put(char *out, size_t size, const char *text, unsigned number);

/* The host of a SIP URI and what follows it. */
const char *ue_uri_host(const char *uri);

#endif
