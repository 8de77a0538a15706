/* Who may do what to others. */
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

static bool
is_of(const struct cp_leg *leg, const char *identity)
{
	return cp_identity_is_same(leg->person, identity) ||
	       cp_identity_is_same(leg->tel, identity);
}

struct cp_leg *
cp_conf_leg_of(const struct cp_conf *conf, const char *identity)
{
	struct cp_leg *found = NULL;

	if (identity == NULL || *identity == '\0')
		return NULL;
	for (struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next) {
		if (!is_of(leg, identity))
			continue;
		if (leg->is_in)
			return leg;
		if (found == NULL)
			found = leg;
	}
	return found;
}

/* The role that counts: moved live, or that of the list; LISTENER: nothing may be done. */
static bool
role_of(enum cp_conf_role *out, const struct cp_conf *conf, const char *identity)
{
	const struct cp_leg *leg = cp_conf_leg_of(conf, identity);
	bool is_listed = cp_conf_role_for(out, conf, identity, "");

	if (leg != NULL && leg->is_in) {
		*out = leg->role;
		return true;
	}
	return is_listed;
}

bool
cp_conf_may(const struct cp_conf *conf, const char *identity, enum cp_conf_action action)
{
	enum cp_conf_role role;
	bool is_known = role_of(&role, conf, identity ? identity : "");
	bool is_leader = is_known && role >= CP_ROLE_MODERATOR;
	bool is_any = is_known && role != CP_ROLE_LISTENER;

	switch (action) {
	case CP_ACTION_POLICY:
		return conf->editors == CP_EDITORS_CREATOR ? is_known && role == CP_ROLE_CREATOR
		       : conf->editors == CP_EDITORS_MODERATORS ? is_leader
								: is_any;
	case CP_ACTION_INVITE:
		return conf->is_locked ? is_leader : is_any;
	default:
		return is_leader || (is_any && conf->editors == CP_EDITORS_PARTICIPANTS);
	}
}
