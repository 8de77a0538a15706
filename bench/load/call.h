/*
 * One participant's call: INVITE to BYE on sofia-sip's transaction engine, offer and answer, keys, and what came of it. Owned by
 * the signalling thread.
 */
#ifndef BENCH_LOAD_CALL_H
#define BENCH_LOAD_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include "bench/load/media.h"
#include "bench/load/mikey.h"
#include "bench/load/options.h"
#include "bench/load/sdp.h"

struct nta_agent_s;
struct nta_leg_s;
struct nta_outgoing_s;
struct nta_incoming_s;

enum ue_state {
	UE_IDLE,
	UE_LISTENING, /* for a call */
	UE_RINGING,   /* one came, and waits for the KMS */
	UE_INVITING,
	UE_UP,
	UE_LEAVING, /* BYE or CANCEL is under way */
	UE_DONE,
};

/* What goes on when the KMS has answered. */
enum ue_wait {
	UE_WAIT_NOTHING,
	UE_WAIT_TICKET,	 /* our INVITE */
	UE_WAIT_CALLED,	 /* the answer to the INVITE that called us, or the offer in it */
	UE_WAIT_LATE,	 /* our answer, in the ACK */
	UE_WAIT_EARLY,	 /* our answer, in the PRACK */
	UE_WAIT_REOFFER, /* the answer to an offer within the call */
	UE_WAIT_REKEY,	 /* our re-INVITE with a full TRANSFER_INIT */
};

enum ue_outcome {
	UE_PENDING,
	UE_JOINED,
	UE_REFUSED,	/* a final answer of 300 or more */
	UE_TIMED_OUT,	/* no final answer */
	UE_UNREACHABLE, /* the INVITE could not be delivered */
	UE_BAD_ANSWER,	/* 200, but with no audio stream that we could use */
	UE_NO_TICKET,	/* the KMS gave none: nobody was called */
	UE_OUTCOMES
};

/* What all calls of a process share. */
struct ue_shared {
	const struct ue_options *options;
	struct nta_agent_s *agent;
	struct ue_media *media;
	struct ue_mikey_node *mikey;	 /* NULL: no MIKEY */
	struct ue_streams_node *streams; /* NULL: neither floor control nor chat */
	struct ue_call *calls;
	unsigned call_count;
	char local[UE_ADDR_MAX];
	uint16_t sip_port;
	/* sounds by codec and place in the conference; the last place is silence */
	struct ue_sound *sound[DP_CODEC_COUNT][UE_TONES_MAX + 1];
	unsigned inviting; /* calls without a final answer */
	unsigned up;
	unsigned over;	    /* calls in UE_DONE */
	unsigned subs_open; /* subscriptions that are not over */
};

struct ue_sub;
struct ue_streams;

struct ue_call {
	struct ue_shared *shared;
	struct ue_sub *sub;	    /* NULL: it does not watch */
	struct ue_streams *streams; /* NULL: neither floor control nor chat */
	struct ue_leg *media;
	unsigned number;     /* from 1 */
	unsigned conference; /* number */
	unsigned place;	     /* in the conference, from 0 */
	unsigned hz;	     /* 0: sends no tone */
	enum ue_state state;
	enum ue_outcome outcome;
	bool is_counted; /* in shared->inviting */
	struct ue_mikey *mikey;
	enum ue_wait wait;
	bool is_answering;
	uint32_t ssrc; /* what the leg begins with */
	bool was_challenged, is_vanished, is_reinviting;
	struct nta_leg_s *leg;
	struct nta_outgoing_s *invite;
	struct nta_outgoing_s *late;	 /* whose response has an offer that waits for the KMS */
	struct nta_incoming_s *reinvite; /* of the focus: its ACK or the KMS is awaited */
	struct nta_incoming_s *incoming; /* the INVITE that called us */
	char *offer;			 /* the last that came; NULL: none */
	size_t offer_len;
	bool has_early; /* offer and answer were in a reliable provisional response and its PRACK */
	uint32_t early_rseq; /* of the last of those; 0: none */
	char uri[256], identity[200];
	struct ue_sdp ours; /* last described */
	struct ue_sdes tx_key, rx_key;
	bool has_keys;
	enum dp_codec_id codec;
	struct ue_leg_setup
		*unsaid;    /* with our next key, which waits for the ACK: RFC 4567 4.1.2 */
	bool is_fresh_next; /* the next answer begins new streams: our address changes */
	unsigned action_at; /* next action */
	/* what came of it */
	int status;
	char reason[80], warning[200];
	uint64_t invite_ns, answer_ns, end_ns, refresh_ns;
	unsigned reinvites_ok, reinvites_failed, reinvites_heard;
	unsigned pracks; /* sent or received */
	int reinvite_status;
	int refer_status;	     /* of our REFER, as NOTIFY says; 0: there was none */
	struct nta_leg_s *refer_leg; /* of the REFER that made us call; NULL: nobody asked */
	bool is_refer_over;	     /* who asked knows what came of it */
	bool is_ended_by_focus;
	char end_reason[80];	  /* of the BYE that came; empty: none */
	struct ue_call *replaced; /* whose place this one takes once it is up; NULL: nobody's */
	char contact[128];
	bool is_focus; /* isfocus in the answer's Contact */
	unsigned session_expires;
};

/* Media leg and identity; shared, number, conference, place and hz are set. 0 or -errno. */
int ue_call_init(struct ue_call *c, struct ue_ear *ear);
void ue_call_invite(struct ue_call *c);

/* Waits to be called; ue_listen_open takes the calls. */
void ue_call_listen(struct ue_call *c);
int ue_listen_open(struct ue_shared *shared);
void ue_call_act(struct ue_call *c, const struct ue_action *action);

/* BYE, CANCEL, or nothing where there is no call; in silence: nothing is said to the focus. */
void ue_call_leave(struct ue_call *c, bool in_silence);

/* Time passes: actions and refreshes that are due, INVITEs that took too long. */
void ue_call_tick(struct ue_call *c, uint64_t now_ns);

/* Frees what signalling holds and wipes keys. */
void ue_call_fini(struct ue_call *c);

const char *ue_outcome_name(enum ue_outcome outcome);

#endif
