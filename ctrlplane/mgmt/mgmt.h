/*
 * The HTTP API of the control plane: JSON on a Unix socket and on loopback TCP, errors as problem
 * documents (RFC 9457). It runs on its owner's event loop: watch cp_mgmt_fd() for reading, then
 * call cp_mgmt_run().
 *
 * What can be asked stands in commands.list. The API decides nothing: it reads the focus, hands
 * events to it and asks the media plane, all through struct cp_mgmt_ops.
 */
#ifndef CP_MGMT_MGMT_H
#define CP_MGMT_MGMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/conf/policy.h"
#include "ctrlplane/conf/event.h"
#include "ctrlplane/conf/record.h"
#include "dataplane/api/ctl.h"

struct cp_conf_settings;
struct cp_effect;
struct cp_event;
struct cp_focus;
struct cp_mgmt;

/* What the SIP side knows of a participant. Strings are borrowed until the loop turns; NULL:
 * unknown. */
struct cp_mgmt_leg_facts {
	const char *uri; /* as the participant gave it: From, or the asserted identity */
	const char
		*verified_by;	/* "kms", "asserted" (a trusted peer said so), "digest" or "none" */
	const char *protection; /* what protects it and how far; NULL: told by the suite */
	const char *call_id;	/* to find the call in traces */
	const char *user_agent;
	const char *nickname; /* in the chat; empty or NULL: none */
};

/* How often something happened. */
struct cp_mgmt_count {
	const char *name;
	uint64_t count;
};

/* What the program knows of itself. Strings are borrowed until the loop turns. */
struct cp_mgmt_node_facts {
	int64_t started_ms;	     /* ops.now_ms when the program started */
	const char *const *sip_urls; /* where SIP is taken: "sip:127.0.0.1:5060;transport=udp" */
	size_t sip_url_count;
	bool has_media;			      /* the control socket is connected */
	const struct dp_ctl_welcome *welcome; /* NULL when it is not */
	uint64_t calls_total;		      /* INVITEs answered with 200 since the start */
	uint64_t calls_refused;		      /* INVITEs answered with 4xx to 6xx */
	uint64_t subscribers;		      /* to conferences' state, by the event package */
	uint64_t streams;		      /* of floor control and chat, that are connected */
	uint64_t streams_total;		      /* since the start */
	/* Why connections were refused, and why streams were lost; as many each. */
	const struct cp_mgmt_count *streams_refused, *streams_lost;
	size_t stream_cause_count;
};

/* As cp_media_done_fn: status 0 and a whole reply, or -errno. */
typedef void (*cp_mgmt_media_fn)(void *arg, int status, const struct dp_ctl_hdr *reply);

/* What was asked for is on disk: 0, or why it is not (-errno). */
typedef void (*cp_mgmt_settled_fn)(void *arg, int status);

/* What can be announced by its name. sound: the file or tones of a prompt. */
struct cp_mgmt_clip {
	const char *name, *sound;
	bool is_prompt; /* else a file */
};

/* 0, or why there is nothing (-errno). clips are borrowed until it returns. */
typedef void (*cp_mgmt_clips_fn)(void *arg, int status, const struct cp_mgmt_clip *clips,
				 size_t count);

/* Somebody is to come into a conference. */
struct cp_mgmt_invitation {
	uint32_t conf;
	const char *uri;
	const char *inviter;	      /* canonical identity that asks; NULL: an operator */
	char why[CP_CONF_REASON_MAX]; /* not welcome, in people's words; empty: not said */
};

/* Somebody who holds a floor, or asks for it. */
struct cp_mgmt_floor_request {
	uint16_t id;
	uint16_t place; /* in the queue, from 1; 0: it holds the floor, or waits for a chair */
	uint32_t participant, asked_by;
	const char *status; /* pending (for a chair), accepted (in the queue), granted */
	uint8_t priority;   /* 0 lowest … 4 */
	int64_t left_ms;    /* of a grant with a limit; -1: none */
	int64_t held_ms;    /* since it was granted; -1: it is not */
};

/* A conference's chat since it began, or since somebody came to it after a start. */
struct cp_mgmt_chat {
	uint64_t max_size; /* octets of a message */
	uint64_t messages, octets, deliveries, refused, aborted;
	uint64_t dropped; /* members who did not read */
	size_t held;	  /* octets of memory for what waits, and the history */
};

struct cp_mgmt_chat_member {
	uint32_t participant;
	const char *nickname; /* empty: none */
	bool is_connected, may_send, is_muted, takes_private;
	uint64_t sent, received; /* messages */
	uint64_t waiting;	 /* octets */
};

/* One that was just said to all. */
struct cp_mgmt_chat_message {
	uint32_t participant; /* 0: the conference */
	const char *nickname, *from;
	struct cp_slice type;
	uint64_t size;
	struct cp_slice text; /* ptr NULL: it is no text, or a long one */
	size_t recipients;
};

struct cp_mgmt_chat_order {
	uint32_t conf;
	uint32_t participant; /* SAY: 0: all */
	const char *text;
	bool is_on; /* MUTE */
	const char *by;
};

enum cp_mgmt_floor_action {
	CP_MGMT_FLOOR_ASK = 0, /* for participant: in its own name, or over the chairs' heads */
	CP_MGMT_FLOOR_GRANT,   /* the first place, where there is no room */
	CP_MGMT_FLOOR_DENY,
	CP_MGMT_FLOOR_REVOKE,
	CP_MGMT_FLOOR_PLACE,
	CP_MGMT_FLOOR_RELEASE, /* as who asked would */
	CP_MGMT_FLOOR_CHAIR,
	CP_MGMT_FLOOR_UNCHAIR,
};

struct cp_mgmt_floor_order {
	uint32_t conf;
	size_t floor; /* index */
	enum cp_mgmt_floor_action action;
	uint32_t participant;
	uint16_t request;
	uint8_t place;
	bool is_own;	    /* ASK: the participant's own wish, held to the policy */
	const char *reason; /* for who is concerned; NULL: none */
	const char *by;	    /* for the audit */
};

/* Given by the composition root; those of the store may be NULL where there is none; app comes back as the first argument. All run on the one loop. */
struct cp_mgmt_ops {
	void *app;
	struct cp_focus *focus;		/* read here; changed by handle and create only */
	enum cp_conf_security security; /* of a conference that is made without saying it */
	int64_t (*now_ms)(void *app);	/* the clock of the focus */
	/* cp_conf_handle, and its effects carried out: MUTE, DEAF, GAIN, REMOVE, LOCK, CLOSE,
	 * UPDATE, AUTHORISE, DISALLOW, SET_LIST, ROLE, ADMIT, ANNOUNCE; by and actor of the event say
	 * who asks. Its status. */
	int (*handle)(void *app, const struct cp_event *event);
	/* cp_conf_create with origin CREATED; by: who, for the audit. Its status. */
	int (*create)(void *app, const struct cp_conf_settings *settings, const char *by);
	/* Call a SIP URI into a conference: begun, or -EINVAL, -EACCES (and why), -EAGAIN, -ENOMEM. */
	int (*dial)(void *app, struct cp_mgmt_invitation *invitation);
	/* Ask a SIP URI by REFER to dial in; as dial. NULL: cannot. */
	int (*refer)(void *app, struct cp_mgmt_invitation *invitation);
	/* Stop or go on admitting participants. */
	void (*drain)(void *app, bool is_draining);
	/* LEG_SHOW and NODE_SHOW. 0: done is called once, later; -ENOTCONN and others: it is not.
	 */
	int (*ask_leg)(void *app, uint32_t leg, cp_mgmt_media_fn done, void *arg);
	int (*ask_node)(void *app, cp_mgmt_media_fn done, void *arg);
	void (*leg_facts)(void *app, uint32_t leg, struct cp_mgmt_leg_facts *out);
	void (*node_facts)(void *app, struct cp_mgmt_node_facts *out);
	/*
	 * Call done once, later, when all that handle and create changed so far is durable: an
	 * answer that says so waits for it. Without a store at once. -ENOMEM: done is not called.
	 */
	int (*settle)(void *app, cp_mgmt_settled_fn done, void *arg);
	/* From the store, later; done is called once when 0. -ENOTSUP: there is no store. */
	int (*records)(void *app, const struct cp_record_query *query, cp_records_fn done,
		       void *arg);
	int (*audits)(void *app, const struct cp_audit_query *query, cp_audits_fn done, void *arg);
	/* What can be announced; done is called once when 0, at once or later. NULL: nothing can. */
	int (*clips)(void *app, cp_mgmt_clips_fn done, void *arg);
	/*
	 * Who holds a floor, then the queue, then who waits for a chair: how many are written. Floors are named by their index in the
	 * policy. NULL: there are no floors.
	 */
	size_t (*floor_requests)(void *app, uint32_t conf, size_t floor,
				 struct cp_mgmt_floor_request *out, size_t max);
	bool (*floor_is_chair)(void *app, uint32_t conf, size_t floor, uint32_t participant);
	/* -ENOENT: no such request or participant; -EACCES: the floor's policy; -EEXIST: it asks already; -EALREADY; -ENOSPC. */
	int (*floor_order)(void *app, const struct cp_mgmt_floor_order *order);
	/* Chat; NULL: there is none. show: false where nobody has come to it. message: while CP_NOTICE_CHAT is told. */
	bool (*chat_show)(void *app, uint32_t conf, struct cp_mgmt_chat *out);
	size_t (*chat_members)(void *app, uint32_t conf, struct cp_mgmt_chat_member *out,
			       size_t max);
	bool (*chat_message)(void *app, struct cp_mgmt_chat_message *out);
	/* To how many it goes; -ENOENT, -ENOTCONN: that participant is not in the chat; -EMSGSIZE; -ENOTSUP. */
	int (*chat_say)(void *app, const struct cp_mgmt_chat_order *order);
	int (*chat_mute)(void *app,
			 const struct cp_mgmt_chat_order *order); /* -ENOENT, -EALREADY */
	/* Something that is no event of the focus, for the audit. conf: user part or NULL. */
	void (*audit)(void *app, const char *by, const char *conf, const char *what);
};

struct cp_mgmt_settings {
	const char
		*socket_path;	/* Unix socket; NULL: none. A dead socket in its place is removed */
	uint32_t socket_mode;	/* 0: 0660 */
	const char *const *tcp; /* "127.0.0.1:8480", "[::1]:8480": loopback addresses only */
	size_t tcp_count;	/* at most 4 */
	const char
		*token_file; /* TCP clients must show its first line as bearer token; NULL: none */
	const char *tokens;  /* or one of this file, see tokens.h; NULL: none */
};

/*
 * Listen. settings are copied but ops stays the caller's. On failure -errno, and why (of size
 * octets) says what and how to mend it.
 */
int cp_mgmt_open(struct cp_mgmt **out, const struct cp_mgmt_settings *settings,
		 const struct cp_mgmt_ops *ops, char *why, size_t size);

/* May the API listen on this "address:port"? 0, or -EINVAL and why. Opens nothing. */
int cp_mgmt_check_listen(const char *address, char *why, size_t size);

/* Is this a file of tokens? 0, or -errno and why, with its line. */
int cp_mgmt_check_tokens(const char *path, char *why, size_t size);

/* Requests of the media plane that are still under way must have been completed before. */
void cp_mgmt_close(struct cp_mgmt *mgmt);

/* For the live events: an effect CP_EFFECT_NOTICE, and that something of the node may have changed. */
void cp_mgmt_notice(struct cp_mgmt *mgmt, const struct cp_effect *effect);
void cp_mgmt_notice_node(struct cp_mgmt *mgmt);

int cp_mgmt_fd(const struct cp_mgmt *mgmt);
void cp_mgmt_run(struct cp_mgmt *mgmt);

#endif
