/*
 * A call's way through the program: admission, offer and answer, media plane, SIP, in this order; 200 only when the media
 * plane has confirmed leg and keys.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"

#define RETRY_AFTER_S 5

static bool
is_leg(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, struct cp_call, by_leg)->leg == *(const uint32_t *)key;
}

struct cp_call *
cp_app_call(const struct cp_app *app, uint32_t leg)
{
	struct cp_map_node *node = cp_map_find(&app->calls, leg, is_leg, &leg);

	return node ? CP_CONTAINER(node, struct cp_call, by_leg) : NULL;
}

void
cp_call_free(struct cp_call *call)
{
	cp_streams_over(call);
	if (call->is_linked)
		cp_map_drop(&call->app->calls, &call->by_leg);
	if (call->has_next)
		cp_sdp_drop(&call->next);
	cp_keying_free(call);
	cp_sdp_fini(&call->sdp);
	if (call->dialing)
		cp_call_dial_progress(call, call->end_status ? call->end_status : 487);
	cp_factory_forget(call);
	free(call->caller);
	free(call);
}

void
cp_call_free_all(struct cp_app *app)
{
	for (size_t b = 0; b < app->calls.bucket_count; b++)
		while (app->calls.buckets[b])
			cp_call_free(CP_CONTAINER(app->calls.buckets[b], struct cp_call, by_leg));
}

/* Its dialog is over: the focus is told, and the call forgotten as soon as no reply is awaited. */
void
cp_call_over(struct cp_call *call, const char *why)
{
	struct cp_app *app = call->app;

	call->sip = NULL;
	call->is_over = true;
	cp_streams_over(call);
	if (call->is_linked) {
		cp_map_drop(&app->calls, &call->by_leg);
		call->is_linked = false;
		cp_app_handle(app, &(struct cp_event){.type = CP_EVENT_GONE,
						      .leg = call->leg,
						      .value = call->end_status,
						      .text = why});
	}
	if (call->waiting == 0)
		cp_call_free(call);
}

void
cp_call_hang_up(struct cp_call *call, int cause, const char *why)
{
	if (call->sip)
		cp_sip_hang_up(call->sip, cause, why);
	if (call->is_outgoing && !call->is_connected && !call->end_status)
		call->end_status = cause >= 300 ? cause : 487;
	cp_call_over(call, why);
}

const struct cp_sdp_policy *
cp_call_policy(const struct cp_call *call, uint32_t conf_id, bool wants_new_key)
{
	const struct cp_conf *conf = cp_conf_by_id(call->app->focus, conf_id);

	return cp_call_policy_for(call, conf, conf ? conf->security : CP_CONF_SDES, wants_new_key);
}

const struct cp_sdp_policy *
cp_call_policy_for(const struct cp_call *call, const struct cp_conf *conf,
		   enum cp_conf_security security, bool wants_new_key)
{
	struct cp_app *app = call->app;
	const struct dp_ctl_welcome *w = cp_media_welcome(app->media);
	struct cp_sdp_policy *p = &app->policy;

	*p = app->config->sdp_policy;
	p->wants_new_key = wants_new_key;
	cp_call_stream_policy(p, call, conf);
	p->has_ip4 = p->has_ip6 = false;
	for (uint32_t i = 0; w && i < w->local_count && i < 4; i++) {
		p->has_ip4 |= w->local[i].family == DP_FAMILY_IP4;
		p->has_ip6 |= w->local[i].family == DP_FAMILY_IP6;
	}
	switch (security) {
	case CP_CONF_SDES:
		p->security = CP_SDP_SECURE;
		break;
	case CP_CONF_EITHER:
		p->security = CP_SDP_EITHER;
		break;
	case CP_CONF_NONE:
		p->security = CP_SDP_PLAIN;
		break;
	case CP_CONF_MIKEY:
		p->security = CP_SDP_MIKEY;
		break;
	}
	return p;
}

void
cp_call_refuse_sdp(struct cp_call *call, struct cp_sdp_result *r)
{
	struct cp_sip_refusal refusal = {
		.status = r->status,
		.warning_code = r->warning,
		.warning_text = r->text,
	};

	cp_log(CP_LOG_INFO, CP_APP_AREA, "offer refused with %u: %s", r->status, r->text);
	cp_sip_refuse(call->sip, &refusal);
	cp_sdp_drop(r);
}

/* What we agreed is ours now; its text to the peer. */
static void
commit_and_send(struct cp_call *call)
{
	char text[CP_SDP_TEXT_MAX];
	int len;

	cp_call_commit(call);
	if (call->sdp.phase == CP_SDP_OFFERED && call->sdp.has_mikey) {
		if (cp_keying_transfer(call) != 0) {
			cp_sip_refuse(call->sip, &(struct cp_sip_refusal){.status = 500});
			cp_call_over(call, "keys failed");
			return;
		}
	} else {
		cp_call_keys_agreed(call);
	}
	len = cp_call_encode(text, sizeof(text), call);
	if (len < 0) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "SDP does not fit: %s", strerror(-len));
		cp_call_hang_up(call, 500, "Internal error");
		return;
	}
	cp_sip_accept(call->sip, cp_slice(text, (size_t)len));
	cp_wipe(text, sizeof(text));
	cp_call_streams_agreed(call);
}

static void
connected(struct cp_call *call)
{
	static const uint8_t keyings[] = {
		[CP_SDP_UNKEYED] = CP_KEYING_NONE,
		[CP_SDP_SDES] = CP_KEYING_SDES,
		[CP_SDP_MIKEY_TICKET] = CP_KEYING_MIKEY,
	};
	struct cp_app *app = call->app;
	bool is_kms = strcmp(call->verified_by, "kms") == 0;
	bool is_asserted = call->is_outgoing && strcmp(call->verified_by, "asserted") == 0;
	struct cp_event event = {
		.type = call->is_connected ? CP_EVENT_CHANGED : CP_EVENT_CONNECTED,
		.leg = call->leg,
		.flag = call->sdp.media.is_held,
		.suite = call->sdp.media.suite,
		.keying = keyings[call->sdp.media.keying],
		.proof = is_kms	       ? CP_PROOF_KMS
			 : is_asserted ? CP_PROOF_ASSERTED
				       : CP_PROOF_NONE,
		.person = call->is_outgoing ? call->identity : NULL,
		.is_private = call->is_outgoing && call->is_private,
	};

	call->is_connected = true;
	cp_call_dial_progress(call, 200);
	cp_app_handle(app, &event);
	call = cp_app_call(app, event.leg); /* it may be over by that */
	if (call && call->named)
		cp_replace_done(call);
	if (call && call->factory)
		cp_factory_joined(call);
}

/* No room, no port, no descriptor, nobody there: it may go better in a while. */
static bool
is_passing(int error)
{
	static const int passing[] = {ENOSPC, ENOMEM,	EMFILE,	    ENFILE,   EADDRINUSE,
				      EAGAIN, ENOTCONN, ECONNRESET, ETIMEDOUT};

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (error == -passing[i])
			return true;
	return false;
}

void
cp_call_drop_next(struct cp_call *call)
{
	if (call->has_next)
		cp_sdp_drop(&call->next);
	call->has_next = false;
	cp_keying_abort(call);
}

/* The media plane did not do it. */
static void
step_failed(struct cp_call *call, enum cp_app_step step)
{
	bool is_load = is_passing(call->error);
	struct cp_sip_refusal refusal = {
		.status = is_load ? 503 : 500,
		.retry_after_s = is_load ? RETRY_AFTER_S : 0,
	};

	if (call->key_status && step == CP_STEP_JOIN) {
		call->app->calls_refused++;
		cp_keying_refuse(call, call->key_status);
		cp_call_over(call, "keys refused");
		return;
	}
	cp_log(CP_LOG_WARN, CP_APP_AREA, "media plane refused participant %u: %s", call->leg,
	       strerror(-call->error));
	cp_call_drop_next(call);
	switch (step) {
	case CP_STEP_JOIN:
		call->app->calls_refused++;
		if (call->sip)
			cp_sip_refuse(call->sip, &refusal);
		cp_call_over(call, "media plane refused");
		break;
	case CP_STEP_CHANGE:
		cp_sip_refuse(call->sip, &refusal);
		break;
	default:
		cp_call_hang_up(call, 500, "Media failed");
		break;
	}
}

static void
joined(struct cp_call *call)
{
	bool is_answer = !call->next.next.is_offer;

	call->app->calls_total++;
	if (call->is_outgoing) {
		int rc = cp_call_dial(call);

		if (rc != 0) {
			cp_log(CP_LOG_WARN, CP_APP_AREA, "%s cannot be called: %s", call->uri,
			       strerror(-rc));
			call->end_status = 503;
			cp_call_over(call, "cannot be called");
		}
		return;
	}
	commit_and_send(call);
	if (call->sip && is_answer)
		connected(call);
}

/* Our RTCP port as of what is agreed now: the media plane's rule, RTP's own with a=rtcp-mux, else the next. */
static void
rtcp_follows(struct cp_call *call, const struct cp_sdp_media *media)
{
	call->local.rtcp.port = (uint16_t)(call->local.rtp.port + (media->has_mux ? 0 : 1));
}

static void
changed(struct cp_call *call)
{
	uint32_t changes = call->next.changes;
	bool is_answer = !call->next.next.is_offer;

	if (is_answer)
		rtcp_follows(call, &call->next.next.media);
	commit_and_send(call);
	if (!call->sip || !is_answer)
		return;
	if (!(changes & CP_SDP_CHANGE_SECURITY)) /* a leg made anew has it already */
		cp_call_install_tx_key(call, &call->sdp.media, changes);
	connected(call);
}

void
cp_call_step_done(struct cp_call *call)
{
	enum cp_app_step step = call->step;

	call->step = CP_STEP_NONE;
	if (call->is_over) {
		cp_call_free(call);
		return;
	}
	if (call->error) {
		step_failed(call, step);
		return;
	}
	switch (step) {
	case CP_STEP_JOIN:
		joined(call);
		break;
	case CP_STEP_CHANGE:
		changed(call);
		break;
	case CP_STEP_ANSWER:
		rtcp_follows(call, &call->next.next.media);
		cp_call_commit(call);
		cp_call_keys_agreed(call);
		cp_call_streams_agreed(call);
		connected(call);
		break;
	case CP_STEP_REINSTALL:
		call->is_rekey_due =
			true; /* other ports, and keys that this instance has not used */
		break;
	case CP_STEP_KEYS:
	case CP_STEP_NONE:
		break;
	}
}

void
cp_call_refuse_done(struct cp_call *call)
{
	call->app->calls_refused++;
	cp_call_free(call);
}

void
cp_call_refuse_new(struct cp_call *call, const struct cp_sip_refusal *refusal)
{
	if (call->sip)
		cp_sip_refuse(call->sip, refusal);
	cp_call_refuse_done(call);
}

/*
 * Whose REFER brought it (RFC 4575 5.7.1). A caller only says so: it is shown where it is the conference itself, or one who may bring
 * others in.
 */
static const char *
referrer_of(const struct cp_call *call, const struct cp_conf *conf)
{
	const char *by = call->caller->referrer;
	char own[CP_IDENTITY_MAX];

	if (call->dialing)
		return call->dialing->is_referred ? call->dialing->inviter : NULL;
	if (!*by)
		return NULL;
	if (cp_conf_may(conf, by, CP_ACTION_INVITE) ||
	    (cp_app_mikey_user(own, &call->app->mikey, conf->user) && strcmp(own, by) == 0))
		return by;
	return NULL;
}

void
cp_call_join(struct cp_call *call, const struct cp_conf_verdict *verdict)
{
	struct cp_app *app = call->app;
	const struct cp_caller *caller = call->caller;
	struct cp_conf *conf = verdict->conf;
	struct cp_conf_join join = {
		.conf = conf,
		.identity = verdict->person,
		.display = caller->display,
		.is_private = caller->is_private,
		.person = verdict->person,
		.tel = verdict->tel,
		.proof = verdict->proof,
		.role = verdict->role,
		.wait = verdict->wait,
		.method = call->is_outgoing ? CP_JOIN_DIALED_OUT : CP_JOIN_DIALED_IN,
		.reason = call->dialing ? call->dialing->reason : NULL,
		.by = call->dialing ? call->dialing->inviter : NULL,
		.referred_by = referrer_of(call, conf),
		.call_id = call->call_id,
		.agent = call->agent,
		.via = caller->via,
		.suite = call->next.next.media.suite,
		.is_held = call->next.next.media.is_held,
	};
	struct cp_event event = {.type = CP_EVENT_JOIN, .conf = conf->id, .join = &join};
	struct cp_leg *leg;

	cp_load_admitted(app, conf);
	if (cp_app_say(app, &event, &leg) != 0) {
		cp_call_refuse_new(call, &(struct cp_sip_refusal){.status = 503,
								  .retry_after_s = RETRY_AFTER_S});
		return;
	}
	snprintf(call->identity, sizeof(call->identity), "%s", verdict->person);
	free(call->caller);
	call->caller = NULL;
	call->leg = leg->id;
	call->conf = conf->id;
	cp_map_put(&app->calls, &call->by_leg, call->leg);
	call->is_linked = true;
	cp_app_carry_out(app);
}

void
cp_call_carry_on_offer(struct cp_call *call)
{
	if (call->next.changes & CP_SDP_CHANGE_SECURITY)
		cp_call_replace_leg(call, CP_STEP_CHANGE, &call->next.next.media);
	else
		cp_call_change_leg(call, CP_STEP_CHANGE, &call->next.next.media,
				   call->next.next.is_offer ? 0 : call->next.changes);
}

static bool
has_mikey(const struct cp_sdp_result *r)
{
	bool has = r->mikey.len > 0;

	for (int i = 0; i < CP_SDP_SERVICES; i++)
		has |= r->stream_mikey[i].len > 0;
	return has;
}

static void
on_offer(void *ctx, struct cp_sip_call *sip, struct cp_slice sdp)
{
	struct cp_call *call = cp_sip_call_owner(sip);
	const struct cp_sdp_policy *policy = cp_call_policy(call, call->conf, false);

	if (call->step != CP_STEP_NONE || call->has_next) {
		cp_sip_refuse(sip, &(struct cp_sip_refusal){.status = 491});
		return;
	}
	if (sdp.len)
		cp_sdp_answer(&call->next, sdp, policy, &call->sdp);
	else
		cp_sdp_offer(&call->next, policy, &call->sdp);
	if (call->next.status) {
		cp_call_refuse_sdp(call, &call->next);
		return;
	}
	call->has_next = true;
	if (has_mikey(&call->next)) {
		cp_call_offer_keyed(call);
		return;
	}
	cp_keying_check_streams(call);
	cp_call_carry_on_offer(call);
}

static bool
is_first_answer(const struct cp_call *call)
{
	return call->is_outgoing && !call->is_connected;
}

static void
on_answer(void *ctx, struct cp_sip_call *sip, struct cp_slice sdp)
{
	struct cp_call *call = cp_sip_call_owner(sip);
	const char *why = "";

	if (sdp.len == 0) {
		cp_call_hang_up(call, 488, "No answer to our offer");
		return;
	}
	cp_sdp_accept(&call->next, sdp, cp_call_policy(call, call->conf, false), &call->sdp);
	if (call->next.status) {
		cp_log(CP_LOG_INFO, CP_APP_AREA, "answer refused: %s", call->next.text);
		cp_call_hang_up(call, 488, call->next.text);
		return;
	}
	call->has_next = true;
	if (call->next.mikey.len > 0) {
		int status = cp_keying_answered(call);

		if (status != 0) {
			cp_call_hang_up(call, status,
					status == 403 ? "Somebody else answered" : "MIKEY failed");
			return;
		}
	} else {
		cp_keying_check_streams(call);
	}
	cp_call_streams_answered(call);
	if (is_first_answer(call)) {
		int status = cp_call_check_answerer(call, &why);

		if (status != 0) {
			cp_call_hang_up(call, status, why);
			return;
		}
	}
	if (call->next.changes & CP_SDP_CHANGE_SECURITY && !call->has_leg)
		cp_call_replace_leg(call, CP_STEP_ANSWER, &call->next.next.media);
	else
		cp_call_change_leg(call, CP_STEP_ANSWER, &call->next.next.media,
				   call->next.changes);
}

static void
on_established(void *ctx, struct cp_sip_call *sip)
{
	struct cp_call *call = cp_sip_call_owner(sip);

	if (call->is_rekey_due)
		cp_call_rekey(call);
}

/* Why nobody came, for people. */
static const char *
reason_of(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{401, "Is called with a password only"},
		{404, "Is not known there"},
		{407, "Is called with a password only"},
		{408, "Did not answer"},
		{410, "Is not there any more"},
		{480, "Cannot be reached now"},
		{486, "Is busy"},
		{487, "Did not answer"},
		{488, "Takes no call as the conference protects it"},
		{600, "Is busy"},
		{603, "Declined the call"},
		{604, "Is not known anywhere"},
		{606, "Takes no call as the conference protects it"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return status < 400   ? "Is somewhere else"
	       : status < 500 ? "The call was refused"
	       : status < 600 ? "The way there does not work just now"
			      : "Declined the call";
}

static void
on_ended(void *ctx, struct cp_sip_call *sip, const char *why)
{
	struct cp_call *call = cp_sip_call_owner(sip);
	char text[CP_CONF_REASON_MAX];

	if (call && call->is_outgoing && !call->is_connected && call->end_status) {
		snprintf(text, sizeof(text), "%s", reason_of(call->end_status));
		cp_redirect_follow(text, call);
		why = text;
	}
	if (call)
		cp_call_over(call, why);
}

static void
on_ringing(void *ctx, struct cp_sip_call *sip, int status)
{
	cp_call_dial_progress(cp_sip_call_owner(sip), status);
}

static void
on_listen_failed(void *ctx, const char *listen, const char *why)
{
	cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s: %s; see 'sip.listen'", listen, why);
}

const struct cp_sip_handler cp_app_sip_handler = {
	.look_up = cp_call_look_up,
	.look_up_call = cp_replace_look_up,
	.invite = cp_call_on_invite,
	.offer = on_offer,
	.answer = on_answer,
	.reoffer_failed = cp_call_on_reoffer_failed,
	.established = on_established,
	.ended = on_ended,
	.dialog = cp_adopted_keep,
	.kept_ended = cp_adopted_on_ended,
	.ringing = on_ringing,
	.refer = cp_refer_on_request,
	.referred = cp_refer_on_report,
	.listen_failed = on_listen_failed,
};
