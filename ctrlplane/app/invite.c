/*
 * INVITEs to us: who calls, may it come in, what does it offer. What follows is the call's way: call.c, or call_keys.c where
 * MIKEY-TICKET says who it is.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ctrlplane/base/log.h"

#define RETRY_AFTER_S 5

bool
cp_call_look_up(void *ctx, const char *user, struct cp_sip_policy *policy)
{
	struct cp_app *app = ctx;
	const struct cp_conf *conf = cp_conf_by_user(app->focus, cp_slice_text(user));
	const struct cp_config_factory *f = cp_config_factory(&app->config->factories, user);

	if (f) {
		policy->needs_identity = f->identity == CP_CONFIG_IDENTITY_REQUIRED;
		policy->takes_mikey = cp_call_takes_mikey(app, (enum cp_conf_security)f->security);
		policy->takes_lists = true;
		return true;
	}
	if (!conf) /* admission says that it is over */
		return policy->is_over = cp_focus_is_past(app->focus, cp_slice_text(user));
	if (conf->origin == CP_CONF_ADOPTED)
		return false;
	policy->needs_identity = !conf->believes_from;
	policy->takes_mikey = cp_call_takes_mikey(app, conf->security);
	return true;
}

/* What the conference may take the caller for: what is proven, or From where the conference asks for no more. */
static const char *
believed(struct cp_app *app, const char *user, const struct cp_sip_identity *id)
{
	struct cp_sip_policy policy = {.needs_identity = true};

	if (id->proof >= CP_SIP_DIGEST)
		return id->uri;
	cp_call_look_up(app, user, &policy);
	return id->proof == CP_SIP_CLAIMED && !policy.needs_identity ? id->uri : "";
}

static enum cp_conf_proof
proof_of(const struct cp_sip_identity *id)
{
	return id->proof == CP_SIP_ASSERTED ? CP_PROOF_ASSERTED
	       : id->proof == CP_SIP_DIGEST ? CP_PROOF_DIGEST
					    : CP_PROOF_NONE;
}

static int
keep_facts(struct cp_call *call, const struct cp_sip_invite *invite, const char *identity)
{
	const struct cp_sip_identity *id = invite->identity;
	struct cp_caller *caller = calloc(1, sizeof(*caller));
	uint8_t random[12];

	if (!caller)
		return -ENOMEM;
	call->caller = caller;
	snprintf(caller->user, sizeof(caller->user), "%s", invite->user);
	snprintf(caller->called, sizeof(caller->called), "%s", invite->user);
	snprintf(caller->uri, sizeof(caller->uri), "%s", id->proof >= CP_SIP_DIGEST ? id->uri : "");
	snprintf(caller->tel, sizeof(caller->tel), "%s",
		 id->proof == CP_SIP_ASSERTED ? id->tel : "");
	snprintf(caller->display, sizeof(caller->display), "%s", id->name);
	snprintf(caller->referrer, sizeof(caller->referrer), "%s", invite->referred_by);
	snprintf(caller->via, sizeof(caller->via), "%s", invite->peer);
	caller->proof = proof_of(id);
	caller->is_private = id->is_private;
	snprintf(call->source, sizeof(call->source), "%.*s",
		 (int)(strrchr(invite->peer, ':') ? strrchr(invite->peer, ':') - invite->peer : 0),
		 invite->peer);
	snprintf(call->uri, sizeof(call->uri), "%s",
		 *identity && !id->is_private ? identity : "anonymous");
	call->is_private = id->is_private || !*identity;
	call->verified_by = id->proof == CP_SIP_ASSERTED ? "asserted"
			    : id->proof == CP_SIP_DIGEST ? "digest"
							 : "none";
	snprintf(call->call_id, sizeof(call->call_id), "%s", invite->call_id);
	snprintf(call->agent, sizeof(call->agent), "%s", invite->agent);
	/* RFC 7022 4.2: 96 random bits for each session. */
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		memset(random, 0, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(call->cname + 2 * i, 3, "%02x", random[i]);
	return 0;
}

static int
admit(struct cp_conf_verdict *verdict, const struct cp_call *call,
      const struct cp_sip_invite *invite)
{
	const struct cp_sip_identity *id = invite->identity;
	const struct cp_conf_request request = {
		.user = cp_slice_text(call->caller->user),
		.identity = cp_slice_text(id->proof >= CP_SIP_CLAIMED ? id->uri : ""),
		.proof = proof_of(id),
		.tel = cp_slice_text(id->tel),
		.now_ms = cp_app_now_ms(),
	};

	return cp_replace_admit(verdict, call, request);
}

/* Where MIKEY is taken: the call is under way by it, or refused for want of it. Else false. */
static bool
is_keyed(struct cp_call *call, const struct cp_sip_invite *invite)
{
	struct cp_app *app = call->app;
	struct cp_conf *conf = cp_conf_by_user(app->focus, cp_slice_text(call->caller->user));
	enum cp_conf_security security;

	if (!call->factory && !conf)
		return false;
	security = call->factory ? (enum cp_conf_security)call->factory->security : conf->security;
	if (!cp_call_takes_mikey(app, security))
		return false;
	if (!invite->sdp.len)
		return false;
	call->conf = conf ? conf->id : 0;
	cp_sdp_answer(&call->next, invite->sdp, cp_call_policy_for(call, conf, security, false),
		      &call->sdp);
	if (call->next.mikey.len > 0 && call->next.status == 0) {
		call->has_next = true;
		cp_call_start_keyed(call);
		return true;
	}
	if (security == CP_CONF_MIKEY) {
		cp_call_refuse_sdp(call, &call->next);
		cp_call_refuse_done(call);
		return true;
	}
	cp_sdp_drop(&call->next);
	return false;
}

static void
refuse(struct cp_call *call, const struct cp_sip_invite *invite, int status, const char *why,
       unsigned int retry_after_s)
{
	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s from %s refused with %d: %s", invite->user,
	       invite->peer, status, why);
	cp_call_refuse_new(call, &(struct cp_sip_refusal){.status = status,
							  .warning_code = 399,
							  .warning_text = why,
							  .retry_after_s = retry_after_s});
}

/* Who calls, and what for, as far as SIP says it. NULL: it was refused. */
static struct cp_call *
create(struct cp_app *app, struct cp_sip_call *sip, const struct cp_sip_invite *invite,
       const char *identity)
{
	struct cp_call *call = calloc(1, sizeof(*call));
	int status;

	if (!call || !cp_media_is_up(app->media)) {
		app->calls_refused++;
		free(call);
		cp_sip_refuse(sip, &(struct cp_sip_refusal){.status = 503,
							    .retry_after_s = RETRY_AFTER_S});
		return NULL;
	}
	call->app = app;
	call->sip = sip;
	call->factory = cp_config_factory(&app->config->factories, invite->user);
	cp_sip_call_set_owner(sip, call);
	if (keep_facts(call, invite, identity) != 0) {
		cp_call_refuse_new(call, &(struct cp_sip_refusal){.status = 503,
								  .retry_after_s = RETRY_AFTER_S});
		return NULL;
	}
	if (cp_load_refuses(app, cp_conf_by_user(app->focus, cp_slice_text(invite->user)))) {
		refuse(call, invite, 503, "This server is busy, please call again in a while",
		       cp_load_retry_after_s());
		return NULL;
	}
	status = cp_replace_find(call, invite);
	if (status != 0) {
		refuse(call, invite, status, "The call that it names is over", 0);
		return NULL;
	}
	status = cp_factory_keep_list(call, invite);
	if (status != 0) {
		refuse(call, invite, status, "The list of recipients is none, or is too long",
		       status == 503 ? RETRY_AFTER_S : 0);
		return NULL;
	}
	return call;
}

int
cp_call_settle(struct cp_call *call, const char *identity, const char **why)
{
	int status = cp_replace_check(call, identity, why);

	return status ? status : cp_factory_open(call, identity, why);
}

/* Admitted: what does it offer, or what do we? */
static void
carry_on(struct cp_call *call, const struct cp_sip_invite *invite,
	 const struct cp_conf_verdict *verdict)
{
	const struct cp_sdp_policy *policy = cp_call_policy(call, verdict->conf->id, false);

	if (invite->sdp.len)
		cp_sdp_answer(&call->next, invite->sdp, policy, &call->sdp);
	else
		cp_sdp_offer(&call->next, policy, &call->sdp);
	if (call->next.status) {
		call->app->calls_refused++;
		cp_call_refuse_sdp(call, &call->next);
		cp_call_free(call);
		return;
	}
	call->has_next = true;
	if (call->next.next.is_offer && call->next.next.has_mikey)
		cp_call_start_late(call, verdict);
	else
		cp_call_join(call, verdict);
}

void
cp_call_on_invite(void *ctx, struct cp_sip_call *sip, const struct cp_sip_invite *invite)
{
	struct cp_app *app = ctx;
	const char *identity = believed(app, cp_replace_user(app, invite), invite->identity);
	struct cp_call *call = create(app, sip, invite, identity);
	struct cp_conf_verdict verdict;
	const char *why;
	int status;

	if (!call || is_keyed(call, invite))
		return;
	status = cp_call_settle(call, identity, &why);
	if (status != 0)
		refuse(call, invite, status, why, status == 503 ? RETRY_AFTER_S : 0);
	else if (admit(&verdict, call, invite) != 0)
		refuse(call, invite, verdict.status, verdict.reason, verdict.retry_after_s);
	else
		carry_on(call, invite, &verdict);
}
