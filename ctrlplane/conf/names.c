/* What states and the like are called. */
#include "ctrlplane/conf/conf.h"

const char *
cp_leg_state_name(enum cp_leg_state state)
{
	static const char *const names[CP_LEG_STATES] = {"joining", "connected", "adopted",
							 "dialing", "alerting",	 "gone"};

	return names[state];
}

const char *
cp_leg_wait_name(enum cp_leg_wait wait)
{
	static const char *const names[] = {"none", "pin", "lobby", "goodbye"};

	return names[wait];
}

const char *
cp_conf_origin_name(enum cp_conf_origin origin)
{
	static const char *const names[] = {"configured", "created", "adopted", "factory"};

	return names[origin];
}

const char *
cp_conf_proof_name(enum cp_conf_proof proof)
{
	static const char *const names[] = {"none", "digest", "asserted", "kms"};

	return names[proof];
}

const char *
cp_leg_protection(const struct cp_leg *leg)
{
	enum cp_conf_keying keying = leg->keying;

	if (keying == CP_KEYING_UNKNOWN)
		keying = leg->suite == DP_SUITE_NONE ? CP_KEYING_NONE : CP_KEYING_SDES;
	return keying == CP_KEYING_MIKEY  ? "mikey-ticket, verified by KMS"
	       : keying == CP_KEYING_SDES ? "SDES to next hop"
					  : "none";
}

enum cp_leg_status
cp_leg_status(const struct cp_leg *leg)
{
	switch (leg->state) {
	case CP_LEG_JOINING:
		return CP_STATUS_DIALING_IN;
	case CP_LEG_DIALING:
		return CP_STATUS_DIALING_OUT;
	case CP_LEG_ALERTING:
		return CP_STATUS_ALERTING;
	case CP_LEG_GONE:
		return CP_STATUS_DISCONNECTED;
	default:
		break;
	}
	if (leg->wait != CP_WAIT_NONE)
		return leg->wait == CP_WAIT_GOODBYE ? CP_STATUS_DISCONNECTING : CP_STATUS_PENDING;
	if (leg->is_held)
		return CP_STATUS_ON_HOLD;
	return leg->is_muted || leg->role == CP_ROLE_LISTENER ||
			       !cp_leg_has_floor(leg, CP_MEDIUM_AUDIO)
		       ? CP_STATUS_MUTED_VIA_FOCUS
		       : CP_STATUS_CONNECTED;
}

const char *
cp_leg_status_name(enum cp_leg_status status)
{
	static const char *const names[CP_STATUSES] = {
		"pending",   "dialing-out",	"dialing-in",	 "alerting",	"on-hold",
		"connected", "muted-via-focus", "disconnecting", "disconnected"};

	return names[status];
}

const char *
cp_join_method_name(enum cp_join_method method)
{
	static const char *const names[CP_JOIN_METHODS] = {"dialed-in", "dialed-out",
							   "focus-owner"};

	return names[method];
}

const char *
cp_departure_name(enum cp_departure departure)
{
	static const char *const names[CP_DEPARTURES] = {"", "departed", "booted", "failed",
							 "busy"};

	return names[departure];
}

const char *
cp_prompt_name(enum cp_prompt prompt)
{
	static const char *const names[CP_PROMPTS] = {
		"none",	    "enter-pin", "wrong-pin", "goodbye", "lobby",    "welcome",
		"joined",   "left",	 "muted",     "unmuted", "listener", "locked",
		"unlocked", "ends-in",	 "alone",     "clip"};

	return names[prompt];
}
