/* Layout of a roster: what was last said of each part, as XML, and at which revision it came to be so. */
#ifndef CP_EVENT_ROSTER_STATE_H
#define CP_EVENT_ROSTER_STATE_H

#include <sys/queue.h>

#include "ctrlplane/base/map.h"
#include "ctrlplane/event/roster.h"
#include "ctrlplane/event/xml.h"

#define CP_ROSTER_GONE_MAX 1024 /* who left, remembered; older subscribers get a full document */
#define CP_ROSTER_CACHE 8	/* partial documents of the present revision */

/* XML of one part. */
struct cp_roster_part {
	char *text;
	size_t len;
	uint64_t revision; /* since when it is so */
};

struct cp_roster_seat {
	TAILQ_ENTRY(cp_roster_seat) entry;
	char *entity;
	bool is_seen;		    /* in the running update */
	bool is_counted;	    /* takes part */
	struct cp_roster_part part; /* the whole <endpoint> */
};

struct cp_roster_user {
	struct cp_map_node by_entity;
	TAILQ_ENTRY(cp_roster_user) entry; /* in the order of coming */
	char *entity;
	bool is_seen;
	uint64_t revision;	    /* of the last change in it */
	struct cp_roster_part head; /* from behind its entity to its endpoints */
	TAILQ_HEAD(cp_roster_seats, cp_roster_seat) seats;
};

/* A user or endpoint that left. */
struct cp_roster_gone {
	TAILQ_ENTRY(cp_roster_gone) entry;
	uint64_t revision;
	char *endpoint; /* NULL: the whole user */
	char user[];
};

struct cp_roster_body {
	unsigned int refs;
	enum cp_roster_kind kind;
	size_t head, len; /* the version goes in at head */
	char text[];
};

struct cp_roster {
	char *entity;
	uint64_t revision;
	uint64_t floor; /* partial documents reach back to here */
	uint64_t made;
	struct cp_roster_part description, host, state;
	bool is_active, is_locked;
	uint32_t user_count;
	struct cp_map by_entity;
	TAILQ_HEAD(cp_roster_users, cp_roster_user) users;
	TAILQ_HEAD(cp_roster_gones, cp_roster_gone) gone; /* the oldest first */
	size_t gone_count;
	size_t full_len; /* of a full document, about */
	/* update under way */
	bool is_changed, has_failed;
	struct cp_xml scratch;
	/* documents of the present revision */
	struct cp_roster_body *full;
	struct {
		uint64_t since;
		struct cp_roster_body *body;
	} partial[CP_ROSTER_CACHE];
	size_t next_partial;
};

/* parts.c: views to XML, into x. */
void cp_roster_write_description(struct cp_xml *x, const struct cp_roster_conference *c);
void cp_roster_write_host(struct cp_xml *x, const struct cp_roster_conference *c);
void cp_roster_write_state(struct cp_xml *x, uint32_t user_count, bool is_active, bool is_locked);
void cp_roster_write_user_head(struct cp_xml *x, const struct cp_roster_endpoint *e);
void cp_roster_write_endpoint(struct cp_xml *x, const struct cp_roster_endpoint *e);

/* document.c */
void cp_roster_drop_bodies(struct cp_roster *roster);

/* roster.c */
struct cp_roster_user *cp_roster_find(const struct cp_roster *roster, const char *entity);
struct cp_roster_seat *cp_roster_find_seat(const struct cp_roster_user *user, const char *entity);

#endif
