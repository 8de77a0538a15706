/* INVITEs of ours and what is answered: offers early and late, challenges, reliable provisional responses. */
#include "bench/load/call.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NTA_LEG_MAGIC_T struct ue_call
#define NTA_OUTGOING_MAGIC_T struct ue_call
#define NTA_INCOMING_MAGIC_T struct ue_call
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "bench/lib/bench.h"
#include "bench/load/call_state.h"
#include "bench/load/dialog.h"
#include "bench/load/recipients.h"

static int invite_answered(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip);

/* The headers that options ask for, one a line, as sofia's parser takes them. */
static void
more_headers(const struct ue_call *c, char *out, size_t size)
{
	const struct ue_options *o = c->shared->options;
	size_t n = 0;

	n = ue_dialog_header(out, size, c);
	for (unsigned i = 0; i < o->header_count && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s\r\n", o->header[i]);
	if (o->pai && n < size) {
		char pai[200];

		ue_number_put(pai, sizeof(pai), o->pai, c->number);
		n += (size_t)snprintf(out + n, size - n, "P-Asserted-Identity: <%s>\r\n", pai);
	}
	if (o->session_expires && n < size)
		n += (size_t)snprintf(out + n, size - n,
				      "Supported: timer\r\nSession-Expires: %u\r\n",
				      o->session_expires);
	if (o->reliable && c->outcome != UE_JOINED && n < size)
		snprintf(out + n, size - n, "%s: 100rel\r\n",
			 o->reliable == UE_100REL_REQUIRED ? "Require" : "Supported");
}

void
ue_call_invite_send(struct ue_call *c, const char *credentials, bool is_proxy)
{
	const struct ue_options *o = c->shared->options;
	bool has_offer = c->leg && (c->outcome == UE_JOINED || !o->is_late_offer);
	bool has_list = has_offer && o->recipients && c->outcome != UE_JOINED;
	const char *type = has_list ? ue_recipients_type : "application/sdp";
	char sdp[UE_SDP_MAX] = "", headers[2048], *list = NULL;
	int err = has_offer ? ue_call_offer(c, sdp) : 0;

	if (!err && has_list) {
		list = ue_recipients_body(o->recipients, sdp);
		err = list ? 0 : -ENOMEM;
	}
	if (err) {
		explicit_bzero(sdp, sizeof(sdp));
		c->outcome = UE_BAD_ANSWER;
		ue_call_done(c);
		return;
	}
	more_headers(c, headers, sizeof(headers));
	c->invite = nta_outgoing_tcreate(
		c->leg, invite_answered, c, NULL, SIP_METHOD_INVITE,
		URL_STRING_MAKE(c->outcome == UE_JOINED ? NULL : c->uri),
		SIPTAG_CONTACT_STR(c->contact), SIPTAG_ALLOW_STR(UE_ALLOW),
		TAG_IF(headers[0], SIPTAG_HEADER_STR(headers)),
		TAG_IF(has_list, SIPTAG_REQUIRE_STR("recipient-list-invite")),
		TAG_IF(has_offer, SIPTAG_CONTENT_TYPE_STR(type)),
		TAG_IF(has_offer, SIPTAG_PAYLOAD_STR(list ? list : sdp)),
		TAG_IF(credentials && !is_proxy, SIPTAG_AUTHORIZATION_STR(credentials)),
		TAG_IF(credentials && is_proxy, SIPTAG_PROXY_AUTHORIZATION_STR(credentials)),
		TAG_END());
	explicit_bzero(sdp, sizeof(sdp));
	if (list)
		explicit_bzero(list, strlen(list));
	free(list);
	if (!c->invite && c->outcome == UE_PENDING) {
		c->outcome = UE_UNREACHABLE;
		snprintf(c->reason, sizeof(c->reason), "could not be sent");
		ue_call_done(c);
	}
}

void
ue_call_no_ticket(struct ue_call *c)
{
	struct ue_mikey_report mikey = ue_mikey_report(c->mikey);

	c->outcome = UE_NO_TICKET;
	snprintf(c->reason, sizeof(c->reason), "%.79s", mikey.fault ? mikey.fault : "no ticket");
	ue_call_done(c);
}

/* '"NAME" ' as a quoted-string of RFC 3261 25.1; nothing where there is no name. */
static void
put_display(char *out, size_t size, const char *name)
{
	size_t len = 0;

	out[0] = '\0';
	if (!name)
		return;
	out[len++] = '"';
	for (; *name && len + 5 < size; name++) {
		if (*name == '"' || *name == '\\')
			out[len++] = '\\';
		out[len++] = *name;
	}
	memcpy(out + len, "\" ", 3);
}

void
ue_call_invite(struct ue_call *c)
{
	char display[128], from[400], to[300];

	c->state = UE_INVITING;
	c->shared->inviting++;
	c->is_counted = true;
	c->invite_ns = bench_now_ns();
	put_display(display, sizeof(display), c->shared->options->display);
	snprintf(from, sizeof(from), "%s<%s>", display, c->identity);
	snprintf(to, sizeof(to), "<%s>", c->uri);
	c->leg = nta_leg_tcreate(c->shared->agent, ue_call_request, c, SIPTAG_FROM_STR(from),
				 SIPTAG_TO_STR(to), TAG_END());
	if (!c->leg) {
		c->outcome = UE_UNREACHABLE;
		snprintf(c->reason, sizeof(c->reason), "no call could be made of these URIs");
		ue_call_done(c);
		return;
	}
	nta_leg_tag(c->leg, NULL);
	if (!c->mikey || c->shared->options->is_late_offer)
		ue_call_invite_send(c, NULL, false);
	else if (ue_mikey_call(c->mikey, c->uri) == 0)
		c->wait = UE_WAIT_TICKET;
	else
		ue_call_no_ticket(c);
}

/* True when the challenge is answered by a new INVITE. */
static bool
challenge_take(struct ue_call *c, const sip_t *sip)
{
	char answer[UE_CREDENTIALS_MAX];
	bool is_proxy;

	if (c->was_challenged || !ue_call_credentials(answer, &is_proxy, c, sip, "INVITE",
						      c->outcome == UE_JOINED ? NULL : c->uri))
		return false;
	c->was_challenged = true;
	ue_call_invite_send(c, answer, is_proxy);
	return true;
}

static void
ack_send(struct ue_call *c, nta_outgoing_t *orq, const char *answer)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	sip_cseq_t *cseq = sip_cseq_create(home, nta_outgoing_cseq(orq), SIP_METHOD_ACK);
	nta_outgoing_t *ack;

	ack = nta_outgoing_tcreate(c->leg, NULL, NULL, NULL, SIP_METHOD_ACK, NULL,
				   SIPTAG_CSEQ(cseq),
				   TAG_IF(answer, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
				   TAG_IF(answer, SIPTAG_PAYLOAD_STR(answer)), TAG_END());
	nta_outgoing_destroy(ack); /* the engine keeps it for retransmissions */
	su_home_deinit(home);
}

/* A session timer that is ours to refresh: RFC 4028 section 10, at half its time. */
static void
session_timer_take(struct ue_call *c, const sip_t *sip)
{
	const sip_session_expires_t *x = sip->sip_session_expires;

	c->session_expires = x ? (unsigned)x->x_delta : 0;
	c->refresh_ns = 0;
	if (x && x->x_refresher && strcasecmp(x->x_refresher, "uac") == 0)
		c->refresh_ns = bench_now_ns() + x->x_delta * UINT64_C(500000000);
}

void
ue_call_up(struct ue_call *c)
{
	c->answer_ns = bench_now_ns();
	c->outcome = UE_JOINED;
	ue_call_invite_over(c);
	c->shared->up++;
	c->state = UE_UP;
	ue_dialog_up(c);
}

/* The first INVITE was answered by 2xx: what came of its description? */
static void
first_conclude(struct ue_call *c, int err)
{
	bool is_leaving = c->state == UE_LEAVING;

	if (!err)
		ue_call_up(c);
	else
		c->outcome = UE_BAD_ANSWER;
	ue_call_invite_over(c);
	if (err || is_leaving)
		ue_call_bye(c);
}

/* Our answer to a late offer goes into the ACK. err: it is refused, and the call ends. */
static void
late_answer(struct ue_call *c, nta_outgoing_t *orq, int err)
{
	char answer[UE_SDP_MAX] = "";

	if (!err)
		err = ue_call_answer(c, answer);
	ack_send(c, orq, err ? NULL : answer);
	explicit_bzero(answer, sizeof(answer));
	first_conclude(c, err);
}

static int
prack_answered(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
	if (nta_outgoing_status(orq) >= 200)
		nta_outgoing_destroy(orq);
	return 0;
}

/* PRACK, with our answer where the provisional response had an offer. */
static void
prack_send(struct ue_call *c, const sip_t *sip, int err)
{
	char answer[UE_SDP_MAX] = "", rack[48];

	if (!err && c->offer && c->shared->options->is_late_offer && !c->has_early) {
		err = ue_call_answer(c, answer);
		c->has_early = !err;
	}
	snprintf(rack, sizeof(rack), "%u %u INVITE", (unsigned)sip->sip_rseq->rs_response,
		 (unsigned)sip->sip_cseq->cs_seq);
	c->pracks +=
		nta_outgoing_tcreate(
			c->leg, prack_answered, c, NULL, SIP_METHOD_PRACK, NULL,
			SIPTAG_RACK_STR(rack),
			TAG_IF(!err && answer[0], SIPTAG_CONTENT_TYPE_STR("application/sdp")),
			TAG_IF(!err && answer[0], SIPTAG_PAYLOAD_STR(answer)), TAG_END()) != NULL;
	explicit_bzero(answer, sizeof(answer));
}

static void
dialog_take(struct ue_call *c, const sip_t *sip)
{
	if (sip->sip_to && sip->sip_to->a_tag)
		nta_leg_rtag(c->leg, sip->sip_to->a_tag);
	nta_leg_client_route(c->leg, sip->sip_record_route, sip->sip_contact);
}

/* A provisional response; a reliable one (RFC 3262) may have the answer or the offer, and is acknowledged. */
static void
provisional(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
	const char *text;
	size_t len = ue_call_payload(sip, &text);
	int err = 0;

	if (!sip || !sip->sip_rseq || c->outcome == UE_JOINED || c->state != UE_INVITING || c->wait)
		return;
	if (c->early_rseq == sip->sip_rseq->rs_response)
		return; /* once more */
	c->early_rseq = sip->sip_rseq->rs_response;
	dialog_take(c, sip);
	if (len && !c->has_early && c->shared->options->is_late_offer) {
		err = ue_call_offered(c, text, len);
		if (err == -EINPROGRESS) {
			c->wait = UE_WAIT_EARLY;
			c->late = orq;
			return;
		}
	} else if (len && !c->has_early) {
		c->has_early = ue_call_answered(c, text, len) == 0;
	}
	prack_send(c, sip, err);
}

/* True: the KMS is asked, orq is kept until it has answered. */
static bool
admitted(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
	bool is_first = c->outcome == UE_PENDING;
	const char *text;
	size_t len = ue_call_payload(sip, &text);
	int err = len || (is_first && c->has_early) ? 0 : -EBADMSG;

	if (is_first)
		c->is_focus =
			sip->sip_contact && msg_params_find(sip->sip_contact->m_params, "isfocus");
	dialog_take(c, sip);
	session_timer_take(c, sip);
	if (!err && is_first && c->shared->options->is_late_offer && !c->has_early) {
		err = ue_call_offered(c, text, len);
		if (err == -EINPROGRESS) {
			c->wait = UE_WAIT_LATE;
			c->late = orq;
			return true;
		}
		late_answer(c, orq, err);
		return false;
	}
	if (!err && !(is_first && c->has_early))
		err = ue_call_answered(c, text, len);
	ack_send(c, orq, NULL);
	if (is_first)
		first_conclude(c, err);
	else
		*(err ? &c->reinvites_failed : &c->reinvites_ok) += 1;
	return false;
}

static void
refused(struct ue_call *c, const sip_t *sip, int status)
{
	const char *body = NULL;
	size_t len = ue_call_payload(sip, &body);
	bool is_mikey = sip && sip->sip_content_type && sip->sip_content_type->c_type &&
			strcasecmp(sip->sip_content_type->c_type, "application/mikey") == 0;

	ue_call_offer_refused(c, (const uint8_t *)body, len, !is_mikey);
	if (c->outcome == UE_JOINED) {
		c->reinvites_failed++;
		return;
	}
	/* what the transaction engine says by itself is no answer */
	c->outcome = sip && !nta_sip_is_internal(sip) ? UE_REFUSED
		     : status == 408		      ? UE_TIMED_OUT
						      : UE_UNREACHABLE;
	ue_call_done(c);
}

static int
invite_answered(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
	int status = nta_outgoing_status(orq);
	bool is_again = c->outcome == UE_JOINED;

	if (status < 200) {
		if (orq == c->invite)
			provisional(c, orq, sip);
		return 0;
	}
	if (orq != c->invite) {
		nta_outgoing_destroy(orq); /* we gave it up */
		return 0;
	}
	c->reinvite_status = is_again ? status : c->reinvite_status;
	if (!is_again) {
		c->status = status;
		snprintf(c->reason, sizeof(c->reason), "%s",
			 sip && sip->sip_status && sip->sip_status->st_phrase
				 ? sip->sip_status->st_phrase
				 : "");
		c->warning[0] = '\0';
		if (sip && sip->sip_warning && sip->sip_warning->w_text)
			snprintf(c->warning, sizeof(c->warning), "%u %s",
				 (unsigned)sip->sip_warning->w_code, sip->sip_warning->w_text);
	}
	c->invite = NULL;
	c->is_reinviting = false;
	if (c->late == orq) { /* its offer waited for the KMS */
		c->late = NULL;
		c->wait = UE_WAIT_NOTHING;
	}
	if (status < 300 && admitted(c, orq, sip))
		return 0;
	if (status < 300)
		;
	else if ((status != 401 && status != 407) || !sip || !challenge_take(c, sip))
		refused(c, sip, status);
	nta_outgoing_destroy(orq);
	return 0;
}

void
ue_call_reinvite(struct ue_call *c)
{
	if (c->state != UE_UP || c->is_reinviting)
		return;
	c->is_reinviting = true;
	c->was_challenged = false;
	ue_call_invite_send(c, NULL, false);
	if (!c->invite) {
		c->is_reinviting = false;
		c->reinvites_failed++;
	}
}

/* The answer to the offer of a response that is held. */
void
ue_call_late_go_on(struct ue_call *c, enum ue_wait wait, int err)
{
	nta_outgoing_t *orq = c->late;
	msg_t *msg;

	c->late = NULL;
	if (wait == UE_WAIT_LATE) {
		late_answer(c, orq, err);
		nta_outgoing_destroy(orq);
		return;
	}
	msg = nta_outgoing_getresponse(orq);
	prack_send(c, sip_object(msg), err);
	msg_destroy(msg);
}
