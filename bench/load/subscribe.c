/* SUBSCRIBE and what follows it, on sofia-sip's transaction engine. */
#include "bench/load/subscribe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NTA_LEG_MAGIC_T struct ue_sub
#define NTA_OUTGOING_MAGIC_T struct ue_sub
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "bench/lib/bench.h"
#include "bench/load/call_state.h"
#include "bench/load/mikey_state.h"
#include "bench/load/subscribe_state.h"

#define EVENT "conference"
#define ACCEPT "application/conference-info+xml, application/pkcs7-mime"
#define MIKEY "application/mikey"
#define FAREWELL_NS 2000000000u /* the last NOTIFY is waited for so long */

static int answered(struct ue_sub *s, nta_outgoing_t *orq, const sip_t *sip);

static bool
is_mode(const struct ue_sub *s, enum ue_watch mode)
{
	return s->call->shared->options->watch == mode;
}

static bool
is_wrong(const struct ue_sub *s, enum ue_watch_wrong how)
{
	return s->call->shared->options->watch_wrong == how;
}

static bool
is_type(const sip_content_type_t *type, const char *wanted)
{
	size_t len = strlen(wanted);

	return type && type->c_type && strncasecmp(type->c_type, wanted, len) == 0 &&
	       (type->c_type[len] == '\0' || type->c_type[len] == ';');
}

static void
over(struct ue_sub *s)
{
	if (s->state != UE_SUB_OVER)
		s->call->shared->subs_open--;
	s->state = UE_SUB_OVER;
}

/* With a TRANSFER_INIT where we have a ticket of our own, in the first one and in refreshes that ask for a new key. */
static void
subscribe_send(struct ue_sub *s, unsigned expires_s, const char *credentials, bool is_proxy)
{
	struct ue_call *c = s->call;
	nta_leg_t *leg = s->leg ? s->leg : c->leg;
	uint8_t octets[CP_MIKEY_MSG_MAX];
	char expires[16], pai[256] = "";
	su_home_t home[1] = {SU_HOME_INIT(home)};
	sip_payload_t *payload = NULL;
	int len = s->mikey && s->state == UE_SUB_ASKING
			  ? ue_sub_key_offer(s, octets, sizeof(octets))
			  : 0;

	snprintf(expires, sizeof(expires), "%u", expires_s);
	if (c->shared->options->pai) {
		char uri[200];

		ue_number_put(uri, sizeof(uri), c->shared->options->pai, c->number);
		snprintf(pai, sizeof(pai), "P-Asserted-Identity: <%s>\r\n", uri);
	}
	if (len > 0)
		payload = sip_payload_create(home, octets, (isize_t)len);
	s->is_refreshing = s->state == UE_SUB_ACTIVE;
	s->orq = len < 0 ? NULL
			 : nta_outgoing_tcreate(
				   leg, answered, s, NULL, SIP_METHOD_SUBSCRIBE,
				   URL_STRING_MAKE(s->leg && s->state == UE_SUB_ASKING ? c->uri
										       : NULL),
				   SIPTAG_CONTACT_STR(c->contact), SIPTAG_EVENT_STR(EVENT),
				   SIPTAG_EXPIRES_STR(expires), SIPTAG_ACCEPT_STR(ACCEPT),
				   TAG_IF(pai[0], SIPTAG_HEADER_STR(pai)),
				   TAG_IF(credentials && !is_proxy,
					  SIPTAG_AUTHORIZATION_STR(credentials)),
				   TAG_IF(credentials && is_proxy,
					  SIPTAG_PROXY_AUTHORIZATION_STR(credentials)),
				   TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR(MIKEY)),
				   TAG_IF(payload, SIPTAG_PAYLOAD(payload)), TAG_END());
	su_home_deinit(home);
	if (!s->orq) {
		snprintf(s->last_error, sizeof(s->last_error), "SUBSCRIBE could not be sent");
		over(s);
	}
}

static int
notify_came(struct ue_sub *s, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	if (sip->sip_request->rq_method != sip_method_notify)
		return 501;
	if (sip->sip_from && sip->sip_from->a_tag)
		nta_leg_rtag(s->leg, sip->sip_from->a_tag); /* it may come before the 200 */
	return ue_sub_notified(s->call, sip);
}

static bool
own_dialog(struct ue_sub *s)
{
	struct ue_call *c = s->call;
	char from[256], to[300];

	snprintf(from, sizeof(from), "<%s>", c->identity);
	snprintf(to, sizeof(to), "<%s>", c->uri);
	s->leg = nta_leg_tcreate(c->shared->agent, notify_came, s, SIPTAG_FROM_STR(from),
				 SIPTAG_TO_STR(to), TAG_END());
	if (s->leg)
		nta_leg_tag(s->leg, NULL);
	return s->leg != NULL;
}

static void
start(struct ue_sub *s)
{
	s->state = UE_SUB_ASKING;
	s->asked_ns = bench_now_ns();
	if (!is_mode(s, UE_WATCH_CALL) && !own_dialog(s)) {
		over(s);
		return;
	}
	if (!is_mode(s, UE_WATCH_TICKET) && !is_wrong(s, UE_WATCH_NO_KEY))
		(void)ue_sub_key_of_call(s);
	subscribe_send(s, s->call->shared->options->watch_expires, NULL, false);
}

/* A key that is not ours, to see that nothing opens. */
static void
spoil_key(struct ue_sub *s)
{
	cp_secret_put(s->kek);
	s->kek = NULL;
	(void)cp_secret_create_random(&s->kek, CP_CMS_KEK);
}

static void
keys_take(struct ue_sub *s, const sip_t *sip)
{
	const char *body;
	size_t len = ue_call_payload(sip, &body);

	if (len && is_type(sip->sip_content_type, MIKEY) &&
	    ue_sub_key_answered(s, (const uint8_t *)body, len) != 0)
		snprintf(s->last_error, sizeof(s->last_error), "TRANSFER_RESP is refused");
	if (is_wrong(s, UE_WATCH_WRONG_KEY))
		spoil_key(s);
	if (s->held) {
		ue_sub_take(s, s->held, s->held_len, true);
		free(s->held);
		s->held = NULL;
	}
}

static void
accepted(struct ue_sub *s, const sip_t *sip)
{
	if (s->leg) {
		if (sip->sip_to && sip->sip_to->a_tag)
			nta_leg_rtag(s->leg, sip->sip_to->a_tag);
		nta_leg_client_route(s->leg, sip->sip_record_route, sip->sip_contact);
	}
	s->expires_s = sip->sip_expires ? (unsigned)sip->sip_expires->ex_delta : 0;
	if (s->state == UE_SUB_ENDING)
		return;
	s->state = UE_SUB_ACTIVE;
	if (s->refresh_ns == 0 || s->is_refreshing) /* a gap may ask for one already */
		s->refresh_ns = bench_now_ns() + s->expires_s * UINT64_C(500000000);
	s->is_refreshing = false;
	keys_take(s, sip);
}

/* True when the challenge to the first SUBSCRIBE is answered by a new one. */
static bool
challenge_take(struct ue_sub *s, const sip_t *sip)
{
	char answer[UE_CREDENTIALS_MAX];
	bool is_proxy;

	if (s->was_challenged || s->mikey || s->state != UE_SUB_ASKING ||
	    !ue_call_credentials(answer, &is_proxy, s->call, sip, "SUBSCRIBE", s->call->uri))
		return false;
	s->was_challenged = true;
	subscribe_send(s, s->call->shared->options->watch_expires, answer, is_proxy);
	return true;
}

static int
answered(struct ue_sub *s, nta_outgoing_t *orq, const sip_t *sip)
{
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	s->orq = NULL;
	if ((status == 401 || status == 407) && sip && challenge_take(s, sip)) {
		nta_outgoing_destroy(orq);
		return 0;
	}
	if (s->state != UE_SUB_ENDING || status >= 300)
		s->status = status;
	s->warning[0] = '\0';
	if (sip && sip->sip_warning && sip->sip_warning->w_text)
		snprintf(s->warning, sizeof(s->warning), "%s", sip->sip_warning->w_text);
	if (status < 300 && sip)
		accepted(s, sip);
	else
		over(s);
	nta_outgoing_destroy(orq);
	return 0;
}

int
ue_sub_notified(struct ue_call *c, const sip_t *sip)
{
	struct ue_sub *s = c->sub;
	const sip_subscription_state_t *state = sip->sip_subscription_state;
	const char *body;
	size_t len = ue_call_payload(sip, &body);
	bool is_cms = is_type(sip->sip_content_type, CP_CMS_TYPE);

	if (!s || s->state == UE_SUB_IDLE || !sip->sip_event ||
	    strcmp(sip->sip_event->o_type, EVENT) != 0)
		return s ? 489 : 200;
	if (s->state == UE_SUB_OVER)
		return 481;
	if (is_wrong(s, UE_WATCH_REFUSE) && s->notifies > 0) {
		over(s);
		return 481;
	}
	s->notifies++;
	if (is_cms && !s->kek && s->mikey && s->state == UE_SUB_ASKING && !s->held) {
		s->held = malloc(len ? len : 1); /* the key comes with the 200 */
		s->held_len = s->held ? len : 0;
		if (s->held)
			memcpy(s->held, body, len);
	} else if (len) {
		ue_sub_take(s, body, len, is_cms);
	}
	if (state && state->ss_substate && strcasecmp(state->ss_substate, "terminated") == 0) {
		snprintf(s->ended, sizeof(s->ended), "%s",
			 state->ss_reason ? state->ss_reason : "terminated");
		over(s);
	}
	return 200;
}

static struct ue_sub *
create(struct ue_call *c)
{
	struct ue_sub *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->call = c;
	cp_copy_init(&s->copy);
	if (cp_cms_create(&s->cms) != 0) {
		free(s);
		return NULL;
	}
	c->sub = s;
	c->shared->subs_open++;
	return s;
}

/* A ticket of its own, where that is how it is keyed. */
static void
prepare(struct ue_sub *s)
{
	struct ue_call *c = s->call;
	char why[256] = "";

	if (!is_mode(s, UE_WATCH_TICKET) || is_wrong(s, UE_WATCH_NO_KEY)) {
		start(s);
		return;
	}
	s->state = UE_SUB_TICKET;
	if (ue_mikey_create(&s->mikey, c->shared->mikey, c->number, why, sizeof(why)) != 0 ||
	    ue_mikey_call(s->mikey, c->uri) != 0) {
		snprintf(s->last_error, sizeof(s->last_error), "no ticket: %.60s", why);
		over(s);
	}
}

void
ue_sub_tick(struct ue_call *c, uint64_t now_ns)
{
	const struct ue_options *o = c->shared->options;
	struct ue_sub *s = c->sub;
	int err;

	if (!o->watch || (o->watchers && c->number > o->watchers))
		return;
	if (!s && c->state == UE_UP && now_ns >= c->answer_ns) {
		s = create(c);
		if (s)
			prepare(s);
		return;
	}
	if (!s)
		return;
	if (s->state == UE_SUB_TICKET) {
		err = ue_mikey_ready(s->mikey);
		if (err == -EAGAIN)
			return;
		if (err) {
			snprintf(s->last_error, sizeof(s->last_error), "no ticket");
			over(s);
			return;
		}
		start(s);
	}
	if (s->state == UE_SUB_ACTIVE && !s->orq && s->refresh_ns && now_ns >= s->refresh_ns) {
		s->refreshes++;
		subscribe_send(s, o->watch_expires, NULL, false);
	}
	if (s->state == UE_SUB_ENDING && now_ns >= s->end_ns)
		over(s);
}

void
ue_sub_leave(struct ue_call *c, bool in_silence)
{
	struct ue_sub *s = c->sub;

	if (!s || s->state == UE_SUB_OVER || s->state == UE_SUB_ENDING)
		return;
	if (s->state != UE_SUB_ACTIVE || in_silence) {
		over(s);
		return;
	}
	s->state = UE_SUB_ENDING;
	s->end_ns = bench_now_ns() + FAREWELL_NS;
	if (s->orq)
		nta_outgoing_destroy(s->orq);
	subscribe_send(s, 0, NULL, false);
}

bool
ue_sub_is_open(const struct ue_call *c)
{
	return c->sub && c->sub->state != UE_SUB_OVER;
}

void
ue_sub_free(struct ue_call *c)
{
	struct ue_sub *s = c->sub;

	if (!s)
		return;
	if (s->orq)
		nta_outgoing_destroy(s->orq);
	if (s->leg)
		nta_leg_destroy(s->leg);
	ue_mikey_destroy(s->mikey);
	cp_cms_destroy(s->cms);
	cp_secret_put(s->kek);
	cp_copy_fini(&s->copy);
	free(s->held);
	free(s);
	c->sub = NULL;
}
