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

/* with_list: who is authorised too. */
json_t *cp_view_conference(const struct cp_conf *conf, const struct cp_mgmt_node_facts *facts,
			   const struct cp_view_clock *clock, bool with_list);

/* Without media: null until cp_view_add_media. */
json_t *cp_view_participant(const struct cp_leg *leg, const struct cp_mgmt_leg_facts *facts,
			    const struct cp_view_clock *clock);
void cp_view_add_media(json_t *participant, const struct dp_ctl_leg_shown *shown);

/* node NULL: the media plane does not answer. */
json_t *cp_view_status(const struct cp_focus *focus, const struct cp_mgmt_node_facts *facts,
		       const struct dp_ctl_node *node, const struct cp_view_clock *clock);
json_t *cp_view_node(const struct cp_focus *focus, const struct cp_mgmt_node_facts *facts,
		     const struct dp_ctl_node *node, const struct cp_view_clock *clock);

/* RFC 3339 in UTC, milliseconds. */
json_t *cp_view_time(int64_t ms, const struct cp_view_clock *clock);

#endif
