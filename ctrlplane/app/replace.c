/* INVITEs that take the place of a participant's call, or that name one to find its conference: who may (RFC 3891 3, RFC 3911 4). */
#include "ctrlplane/app/app_state.h"

#include <stdio.h>

#include "ctrlplane/base/log.h"

static const struct cp_conf *
conf_of(const struct cp_app *app, const struct cp_call *named)
{
	const struct cp_leg *leg = named ? cp_leg_by_id(app->focus, named->leg) : NULL;

	return leg ? leg->conf : NULL;
}

static struct cp_sip_call *
dialog_of(const struct cp_sip_invite *invite)
{
	return invite->replaces ? invite->replaces : invite->joins;
}

const char *
cp_replace_user(const struct cp_app *app, const struct cp_sip_invite *invite)
{
	struct cp_sip_call *sip = dialog_of(invite);
	const struct cp_conf *conf = conf_of(app, sip ? cp_sip_call_owner(sip) : NULL);

	return conf ? conf->user : invite->user;
}

void
cp_replace_look_up(void *app, struct cp_sip_call *sip, struct cp_sip_policy *policy)
{
	const struct cp_conf *conf = conf_of(app, cp_sip_call_owner(sip));
	struct cp_sip_policy its = {.needs_identity = true};

	if (!conf || !cp_call_look_up(app, conf->user, &its))
		return; /* it is refused later */
	policy->needs_identity = its.needs_identity;
	policy->takes_mikey = its.takes_mikey;
}

int
cp_replace_find(struct cp_call *call, const struct cp_sip_invite *invite)
{
	struct cp_sip_call *sip = dialog_of(invite);
	const struct cp_call *named = sip ? cp_sip_call_owner(sip) : NULL;
	const struct cp_conf *conf = conf_of(call->app, named);

	if (!sip)
		return 0;
	if (!conf)
		return 481;
	call->named = named->leg;
	call->is_replacing = invite->replaces != NULL;
	snprintf(call->caller->user, sizeof(call->caller->user), "%s", conf->user);
	cp_sip_call_set_user(call->sip, conf->user);
	call->factory = NULL;
	return 0;
}

/* The same person, or one who may remove it: and for a Join, one who may come in by himself. */
int
cp_replace_check(const struct cp_call *call, const char *identity, const char **why)
{
	const struct cp_leg *leg = cp_leg_by_id(call->app->focus, call->named);

	if (!call->named)
		return 0;
	*why = "The call that it names is over";
	if (!leg)
		return 481;
	*why = call->is_replacing ? "Only who is in a call may replace it"
				  : "Only who is known may join a call";
	if (!*identity)
		return 403;
	if (cp_identity_is_same(leg->person, identity) ||
	    (*leg->tel && cp_identity_is_same(leg->tel, identity)) ||
	    cp_conf_may(leg->conf, identity, CP_ACTION_STEER))
		return 0;
	return call->is_replacing ? 403 : 0; /* a Join passes admission like any other call */
}

int
cp_replace_admit(struct cp_conf_verdict *verdict, const struct cp_call *call,
		 struct cp_conf_request request)
{
	const struct cp_focus *focus = call->app->focus;
	const struct cp_leg *leg = call->is_replacing ? cp_leg_by_id(focus, call->named) : NULL;

	if (leg && leg->wait == CP_WAIT_GOODBYE)
		leg = NULL;
	if (leg) /* has been admitted: lock, limit and schedule are no matter for the same seat */
		request.purpose = CP_PURPOSE_ANSWER;
	if (cp_conf_admit(verdict, focus, &request) == 0 && leg)
		verdict->wait = leg->wait; /* a PIN or a lobby that it has not passed */
	return verdict->status;
}

void
cp_replace_done(struct cp_call *call)
{
	const uint32_t leg = call->is_replacing ? call->named : 0;

	call->named = 0;
	if (!leg)
		return;
	cp_log(CP_LOG_INFO, CP_APP_AREA, "participant %u takes the place of %u", call->leg, leg);
	cp_app_handle(call->app, &(struct cp_event){.type = CP_EVENT_REMOVE,
						    .leg = leg,
						    .text = "Replaced by another call"});
}
