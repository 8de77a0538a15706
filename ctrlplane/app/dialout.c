/*
 * Calls that the focus makes: a ticket for the invitee where MIKEY-TICKET is wanted, the leg, our INVITE, and who answered.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ctrlplane/base/log.h"

static void
give_up(struct cp_call *call, const char *why)
{
	cp_log(CP_LOG_WARN, CP_APP_AREA, "%s was not called: %s", call->uri, why);
	cp_call_refuse_done(call);
}

static void
join(struct cp_call *call)
{
	struct cp_focus *focus = call->app->focus;
	const struct cp_conf *conf = cp_conf_by_id(focus, call->conf);
	struct cp_conf_request request = {
		.user = cp_slice_text(conf ? conf->user : ""),
		.identity = cp_slice_text(call->identity),
		.purpose = CP_PURPOSE_DIAL_OUT,
		.now_ms = cp_app_now_ms(),
	};
	struct cp_conf_verdict verdict;

	if (cp_conf_admit(&verdict, focus, &request) != 0)
		give_up(call, verdict.reason);
	else
		cp_call_join(call, &verdict);
}

static void
on_ticket(struct cp_call *call, int status)
{
	call->step = CP_STEP_NONE;
	if (status == 0 || cp_call_offer_without(call))
		join(call);
	else
		give_up(call, "the KMS gives no ticket for it");
}

static struct cp_call *
create(struct cp_app *app, const struct cp_conf *conf, const char *uri, const char *identity)
{
	struct cp_call *call = calloc(1, sizeof(*call));
	uint8_t random[12];

	if (!call || !(call->caller = calloc(1, sizeof(*call->caller)))) {
		free(call);
		return NULL;
	}
	call->app = app;
	call->conf = conf->id;
	call->is_outgoing = true;
	call->verified_by = "none";
	snprintf(call->caller->user, sizeof(call->caller->user), "%s", conf->user);
	snprintf(call->caller->via, sizeof(call->caller->via), "called by us");
	snprintf(call->identity, sizeof(call->identity), "%s", identity);
	snprintf(call->uri, sizeof(call->uri), "%s", uri);
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		memset(random, 0, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(call->cname + 2 * i, 3, "%02x", random[i]);
	return call;
}

int
cp_app_dial(struct cp_app *app, const struct cp_conf *conf, const char *uri)
{
	char identity[CP_IDENTITY_MAX];
	struct cp_call *call;

	if (strlen(uri) >= CP_IDENTITY_MAX || strpbrk(uri, "<>\" \r\n") ||
	    strncmp(uri, "sip", 3) != 0 || cp_identity(identity, cp_slice_text(uri)) != 0)
		return -EINVAL;
	if (!cp_media_is_up(app->media) || cp_focus_is_draining(app->focus))
		return -EAGAIN;
	call = create(app, conf, uri, identity);
	if (!call)
		return -ENOMEM;
	if (cp_sdp_offer(&call->next, cp_call_policy(app, conf->id, false), &call->sdp) != 0) {
		cp_call_refuse_done(call);
		return -ENOMEM;
	}
	call->has_next = true;
	if (!call->next.next.has_mikey) {
		join(call);
		return 0;
	}
	call->step = CP_STEP_KEYS;
	if (cp_keying_ticket(call, conf->user, identity, on_ticket) != 0) {
		cp_call_refuse_done(call);
		return -EAGAIN;
	}
	return 0;
}

int
cp_call_dial(struct cp_call *call)
{
	struct cp_app *app = call->app;
	const struct cp_conf *conf = cp_conf_by_id(app->focus, call->conf);
	char from[CP_IDENTITY_MAX], text[CP_SDP_TEXT_MAX];
	struct cp_sip_dial dial = {
		.to = call->uri, .from = from, .user = conf ? conf->user : "", .owner = call};
	int len, rc;

	if (!conf || !cp_app_mikey_user(from, &app->mikey, conf->user))
		return -EINVAL;
	cp_sdp_commit(&call->sdp, &call->next);
	call->has_next = false;
	if (call->sdp.has_mikey && cp_keying_transfer(call) != 0)
		return -EPROTO;
	len = cp_sdp_encode(text, sizeof(text), &call->sdp, &call->local);
	if (len < 0)
		return len;
	dial.sdp = cp_slice(text, (size_t)len);
	rc = cp_sip_dial(&call->sip, app->sip, &dial);
	cp_wipe(text, sizeof(text));
	return rc;
}

/* Would the conference have let in who answered in the place of another? */
static bool
may_answer(const struct cp_call *call, const char *who)
{
	const struct cp_conf *conf = cp_conf_by_id(call->app->focus, call->conf);
	struct cp_conf_request request = {
		.user = cp_slice_text(conf ? conf->user : ""),
		.kms = cp_slice_text(who),
		.purpose = CP_PURPOSE_ANSWER,
		.now_ms = cp_app_now_ms(),
	};
	struct cp_conf_verdict verdict;

	return cp_conf_admit(&verdict, call->app->focus, &request) == 0;
}

/*
 * The keys are bound to who the KMS says answered: whom we called, or where the network brought the call to somebody else, one of the
 * list. The participant is who answered.
 */
bool
cp_call_is_welcome(struct cp_call *call, const char *who)
{
	bool is_invited = strcmp(who, call->identity) == 0;

	if (!is_invited && (!call->is_outgoing || !may_answer(call, who)))
		return false;
	if (!is_invited) {
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s was called and %s answered", call->identity,
		       who);
		snprintf(call->identity, sizeof(call->identity), "%s", who);
		snprintf(call->uri, sizeof(call->uri), "%s", who);
	}
	call->verified_by = "kms";
	return true;
}
