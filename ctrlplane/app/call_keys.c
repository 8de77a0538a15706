/*
 * Calls keyed by MIKEY-TICKET on their way through the program: the KMS says who calls, then admission decides, and only then
 * anything is answered.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"

#define TICKET_RETRY_MS 10000
#define IN_TIME_PER_MILLE 900 /* of the re-keying interval: when we begin */

bool
cp_call_takes_mikey(const struct cp_app *app, enum cp_conf_security security)
{
	return app->mikey.is_on && (security == CP_CONF_MIKEY || security == CP_CONF_EITHER);
}

static void
refuse_keyed(struct cp_call *call, const struct cp_sip_refusal *refusal)
{
	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s from %s refused with %d: %s", call->caller->user,
	       call->caller->via, refusal->status,
	       refusal->warning_text ? refusal->warning_text : "MIKEY");
	cp_call_refuse_new(call, refusal);
}

/* Who the KMS vouches for comes in, when welcome. */
static void
admit_keyed(struct cp_call *call)
{
	const char *identity = cp_keying_initiator(call);
	const struct cp_caller *caller = call->caller;
	struct cp_conf_request request = {
		.identity = cp_slice_text(caller->uri),
		.proof = caller->proof,
		.tel = cp_slice_text(caller->tel),
		.kms = cp_slice_text(identity),
		.now_ms = cp_app_now_ms(),
	};
	struct cp_conf_verdict verdict;
	const char *why = NULL;
	int status = cp_call_settle(call, identity, &why);

	if (status != 0) {
		refuse_keyed(call, &(struct cp_sip_refusal){.status = status,
							    .warning_code = 399,
							    .warning_text = why});
		return;
	}
	request.user =
		cp_slice_text(caller->user); /* that of the conference which the factory made */
	if (cp_replace_admit(&verdict, call, request) != 0) {
		refuse_keyed(call,
			     &(struct cp_sip_refusal){.status = verdict.status,
						      .warning_code = 399,
						      .warning_text = verdict.reason,
						      .retry_after_s = verdict.retry_after_s});
		return;
	}
	call->verified_by = "kms";
	call->is_private = caller->is_private;
	snprintf(call->uri, sizeof(call->uri), "%s", caller->is_private ? "anonymous" : identity);
	cp_call_join(call, &verdict);
}

static void
on_keyed(struct cp_call *call, int status)
{
	call->step = CP_STEP_NONE;
	if (status == 0 && !cp_media_is_up(call->app->media))
		status = 503;
	if (status == 0) {
		admit_keyed(call);
		return;
	}
	cp_keying_refuse(call, status);
	cp_call_refuse_done(call);
}

/* The messages of call->next are borrowed from SIP, and kept by keying. */
static void
forget_texts(struct cp_call *call)
{
	call->next.mikey = cp_slice(NULL, 0);
	for (int i = 0; i < CP_SDP_SERVICES; i++)
		call->next.stream_mikey[i] = cp_slice(NULL, 0);
}

void
cp_call_start_keyed(struct cp_call *call)
{
	int status = cp_focus_is_draining(call->app->focus) ? 503 : 0;

	call->step = CP_STEP_KEYS;
	if (status == 0)
		status = cp_keying_start(call, call->caller->called, call->source, on_keyed);
	forget_texts(call);
	if (status != 0)
		on_keyed(call, status);
}

bool
cp_call_offer_without(struct cp_call *call)
{
	const struct cp_conf *conf = cp_conf_by_id(call->app->focus, call->conf);
	struct cp_sdp_policy policy = *cp_call_policy(call, call->conf, false);

	if (!conf || conf->security != CP_CONF_EITHER)
		return false;
	policy.may_mikey = false;
	cp_sdp_drop(&call->next);
	cp_keying_free(call);
	return cp_sdp_offer(&call->next, &policy, &call->sdp) == 0;
}

/* By what SIP proved, again: much may have changed while the KMS was asked. */
static void
admit_late(struct cp_call *call)
{
	const struct cp_caller *caller = call->caller;
	struct cp_conf_request request = {
		.user = cp_slice_text(caller->user),
		.identity = cp_slice_text(caller->uri),
		.proof = caller->proof,
		.tel = cp_slice_text(caller->tel),
		.now_ms = cp_app_now_ms(),
	};
	struct cp_conf_verdict verdict;

	if (cp_replace_admit(&verdict, call, request) != 0)
		refuse_keyed(call,
			     &(struct cp_sip_refusal){.status = verdict.status,
						      .warning_code = 399,
						      .warning_text = verdict.reason,
						      .retry_after_s = verdict.retry_after_s});
	else
		cp_call_join(call, &verdict);
}

/* The ticket for who called without an offer is there, or is not. */
static void
on_late_ticket(struct cp_call *call, int status)
{
	call->step = CP_STEP_NONE;
	if (!cp_media_is_up(call->app->media))
		status = 503;
	else if (status != 0 && cp_call_offer_without(call))
		status = 0;
	if (status == 0) {
		admit_late(call);
		return;
	}
	cp_keying_refuse(call, status);
	cp_call_refuse_done(call);
}

static void
start_unproven(struct cp_call *call, const struct cp_conf_verdict *verdict)
{
	if (cp_call_offer_without(call))
		cp_call_join(call, verdict);
	else
		refuse_keyed(call, &(struct cp_sip_refusal){
					   .status = 488,
					   .warning_code = 306,
					   .warning_text = "This conference wants an offer with "
							   "a=key-mgmt:mikey, or a proven identity "
							   "to make one for"});
}

void
cp_call_start_late(struct cp_call *call, const struct cp_conf_verdict *verdict)
{
	struct cp_app *app = call->app;
	int status = 503;

	call->conf = verdict->conf->id;
	if (!*call->caller->uri) { /* it would make anybody's tickets be asked for */
		start_unproven(call, verdict);
		return;
	}
	snprintf(call->identity, sizeof(call->identity), "%s", verdict->person);
	call->step = CP_STEP_KEYS;
	if (cp_rate_may(&app->mikey.rate, call->source, app->mikey.config->rate, cp_app_now_ms()))
		status = cp_keying_ticket(call, verdict->conf->user, verdict->person,
					  on_late_ticket);
	if (status != 0)
		on_late_ticket(call, status);
}

/* Their new ticket: the same one as before, or it is refused. */
static void
on_rekeyed(struct cp_call *call, int status)
{
	const char *identity = cp_keying_initiator(call);

	call->step = CP_STEP_NONE;
	if (status == 0 && strcmp(identity, call->identity) != 0)
		status = 403;
	if (status == 0)
		status = cp_keying_answer(call);
	if (status == 0) {
		cp_call_carry_on_offer(call);
		return;
	}
	cp_keying_refuse(call, status);
	cp_call_drop_next(call);
}

void
cp_call_offer_keyed(struct cp_call *call)
{
	int status = cp_keying_reoffer(call);

	if (status == -EINPROGRESS) {
		call->step = CP_STEP_KEYS;
		status = cp_keying_start(call, "", call->source, on_rekeyed);
		forget_texts(call);
		if (status == 0)
			return;
		call->step = CP_STEP_NONE;
	}
	forget_texts(call);
	if (status == 0) {
		cp_call_carry_on_offer(call);
		return;
	}
	cp_keying_refuse(call, status);
	cp_call_drop_next(call);
}

static void
on_ticket(struct cp_call *call, int status)
{
	call->step = CP_STEP_NONE;
	if (status == 0)
		cp_call_rekey(call);
	else
		cp_log(CP_LOG_WARN, CP_APP_AREA,
		       "participant %u cannot be given new keys yet: no ticket", call->leg);
}

void
cp_call_ask_ticket(struct cp_call *call)
{
	const struct cp_conf *conf = cp_conf_by_id(call->app->focus, call->conf);

	call->rekey_ms = cp_app_now_ms() + TICKET_RETRY_MS;
	call->step = CP_STEP_KEYS;
	if (!conf || cp_keying_ticket(call, conf->user, cp_keying_initiator(call), on_ticket) != 0)
		on_ticket(call, 503);
}

void
cp_call_keys_agreed(struct cp_call *call)
{
	int64_t rekey_s;

	if (!cp_keying_commit(call))
		return;
	rekey_s = cp_keying_rekey_s(call);
	call->keys_end_ms = rekey_s ? cp_app_now_ms() + rekey_s * IN_TIME_PER_MILLE : 0;
}
