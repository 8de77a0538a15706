/*
 * The control socket of the media plane: the Mp of this system.
 *
 * Unix SEQPACKET; one message a datagram; integers in host order (both ends are one machine); strings are
 * NUL-terminated in fixed arrays; octets named zero are zero. A request carries a number of the caller's choice, its one
 * reply carries the same number and a status. Events carry number 0 and come to every client that asked for
 * them in its HELLO. First message on a connection: HELLO; a wrong version is answered with -EPROTONOSUPPORT.
 *
 * Ids of conferences and legs are the caller's: a control plane that restarts LISTs what runs and adopts it (it finds
 * its own ids again) or removes it. An id that is taken is answered with -EEXIST, an unknown one with -ENOENT.
 */
#ifndef DP_API_CTL_H
#define DP_API_CTL_H

#include <stdint.h>
#include "dataplane/api/addr.h"
#include "dataplane/api/codec_id.h"
#include "dataplane/api/stats.h"
#include "dataplane/api/suite.h"

#define DP_CTL_VERSION 3
#define DP_CTL_MAX 16384    /* octets of the longest message */
#define DP_CTL_CNAME_MAX 64 /* with the NUL */
#define DP_CTL_CODECS_MAX 4 /* receive payload types of a leg */
#define DP_CTL_PAGE_LEGS 64 /* ids in one LIST reply */
#define DP_CTL_TALKERS_MAX 16
#define DP_CTL_CLIPS_MAX 256
#define DP_CTL_CLIP_SAMPLES_MAX (8000u * 600)	/* of one clip: ten minutes */
#define DP_CTL_CLIPS_SAMPLES_MAX (8000u * 3600) /* of all together: an hour, 58 MB */
#define DP_CTL_CLIP_PART 3200			/* samples in one CLIP_FILL */

enum dp_ctl_type {
	DP_CTL_HELLO = 1,   /* dp_ctl_hello → dp_ctl_welcome */
	DP_CTL_CONF_CREATE, /* dp_ctl_conf → header only */
	DP_CTL_CONF_UPDATE, /* dp_ctl_conf → header only: mix policy */
	DP_CTL_CONF_DESTROY, /* dp_ctl_id (conf) → header only; its legs go with it, each with RTCP BYE */
	DP_CTL_LEG_ADD, /* dp_ctl_leg → dp_ctl_leg_added */
	DP_CTL_LEG_UPDATE, /* dp_ctl_leg, all fields anew → header only; keys, SSRC and sequence go on */
	DP_CTL_LEG_REMOVE,  /* dp_ctl_id (leg) → header only */
	DP_CTL_LEG_MIX,	    /* dp_ctl_leg_mix → header only */
	DP_CTL_KEY_INSTALL, /* dp_ctl_key → header only */
	DP_CTL_KEY_RETIRE,  /* dp_ctl_key_ref → header only: wiped before the reply */
	DP_CTL_LIST_CONFS,  /* dp_ctl_list → dp_ctl_ids */
	DP_CTL_LIST_LEGS,   /* dp_ctl_list → dp_ctl_ids (of conf, 0: of all) */
	DP_CTL_LEG_SHOW,    /* dp_ctl_id (leg) → dp_ctl_leg_shown */
	DP_CTL_NODE_SHOW,   /* header only → dp_ctl_node */
	DP_CTL_CLIP_ADD,    /* dp_ctl_clip → header only: room for it; its sound follows */
	DP_CTL_CLIP_FILL, /* dp_ctl_clip_part → header only: in order; when full it can be played */
	DP_CTL_CLIP_REMOVE, /* dp_ctl_id (clip) → header only: what plays it stops before the reply */
	DP_CTL_LIST_CLIPS, /* dp_ctl_list → dp_ctl_ids */
	DP_CTL_PLAY,	   /* dp_ctl_play → header only: takes the place of what plays there */
	DP_CTL_STOP,	   /* dp_ctl_play_ref → header only; -ENOENT: it is over */
	DP_CTL_REQUEST_END,
	DP_CTL_EVENT = 0x100, /* dp_ctl_event */
};

/* Every message begins with it. */
struct dp_ctl_hdr {
	uint16_t version; /* DP_CTL_VERSION */
	uint16_t type;	  /* enum dp_ctl_type; a reply has its request's */
	uint32_t len;	  /* octets of the whole message */
	uint32_t number;
	int32_t status; /* replies: 0 or -errno; requests: 0 */
};

struct dp_ctl_hello {
	struct dp_ctl_hdr hdr;
	uint32_t wants_events;
	char client[32]; /* for the log */
};

struct dp_ctl_welcome {
	struct dp_ctl_hdr hdr;
	uint64_t instance; /* random at start: a new one means that all was lost */
	uint32_t workers;
	uint32_t legs_max;
	uint32_t confs_max;
	uint32_t local_count;
	struct dp_addr local[4]; /* our media addresses, port 0; LEG_ADD's local_index names one */
	char version[32];
};

struct dp_ctl_id {
	struct dp_ctl_hdr hdr;
	uint32_t id;
	uint32_t zero;
};

/* A conference and its mix policy. */
struct dp_ctl_conf {
	struct dp_ctl_hdr hdr;
	uint32_t conf;	     /* not 0 */
	uint32_t rate_hz;    /* of the mix: 8000 */
	uint16_t loudest_n;  /* talkers mixed; 0: all */
	uint16_t small_size; /* up to so many legs all are mixed whatever loudest_n says */
	uint32_t zero;
};

struct dp_ctl_codec {
	uint8_t codec; /* enum dp_codec_id */
	uint8_t pt;    /* RTP payload type */
	uint8_t zero[2];
};

enum dp_leg_flag {
	DP_LEG_RTCP_MUX = 1 << 0,    /* RFC 5761: RTCP on the RTP port */
	DP_LEG_SRTCP_PLAIN = 1 << 1, /* UNENCRYPTED_SRTCP of RFC 4568 (6.3.2): authenticated only */
	DP_LEG_SRTP_PLAIN = 1 << 2,  /* UNENCRYPTED_SRTP (6.3.3) */
	DP_LEG_NO_LATCH = 1 << 3,    /* send to the signalled address whatever comes from where */
	DP_LEG_RELATCH =
		1
		<< 4, /* LEG_UPDATE: the peer moved; latch anew on the next packet that authenticates */
	DP_LEG_NO_RTCP = 1 << 5, /* the peer sends no RTCP (b=RR:0 and RS:0) */
	DP_LEG_PRIVATE = 1 << 6, /* others are not told its CNAME */
};

/* Directions are the media plane's: RECEIVE = we take the participant's sound, SEND = we send it the mix. */
enum dp_leg_dir {
	DP_DIR_RECEIVE = 1,
	DP_DIR_SEND = 2,
};

struct dp_ctl_leg {
	struct dp_ctl_hdr hdr;
	uint32_t leg; /* not 0; unique on the node */
	uint32_t conf;
	uint32_t flags;	     /* enum dp_leg_flag */
	uint8_t dirs;	     /* enum dp_leg_dir, or-ed; 0: inactive */
	uint8_t local_index; /* which of our addresses */
	uint8_t is_secure; /* 1: SRTP; nothing passes in either direction before its key is there. 0: plain RTP */
	uint8_t dtmf_pt;   /* telephone-event at 8000 Hz, receive; 0: none */
	uint16_t ptime_ms; /* what we send: 10 to 60 in steps of 10 */
	uint8_t rx_count;  /* entries of rx */
	uint8_t zero;
	struct dp_ctl_codec rx[DP_CTL_CODECS_MAX]; /* what we accept */
	struct dp_ctl_codec tx;			   /* what we send */
	struct dp_addr remote_rtp;		   /* signalled; family NONE: wait for the latch */
	struct dp_addr remote_rtcp;		   /* ignored with RTCP_MUX */
	char cname[DP_CTL_CNAME_MAX];		   /* ours towards this leg, RFC 7022 */
	uint16_t jbuf_min_ms, jbuf_max_ms;	   /* 0: the node's defaults */
	uint16_t lost_after_ms; /* MEDIA_LOST after so long without RTP and RTCP; 0: never */
	uint16_t zero2;
};

struct dp_ctl_leg_added {
	struct dp_ctl_hdr hdr;
	struct dp_addr local_rtp;
	struct dp_addr local_rtcp;
	uint32_t ssrc; /* ours on this leg */
	uint32_t worker;
};

struct dp_ctl_leg_mix {
	struct dp_ctl_hdr hdr;
	uint32_t leg;
	int16_t gain_cdb; /* hundredths of a dB on what the participant sends, -6000 to +2000 */
	uint8_t is_muted; /* nobody hears it */
	uint8_t is_deaf;  /* it hears nobody: gets silence */
};

/* Where a key goes. NEXT on the way out takes over at once (and CURRENT becomes PREVIOUS and is retired);
 * on the way in CURRENT, NEXT and PREVIOUS are all tried (by MKI where there is one) until NEXT has authenticated a packet:
 * then it is CURRENT, and what was CURRENT is PREVIOUS. ROC, replay state and SSRC go on (RFC 3711 3.3.1, 8.1) unless
 * DP_KEY_FRESH says that the stream starts anew (RFC 4568 6.4: ROC 0, and on the way out a new SSRC, sequence below 2^15). */
enum dp_key_slot {
	DP_KEY_CURRENT = 0,
	DP_KEY_NEXT = 1,
	DP_KEY_PREVIOUS = 2, /* RETIRE only */
};

enum dp_key_flag {
	DP_KEY_FRESH = 1 << 0,
	/*
	 * SEND: the peer may begin anew at ROC 0 with the new key or may go on, RFC 4568 does not say and phones differ. A stream
	 * whose ROC is not 0 therefore begins anew, as with FRESH: under a new SSRC both mean the same.
	 */
	DP_KEY_ROC_ZERO = 1 << 1,
};

/* Wiped by whoever sent or received it, straight after use. */
struct dp_ctl_key {
	struct dp_ctl_hdr hdr;
	uint32_t leg;
	uint8_t dir;	 /* DP_DIR_RECEIVE or DP_DIR_SEND */
	uint8_t slot;	 /* enum dp_key_slot */
	uint8_t suite;	 /* enum dp_suite */
	uint8_t mki_len; /* 0: no MKI on the wire */
	uint32_t flags;	 /* enum dp_key_flag */
	uint32_t zero;
	uint64_t lifetime_rtp; /* packets; 0: the suite's maximum */
	uint64_t lifetime_rtcp;
	uint8_t mki[DP_SRTP_MKI_MAX];
	uint8_t key[DP_SRTP_KEY_MAX];
	uint8_t salt[DP_SRTP_SALT_MAX];
	uint8_t zero2[2];
};

struct dp_ctl_key_ref {
	struct dp_ctl_hdr hdr;
	uint32_t leg;
	uint8_t dir;
	uint8_t slot;
	uint8_t zero[2];
};

struct dp_ctl_list {
	struct dp_ctl_hdr hdr;
	uint32_t conf;
	uint32_t after; /* ids above this one, ascending; 0: from the start */
};

struct dp_ctl_ids {
	struct dp_ctl_hdr hdr;
	uint32_t count;
	uint32_t is_last;
	uint32_t ids[DP_CTL_PAGE_LEGS];
};

struct dp_ctl_leg_shown {
	struct dp_ctl_hdr hdr;
	struct dp_ctl_leg leg; /* as installed; its hdr is zero */
	struct dp_ctl_leg_mix mix;
	struct dp_ctl_leg_added added;
	struct dp_addr latched;
	uint8_t suite_rx, suite_tx; /* of the current keys */
	uint8_t zero[6];
	struct dp_leg_stats stats;
};

struct dp_ctl_node {
	struct dp_ctl_hdr hdr;
	uint64_t instance;
	uint64_t uptime_ns;
	uint32_t workers;
	uint32_t zero;
	struct dp_worker_stats total;
	struct dp_worker_stats worker[8]; /* the first eight */
};

/*
 * Recorded sound: 16-bit samples, mono, at the rate of the mix. Ids are the caller's and a space of their own. A clip is the node's:
 * it outlives the connection, and is played on any worker, many times at once.
 */
struct dp_ctl_clip {
	struct dp_ctl_hdr hdr;
	uint32_t clip; /* not 0 */
	uint32_t samples;
};

struct dp_ctl_clip_part {
	struct dp_ctl_hdr hdr;
	uint32_t clip;
	uint32_t offset; /* how much came before: parts come in order */
	uint32_t count;	 /* of pcm; the message has room for all, always */
	uint32_t zero;
	int16_t pcm[DP_CTL_CLIP_PART];
};

enum dp_play_flag {
	DP_PLAY_LOOP = 1 << 0, /* again and again until it is stopped */
	DP_PLAY_OVER = 1 << 1, /* to a leg: with what it hears anyway; otherwise instead of it */
};

/*
 * Play a clip: to a leg, whatever its mix is (a deaf leg hears it too; nobody else does), or to a conference, as if somebody
 * talked whom all hear but the deaf, and but one leg that may be named. Each has one place: a second PLAY there ends the first. It waits while nothing is sent to the
 * leg (no key yet, on hold) or no leg of the conference is active, and ends with PLAYED, but for legs and conferences that go.
 */
struct dp_ctl_play {
	struct dp_ctl_hdr hdr;
	uint32_t play; /* not 0; what PLAYED and STOP call it */
	uint32_t clip;
	uint32_t leg,
		conf; /* one of them, the other 0; both: to the conference, not to that leg, be it there or not */
	uint32_t offset;  /* sample to begin with */
	uint32_t flags;	  /* enum dp_play_flag */
	int16_t gain_cdb; /* -6000 to +2000 */
	uint16_t zero;
};

struct dp_ctl_play_ref {
	struct dp_ctl_hdr hdr;
	uint32_t play;
	uint32_t leg, conf;
	uint32_t zero;
};

/* How a play ended. */
enum dp_play_end {
	DP_PLAYED_OUT = 0,   /* to the end of the clip */
	DP_PLAYED_STOPPED,   /* by STOP */
	DP_PLAYED_DISPLACED, /* by another PLAY */
	DP_PLAYED_NO_CLIP,   /* by CLIP_REMOVE */
};

enum dp_event_type {
	DP_EVENT_FIRST_MEDIA = 1, /* first packet that authenticated and was accepted */
	DP_EVENT_MEDIA_LOST, /* neither RTP nor RTCP for lost_after_ms, the leg being meant to send us some */
	DP_EVENT_MEDIA_BACK,
	DP_EVENT_DTMF,	   /* a: the event code 0-15, b: duration in ms */
	DP_EVENT_KEY_SOON, /* a: dp_leg_dir, b: per mille used up; at 900 and at 1000 */
	DP_EVENT_TALKERS, /* of conf: talkers[], loudest first, when the set changes, at most 5 a second */
	DP_EVENT_BYE,	      /* the participant sent RTCP BYE */
	DP_EVENT_LOST_EVENTS, /* a: so many events were not delivered, the client was slow: LIST again */
	DP_EVENT_PLAYED,      /* a: the play, b: enum dp_play_end; leg 0: it was the conference's */
	DP_EVENT_SSRC,	      /* a: what the participant sends under from now on */
};

struct dp_ctl_event {
	struct dp_ctl_hdr hdr;
	uint32_t event; /* enum dp_event_type */
	uint32_t conf;
	uint32_t leg;
	uint32_t a;
	uint32_t b;
	uint32_t talker_count;
	uint32_t talkers[DP_CTL_TALKERS_MAX]; /* leg ids */
};

#endif
