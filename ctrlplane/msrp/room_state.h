/* What a chat room is made of; for room*.c and their tests. */
#ifndef CP_MSRP_ROOM_STATE_H
#define CP_MSRP_ROOM_STATE_H

#include "ctrlplane/msrp/cpim.h"
#include "ctrlplane/msrp/room.h"
#include "ctrlplane/msrp/session.h"

#define CP_ROOM_COST 256 /* octets that a message counts beside its own while it waits */
#define CP_ROOM_DONE 16	 /* ids of messages that a member has sent: duplicates of them go nowhere */
#define CP_ROOM_PACE_MS 1000 /* who takes less than … */
#define CP_ROOM_PACE \
	65536 /* … so many octets in that time while something waits, holds nobody up */

struct cp_room_member_state;

/* A message on its way to those who were there when it began. Freed when it neither comes nor waits any more. */
struct cp_room_pass {
	struct cp_room *room;
	struct cp_room_pass *next, **link; /* of its sender */
	struct cp_room_member *from;	   /* NULL: the conference, or somebody who has left */
	struct cp_msrp_parcel *parcel;	   /* NULL: not even its head has come */
	char *head;			   /* of CPIM, until that is whole */
	size_t head_len;
	struct cp_room_delivery *deliveries;
	size_t recipients;
	bool comes, is_private;
	uint64_t content_at;					   /* octets before the content */
	char from_uri[CP_ROOM_NAME_MAX], to_uri[CP_ROOM_NAME_MAX]; /* as they stand */
	char type[CP_MSRP_TYPE_MAX];				   /* of the content */
	char *text; /* what who watches is shown of it; NULL: nothing */
	size_t text_len;
};

/* One message for one member. out comes first. */
struct cp_room_delivery {
	struct cp_msrp_out out;
	struct cp_room_pass *pass;
	struct cp_room_member *to;
	struct cp_room_delivery *next, **link;	     /* of its message */
	struct cp_room_delivery *next_to, **link_to; /* of its recipient */
};

struct cp_room_member_state {
	size_t name_count;
	char names[CP_ROOM_NAMES_MAX][CP_ROOM_NAME_MAX];
	char loose[CP_ROOM_NAME_MAX];
	char types[CP_ROOM_TYPES_MAX];
	uint64_t size_max;
	struct cp_msrp_session *session; /* NULL: no connection */
	bool was_bound;			 /* has had its history */
	struct cp_room_pass *passes;	 /* of its own, on their way */
	struct cp_room_delivery *deliveries;
	size_t flight;		    /* octets of its own that wait for members who read */
	size_t taken;		    /* octets that its connection took since … */
	int64_t since_ms, taken_ms; /* … then; and when the last one was */
	bool is_blocked;	    /* there is no room for what waits */
	bool is_slow, is_paused;
	const char *drop; /* is to be dropped, for that reason */
	char why[96];
	char report[2048]; /* body of the next success report */
	size_t report_len;
	char done[CP_ROOM_DONE][CP_MSRP_IDENT_MAX + 1];
	unsigned int done_at;
};

struct cp_room {
	const struct cp_room_events *events;
	void *arg;
	struct cp_room_limits limits;
	char reserved[CP_MSRP_NICKNAME_MAX + 1];
	struct cp_room_member *members;
	size_t held;
	bool has_dropped; /* somebody is to be dropped */
	int64_t now_ms;
	struct cp_room_counts counts;
	unsigned int history_max, history_count;
	struct cp_room_kept {
		struct cp_room_kept *next;
		struct cp_msrp_parcel *parcel;
		char type[CP_MSRP_TYPE_MAX];
	} * history; /* the oldest first */
};

/* room_judge.c */
/* Whose message it is and whom it is for. The status, 0: it may pass. to: NULL, and is_private: by name. */
unsigned int cp_room_judge(struct cp_room_member *from, struct cp_room_pass *pass,
			   const struct cp_cpim *cpim);
bool cp_room_is_named(const struct cp_room *room, const struct cp_room_member *member,
		      const char *name);
bool cp_room_takes(const struct cp_room_member *member, const char *type);
bool cp_room_is_same_person(const struct cp_room_member *a, const struct cp_room_member *b);

/* room_pass.c: events of a member's session about what it sends */
unsigned int cp_room_on_begin(void *arg, struct cp_msrp_incoming *in);
unsigned int cp_room_on_body(void *arg, struct cp_msrp_incoming *in, uint64_t at,
			     struct cp_slice octets);
unsigned int cp_room_on_end(void *arg, struct cp_msrp_incoming *in, bool is_aborted);
/* To everybody but its sender, or to those of that name. False: no memory for it. */
bool cp_room_address(struct cp_room_pass *pass);
int cp_room_make_parcel(struct cp_room_pass *pass, uint64_t total, size_t hint);
int cp_room_append(struct cp_room_pass *pass, uint64_t at, struct cp_slice octets);
void cp_room_finish(struct cp_room_pass *pass, uint64_t total, bool is_aborted);
struct cp_room_pass *cp_room_pass_create(struct cp_room *room, struct cp_room_member *from);
void cp_room_pass_check(struct cp_room_pass *pass); /* freed where nothing holds it */
void cp_room_pass_forget_sender(struct cp_room_member *from);

/* room_flow.c */
int cp_room_deliver(struct cp_room_pass *pass, struct cp_room_member *to);
void cp_room_more(struct cp_room_delivery *delivery, size_t octets); /* wait now */
void cp_room_relieve(struct cp_room *room); /* who reads least is to go, where too much is held */
void cp_room_on_moved(void *arg, struct cp_msrp_out *out, size_t len);
void cp_room_on_sent(void *arg, struct cp_msrp_out *out, bool is_aborted);
void cp_room_pump(struct cp_room_member *member);
void cp_room_drop(struct cp_room_member *member, const char *why); /* when the event is over */
void cp_room_settle(struct cp_room *room); /* it is: who is to be dropped is */
void cp_room_pace(struct cp_room_member *member);
/* What its peer does not read of our answers holds it up. */
void cp_room_choke(struct cp_room_member *member);
void cp_room_unpause(struct cp_room_member *member);
int64_t cp_room_pace_next(const struct cp_room_member *member);

/* room_history.c */
void cp_room_keep(struct cp_room_pass *pass);
void cp_room_tell_history(struct cp_room_member *member);

#endif
