/* How conferences, participants and the node look in JSON. Never a key. All give new references. */
#ifndef CP_MGMT_VIEW_H
#define CP_MGMT_VIEW_H

#include <jansson.h>
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/mgmt/mgmt.h"

/* What turns the focus's clock into wall-clock time. */
struct cp_view_clock {
	int64_t now_ms;	     /* of the focus */
	int64_t now_unix_ms; /* the same moment */
};

struct cp_view_clock cp_view_now(const struct cp_mgmt_ops *ops);

/* Who is authorised too where they are not more than list_max. */
json_t *cp_view_conference(const struct cp_conf *conf, const struct cp_mgmt_node_facts *facts,
			   const struct cp_view_clock *clock, size_t list_max);

/* Who may join. */
json_t *cp_view_people(const struct cp_conf *conf);
/* Who talks now, some of them. */
json_t *cp_view_talkers(const struct cp_conf *conf);

/* Without media: null until cp_view_add_media. */
json_t *cp_view_participant(const struct cp_leg *leg, const struct cp_mgmt_leg_facts *facts,
			    const struct cp_view_clock *clock);
json_t *cp_view_media(const struct dp_ctl_leg_shown *shown);
void cp_view_add_media(json_t *participant, const struct dp_ctl_leg_shown *shown);

/* node NULL: the media plane does not answer. */
json_t *cp_view_status(const struct cp_focus *focus, const struct cp_mgmt_node_facts *facts,
		       const struct dp_ctl_node *node, const struct cp_view_clock *clock);
json_t *cp_view_node(const struct cp_focus *focus, const struct cp_mgmt_node_facts *facts,
		     const struct dp_ctl_node *node, const struct cp_view_clock *clock);

/* The sums of a conference's media. */
struct cp_sums {
	uint64_t measured, packets_rx, packets_tx, octets_rx, octets_tx, lost, concealed_frames;
	uint64_t auth_failures, replays, jitter_us, jitter_us_max, delay_us, round_trip_us_max;
	uint64_t drops[DP_DROP_COUNT];
};
void cp_sums_add(struct cp_sums *sums, const struct dp_leg_stats *stats);
/* Into the object of the conference. */
void cp_view_add_sums(json_t *json, const struct cp_sums *sums);

/* Takes out of an answer what participants are not to see of each other: addresses, names of calls and programs; hides_list:
 * who is listed too. */
void cp_view_hide(json_t *json, bool hides_list);

/* RFC 3339 in UTC, milliseconds. */
json_t *cp_view_time(int64_t ms, const struct cp_view_clock *clock);

#endif
