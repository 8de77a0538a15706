/* Layout of the floor control server, for its files. One owner; nothing is allocated after create. */
#ifndef CP_BFCP_FLOOR_STATE_H
#define CP_BFCP_FLOOR_STATE_H

#include "ctrlplane/bfcp/floor.h"

#define NAME_SIZE 64
#define URI_SIZE 96
#define TEXT_SIZE 96
#define PLACE_BY_PRIORITY UINT16_MAX /* anew, also for who has a place */

enum presence {
	PRESENCE_NONE, /* never had a connection, or it is given up: may still hold what others ask for it */
	PRESENCE_THERE,
	PRESENCE_LOST,
};

struct user {
	uint16_t id;
	char display[NAME_SIZE], uri[URI_SIZE];
	bool is_moderator, may_ask;
	uint8_t priority_max;
	enum presence presence;
	uint64_t lost_ms;
	uint32_t chair_of, subscribed; /* a bit for each floor's index */
};

struct floor {
	uint16_t id;
	struct cp_floor_policy policy;
	uint16_t holders, queued;
	bool is_changed; /* subscribers must be told */
};

/* What a request is for one of its floors. */
struct part {
	uint8_t floor;	/* index */
	uint8_t status; /* Pending, Accepted (place counts), Granted, or how it ended */
	uint16_t place; /* dense from 1 in the floor's queue */
};

struct request {
	uint16_t id; /* 0: unused */
	uint16_t requester, beneficiary;
	bool is_for_other, has_priority, is_warned;
	bool is_changed;	 /* who has to do with it must be told */
	uint8_t asked, priority; /* as asked, as it counts */
	uint8_t status;
	size_t count;
	struct part parts[CP_BFCP_FLOORS_MAX];
	char info[TEXT_SIZE], reason[TEXT_SIZE];
	uint64_t serial, granted_ms;
};

struct place {
	uint64_t key;
	struct request *request;
};

struct cp_floor_server {
	struct cp_floor_options options;
	struct user *users; /* by id, ascending */
	size_t user_count, floor_count;
	struct floor floors[CP_BFCP_FLOORS_MAX];
	struct request *requests;
	struct place *order; /* room to sort */
	uint16_t last_id;
	uint64_t serial;
	struct cp_bfcp_msg msg; /* room to answer */
};

/* floor.c */
struct user *floor_user(const struct cp_floor_server *s, uint16_t id);
struct floor *floor_of(struct cp_floor_server *s, uint16_t id);
size_t floor_index(const struct cp_floor_server *s, const struct floor *floor);

/* queue.c: requests and their places */
struct request *floor_request(const struct cp_floor_server *s, uint16_t id);
struct request *floor_request_new(struct cp_floor_server *s);
struct part *floor_part(struct request *r, size_t index);
size_t floor_ongoing(const struct cp_floor_server *s, uint16_t beneficiary, size_t index);
bool floor_is_over(const struct request *r);
uint16_t floor_place(const struct request *r); /* the last of its places */
void floor_accept(struct cp_floor_server *s, struct request *r, struct part *p, uint16_t place);
void floor_end(struct cp_floor_server *s, struct request *r, uint8_t status,
	       const struct cp_floor_turn *turn);
void floor_end_of(struct cp_floor_server *s, uint16_t beneficiary, const char *reason,
		  const struct cp_floor_turn *turn);
void floor_judge(struct cp_floor_server *s, const struct cp_floor_turn *turn);
size_t floor_sort(struct cp_floor_server *s, size_t index);

/* tell.c: messages */
bool floor_may_see(const struct user *user, const struct request *r);
void floor_answer(struct cp_floor_server *s, const struct cp_floor_from *from,
		  const struct cp_bfcp_msg *msg, uint8_t primitive);
void floor_send(struct cp_floor_server *s, uint16_t user, const struct cp_floor_turn *turn);
void floor_put_request(struct cp_floor_server *s, const struct request *r);
void floor_put_floor(struct cp_floor_server *s, size_t index, const struct user *reader);
/* Told all that has changed, but not of request except to user, who has had it as an answer. */
void floor_publish(struct cp_floor_server *s, uint16_t request, uint16_t user,
		   const struct cp_floor_turn *turn);

/* ask.c: what is done to requests, by users and by the conference */
struct wish {
	uint16_t requester, beneficiary;
	bool is_for_other, is_ours, has_priority;
	uint8_t priority;
	size_t floor_count;
	const uint16_t *floors;
	struct cp_slice info;
};

enum cp_bfcp_error floor_ask(struct cp_floor_server *s, struct request **out,
			     const struct wish *wish);
void floor_release(struct cp_floor_server *s, struct request *r, const struct cp_floor_turn *turn);
/* Nothing is changed unless all of what is wanted may be. chair NULL: the conference. */
enum cp_bfcp_error floor_act(struct cp_floor_server *s, const struct user *chair,
			     const struct cp_bfcp_request *wanted, const char **why,
			     const struct cp_floor_turn *turn);

#endif
