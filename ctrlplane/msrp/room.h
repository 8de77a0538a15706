/* clang-format off */
/*
 * The chat room of one conference (RFC 7701), pure: octets of its members and the time go in, octets for its members come out.
 *
 *   SEND of a member ─▶ From, To, type, rights ─▶ whom it goes to, for good ─▶ each of them: a queue of its own
 *                        └ 400 403 404 413 415 428      (who comes later skips it)
 *
 * Reports end here (7701 6.3). A body is kept once for all, and only until the last one has read it. A sender waits when too much of its
 * own is under way to members who read; who reads too slowly holds nobody up, and is dropped when too much waits for it.
 */
/* clang-format on */
#ifndef CP_MSRP_ROOM_H
#define CP_MSRP_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"
#include "ctrlplane/msrp/nickname.h"

#define CP_ROOM_NAME_MAX 256	     /* octets of a canonical URI, with its NUL */
#define CP_ROOM_NAMES_MAX 4	     /* URIs of one member */
#define CP_ROOM_TYPES_MAX 512	     /* of accept-wrapped-types */
#define CP_ROOM_TEXT_MAX 4096	     /* octets of a message that who watches is shown */
#define CP_ROOM_HISTORY_OCTETS 65536 /* a longer message is not kept for who comes later */

struct cp_room;

/* 0: the default. */
struct cp_room_limits {
	uint64_t size_max; /* octets of a message; above: 413. None */
	size_t queue_max;  /* octets that may wait for one member; above, it is dropped. 16 MiB */
	size_t window; /* octets of one sender that may wait for members who read; above, it waits. 1 MiB */
	size_t store_max; /* octets of memory for all that waits in the room; above, who reads least is dropped. 64 MiB */
	int64_t idle_ms;  /* between two chunks of a message; 9 min */
	int64_t stall_ms; /* something waits, and not an octet is taken: dropped. 60 s */
};

/* What the room knows of a member; what may change does so by cp_room_update. Copied. */
struct cp_room_person {
	uint32_t id;
	size_t name_count;
	const char *names
		[CP_ROOM_NAMES_MAX]; /* canonical URIs it may send from, and is written to at */
	const char *loose;  /* one it may send from, but is not written to at; NULL: none */
	bool may_send;	    /* else read only: 403 */
	bool takes_private; /* 428 else */
	const char *types;  /* accept-wrapped-types, a space between; NULL: all */
	uint64_t size_max;  /* a=max-size; 0: none */
};

struct cp_room_counts {
	uint64_t messages; /* that went to somebody, and are complete */
	uint64_t octets;   /* of them */
	uint64_t deliveries;
	uint64_t refused; /* answered by an error */
	uint64_t aborted;
	uint64_t dropped; /* members */
};

/* A member: an m-line of chat. Read-only outside of this folder, but for user. */
struct cp_room_member {
	struct cp_room *room;
	struct cp_room_member *next;
	void *user; /* the caller's */
	uint32_t id;
	char nickname[CP_MSRP_NICKNAME_MAX + 1]; /* empty: none */
	bool may_send, is_muted, takes_private;
	bool is_bound;		 /* it can be written to */
	uint64_t sent, received; /* messages */
	uint64_t waiting;	 /* octets that wait for it */
	struct cp_room_member_state *state;
};

/* A message that is complete, for who watches the room. Slices are good for the call. */
struct cp_room_message {
	const struct cp_room_member *from; /* NULL: the conference */
	const char *from_uri;		   /* as it stands in the message, without escapes */
	struct cp_slice type;		   /* of the content */
	uint64_t size;			   /* octets of the content */
	struct cp_slice
		text; /* of text/plain that is no longer than CP_ROOM_TEXT_MAX, whole; else empty */
	size_t recipients;
};

/* arg is the room's. None of them may call the room. */
struct cp_room_events {
	/* Octets that a member's connection takes now; its taking them; and whether it is read from. */
	size_t (*room)(struct cp_room_member *member);
	void (*send)(struct cp_room_member *member, const void *octets, size_t len);
	void (*pause)(struct cp_room_member *member, bool on);
	/* What comes is over: the connection is to be closed. It is a member without one from here on. */
	void (*dropped)(struct cp_room_member *member, const char *why);
	/* Bound, or another nickname. */
	void (*changed)(struct cp_room_member *member);
	/* Not for private ones. */
	void (*message)(void *arg, const struct cp_room_message *message);
	void (*luck)(void *arg, uint8_t *out, size_t len);
	/* The canonical form of a URI; 0 or -errno. */
	int (*canonical)(void *arg, char out[CP_ROOM_NAME_MAX], struct cp_slice uri);
	/* A URI of the room itself? */
	bool (*is_room)(void *arg, struct cp_slice uri);
};

struct cp_room_settings {
	const struct cp_room_events *events;
	void *arg;
	struct cp_room_limits limits;
	unsigned int history; /* messages; 0: none */
	const char *reserved; /* no nickname of anybody; NULL: none */
};

int cp_room_create(struct cp_room **out, const struct cp_room_settings *settings);
void cp_room_destroy(struct cp_room *room); /* with its members, without a word; NULL is fine */
void cp_room_set_history(struct cp_room *room, unsigned int history);

/* -ENOMEM, -EINVAL. */
int cp_room_join(struct cp_room_member **out, struct cp_room *room,
		 const struct cp_room_person *person);
int cp_room_update(struct cp_room_member *member, const struct cp_room_person *person);
/* What it is sending is refused from here on: 403. */
void cp_room_mute(struct cp_room_member *member, bool is_muted);
/* What it was sending is given up for all, its nickname is free. */
void cp_room_leave(struct cp_room_member *member, int64_t now_ms);

/* A connection of a member's is up. */
struct cp_room_line {
	const char *self, *peer; /* our URI, and a=path of the peer */
	bool is_active, has_cema;
};
/* -EINVAL: a path that is none; -EBUSY: it has one; -ENOMEM. */
int cp_room_open(struct cp_room_member *member, const struct cp_room_line *line, int64_t now_ms);
/* How many octets are taken. The rest comes again, where it is paused when that is taken off. dropped may have come. */
size_t cp_room_receive(struct cp_room_member *member, const void *octets, size_t len,
		       int64_t now_ms);
/* There is room in its connection again. */
void cp_room_writable(struct cp_room_member *member, int64_t now_ms);
/* Its connection is gone. It may come again. */
void cp_room_lost(struct cp_room_member *member, int64_t now_ms);

void cp_room_tick(struct cp_room *room, int64_t now_ms);
int64_t cp_room_next_ms(const struct cp_room *room); /* INT64_MAX: never */

/* A message of the conference itself. */
struct cp_room_say {
	const char *from_uri, *from_name; /* the name may be NULL */
	const char *to_uri;		  /* as it is to stand in the message */
	struct cp_room_member *to;	  /* NULL: everybody */
	const char *date_time;		  /* RFC 3339; NULL: none */
	const char *type;		  /* text/plain */
	struct cp_slice text;
};
/* To how many it goes; -ENOMEM, -EINVAL, -EMSGSIZE: longer than size_max; -ENOTCONN: to is not bound. */
int cp_room_say(struct cp_room *room, const struct cp_room_say *say, int64_t now_ms);

struct cp_room_member *cp_room_first(const struct cp_room *room); /* then ->next */
/* The first of its URIs. */
const char *cp_room_name(const struct cp_room_member *member);
struct cp_room_counts cp_room_counts(const struct cp_room *room);
size_t
cp_room_held(const struct cp_room *room); /* octets of memory for what waits, and for the history */

#endif
