/* clang-format off */
/*
 * One MSRP session on one connection (RFC 4975 sections 5 and 7, RFC 6135, RFC 6714), pure: octets and the time go in, octets and
 * events come out. What comes is put together by Message-ID and byte range; what goes is cut into chunks that give way to each other.
 *
 *   connection up ─▶ active: bodiless SEND ┐
 *                    passive: first request ┴─▶ bound ─▶ SEND, REPORT, NICKNAME both ways ─▶ over
 */
/* clang-format on */
#ifndef CP_MSRP_SESSION_H
#define CP_MSRP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"
#include "ctrlplane/msrp/msg.h"
#include "ctrlplane/msrp/parcel.h"

#define CP_MSRP_TRANSACTION_MS 30000 /* until an answer must be there (7.1.1) */
#define CP_MSRP_PATH_TEXT_MAX 2048   /* octets of a path */
#define CP_MSRP_INCOMING_MAX 16	     /* messages of a session that are half there */

struct cp_msrp_session;

/* A message that comes in. */
struct cp_msrp_incoming {
	struct cp_slice message_id, content_type, media;
	uint64_t total; /* CP_MSRP_OPEN: not known */
	void *user;	/* of whom the events go to; NULL at begin */
};

/* What happened to a message of ours. */
struct cp_msrp_outcome {
	const char *message_id;
	unsigned int status; /* 200: a success report; 408: no answer; else what the peer said */
	struct cp_msrp_range range; /* of a report, as it says */
	bool is_report;
	bool is_expired; /* nobody said it: our time for an answer is over */
};

/* A message that goes out. Memory of the caller, who leaves it to the session from cp_msrp_session_send to sent; zero what is not set. */
struct cp_msrp_out {
	struct cp_msrp_parcel *parcel;
	const void *
		lane; /* behind those of its lane that are complete when it is sent; lanes take turns */
	/* The session's. */
	struct cp_msrp_out *next;
	struct cp_msrp_cursor cursor;
	uint64_t in_chunk, at;
	bool has_begun, is_given_up, is_told;
};

/*
 * arg is the session's. None of them may destroy the session. A status other than 0 and 200 refuses: what comes of that message is read over,
 * and answered by it.
 */
struct cp_msrp_session_events {
	/* Octets that the connection takes now, and its taking them: never more than that. */
	size_t (*room)(void *arg);
	void (*send)(void *arg, const void *octets, size_t len);
	/* The first request of the peer, or our first one. */
	void (*bound)(void *arg);
	/* A message begins; its octets; it is complete, or given up (is_aborted: by the peer, by time, by a refusal, by the end). */
	unsigned int (*begin)(void *arg, struct cp_msrp_incoming *in);
	unsigned int (*body)(void *arg, struct cp_msrp_incoming *in, uint64_t at,
			     struct cp_slice octets);
	unsigned int (*end)(void *arg, struct cp_msrp_incoming *in, bool is_aborted);
	/* Use-Nickname, freed of its quotes; empty: it is taken away. The status, 200: granted. NULL: 403. */
	unsigned int (*nickname)(void *arg, struct cp_slice name);
	/* Body of a success report about in (RFC 7701 6.2): of how many octets; its type is message/cpim. NULL: none */
	size_t (*report_body)(void *arg, const struct cp_msrp_incoming *in, char *out, size_t size);
	/* A request was answered by an error. NULL: nobody counts. */
	void (*refused)(void *arg, unsigned int status);
	/* What became of a message of ours. NULL: nobody wants to know. */
	void (*outcome)(void *arg, const struct cp_msrp_outcome *outcome);
	/* All of a message of ours is with the connection, or will not be: out is the caller's again. */
	void (*sent)(void *arg, struct cp_msrp_out *out, bool is_aborted);
	/* Octets of its body have gone. NULL: nobody counts. */
	void (*moved)(void *arg, struct cp_msrp_out *out, size_t len);
};

struct cp_msrp_session_settings {
	const char *self;    /* our URI, as it stands in our a=path */
	const char *peer;    /* a=path of the peer */
	const uint8_t *luck; /* 8 random octets */
	bool is_active;	     /* we opened the connection */
	bool has_cema;	     /* of URIs only the session id counts */
	uint64_t size_max;   /* octets of a message that is taken; 0: no limit. Above: 413 */
	int64_t idle_ms;     /* between two chunks of a message; 0: 9 minutes */
	const struct cp_msrp_session_events *events;
	void *arg;
};

/* -EINVAL: a path that is none; -ENOMEM. Nothing is sent before cp_msrp_session_pump. */
int cp_msrp_session_create(struct cp_msrp_session **out,
			   const struct cp_msrp_session_settings *settings);
/* Messages that were under way are said to be over, both ways. NULL is fine. */
void cp_msrp_session_destroy(struct cp_msrp_session *session);

/*
 * What came, beginning with what was not taken before. Returns how many octets are taken. Fewer than could be: answers wait for room, come
 * again after pump. -EBADMSG: the stream cannot be followed: close it; cp_msrp_session_why says why.
 */
ssize_t cp_msrp_session_receive(struct cp_msrp_session *session, const void *octets, size_t len,
				int64_t now_ms);
const char *cp_msrp_session_why(const struct cp_msrp_session *session);

/* Writes what there is room for. */
void cp_msrp_session_pump(struct cp_msrp_session *session, int64_t now_ms);
/* Time-outs; when the next one is due, INT64_MAX: none. */
void cp_msrp_session_tick(struct cp_msrp_session *session, int64_t now_ms);
int64_t cp_msrp_session_next_ms(const struct cp_msrp_session *session);

/* Sends out->parcel, which is held until it is sent. Goes out at pump. -ENOMEM; -ENOTCONN: not bound; -ENOENT: its
 * start is gone. */
int cp_msrp_session_send(struct cp_msrp_session *session, struct cp_msrp_out *out);
/* That message is not to go on: '#' where it has begun. sent comes at pump. */
void cp_msrp_session_give_up(struct cp_msrp_session *session, struct cp_msrp_out *out);
/* Asks for a nickname (empty: takes it away). The answer comes as an outcome with the message id "nickname". -EINVAL, -ENOTCONN, -ENOMEM. */
int cp_msrp_session_nickname(struct cp_msrp_session *session, struct cp_slice name, int64_t now_ms);

/* So many answers wait to be written that no more is read. */
bool cp_msrp_session_is_choked(const struct cp_msrp_session *session);
/* The last pump left something for want of room. */
bool cp_msrp_session_is_blocked(const struct cp_msrp_session *session);
bool cp_msrp_session_is_bound(const struct cp_msrp_session *session);
/* Messages of ours that are not sent wholly. */
size_t cp_msrp_session_waiting(const struct cp_msrp_session *session);

/*
 * For who must know whose a connection is: the session id of To-Path in the first request. 0; -EAGAIN: more must come; -EBADMSG: it is no
 * MSRP. id is a slice of octets.
 */
int cp_msrp_first_session(struct cp_slice *id, const void *octets, size_t len);
/* The answer to a first request that nobody takes (481, 506). The length, 0: none is due, or it does not fit. */
size_t cp_msrp_first_refuse(char *out, size_t size, const void *octets, size_t len,
			    unsigned int code);

#endif
