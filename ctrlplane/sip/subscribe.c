/*
 * SUBSCRIBE and NOTIFY (RFC 6665 4.2). NUA keeps the dialog; NOTIFYs are ours, sent by nua_method, because NUA's notifier repeats the
 * last body by itself when a subscription is refreshed, and with it an old version. Its own notify has the last word: that
 * takes its usage out of the dialog.
 */
#include "ctrlplane/sip/subscribe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_types.h>
#include <sofia-sip/url.h>

#include "ctrlplane/sip/sip_state.h"

#define DOCUMENT "application/conference-info+xml"
#define CMS "application/pkcs7-mime"
#define MIKEY "application/mikey"
#define ACCEPT DOCUMENT ", " CMS
#define BODIES MIKEY ", multipart/mixed"
#define EXPIRES_DEFAULT_S 3600 /* RFC 4575 3.3 */
#define EVENT_MAX 128
#define RETRY_AFTER_S 60 /* after a NOTIFY that failed */

struct cp_sip_sub {
	struct cp_map_node by_handle;
	struct cp_sip_listen *listen;
	nua_handle_t *nh;
	struct cp_sip_call *call; /* whose dialog it shares; NULL: the handle is ours */
	void *owner;
	msg_t *request;	 /* the SUBSCRIBE that waits */
	bool is_active;	 /* 200 was sent to the first one */
	bool is_sending; /* a NOTIFY is under way */
	bool is_ending;	 /* … the last one */
	char event[EVENT_MAX];
	char contact[CP_SIP_CONTACT_MAX];
};

/* Which one of those that share a handle. */
struct wanted {
	const nua_handle_t *nh;
	const char *event; /* NULL: any */
	bool is_sending;   /* … only one with a NOTIFY under way: */
	bool is_ending;	   /* the last one, or another */
};

static uint32_t
hash_of(const nua_handle_t *nh)
{
	uint64_t at = (uintptr_t)nh >> 4;

	return (uint32_t)(at * 0x9E3779B97F4A7C15u >> 32);
}

static bool
is_wanted(const struct cp_map_node *node, const void *key)
{
	const struct cp_sip_sub *sub = CP_CONTAINER(node, struct cp_sip_sub, by_handle);
	const struct wanted *w = key;

	return sub->nh == w->nh && (!w->event || strcmp(sub->event, w->event) == 0) &&
	       (!w->is_sending || (sub->is_sending && sub->is_ending == w->is_ending));
}

static struct cp_sip_sub *
find(const struct cp_sip *s, const struct wanted *w)
{
	struct cp_map_node *node = cp_map_find(&s->subs, hash_of(w->nh), is_wanted, w);

	return node ? CP_CONTAINER(node, struct cp_sip_sub, by_handle) : NULL;
}

bool
cp_sip_sub_holds(const struct cp_sip *s, const nua_handle_t *nh)
{
	return find(s, &(struct wanted){.nh = nh}) != NULL;
}

static void
free_sub(struct cp_sip_sub *sub)
{
	struct cp_sip *s = sub->listen->sip;

	cp_map_drop(&s->subs, &sub->by_handle);
	if (sub->request)
		msg_destroy(sub->request);
	if (!sub->call && !cp_sip_sub_holds(s, sub->nh) && !cp_sip_refer_holds(s, sub->nh))
		nua_handle_destroy(sub->nh);
	free(sub);
}

/* The dialog outlives its INVITE: RFC 5057 4. */
bool
cp_sip_sub_keeps(struct cp_sip_call *call)
{
	struct cp_sip *s = call->listen->sip;
	struct cp_map_node *node = s->subs.buckets[hash_of(call->nh) & (s->subs.bucket_count - 1)];
	bool is_kept = false;

	for (; node; node = node->next) {
		struct cp_sip_sub *sub = CP_CONTAINER(node, struct cp_sip_sub, by_handle);

		if (sub->call != call)
			continue;
		sub->call = NULL;
		is_kept = true;
	}
	return is_kept;
}

void
cp_sip_sub_free_all(struct cp_sip *s)
{
	for (size_t b = 0; s->subs.buckets && b < s->subs.bucket_count; b++)
		while (s->subs.buckets[b])
			free_sub(CP_CONTAINER(s->subs.buckets[b], struct cp_sip_sub, by_handle));
	cp_map_fini(&s->subs);
}

void
cp_sip_set_notifier(struct cp_sip *s, const struct cp_sip_notifier *notifier)
{
	s->notifier = *notifier;
}

void
cp_sip_sub_set_owner(struct cp_sip_sub *sub, void *owner)
{
	sub->owner = owner;
}

void *
cp_sip_sub_owner(const struct cp_sip_sub *sub)
{
	return sub->owner;
}

/* Refused before there is a subscription. */
static void
refuse(struct cp_sip_listen *l, nua_handle_t *nh, msg_t *with,
       const struct cp_sip_sub_refusal *refusal)
{
	char warning[256], min_expires[16], retry[16];
	int status = refusal->status;
	sip_payload_t *payload = NULL;

	snprintf(warning, sizeof(warning), "399 %s \"%.180s\"", *l->host ? l->host : "localhost",
		 refusal->text ? refusal->text : "");
	snprintf(min_expires, sizeof(min_expires), "%u", refusal->min_expires_s);
	snprintf(retry, sizeof(retry), "%u", refusal->retry_after_s);
	if (refusal->mikey.len > 0)
		payload = sip_payload_create(nua_handle_home(nh), refusal->mikey.ptr,
					     (isize_t)refusal->mikey.len);
	nua_respond(nh, status, sip_status_phrase(status), NUTAG_WITH(with),
		    TAG_IF(refusal->text, SIPTAG_WARNING_STR(warning)),
		    TAG_IF(status == 423, SIPTAG_MIN_EXPIRES_STR(min_expires)),
		    TAG_IF(refusal->retry_after_s, SIPTAG_RETRY_AFTER_STR(retry)),
		    TAG_IF(status == 406, SIPTAG_ACCEPT_STR(ACCEPT)),
		    TAG_IF(status == 415, SIPTAG_ACCEPT_STR(BODIES)),
		    TAG_IF(status == 415, SIPTAG_ACCEPT_ENCODING_STR("identity")),
		    TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR(MIKEY)),
		    TAG_IF(payload, SIPTAG_PAYLOAD(payload)), TAG_END());
	su_free(nua_handle_home(nh), payload);
}

static bool
is_type(const char *type, const char *wanted)
{
	size_t len = strcspn(type, "; \t");

	return len == strlen(wanted) && strncasecmp(type, wanted, len) == 0;
}

/* "0", "0.0" …: not at all (RFC 2616 3.9). */
static bool
is_refused(const sip_accept_t *a)
{
	return a->ac_q && strtod(a->ac_q, NULL) <= 0;
}

/* The NOTIFYs' types in Accept: RFC 4575 3.4. 0 or 406. */
static int
read_accept(struct cp_sip_subscribe *s, const sip_t *sip)
{
	bool has_document = false;

	for (const sip_accept_t *a = sip->sip_accept; a; a = a->ac_next) {
		const char *type = a->ac_type ? a->ac_type : "";
		bool is_any = is_type(type, "*/*") || is_type(type, "application/*");

		s->has_accept = true;
		if (is_refused(a))
			continue;
		has_document |= is_any || is_type(type, DOCUMENT);
		s->accepts_cms |= is_any || is_type(type, CMS);
	}
	return s->has_accept && !has_document ? 406 : 0;
}

/* Host and port that we were called at; "": too long, or none. */
static void
name_host(char *room, size_t size, const url_t *url)
{
	const char *port = url->url_port;
	bool has_port = port && *port && strcmp(port, "5060") != 0;
	int len = snprintf(room, size, "%s%s%s", url->url_host ? url->url_host : "",
			   has_port ? ":" : "", has_port ? port : "");

	if (len < 0 || (size_t)len >= size)
		room[0] = '\0';
}

/* What every SUBSCRIBE is asked for; a filter (RFC 4660) is not known. 0, or the status to refuse with. */
static int
read_request(struct cp_sip_subscribe *s, su_home_t *home, const struct cp_sip *sip,
	     const sip_t *request)
{
	struct cp_sip_part mikey = {.type = MIKEY};
	int status;

	if (sip->is_stopping)
		return 503;
	if (!request->sip_contact)
		return 400;
	s->agent = request->sip_user_agent ? request->sip_user_agent->g_string : "";
	s->expires_s = request->sip_expires ? (unsigned int)request->sip_expires->ex_delta
					    : EXPIRES_DEFAULT_S;
	status = read_accept(s, request);
	if (!status)
		status = cp_sip_read_parts(&mikey, 1, home, request);
	s->mikey = mikey.octets;
	return status;
}

static struct cp_sip_sub *
create(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call, const char *event)
{
	struct cp_sip_sub *sub = calloc(1, sizeof(*sub));

	if (!sub)
		return NULL;
	sub->listen = l;
	sub->nh = nh;
	sub->call = call;
	snprintf(sub->event, sizeof(sub->event), "%s", event);
	cp_map_put(&l->sip->subs, &sub->by_handle, hash_of(nh));
	return sub;
}

/* Who subscribes, in a dialog of its own. False: it was answered. */
static bool
identify(struct cp_sip_identity *identity, struct cp_sip_listen *l, nua_handle_t *nh,
	 const sip_t *sip, bool needs_identity)
{
	bool is_stale;

	switch (cp_sip_identify(identity, &is_stale, l, sip, needs_identity)) {
	case CP_SIP_CHALLENGE:
		cp_sip_challenge(l, nh, is_stale);
		return false;
	case CP_SIP_REFUSE:
		refuse(l, nh, nua_current_request(l->nua),
		       &(struct cp_sip_sub_refusal){.status = 403,
						    .text = "From is not the account's"});
		return false;
	case CP_SIP_KNOWN:
		break;
	}
	return true;
}

/* Event as it came, with its id. False: too long. */
static bool
name_event(char event[EVENT_MAX], const sip_t *sip)
{
	const sip_event_t *o = sip->sip_event;
	int len = snprintf(event, EVENT_MAX, o->o_id ? "%s;id=%s" : "%s", o->o_type, o->o_id);

	return len > 0 && len < EVENT_MAX;
}

static void
on_refresh(struct cp_sip_sub *sub, const struct cp_sip_subscribe *s)
{
	struct cp_sip *sip = sub->listen->sip;
	msg_t *request = nua_current_request(sub->listen->nua);

	if (sub->request || sub->is_ending) {
		refuse(sub->listen, sub->nh, request,
		       &(struct cp_sip_sub_refusal){.status = sub->is_ending ? 481 : 500,
						    .retry_after_s = sub->is_ending ? 0 : 1});
		return;
	}
	sub->request = msg_ref_create(request);
	sip->notifier.subscribe(sip->notifier.ctx, sub, s);
}

/* The first SUBSCRIBE of a dialog of its own. Returns the status to refuse with, 0: under way or answered. */
static int
on_first(struct cp_sip_listen *l, nua_handle_t *nh, const sip_t *sip, struct cp_sip_subscribe *s,
	 const char *event)
{
	struct cp_sip *agent = l->sip;
	const char *user = sip->sip_request->rq_url->url_user;
	char name[CP_SIP_USER_MAX] = "";
	struct cp_sip_policy policy = {0};
	struct cp_sip_identity identity;
	struct cp_sip_sub *sub;

	if (cp_sip_is_sips_without_tls(sip))
		return 403;
	if (!user || strlen(user) >= sizeof(name))
		return 404;
	url_unescape(name, user);
	if (!agent->notifier.look_up(agent->notifier.ctx, name, &policy))
		return 404;
	if (!identify(&identity, l, nh, sip,
		      policy.needs_identity && !(policy.takes_mikey && s->mikey.len > 0))) {
		nua_handle_destroy(nh);
		return 0;
	}
	sub = create(l, nh, NULL, event);
	if (!sub)
		return 503;
	cp_sip_contact(sub->contact, l, name, sip);
	sub->request = msg_ref_create(nua_current_request(l->nua));
	s->user = name;
	s->identity = &identity;
	agent->notifier.subscribe(agent->notifier.ctx, sub, s);
	return 0;
}

/* In a call's dialog: whoever holds the call is known. */
static int
on_first_of_call(struct cp_sip_call *call, struct cp_sip_subscribe *s, const char *event)
{
	struct cp_sip *agent = call->listen->sip;
	struct cp_sip_sub *sub;

	if (call->is_detached || !call->is_accepted)
		return 481;
	sub = create(call->listen, call->nh, call, event);
	if (!sub)
		return 503;
	snprintf(sub->contact, sizeof(sub->contact), "%s", call->contact);
	sub->request = msg_ref_create(nua_current_request(call->listen->nua));
	s->call = call;
	agent->notifier.subscribe(agent->notifier.ctx, sub, s);
	return 0;
}

void
cp_sip_on_subscribe(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		    const sip_t *sip)
{
	struct cp_sip *s = l->sip;
	char event[EVENT_MAX], peer[96], host[128];
	struct cp_sip_subscribe request = {.user = "", .host = host, .peer = peer};
	su_home_t home[1] = {SU_HOME_INIT(home)};
	struct cp_sip_sub *sub;
	bool is_known = cp_sip_sub_holds(s, nh);
	int status = 489;

	if (s->notifier.subscribe && sip->sip_event && name_event(event, sip)) {
		cp_sip_peer_name(peer, sizeof(peer), l->nua, sip);
		name_host(host, sizeof(host), sip->sip_request->rq_url);
		status = read_request(&request, home, s, sip);
		sub = find(s, &(struct wanted){.nh = nh, .event = event});
		if (status == 0 && sub)
			on_refresh(sub, &request);
		else if (status == 0 && call)
			status = on_first_of_call(call, &request, event);
		else if (status == 0)
			status = on_first(l, nh, sip, &request, event);
	}
	su_home_deinit(home);
	if (status == 0)
		return;
	refuse(l, nh, nua_current_request(l->nua),
	       &(struct cp_sip_sub_refusal){.status = status,
					    .retry_after_s = status == 503 ? 5 : 0});
	if (!call && !is_known)
		nua_handle_destroy(nh);
}

void
cp_sip_sub_accept(struct cp_sip_sub *sub, unsigned int expires_s, struct cp_slice mikey)
{
	char expires[16];
	sip_payload_t *payload = NULL;

	snprintf(expires, sizeof(expires), "%u", expires_s);
	if (mikey.len > 0)
		payload =
			sip_payload_create(nua_handle_home(sub->nh), mikey.ptr, (isize_t)mikey.len);
	nua_respond(sub->nh, SIP_200_OK, NUTAG_WITH(sub->request), SIPTAG_CONTACT_STR(sub->contact),
		    SIPTAG_EXPIRES_STR(expires), TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR(MIKEY)),
		    TAG_IF(payload, SIPTAG_PAYLOAD(payload)), TAG_END());
	su_free(nua_handle_home(sub->nh), payload);
	msg_destroy(sub->request);
	sub->request = NULL;
	sub->is_active = true;
}

void
cp_sip_sub_refuse(struct cp_sip_sub *sub, const struct cp_sip_sub_refusal *refusal)
{
	refuse(sub->listen, sub->nh, sub->request, refusal);
	msg_destroy(sub->request);
	sub->request = NULL;
	if (!sub->is_active)
		free_sub(sub);
}

int
cp_sip_sub_notify(struct cp_sip_sub *sub, const struct cp_sip_notify *n)
{
	char state[96];
	sip_payload_t *payload = NULL;
	bool has_body = n->body.len > 0;

	if (sub->is_ending || (sub->is_sending && n->state != CP_SIP_SUB_TERMINATED))
		return -EBUSY;
	if (has_body) {
		payload = sip_payload_create(nua_handle_home(sub->nh), n->body.ptr,
					     (isize_t)n->body.len);
		if (!payload)
			return -ENOMEM;
	}
	sub->is_sending = true;
	if (n->state == CP_SIP_SUB_TERMINATED) {
		sub->is_ending = true;
		snprintf(state, sizeof(state),
			 n->retry_after_s ? "terminated;reason=%s;retry-after=%u"
					  : "terminated;reason=%s",
			 n->reason, n->retry_after_s);
		nua_notify(sub->nh, NUTAG_NEWSUB(1), NUTAG_SUBSTATE(nua_substate_terminated),
			   SIPTAG_EVENT_STR(sub->event), SIPTAG_CONTACT_STR(sub->contact),
			   SIPTAG_SUBSCRIPTION_STATE_STR(state),
			   TAG_IF(has_body, SIPTAG_CONTENT_TYPE_STR(n->type)),
			   TAG_IF(has_body && n->disposition,
				  SIPTAG_CONTENT_DISPOSITION_STR(n->disposition)),
			   TAG_IF(has_body, SIPTAG_PAYLOAD(payload)), TAG_END());
	} else {
		snprintf(state, sizeof(state), "active;expires=%u", n->expires_s);
		nua_method(sub->nh, NUTAG_METHOD("NOTIFY"), SIPTAG_EVENT_STR(sub->event),
			   SIPTAG_CONTACT_STR(sub->contact), SIPTAG_SUBSCRIPTION_STATE_STR(state),
			   TAG_IF(has_body, SIPTAG_CONTENT_TYPE_STR(n->type)),
			   TAG_IF(has_body && n->disposition,
				  SIPTAG_CONTENT_DISPOSITION_STR(n->disposition)),
			   TAG_IF(has_body, SIPTAG_PAYLOAD(payload)), TAG_END());
	}
	su_free(nua_handle_home(sub->nh), payload);
	return 0;
}

/*
 * A NOTIFY has failed. NUA would end its usage with a NOTIFY that says noresource, as if the conference were over: who may still be
 * there is told to come again.
 */
static void
give_up(struct cp_sip_sub *sub, int status)
{
	sub->owner = NULL;
	if (sub->request) /* a refresh that is being looked at */
		cp_sip_sub_refuse(sub, &(struct cp_sip_sub_refusal){.status = 481});
	if (status == 404 || status == 410 || status == 481 || status == 604)
		free_sub(sub);
	else
		cp_sip_sub_notify(sub, &(struct cp_sip_notify){.state = CP_SIP_SUB_TERMINATED,
							       .reason = "probation",
							       .retry_after_s = RETRY_AFTER_S});
}

bool
cp_sip_on_notified(struct cp_sip_listen *l, nua_event_t event, int status, nua_handle_t *nh,
		   tagi_t *tags)
{
	struct cp_sip *s = l->sip;
	const sip_event_t *o = NULL;
	char name[EVENT_MAX] = "";
	struct cp_sip_sub *sub;

	/* the last one is NUA's own, which says of which event it is; the others are nobody else's */
	if (event == nua_r_notify) {
		tl_gets(tags, SIPTAG_EVENT_REF(o), TAG_END());
		if (o && strcasecmp(o->o_type, CP_SIP_EVENT) != 0)
			return false;
		if (o)
			snprintf(name, sizeof(name), o->o_id ? "%s;id=%s" : "%s", o->o_type,
				 o->o_id);
	}
	sub = find(s, &(struct wanted){.nh = nh,
				       .event = *name ? name : NULL,
				       .is_sending = true,
				       .is_ending = event == nua_r_notify});
	if (!sub)
		return o != NULL;
	if (status < 200)
		return true;
	if (sub->is_ending) {
		s->notifier.ended(s->notifier.ctx, sub);
		free_sub(sub);
		return true;
	}
	sub->is_sending = false;
	s->notifier.notified(s->notifier.ctx, sub, status);
	if (status >= 300)
		give_up(sub, status);
	return true;
}
