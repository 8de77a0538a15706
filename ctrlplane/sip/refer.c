/* REFER to us and from us: RFC 3515, 4488, 5368, 7647; Target-Dialog of RFC 4538. */
#include "ctrlplane/sip/sip_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/url.h>

#define HOPS 70
#define WAIT_MS 180000 /* for the word of a REFER of ours: as long as an INVITE may ring */

static struct cp_sip_refer *
create(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call)
{
	struct cp_sip_refer *r = NULL;

	if (l->sip->refer_count < CP_SIP_REFERS_MAX)
		r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->listen = l;
	r->nh = nh;
	r->call = call;
	LIST_INSERT_HEAD(&l->sip->refers, r, entry);
	l->sip->refer_count++;
	return r;
}

bool
cp_sip_refer_holds(const struct cp_sip *s, const nua_handle_t *nh)
{
	const struct cp_sip_refer *r;

	LIST_FOREACH (r, &s->refers, entry)
		if (r->nh == nh)
			return true;
	return false;
}

static void
destroy(struct cp_sip_refer *r)
{
	struct cp_sip *s = r->listen->sip;
	bool owns_handle = r->nh && !r->call;

	LIST_REMOVE(r, entry);
	s->refer_count--;
	if (r->request)
		msg_destroy(r->request);
	if (owns_handle && !cp_sip_refer_holds(s, r->nh) && !cp_sip_sub_holds(s, r->nh))
		nua_handle_destroy(r->nh);
	free(r);
}

bool
cp_sip_refer_keeps(struct cp_sip_call *call)
{
	struct cp_sip *s = call->listen->sip;
	struct cp_sip_refer *r, *next;
	bool is_kept = false;

	for (r = LIST_FIRST(&s->refers); r; r = next) {
		next = LIST_NEXT(r, entry);
		if (r->call != call)
			continue;
		if (s->is_stopping || r->has_no_events) {
			r->nh = NULL;
			continue;
		}
		r->call = NULL;
		is_kept = true;
	}
	return is_kept;
}

void
cp_sip_refer_free_all(struct cp_sip *s)
{
	while (!LIST_EMPTY(&s->refers))
		destroy(LIST_FIRST(&s->refers));
}

/* What a REFER asks for, taken apart. */
struct asked {
	struct cp_sip_refer_to to;
	struct cp_sip_parts parts;
	struct cp_sip_identity identity;
	char user[CP_SIP_USER_MAX], peer[96];
};

/* Refer-To as text: the stack has taken it apart, headers and method too. */
static int
decode_refer_to(struct cp_sip_refer_to *to, su_home_t *home, const sip_t *sip)
{
	const sip_refer_to_t *r = sip->sip_refer_to;
	bool is_one = r && !cp_sip_is_wrong(sip, sip_refer_to_class); /* RFC 3515 2.1 */
	char *text = is_one ? url_as_string(home, r->r_url) : NULL;
	int rc;

	if (!text)
		return 400;
	rc = cp_sip_refer_uri_decode(to, cp_slice_text(text));
	su_free(home, text);
	return rc == 0 ? 0 : rc == -EAFNOSUPPORT ? 416 : 400;
}

/* 0, or the status to refuse with. */
static int
decode(struct asked *a, struct cp_sip_listen *l, nua_handle_t *nh, const sip_t *sip)
{
	const char *user = sip->sip_request->rq_url->url_user;
	struct cp_sip *s = l->sip;
	int status;

	if (s->is_stopping)
		return 503;
	if (sip->sip_max_forwards && sip->sip_max_forwards->mf_count == 0)
		return 483; /* we are to send something because of it: RFC 7332 */
	if (!user || strlen(user) >= sizeof(a->user))
		return 404;
	url_unescape(a->user, user);
	status = decode_refer_to(&a->to, nua_handle_home(nh), sip);
	if (!status)
		status = cp_sip_parts(&a->parts, nua_handle_home(nh), sip);
	if (!status && a->parts.list.len && !*a->to.content_id && !a->parts.is_list_optional)
		status = 400; /* a list that Refer-To does not point to */
	if (!status && *a->to.content_id && !cp_slice_is(a->parts.list_id, a->to.content_id))
		status = 400;
	return status;
}

static bool
says_no_events(const sip_t *sip)
{
	const sip_refer_sub_t *sub = sip_refer_sub(sip);

	return sub && sub->rs_value && strcasecmp(sub->rs_value, "false") == 0;
}

/* In a dialog: what would end it, too (RFC 5057 5.1), is said by another status. */
static struct cp_sip_refusal
spare_dialog(const struct cp_sip_refusal *refusal, const struct cp_sip_call *call)
{
	struct cp_sip_refusal spared = *refusal;
	int is_graceful = 0;

	if (call && !call->is_detached &&
	    (sip_response_terminates_dialog(refusal->status, sip_method_refer, &is_graceful) ||
	     is_graceful))
		spared.status = refusal->status == 416 || refusal->status == 483 ? 400 : 403;
	return spared;
}

/* Refused before there is anything to name. */
static void
refuse(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
       const struct cp_sip_refusal *refusal)
{
	const struct cp_sip_refusal spared = spare_dialog(refusal, call);

	cp_sip_reply_refusal(l, nh, nua_current_request(l->nua), &spared);
	if (!call && !cp_sip_refer_holds(l->sip, nh) && !cp_sip_sub_holds(l->sip, nh))
		nua_handle_destroy(nh);
}

/* Out of a dialog: who is it, and does it name a dialog of ours? False: it was answered. */
static bool
identify(struct asked *a, struct cp_sip_call **named, struct cp_sip_listen *l, nua_handle_t *nh,
	 const sip_t *sip)
{
	struct cp_sip *s = l->sip;
	struct cp_sip_policy policy = {.needs_identity = false};
	bool is_stale;
	int status;

	*named = cp_sip_target_dialog(s, sip, &status);
	if (!status && !s->handler.look_up(s->ctx, a->user, &policy))
		status = 404;
	if (status) {
		refuse(l, nh, NULL, &(struct cp_sip_refusal){.status = status});
		return false;
	}
	if (*named)
		policy.needs_identity = false; /* RFC 4538: who knows the dialog is in it */
	switch (cp_sip_identify(&a->identity, &is_stale, l, sip, policy.needs_identity)) {
	case CP_SIP_CHALLENGE:
		cp_sip_challenge(l, nh, is_stale);
		nua_handle_destroy(nh);
		return false;
	case CP_SIP_REFUSE:
		refuse(l, nh, NULL,
		       &(struct cp_sip_refusal){.status = 403,
						.phrase = "From Is Not The Account's"});
		return false;
	case CP_SIP_KNOWN:
		break;
	}
	return true;
}

void
cp_sip_on_refer(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		const sip_t *sip)
{
	struct cp_sip *s = l->sip;
	struct asked a = {.user = ""};
	struct cp_sip_call *named = call;
	struct cp_sip_refer_request request = {
		.user = a.user,
		.identity = call ? NULL : &a.identity,
		.to = &a.to,
		.peer = a.peer,
		.hops = sip->sip_max_forwards ? (unsigned)sip->sip_max_forwards->mf_count - 1 : 0,
	};
	struct cp_sip_refer *r;
	int status = decode(&a, l, nh, sip);

	if (!status && call && call->is_detached)
		status = 481;
	if (status) {
		refuse(l, nh, call, &(struct cp_sip_refusal){.status = status});
		return;
	}
	if (!call && !identify(&a, &named, l, nh, sip))
		return;
	r = create(l, nh, call);
	if (!r) {
		refuse(l, nh, call, &(struct cp_sip_refusal){.status = 503, .retry_after_s = 5});
		return;
	}
	r->request = msg_ref_create(nua_current_request(l->nua));
	r->has_no_events = says_no_events(sip) || *a.to.content_id;
	r->last_status = 100;
	snprintf(r->event, sizeof(r->event), "refer;id=%u",
		 (unsigned int)sip->sip_cseq->cs_seq); /* RFC 3515 2.4.6 */
	cp_sip_contact(r->contact, l, a.user, sip);
	cp_sip_peer_name(a.peer, sizeof(a.peer), l->nua, sip);
	request.call = named;
	request.list = a.parts.list;
	s->handler.refer(s->ctx, r, &request);
}

static void
send_notify(struct cp_sip_refer *r, const char *phrase, bool is_last)
{
	char fragment[160];

	snprintf(fragment, sizeof(fragment), "SIP/2.0 %d %.120s\r\n", r->last_status, phrase);
	r->unanswered++;
	nua_notify(r->nh, SIPTAG_EVENT_STR(r->event), SIPTAG_CONTACT_STR(r->contact),
		   SIPTAG_CONTENT_TYPE_STR("message/sipfrag;version=2.0"),
		   SIPTAG_PAYLOAD_STR(fragment),
		   NUTAG_SUBSTATE(is_last ? nua_substate_terminated : nua_substate_active),
		   TAG_END());
}

static void
notify(struct cp_sip_refer *r, int status, const char *phrase)
{
	r->last_status = status;
	if (!r->has_no_events && r->nh)
		send_notify(r, phrase, status >= 200);
}

static void
write_event(char name[CP_SIP_REFER_EVENT_MAX], const sip_event_t *event)
{
	snprintf(name, CP_SIP_REFER_EVENT_MAX, "refer%s%.24s", event->o_id ? ";id=" : "",
		 event->o_id ? event->o_id : "");
}

/* RFC 3515 2.4.6: who sent the REFER may end its subscription, or make it last longer. */
bool
cp_sip_on_refer_subscribe(struct cp_sip_listen *l, nua_handle_t *nh, const sip_t *sip)
{
	const sip_event_t *event = sip->sip_event;
	msg_t *request = nua_current_request(l->nua);
	bool ends = sip->sip_expires && sip->sip_expires->ex_delta == 0;
	char name[CP_SIP_REFER_EVENT_MAX];
	struct cp_sip_refer *r;

	if (!event || !event->o_type || strcasecmp(event->o_type, "refer") != 0)
		return false;
	write_event(name, event);
	LIST_FOREACH (r, &l->sip->refers, entry)
		if (!r->is_ours && r->nh == nh && !r->has_no_events && strcmp(r->event, name) == 0)
			break;
	if (!r) {
		nua_respond(nh, SIP_403_FORBIDDEN, NUTAG_WITH(request), TAG_END());
		return true;
	}
	nua_respond(nh, SIP_200_OK, NUTAG_WITH(request), SIPTAG_CONTACT_STR(r->contact), TAG_END());
	send_notify(r, sip_status_phrase(r->last_status), ends);
	r->has_no_events = ends;
	return true;
}

void
cp_sip_refer_accept(struct cp_sip_refer *r)
{
	if (!r->request)
		return;
	/* 200, not 202: RFC 7647 5 */
	nua_respond(r->nh, SIP_200_OK, NUTAG_WITH(r->request), SIPTAG_CONTACT_STR(r->contact),
		    TAG_IF(r->has_no_events, SIPTAG_REFER_SUB_STR("false")), TAG_END());
	msg_destroy(r->request);
	r->request = NULL;
	notify(r, 100, "Trying");
}

void
cp_sip_refer_refuse(struct cp_sip_refer *r, const struct cp_sip_refusal *refusal)
{
	const struct cp_sip_refusal spared = spare_dialog(refusal, r->call);

	if (r->request && r->nh)
		cp_sip_reply_refusal(r->listen, r->nh, r->request, &spared);
	destroy(r);
}

void
cp_sip_refer_progress(struct cp_sip_refer *r, int status, const char *phrase)
{
	const char *standard = sip_status_phrase(status);

	notify(r, status, phrase ? phrase : standard ? standard : "Unknown");
	if (status < 200)
		return;
	if (r->has_no_events || !r->nh)
		destroy(r);
	else
		r->is_over = true; /* until its NOTIFYs are answered they need the handle */
}

/* The oldest of ours that nobody answers any more are given up. */
static void
expire(struct cp_sip *s)
{
	int64_t now = (int64_t)cp_sip_now_ms();
	struct cp_sip_refer *r, *next;

	for (r = LIST_FIRST(&s->refers); r; r = next) {
		void *owner = r->owner;

		next = LIST_NEXT(r, entry);
		if (!r->is_ours || now - r->born_ms < WAIT_MS)
			continue;
		destroy(r);
		s->handler.referred(s->ctx, owner, 408, true);
	}
}

static struct cp_sip_refer *
find_ours(const struct cp_sip *s, const nua_handle_t *nh)
{
	struct cp_sip_refer *r;

	LIST_FOREACH (r, &s->refers, entry)
		if (r->is_ours && r->nh == nh)
			return r;
	return NULL;
}

/* Out of a dialog, also where the call's peer has a GRUU: it shares no dialog then (RFC 7647 4). */
static int
make_own_dialog(struct cp_sip_refer **out, char host_port[CP_SIP_HOST_PORT_MAX], struct cp_sip *s,
		const struct cp_sip_refer_order *o)
{
	const char *target = o->call ? o->call->gruu : o->to;
	char to[CP_SIP_CONTACT_MAX], from[CP_SIP_CONTACT_MAX];
	struct cp_sip_route route;
	struct cp_sip_refer *r;
	nua_handle_t *nh;
	int rc = cp_sip_route(&route, s, target);

	if (rc)
		return rc;
	snprintf(to, sizeof(to), "<%s>", target);
	snprintf(from, sizeof(from), "<%s>", o->from);
	nh = nua_handle(route.listen->nua, NULL, SIPTAG_TO_STR(to), SIPTAG_FROM_STR(from),
			TAG_END());
	r = nh ? create(route.listen, nh, NULL) : NULL;
	if (!r) {
		if (nh)
			nua_handle_destroy(nh);
		return -EAGAIN;
	}
	rc = cp_sip_contact_on(r->contact, host_port, &route, o->user);
	if (rc)
		destroy(r);
	else
		*out = r;
	return rc;
}

static int
make(struct cp_sip_refer **out, char host_port[CP_SIP_HOST_PORT_MAX], struct cp_sip *s,
     const struct cp_sip_refer_order *o)
{
	struct cp_sip_call *call = o->call;
	struct cp_sip_refer *r;

	if (!call || *call->gruu)
		return make_own_dialog(out, host_port, s, o);
	if (!call->is_acked || call->is_detached)
		return -EINVAL;
	if (find_ours(s, call->nh))
		return -EBUSY;
	r = create(call->listen, call->nh, call);
	if (!r)
		return -EAGAIN;
	snprintf(r->contact, sizeof(r->contact), "%s", call->contact);
	snprintf(host_port, CP_SIP_HOST_PORT_MAX, "%s", call->host_port);
	*out = r;
	return 0;
}

/* Where the conference is called: by its public URI through a proxy, else at the address of ours that leads to who is asked. */
static void
write_refer_to(char refer_to[CP_SIP_CONTACT_MAX], const struct cp_sip *s,
	       const struct cp_sip_refer_order *o, const char *host_port)
{
	char *parameters;

	if (s->options->outbound_proxy) {
		snprintf(refer_to, CP_SIP_CONTACT_MAX, "<%s>", o->from);
		return;
	}
	cp_sip_contact_at(refer_to, o->user, host_port);
	parameters = strrchr(refer_to, '>');
	if (parameters)
		parameters[1] = '\0'; /* isfocus is a Contact's */
}

int
cp_sip_refer_send(struct cp_sip *s, const struct cp_sip_refer_order *o)
{
	const char *proxy = s->options->outbound_proxy;
	char refer_to[CP_SIP_CONTACT_MAX], by[CP_SIP_CONTACT_MAX], route[CP_SIP_CONTACT_MAX];
	char target[CP_SIP_CALL_ID_MAX + 2 * CP_SIP_TAG_MAX + 64] = "", hops[16];
	char host_port[CP_SIP_HOST_PORT_MAX];
	struct cp_sip_refer *r;
	bool is_own;
	int rc;

	if (s->is_stopping)
		return -EAGAIN;
	expire(s);
	rc = make(&r, host_port, s, o);
	if (rc)
		return rc;
	r->is_ours = true;
	r->owner = o->owner;
	r->born_ms = (int64_t)cp_sip_now_ms();
	is_own = !r->call;
	write_refer_to(refer_to, s, o, host_port);
	snprintf(by, sizeof(by), "<%s>", o->from);
	snprintf(route, sizeof(route), "<%s;lr>", proxy ? proxy : "");
	snprintf(hops, sizeof(hops), "%u", o->hops ? o->hops : HOPS);
	if (o->call && is_own)
		snprintf(target, sizeof(target), "Target-Dialog: %s;local-tag=%s;remote-tag=%s\r\n",
			 o->call->id.call_id, o->call->id.remote_tag, o->call->id.local_tag);
	nua_refer(r->nh, SIPTAG_REFER_TO_STR(refer_to), SIPTAG_REFERRED_BY_STR(by),
		  SIPTAG_CONTACT_STR(r->contact), SIPTAG_MAX_FORWARDS_STR(hops),
		  TAG_IF(*target, SIPTAG_HEADER_STR(target)),
		  TAG_IF(is_own && proxy, NUTAG_INITIAL_ROUTE_STR(route)), TAG_END());
	return 0;
}

/* The status line of a message/sipfrag (RFC 3420). 0: there is none. */
static int
fragment_status(const sip_t *sip)
{
	const sip_payload_t *p = sip ? sip->sip_payload : NULL;
	struct cp_slice text = p ? cp_slice(p->pl_data, p->pl_len) : cp_slice(NULL, 0);
	uint64_t status;

	if (!cp_slice_has_prefix(text, "SIP/2.0 ") || text.len < 11 ||
	    cp_slice_number(&status, cp_slice(text.ptr + 8, 3), 699) != 0)
		return 0;
	return status >= 100 ? (int)status : 0;
}

static void
say(struct cp_sip_refer *r, int status, bool is_over)
{
	struct cp_sip *s = r->listen->sip;
	void *owner = r->owner;

	if (is_over)
		destroy(r);
	s->handler.referred(s->ctx, owner, status, is_over);
}

static void
on_ours(struct cp_sip_refer *r, nua_event_t event, int status, const sip_t *sip)
{
	const sip_subscription_state_t *state = sip ? sip->sip_subscription_state : NULL;
	bool is_over =
		state && state->ss_substate && strcasecmp(state->ss_substate, "terminated") == 0;

	if (event == nua_r_refer) {
		if (status >= 300)
			say(r, status, true);
		else if (status >= 200 && sip && says_no_events(sip))
			say(r, 200, true);
		return;
	}
	status = fragment_status(sip);
	if (status || is_over)
		say(r, status ? status : 500, is_over || status >= 200);
}

bool
cp_sip_on_refer_event(struct cp_sip_listen *l, nua_event_t event, int status, nua_handle_t *nh,
		      const sip_t *sip)
{
	struct cp_sip_refer *r = find_ours(l->sip, nh);

	if (r)
		on_ours(r, event, status, sip);
	return r != NULL;
}

/* name NULL: a NOTIFY that the stack did not send, its subscription being over. */
static struct cp_sip_refer *
find_notified(const struct cp_sip *s, const nua_handle_t *nh, const char *name)
{
	struct cp_sip_refer *r;

	LIST_FOREACH (r, &s->refers, entry)
		if (!r->is_ours && r->nh == nh &&
		    (name ? strcmp(r->event, name) == 0 : r->is_over && r->unanswered))
			break;
	return r;
}

bool
cp_sip_on_refer_notified(struct cp_sip_listen *l, int status, nua_handle_t *nh, tagi_t *tags)
{
	char name[CP_SIP_REFER_EVENT_MAX];
	const sip_event_t *o = NULL;
	struct cp_sip_refer *r;

	tl_gets(tags, SIPTAG_EVENT_REF(o), TAG_END());
	if (o)
		write_event(name, o);
	r = find_notified(l->sip, nh, o ? name : NULL);
	if (!r || status < 200)
		return r != NULL;
	if (r->unanswered)
		r->unanswered--;
	if (status >= 300) /* nobody listens any more: RFC 6665 4.2.2 */
		r->has_no_events = true;
	if (r->is_over && (r->has_no_events || !r->unanswered))
		destroy(r);
	return true;
}
