/* Who asks, and what that one may. */
#include "ctrlplane/mgmt/access.h"
#include <string.h>

/* What stands not here is for admins. */
static const enum cp_need needs[CP_COMMAND_COUNT] = {
	[CP_COMMAND_STATUS] = CP_NEED_READ,
	[CP_COMMAND_HEALTH] = CP_NEED_READ,
	[CP_COMMAND_WHOAMI] = CP_NEED_READ,
	[CP_COMMAND_OPENAPI] = CP_NEED_READ,
	[CP_COMMAND_EVENTS] = CP_NEED_READ,
	[CP_COMMAND_ANNOUNCEMENT_LIST] = CP_NEED_READ,
	[CP_COMMAND_NODE_SHOW] = CP_NEED_NODE,
	[CP_COMMAND_RECORDS] = CP_NEED_READ, /* of its own conference, see history.c */
	[CP_COMMAND_CONFERENCE_LIST] = CP_NEED_READ,
	[CP_COMMAND_CONFERENCE_SHOW] = CP_NEED_READ,
	[CP_COMMAND_CONFERENCE_STATS] = CP_NEED_READ,
	[CP_COMMAND_CONFERENCE_EVENTS] = CP_NEED_READ,
	[CP_COMMAND_CONFERENCE_CREATE] = CP_NEED_CREATE,
	[CP_COMMAND_CONFERENCE_UPDATE] = CP_NEED_POLICY,
	[CP_COMMAND_CONFERENCE_CLOSE] = CP_NEED_POLICY,
	[CP_COMMAND_CONFERENCE_LOCK] = CP_NEED_POLICY,
	[CP_COMMAND_CONFERENCE_UNLOCK] = CP_NEED_POLICY,
	[CP_COMMAND_CONFERENCE_MIX] = CP_NEED_POLICY,
	[CP_COMMAND_CONFERENCE_CALL] = CP_NEED_POLICY,
	[CP_COMMAND_CONFERENCE_REFER] = CP_NEED_POLICY,
	[CP_COMMAND_CONFERENCE_ADMIT] = CP_NEED_POLICY,
	[CP_COMMAND_CONFERENCE_ANNOUNCE] = CP_NEED_POLICY,
	[CP_COMMAND_AUTHORISED_LIST] = CP_NEED_READ,
	[CP_COMMAND_AUTHORISED_SET] = CP_NEED_POLICY,
	[CP_COMMAND_AUTHORISED_ADD] = CP_NEED_POLICY,
	[CP_COMMAND_AUTHORISED_REMOVE] = CP_NEED_POLICY,
	[CP_COMMAND_AUTHORISED_IMPORT] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_LIST] = CP_NEED_READ,
	[CP_COMMAND_CHAT_SHOW] = CP_NEED_READ,
	[CP_COMMAND_CHAT_SAY] = CP_NEED_POLICY,
	[CP_COMMAND_CHAT_MUTE] = CP_NEED_POLICY,
	[CP_COMMAND_CHAT_UNMUTE] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_SHOW] = CP_NEED_READ,
	[CP_COMMAND_FLOOR_ASK] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_GRANT] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_DENY] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_REVOKE] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_PLACE] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_RELEASE] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_CHAIR] = CP_NEED_POLICY,
	[CP_COMMAND_FLOOR_UNCHAIR] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_LIST] = CP_NEED_READ,
	[CP_COMMAND_PARTICIPANT_SHOW] = CP_NEED_READ,
	[CP_COMMAND_PARTICIPANT_STATS] = CP_NEED_READ,
	[CP_COMMAND_PARTICIPANT_MUTE] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_UNMUTE] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_DEAF] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_UNDEAF] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_GAIN] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_REMOVE] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_ROLE] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_ADMIT] = CP_NEED_POLICY,
	[CP_COMMAND_PARTICIPANT_ANNOUNCE] = CP_NEED_POLICY,
};

enum cp_need
cp_access_need(enum cp_command_id command)
{
	return needs[command];
}

const char *
cp_need_name(enum cp_need need)
{
	static const char *const names[] = {
		[CP_NEED_ADMIN] = "admin",   [CP_NEED_NODE] = "node",	  [CP_NEED_READ] = "read",
		[CP_NEED_CREATE] = "create", [CP_NEED_POLICY] = "policy",
	};

	return names[need];
}

bool
cp_access_is_bound(const struct cp_access *access)
{
	return access->role != CP_ACCESS_ADMIN && access->identity[0] != '\0';
}

void
cp_access_check(struct cp_problem *problem, const struct cp_access *access,
		enum cp_command_id command)
{
	if (access->role == CP_ACCESS_ADMIN)
		return;
	switch (needs[command]) {
	case CP_NEED_ADMIN:
		cp_problem_set(problem, 403, "forbidden",
			       "This takes a token of role admin; yours is of role %s.",
			       cp_access_role_name(access->role));
		break;
	case CP_NEED_NODE:
		if (cp_access_is_bound(access))
			cp_problem_set(problem, 403, "forbidden",
				       "A token that stands for a participant does not see the "
				       "whole node.");
		break;
	case CP_NEED_CREATE:
		if (access->role != CP_ACCESS_CREATOR)
			cp_problem_set(problem, 403, "forbidden",
				       "This takes a token of role creator or admin; yours is of "
				       "role %s.",
				       cp_access_role_name(access->role));
		break;
	case CP_NEED_POLICY:
		if (!cp_access_is_bound(access))
			cp_problem_set(problem, 403, "forbidden",
				       "A token of role %s that stands for nobody changes nothing.",
				       cp_access_role_name(access->role));
		break;
	case CP_NEED_READ:
		break;
	}
}

/* Both forms of a telephone number stand together in the list, but not all that do are one person. */
static bool
is_listed(const struct cp_conf *conf, const char *identity)
{
	size_t low = 0, high = conf->authorised_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cp_identity_compare(conf->authorised[middle].identity, identity) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < conf->authorised_count &&
	       cp_identity_compare(conf->authorised[low].identity, identity) == 0;
	     low++)
		if (cp_identity_is_same(conf->authorised[low].identity, identity))
			return true;
	return false;
}

bool
cp_access_sees(const struct cp_access *access, const struct cp_conf *conf)
{
	const char *identity = access->identity;

	return !cp_access_is_bound(access) || cp_identity_is_same(conf->creator, identity) ||
	       is_listed(conf, identity) || cp_conf_leg_of(conf, identity) != NULL;
}

const char *
cp_access_actor(const struct cp_access *access)
{
	return access->role == CP_ACCESS_ADMIN ? NULL : access->identity;
}
