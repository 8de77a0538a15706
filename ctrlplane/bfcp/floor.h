/*
 * Floor control server of one conference (RFC 8855 section 13): pure, (state, message or event, now) → effects. Who calls
 * owns connections, time and encoding; names and URIs in messages are borrowed for the call of take() only.
 */
#ifndef CP_BFCP_FLOOR_H
#define CP_BFCP_FLOOR_H

#include "ctrlplane/bfcp/msg.h"

#define CP_FLOOR_NEVER UINT64_MAX

enum cp_floor_mode {
	CP_FLOOR_FIRST_COME, /* by priority, then by time */
	CP_FLOOR_CHAIR, /* a chair accepts each request; what chairs ask for themselves is accepted */
	CP_FLOOR_MODERATOR, /* only moderators may ask, for themselves and others */
};

struct cp_floor_policy {
	enum cp_floor_mode mode;
	uint16_t holders_max;  /* at the same time, at least 1 */
	uint16_t per_user_max; /* ongoing requests for one beneficiary, at least 1 */
	uint32_t limit_ms;     /* of one grant; 0: none */
	uint32_t warning_ms;   /* before the limit; 0: none */
};

struct cp_floor_options {
	uint32_t conf;
	uint16_t users_max, requests_max;
	uint32_t keep_ms; /* how long requests outlive a lost connection */
	bool needs_tls;	  /* error 9 for who comes without */
};

struct cp_floor_person {
	uint16_t id;		   /* not 0 */
	const char *display, *uri; /* copied; NULL: none */
	bool is_moderator;
	bool may_ask;	      /* false: error 5 for each FloorRequest */
	uint8_t priority_max; /* what is asked above counts as this */
};

enum cp_floor_effect_kind {
	CP_FLOOR_SEND,	  /* msg to user */
	CP_FLOOR_CLOSE,	  /* the connection of user: its octets cannot be understood */
	CP_FLOOR_GRANTED, /* user holds floor from now on */
	CP_FLOOR_TAKEN,	  /* user holds it no more */
	CP_FLOOR_CHANGED, /* status or place of a request of user; final ones once */
	CP_FLOOR_QUEUE,	  /* floor: who holds it or waits for it; once a turn */
};

struct cp_floor_effect {
	enum cp_floor_effect_kind kind;
	uint16_t user; /* SEND, CLOSE: of the connection; else the beneficiary */
	uint16_t floor, request;
	uint8_t status, queue;
	const struct cp_bfcp_msg *msg;
};

/* take() is called in order, must not call the server, and copies what it wants to keep. */
struct cp_floor_turn {
	uint64_t now_ms;
	void (*take)(void *arg, const struct cp_floor_effect *effect);
	void *arg;
};

/* What is known of a message beside its octets. */
struct cp_floor_from {
	uint16_t user; /* whose connection it is */
	bool is_secure;
	enum cp_bfcp_error decoded;
};

/* A decision that does not come by BFCP: of the conference itself. */
struct cp_floor_decision {
	uint16_t request, floor;
	uint8_t status,
		queue; /* Accepted, Granted, Denied, Revoked; place 0: where policy puts it */
	const char *info;
};

struct cp_floor_view {
	uint16_t request, requester, beneficiary;
	uint8_t status, priority;
	uint16_t place;	     /* in the queue of the floor, from 1; 0: not in it */
	uint64_t ends_ms;    /* the limit of what is granted; CP_FLOOR_NEVER: none */
	uint64_t granted_ms; /* since when it is; CP_FLOOR_NEVER: it is not */
};

struct cp_floor_server;

/* 0, -EINVAL, -ENOMEM. Allocates all that it ever needs. */
int cp_floor_create(struct cp_floor_server **out, const struct cp_floor_options *options);
void cp_floor_destroy(struct cp_floor_server *s);

/* 0, -EINVAL, -EEXIST, -ENOSPC above CP_BFCP_FLOORS_MAX. */
int cp_floor_add(struct cp_floor_server *s, uint16_t floor, const struct cp_floor_policy *policy);
/* -ENOENT, -EINVAL. Who holds the floor keeps it also where fewer may; what waits is judged anew. */
int cp_floor_set_policy(struct cp_floor_server *s, uint16_t floor,
			const struct cp_floor_policy *policy, const struct cp_floor_turn *turn);

/* Adds or changes. 0, -EINVAL, -ENOSPC. */
int cp_floor_put_user(struct cp_floor_server *s, const struct cp_floor_person *person);
/* Ends the user's requests; what it asked for others stays. -ENOENT. The caller closes the connection. */
int cp_floor_remove_user(struct cp_floor_server *s, uint16_t user,
			 const struct cp_floor_turn *turn);
int cp_floor_set_chair(struct cp_floor_server *s, uint16_t floor, uint16_t user, bool is_chair);
bool cp_floor_is_chair(struct cp_floor_server *s, uint16_t floor, uint16_t user);

/* A new connection has no subscriptions. -ENOENT. */
int cp_floor_connected(struct cp_floor_server *s, uint16_t user, const struct cp_floor_turn *turn);
/* While it is lost a user that waits is passed over, and one that holds goes on holding. -ENOENT. */
int cp_floor_lost(struct cp_floor_server *s, uint16_t user, const struct cp_floor_turn *turn);

void cp_floor_receive(struct cp_floor_server *s, const struct cp_floor_from *from,
		      const struct cp_bfcp_msg *msg, const struct cp_floor_turn *turn);

/* By the conference, accepted at once. 0 and the request's id, or the error that a user would get. */
enum cp_bfcp_error cp_floor_ask(struct cp_floor_server *s, uint16_t *request, uint16_t floor,
				uint16_t user, const struct cp_floor_turn *turn);
/* The same as user's own wish, which is held to the policy. */
enum cp_bfcp_error cp_floor_ask_as(struct cp_floor_server *s, uint16_t *request, uint16_t floor,
				   uint16_t user, const struct cp_floor_turn *turn);
/* As a FloorRelease of who asked: Released or Cancelled. */
enum cp_bfcp_error cp_floor_release(struct cp_floor_server *s, uint16_t request,
				    const struct cp_floor_turn *turn);
enum cp_bfcp_error cp_floor_decide(struct cp_floor_server *s,
				   const struct cp_floor_decision *decision,
				   const struct cp_floor_turn *turn);

/* Limits, warnings, connections that did not come back. Due at cp_floor_next_ms(), CP_FLOOR_NEVER: nothing is. */
void cp_floor_tick(struct cp_floor_server *s, const struct cp_floor_turn *turn);
uint64_t cp_floor_next_ms(const struct cp_floor_server *s);

/* The ongoing requests for floor: holders, then the queue, then who waits for a chair. How many are written. */
size_t cp_floor_list(struct cp_floor_server *s, struct cp_floor_view *out, size_t max,
		     uint16_t floor);

#endif
