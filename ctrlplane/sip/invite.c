/* INVITE, re-INVITE, UPDATE and the ACK: RFC 3261 13.3 and 14.2, 3311 5.2, 3264, 3262 (reliable 180 when it is required). */
#include "ctrlplane/sip/sip_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_uniqueid.h>
#include <sofia-sip/url.h>

#define RETRY_AFTER_S 5

static void
refuse_new(struct cp_sip_listen *l, nua_handle_t *nh, const struct cp_sip_refusal *refusal)
{
	cp_sip_reply_refusal(l, nh, NULL, refusal);
	nua_handle_destroy(nh);
}

void
cp_sip_peer_name(char *text, size_t size, nua_t *nua, const sip_t *sip)
{
	msg_t *msg = nua_current_request(nua);
	const su_addrinfo_t *from = msg ? msg_addrinfo(msg) : NULL;
	char host[INET6_ADDRSTRLEN + 16], port[8];
	const char *how = sip->sip_via && sip->sip_via->v_protocol
				  ? strrchr(sip->sip_via->v_protocol, '/')
				  : NULL;

	if (!from || getnameinfo(from->ai_addr, (socklen_t)from->ai_addrlen, host, sizeof(host),
				 port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(text, size, "unknown");
	else
		snprintf(text, size, strchr(host, ':') ? "[%s]:%s/%s" : "%s:%s/%s", host, port,
			 how ? how + 1 : "?");
}

bool
cp_sip_is_sips_without_tls(const sip_t *sip)
{
	const sip_via_t *via = sip->sip_via;
	const char *how = via && via->v_protocol ? strrchr(via->v_protocol, '/') : NULL;

	return sip->sip_request->rq_url->url_type == url_sips &&
	       (!how || strcasecmp(how, "/TLS") != 0);
}

/* Everything that can be said about an INVITE without its conference. 0, or the status to refuse with. */
static int
check_new(struct cp_sip *s, const sip_t *sip, char name[CP_SIP_USER_MAX],
	  struct cp_sip_policy *policy)
{
	const char *user = sip->sip_request->rq_url->url_user;

	if (s->is_stopping || s->call_count >= s->options->calls_max)
		return 503;
	if (!sip->sip_contact)
		return 400; /* RFC 3261 8.1.1.8 */
	if (cp_sip_is_sips_without_tls(sip))
		return 403;
	if (!user || strlen(user) >= CP_SIP_USER_MAX)
		return 404;
	url_unescape(name, user);
	return s->handler.look_up(s->ctx, name, policy) ? 0 : 404;
}

/* RFC 5627 3: a Contact with "gr" reaches this very phone out of the dialog too. */
static void
learn_gruu(struct cp_sip_call *call, const sip_t *sip)
{
	call->gruu[0] = '\0';
	if (sip->sip_contact && url_has_param(sip->sip_contact->m_url, "gr") &&
	    url_e(call->gruu, sizeof(call->gruu), sip->sip_contact->m_url) >=
		    (issize_t)sizeof(call->gruu))
		call->gruu[0] = '\0';
}

static void
start_call(struct cp_sip_listen *l, nua_handle_t *nh, const sip_t *sip,
	   const struct cp_sip_invite *invite)
{
	struct cp_sip *s = l->sip;
	struct cp_sip_call *call = cp_sip_call_create(l, nh);

	if (!call) {
		refuse_new(l, nh,
			   &(struct cp_sip_refusal){.status = 503, .retry_after_s = RETRY_AFTER_S});
		return;
	}
	cp_sip_host_port(call->host_port, l, sip);
	cp_sip_contact_at(call->contact, invite->user, call->host_port);
	snprintf(call->id.call_id, sizeof(call->id.call_id), "%s", invite->call_id);
	learn_gruu(call, sip);
	cp_sip_facts_begin(call, sip);
	call->pending = CP_SIP_PENDING_INVITE;
	call->wants_answer = invite->sdp.len == 0;
	call->has_update = sip_is_allowed(sip->sip_allow, sip_method_update, NULL);
	/*
	 * Refreshes by UPDATE where the peer has it; else by a re-INVITE for which the peer makes the offer, but only
	 * when the peer wants a session timer at all: not every phone bears that.
	 */
	nua_set_hparams(nh, NUTAG_UPDATE_REFRESH(call->has_update),
			TAG_IF(!call->has_update && !sip->sip_session_expires &&
				       !sip_has_feature(sip->sip_supported, "timer"),
			       NUTAG_SESSION_TIMER(0)),
			TAG_END());
	if (sip_has_feature(sip->sip_require, "100rel"))
		nua_respond(nh, SIP_180_RINGING, SIPTAG_CONTACT_STR(call->contact), TAG_END());
	s->handler.invite(s->ctx, call, invite);
}

static bool
has_mikey(struct cp_slice sdp)
{
	struct cp_slice line;

	while (cp_slice_line(&sdp, &line))
		if (cp_slice_has_prefix(line, "a=key-mgmt:mikey "))
			return true;
	return false;
}

/* What it carries and what it names. 0, or the status to refuse with. */
static int
read_invite(struct cp_sip_invite *invite, const struct cp_sip_policy *policy,
	    struct cp_sip_listen *l, nua_handle_t *nh, const sip_t *sip)
{
	bool wants_list = sip_has_feature(sip->sip_require, CP_SIP_LISTS);
	struct cp_sip_parts parts;
	int status = cp_sip_parts(&parts, nua_handle_home(nh), sip);

	if (status)
		return status;
	if ((wants_list || (parts.list.len && !parts.is_list_optional)) && !policy->takes_lists)
		return 420; /* RFC 5366 5.1: a conference is no factory */
	if (wants_list && !parts.list.len)
		return 400;
	invite->sdp = parts.sdp;
	if (policy->takes_lists)
		invite->list = parts.list;
	if (sip->sip_max_forwards && invite->list.len) {
		if (sip->sip_max_forwards->mf_count == 0)
			return 483; /* others are to be called because of it: RFC 7332 */
		invite->hops = (unsigned)sip->sip_max_forwards->mf_count - 1;
	}
	return cp_sip_check_dialogs(&invite->replaces, &invite->joins, l->sip, sip);
}

static void
read_referrer(char by[CP_IDENTITY_MAX], const sip_t *sip)
{
	char text[2 * CP_IDENTITY_MAX];

	if (!sip->sip_referred_by ||
	    url_e(text, sizeof(text), sip->sip_referred_by->b_url) >= (issize_t)sizeof(text) ||
	    cp_identity(by, cp_slice_text(text)) != 0)
		by[0] = '\0';
}

static void
on_first_invite(struct cp_sip_listen *l, nua_handle_t *nh, const sip_t *sip)
{
	struct cp_sip *s = l->sip;
	struct cp_sip_policy policy = {0};
	struct cp_sip_identity identity;
	char name[CP_SIP_USER_MAX] = "", peer[96];
	struct cp_sip_invite invite = {
		.user = name,
		.identity = &identity,
		.call_id = sip->sip_call_id ? sip->sip_call_id->i_id : "",
		.peer = peer,
		.agent = sip->sip_user_agent ? sip->sip_user_agent->g_string : "",
	};
	bool is_stale;
	char by[CP_IDENTITY_MAX] = "";
	int status = check_new(s, sip, name, &policy);

	if (!status)
		status = read_invite(&invite, &policy, l, nh, sip);
	if (status) {
		refuse_new(l, nh,
			   &(struct cp_sip_refusal){
				   .status = status,
				   .phrase = status == 403 ? "SIPS Needs TLS" : NULL,
				   .retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
				   .unsupported = status == 420 ? CP_SIP_LISTS : NULL});
		return;
	}
	read_referrer(by, sip);
	invite.referred_by = by;
	if (invite.replaces || invite.joins)
		s->handler.look_up_call(s->ctx, invite.replaces ? invite.replaces : invite.joins,
					&policy);
	if (policy.takes_mikey && has_mikey(invite.sdp))
		policy.needs_identity = false;
	switch (cp_sip_identify(&identity, &is_stale, l, sip, policy.needs_identity)) {
	case CP_SIP_CHALLENGE:
		cp_sip_challenge(l, nh, is_stale);
		nua_handle_destroy(nh);
		return;
	case CP_SIP_REFUSE:
		refuse_new(l, nh,
			   &(struct cp_sip_refusal){.status = 403,
						    .phrase = "From Is Not The Account's"});
		return;
	case CP_SIP_KNOWN:
		break;
	}
	cp_sip_peer_name(peer, sizeof(peer), l->nua, sip);
	start_call(l, nh, sip, &invite);
}

static void
on_reinvite(struct cp_sip_call *call, const sip_t *sip)
{
	struct cp_sip *s = call->listen->sip;
	struct cp_slice sdp;
	int status = cp_sip_body(&sdp, nua_handle_home(call->nh), sip);

	if (!status && (call->pending != CP_SIP_PENDING_NONE || call->is_reoffering))
		status = 491;
	if (!status && call->is_detached)
		status = 481;
	if (sip_has_feature(sip->sip_require, CP_SIP_LISTS))
		status = 420; /* RFC 5366 5.1 */
	if (status) {
		cp_sip_reply_refusal(call->listen, call->nh, NULL,
				     &(struct cp_sip_refusal){
					     .status = status,
					     .unsupported = status == 420 ? CP_SIP_LISTS : NULL});
		return;
	}
	call->pending = CP_SIP_PENDING_INVITE;
	call->wants_answer = sdp.len == 0;
	cp_sip_facts_target(call, sip);
	s->handler.offer(s->ctx, call, sdp);
}

void
cp_sip_on_invite(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		 const sip_t *sip)
{
	if (call)
		on_reinvite(call, sip);
	else
		on_first_invite(l, nh, sip);
}

void
cp_sip_on_update(struct cp_sip_call *call, const sip_t *sip)
{
	struct cp_sip *s = call->listen->sip;
	msg_t *request = nua_current_request(call->listen->nua);
	struct cp_slice sdp;
	struct cp_sip_refusal refusal = {.status =
						 cp_sip_body(&sdp, nua_handle_home(call->nh), sip)};

	if (!refusal.status && sdp.len && (call->wants_answer || call->is_reoffering))
		refusal.status = 491; /* our own offer is out: RFC 3311 5.2 */
	else if (!refusal.status && sdp.len && call->pending != CP_SIP_PENDING_NONE)
		refusal = (struct cp_sip_refusal){.status = 500,
						  .retry_after_s = 1 + (unsigned)su_randint(0, 9)};
	else if (!refusal.status && call->is_detached)
		refusal.status = 481;
	if (!refusal.status)
		cp_sip_facts_target(call, sip);
	if (refusal.status) {
		cp_sip_reply_refusal(call->listen, call->nh, request, &refusal);
	} else if (sdp.len == 0) { /* session refresh, or a new target */
		nua_respond(call->nh, SIP_200_OK, NUTAG_WITH(request),
			    SIPTAG_CONTACT_STR(call->contact), TAG_END());
	} else {
		call->pending = CP_SIP_PENDING_UPDATE;
		call->update = msg_ref_create(request);
		s->handler.offer(s->ctx, call, sdp);
	}
}

void
cp_sip_on_ack(struct cp_sip_call *call, const sip_t *sip)
{
	struct cp_sip *s = call->listen->sip;
	bool is_first = !call->is_acked;
	bool wants_answer = call->wants_answer;
	struct cp_slice sdp = {NULL, 0};

	call->is_acked = true;
	call->wants_answer = false;
	cp_sip_dialog_learn(call);
	if (call->is_bye_due) {
		cp_sip_call_bye(call);
		return;
	}
	if (call->is_detached)
		return;
	if (is_first) {
		s->handler.dialog(s->ctx, call);
		s->handler.established(s->ctx, call);
	}
	if (wants_answer && !call->is_detached) {
		if (sip && cp_sip_body(&sdp, nua_handle_home(call->nh), sip) != 0)
			sdp = cp_slice(NULL, 0);
		s->handler.answer(s->ctx, call, sdp);
	}
}

void
cp_sip_accept(struct cp_sip_call *call, struct cp_slice sdp)
{
	sip_payload_t *payload =
		sip_payload_create(nua_handle_home(call->nh), sdp.ptr, (isize_t)sdp.len);
	msg_t *update = call->pending == CP_SIP_PENDING_UPDATE ? call->update : NULL;

	if (call->pending == CP_SIP_PENDING_ACK) {
		call->pending = CP_SIP_PENDING_NONE;
		nua_ack(call->nh, SIPTAG_CONTENT_TYPE_STR("application/sdp"),
			SIPTAG_PAYLOAD(payload), TAG_END());
		su_free(nua_handle_home(call->nh), payload);
		return;
	}
	nua_respond(call->nh, SIP_200_OK, TAG_IF(update, NUTAG_WITH(update)),
		    SIPTAG_CONTACT_STR(call->contact), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
		    SIPTAG_PAYLOAD(payload), TAG_END());
	su_free(nua_handle_home(call->nh), payload);
	if (update) {
		msg_destroy(update);
		call->update = NULL;
	} else {
		call->is_accepted = true;
	}
	call->pending = CP_SIP_PENDING_NONE;
}

void
cp_sip_refuse(struct cp_sip_call *call, const struct cp_sip_refusal *refusal)
{
	msg_t *update = call->pending == CP_SIP_PENDING_UPDATE ? call->update : NULL;

	if (call->pending ==
	    CP_SIP_PENDING_ACK) { /* RFC 3261 14.1: an ACK there must be; then it ends */
		call->pending = CP_SIP_PENDING_NONE;
		nua_ack(call->nh, TAG_END());
		nua_bye(call->nh, SIPTAG_REASON_STR("SIP;cause=488;text=\"Offer refused\""),
			TAG_END());
		return;
	}
	call->pending = CP_SIP_PENDING_NONE;
	call->wants_answer = false;
	cp_sip_reply_refusal(call->listen, call->nh, update, refusal);
	if (update) {
		msg_destroy(update);
		call->update = NULL;
	}
	if (!call->is_accepted) {
		call->is_detached = true;
		cp_sip_call_over(call, "refused");
	}
}

int
cp_sip_reoffer(struct cp_sip_call *call, struct cp_slice sdp)
{
	sip_payload_t *payload;

	if (!call->is_acked || call->is_detached)
		return -EINVAL;
	if (call->pending != CP_SIP_PENDING_NONE || call->wants_answer || call->is_reoffering)
		return -EBUSY;
	payload = sip_payload_create(nua_handle_home(call->nh), sdp.ptr, (isize_t)sdp.len);
	if (!payload)
		return -ENOMEM;
	call->is_reoffering = true;
	nua_invite(call->nh, SIPTAG_CONTACT_STR(call->contact),
		   SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD(payload), TAG_END());
	su_free(nua_handle_home(call->nh), payload);
	return 0;
}

/* RFC 3262 5: SDP in a reliable 1xx is the answer, and the 200 need not repeat it. It comes into force with the 200 only. */
static void
keep_early_answer(struct cp_sip_call *call, const sip_t *sip)
{
	struct cp_slice sdp;

	if (!sip || !sip->sip_rseq || cp_sip_body(&sdp, nua_handle_home(call->nh), sip) != 0 ||
	    sdp.len == 0)
		return;
	cp_sip_drop_early_answer(call);
	call->early_answer = strndup(sdp.ptr, sdp.len);
}

static void
learn_answerer(struct cp_sip_call *call, const sip_t *sip)
{
	free(call->answerer);
	call->answerer = calloc(1, sizeof(*call->answerer));
	if (call->answerer)
		cp_sip_identify_answer(call->answerer, call->listen, sip);
	call->has_update = sip_is_allowed(sip->sip_allow, sip_method_update, NULL);
	learn_gruu(call, sip);
}

void
cp_sip_on_reinvite_response(struct cp_sip_call *call, int status, const sip_t *sip)
{
	struct cp_sip *s = call->listen->sip;
	struct cp_slice sdp = {NULL, 0};
	bool is_ours = call->is_reoffering, is_asked;

	if (sip && status > 100 && status < 300 && call->is_outgoing && !call->is_acked)
		cp_sip_dialog_take(call, sip);
	if (status < 200) {
		if (call->is_outgoing && !call->is_acked && !call->is_detached && status > 100) {
			keep_early_answer(call, sip);
			s->handler.ringing(s->ctx, call, status);
		}
		return;
	}
	/* the stack goes on waiting for a password then */
	is_asked = (status == 401 || status == 407) && call->is_outgoing && !call->is_acked;
	if (is_asked && sip && !call->is_detached && cp_sip_answer_challenge(call, sip))
		return;
	if (status < 300 && sip && call->is_outgoing && !call->is_acked) {
		learn_answerer(call, sip);
		cp_sip_facts_begin(call, sip);
	} else if (status < 300) {
		cp_sip_facts_target(call, sip);
	}
	if (status >= 300 && status < 400 && sip && call->is_outgoing && !call->is_acked)
		cp_sip_learn_targets(call, sip);
	call->is_reoffering = false;
	if (sip && cp_sip_body(&sdp, nua_handle_home(call->nh), sip) != 0)
		sdp = cp_slice(NULL, 0);
	if (sdp.len == 0 && call->is_outgoing && !call->is_acked)
		sdp = cp_slice_text(call->early_answer);
	if (call->is_detached) {
		if (status < 300)
			nua_ack(call->nh, TAG_END());
		if (status < 300 && call->is_outgoing && !call->is_accepted)
			cp_sip_call_bye(call); /* it answered before our CANCEL came */
		if (is_asked)
			cp_sip_call_over(call, "refused");
		return;
	}
	if (is_ours && status < 300) {
		bool is_first = !call->is_acked;

		call->is_accepted = call->is_acked = true;
		nua_ack(call->nh, TAG_END());
		if (is_first)
			s->handler.dialog(s->ctx, call);
		s->handler.answer(s->ctx, call, sdp);
	} else if (is_ours) {
		s->handler.reoffer_failed(s->ctx, call, status);
		if (is_asked)
			cp_sip_call_over(call, "refused");
	} else if (status < 300 && call->pending == CP_SIP_PENDING_NONE) {
		call->pending = CP_SIP_PENDING_ACK;
		if (sdp.len)
			s->handler.offer(s->ctx, call, sdp);
		else
			cp_sip_refuse(call, &(struct cp_sip_refusal){.status = 488});
	}
}
