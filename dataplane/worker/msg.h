/*
 * What the control thread and a worker tell each other. A message is the control thread's; posted, it is the worker's, until it
 * comes back by the other ring: done. Memory that the worker needs from then on travels in it, memory that it gives up too.
 */
#ifndef DP_WORKER_MSG_H
#define DP_WORKER_MSG_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/api/ctl.h"
#include "dataplane/mix/mix.h"

#define DP_MSG_KEYS_MAX 10 /* DP_SRTP_OUT_MAX of each direction */

enum dp_msg_type {
	DP_MSG_CONF_CREATE,
	DP_MSG_CONF_UPDATE,
	DP_MSG_CONF_DESTROY, /* empty of legs */
	DP_MSG_LEG_ADD,
	DP_MSG_LEG_UPDATE,
	DP_MSG_LEG_REMOVE, /* says BYE; all its keys come back */
	DP_MSG_LEG_MIX,
	DP_MSG_KEY_INSTALL, /* what it displaced comes back */
	DP_MSG_KEY_RETIRE,
	DP_MSG_LEG_SHOW,
	DP_MSG_NODE_SHOW,
	DP_MSG_PLAY,
	DP_MSG_STOP,
	DP_MSG_CLIP_RETIRE, /* nothing plays it when this is done */
	DP_MSG_LEG_SSRC,    /* our SSRC collided: BYE for the old one, go on under this */
	DP_MSG_TYPE_COUNT
};

struct dp_srtp_key;

struct dp_msg_leg_add {
	struct dp_ctl_leg leg;
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t seq; /* below 2^15 */
	/* Room for the conference's legs when the one it has is full; what it replaces comes back in displaced. */
	uint32_t *members;
	uint32_t member_room;
	uint32_t *displaced;
};

struct dp_msg_key {
	struct dp_srtp_key *key; /* INSTALL: given away */
	uint8_t dir;
	uint8_t slot;
	bool is_fresh;
	bool is_roc_zero; /* DP_KEY_ROC_ZERO: the worker decides whether it is to be fresh */
	uint32_t ssrc;	  /* is_fresh on the way out: the new stream */
	uint16_t seq;
};

struct dp_msg_mix {
	struct dp_gain gain;
	bool is_muted, is_deaf;
};

/* Sound in the control thread's memory, not changed once it is played; freed after CLIP_RETIRE has come back from all. */
struct dp_clip {
	const int16_t *pcm;
	uint32_t samples;
};

#define DP_PLAY_TO_ALL UINT32_MAX

struct dp_msg_play {
	const struct dp_clip *clip;
	uint32_t id;	 /* STOP: 0: whatever plays */
	uint32_t offset; /* below the clip's samples */
	uint32_t flags;	 /* enum dp_play_flag */
	struct dp_gain gain;
	bool is_to_conf; /* to the message's conf, else to its leg */
	uint32_t except; /* index of the leg that is not to hear it; DP_PLAY_TO_ALL */
};

struct dp_msg_ssrc {
	uint32_t ssrc;
	uint16_t seq;
};

struct dp_msg_leg_shown {
	struct dp_addr latched;
	uint8_t suite_rx, suite_tx;
	struct dp_leg_stats stats;
};

struct dp_msg {
	enum dp_msg_type type;
	int status;	  /* done: 0 or -errno */
	uint32_t leg;	  /* index in the worker's table */
	uint32_t conf;	  /* index */
	uint16_t request; /* the control thread's: enum dp_ctl_type it came from; 0: nobody waits */
	uint16_t worker;
	uint32_t number;
	uint64_t client; /* whom to answer */
	void *arg;
	struct dp_msg *next;
	uint32_t key_count; /* keys given back, to be wiped */
	struct dp_srtp_key *keys[DP_MSG_KEYS_MAX];
	union {
		struct dp_ctl_conf conf_create;
		struct dp_msg_leg_add add;
		struct dp_ctl_leg update;
		struct dp_msg_mix mix;
		struct dp_msg_play play;
		struct dp_msg_key key;
		struct dp_msg_ssrc ssrc;
		struct dp_msg_leg_shown shown;
		struct dp_worker_stats node;
	};
};

/* Events between us, not for clients: a peer of this leg's conference uses our SSRC (RFC 3550 8.2). */
#define DP_EVENT_SSRC_COLLISION 0x1000

/* What happened on a worker: by a ring of its own, lost when full and counted. */
struct dp_event_rec {
	uint32_t event; /* enum dp_event_type */
	uint32_t conf;	/* id */
	uint32_t leg;	/* id */
	uint32_t a;
	uint32_t b;
	uint32_t talker_count;
	uint32_t talkers[DP_CTL_TALKERS_MAX];
};

#endif
