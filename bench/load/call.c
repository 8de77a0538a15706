/* A call's signalling (RFC 3261 dialog, client side) on sofia-sip's transaction engine. */
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
#include "bench/load/refer.h"
#include "bench/load/streams.h"
#include "bench/load/subscribe.h"

const char *
ue_outcome_name(enum ue_outcome outcome)
{
	static const char *const names[UE_OUTCOMES] = {"pending",  "joined",	  "refused",
						       "timeout",  "unreachable", "bad-answer",
						       "no-ticket"};

	return names[outcome];
}

/* The INVITE has its final answer, or will not get one. */
void
ue_call_invite_over(struct ue_call *c)
{
	c->shared->inviting -= c->is_counted;
	c->is_counted = false;
}

void
ue_call_done(struct ue_call *c)
{
	if (c->state == UE_DONE)
		return;
	ue_call_invite_over(c);
	if (c->outcome == UE_JOINED)
		c->shared->up--;
	c->shared->over++;
	c->state = UE_DONE;
	c->end_ns = c->end_ns ? c->end_ns : bench_now_ns();
	ue_streams_end(c);
	ue_leg_end(c->shared->media, c->media, !c->is_vanished);
}

static int
bye_answered(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
	if (nta_outgoing_status(orq) < 200)
		return 0;
	nta_outgoing_destroy(orq);
	ue_call_done(c);
	return 0;
}

void
ue_call_bye(struct ue_call *c)
{
	nta_outgoing_t *orq;

	c->state = UE_LEAVING;
	c->end_ns = bench_now_ns();
	ue_leg_end(c->shared->media, c->media, true);
	orq = nta_outgoing_tcreate(c->leg, bye_answered, c, NULL, SIP_METHOD_BYE, NULL, TAG_END());
	if (!orq)
		ue_call_done(c);
}

size_t
ue_call_payload(const sip_t *sip, const char **text)
{
	if (!sip || !sip->sip_payload || !sip->sip_payload->pl_data)
		return 0;
	*text = sip->sip_payload->pl_data;
	return sip->sip_payload->pl_len;
}

/* The ACK of our 200, or a CANCEL before it. */
static int
ack_came(struct ue_call *c, nta_incoming_t *irq, const sip_t *sip)
{
	bool is_ack = sip && sip->sip_request && sip->sip_request->rq_method == sip_method_ack;
	const char *text;
	size_t len = ue_call_payload(sip, &text);

	if (c->wait == UE_WAIT_REOFFER && c->reinvite == irq) {
		c->wait = UE_WAIT_NOTHING;
		nta_incoming_treply(irq, SIP_487_REQUEST_CANCELLED, TAG_END());
	} else {
		if (is_ack && len)
			(void)ue_call_answered(c, text, len);
		ue_call_acked(c);
	}
	if (c->reinvite == irq)
		c->reinvite = NULL;
	nta_incoming_destroy(irq);
	return 0;
}

/* 200 to an INVITE or UPDATE within the call. sdp: empty, our answer or our offer. */
static void
offer_reply(struct ue_call *c, nta_incoming_t *irq, const sip_t *sip, const char *sdp)
{
	bool is_invite = sip->sip_request->rq_method == sip_method_invite;

	if (is_invite) {
		nta_incoming_bind(irq, ack_came, c);
		c->reinvite = irq;
	}
	nta_incoming_treply(
		irq, SIP_200_OK, SIPTAG_CONTACT_STR(c->contact),
		TAG_IF(sip->sip_session_expires, SIPTAG_SESSION_EXPIRES(sip->sip_session_expires)),
		TAG_IF(sip->sip_session_expires, SIPTAG_REQUIRE_STR("timer")),
		TAG_IF(sdp[0], SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(sdp[0], SIPTAG_PAYLOAD_STR(sdp)), TAG_END());
	if (!is_invite) {
		ue_call_acked(c);
		nta_incoming_destroy(irq);
	}
}

void
ue_call_reoffer_answer(struct ue_call *c, int err)
{
	nta_incoming_t *irq = c->reinvite;
	msg_t *msg = nta_incoming_getrequest(irq);
	char out[UE_SDP_MAX] = "";

	c->reinvite = NULL;
	if (!err)
		err = ue_call_answer(c, out);
	if (err) {
		nta_incoming_treply(irq, SIP_488_NOT_ACCEPTABLE, TAG_END());
		nta_incoming_destroy(irq);
	} else {
		offer_reply(c, irq, sip_object(msg), out);
	}
	explicit_bzero(out, sizeof(out));
	msg_destroy(msg);
}

/* INVITE or UPDATE of the focus within the call: its offer is answered, or ours is made. */
static int
offer_came(struct ue_call *c, nta_incoming_t *irq, const sip_t *sip)
{
	bool is_invite = sip->sip_request->rq_method == sip_method_invite;
	char out[UE_SDP_MAX] = "";
	const char *text;
	size_t len = ue_call_payload(sip, &text);
	int err = 0;

	if (c->is_reinviting || c->wait)
		return 491;
	c->reinvites_heard++;
	if (len)
		err = ue_call_offered(c, text, len);
	if (err == -EINPROGRESS) {
		c->wait = UE_WAIT_REOFFER;
		c->reinvite = irq;
		nta_incoming_bind(irq, ack_came, c);
		return 0;
	}
	if (!err && len)
		err = ue_call_answer(c, out);
	else if (!err && is_invite)
		err = ue_call_offer(c, out);
	if (err)
		return 488;
	offer_reply(c, irq, sip, out);
	explicit_bzero(out, sizeof(out));
	return 0;
}

/* What the focus asks within the dialog. */
int
ue_call_request(struct ue_call *c, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	switch (sip->sip_request->rq_method) {
	case sip_method_bye:
		if (c->state == UE_UP) {
			c->is_ended_by_focus = true;
			if (sip->sip_reason && sip->sip_reason->re_text)
				snprintf(c->end_reason, sizeof(c->end_reason), "%s",
					 sip->sip_reason->re_text);
			ue_call_done(c);
		}
		return 200;
	case sip_method_invite:
	case sip_method_update:
		return c->state == UE_UP ? offer_came(c, irq, sip) : 481;
	case sip_method_ack:
		return 0;
	case sip_method_info:
	case sip_method_options:
	case sip_method_message:
		return 200;
	case sip_method_notify:
		return ue_refer_notified(c, sip) ? 200 : ue_sub_notified(c, sip);
	default:
		return 501;
	}
}

int
ue_call_init(struct ue_call *c, struct ue_ear *ear)
{
	const struct ue_options *o = c->shared->options;
	const char *at = ue_uri_host(o->uri ? o->uri : "sip:");
	bool is_sips = o->uri && strncasecmp(o->uri, "sips:", 5) == 0;
	char host[160], why[512] = "", transport[24] = "";
	struct ue_record *record;
	int err = ue_leg_create(&c->media, c->shared->media, c->number, ear);

	if (!err && o->record) {
		err = ue_record_open(&record, o->record, c->number);
		if (err)
			fprintf(stderr, "conclave-ue: %s: %s\n", o->record, strerror(-err));
		else
			ue_leg_record(c->media, record);
	}
	if (!err && c->shared->mikey)
		err = ue_mikey_create(&c->mikey, c->shared->mikey, c->number, why, sizeof(why));
	if (why[0])
		fprintf(stderr, "conclave-ue: %s\n", why);
	if (err)
		return err;
	c->ssrc = ue_leg_ssrc(c->media);
	if (o->uri)
		ue_number_put(c->uri, sizeof(c->uri), o->uri, c->conference);
	if (!is_sips && strcmp(o->transport, "udp") != 0)
		snprintf(transport, sizeof(transport), ";transport=%s", o->transport);
	if (o->uri && !strstr(c->uri, "transport="))
		strncat(c->uri, transport, sizeof(c->uri) - strlen(c->uri) - 1);
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(at, ";?:"), at);
	if (o->from)
		ue_number_put(c->identity, sizeof(c->identity), o->from, c->number);
	else if (c->mikey)
		snprintf(c->identity, sizeof(c->identity), "%.199s", ue_mikey_identity(c->mikey));
	else
		snprintf(c->identity, sizeof(c->identity), "sip:ue%u@%s", c->number,
			 host[0] == '[' || !host[0] ? "conclave.invalid" : host);
	err = ue_streams_create(c);
	if (err)
		return err;
	if (o->start_seq >= 0)
		ue_leg_seq_set(c->media, (uint16_t)o->start_seq);
	snprintf(c->contact, sizeof(c->contact),
		 strchr(c->shared->local, ':') ? "<%s:ue%u@[%s]:%u%s>" : "<%s:ue%u@%s:%u%s>",
		 is_sips ? "sips" : "sip", c->number, c->shared->local, c->shared->sip_port,
		 transport);
	return 0;
}

void
ue_call_leave(struct ue_call *c, bool in_silence)
{
	ue_sub_leave(c, in_silence);
	if (c->state == UE_UP && !in_silence) {
		ue_call_bye(c);
	} else if (c->state == UE_UP || c->state == UE_IDLE || c->state == UE_LISTENING) {
		c->is_vanished = true;
		ue_call_done(c);
	} else if (c->state == UE_RINGING) {
		ue_call_refused(c, 480, "leaving");
	} else if (c->state == UE_INVITING) {
		/* a 200 can still come, or wait for the KMS: then BYE follows */
		c->state = UE_LEAVING;
		if (c->wait == UE_WAIT_LATE)
			return;
		if (c->invite)
			nta_outgoing_cancel(c->invite);
		else
			ue_call_done(c);
	}
}

/* The KMS was asked: on with the call when it has answered. */
static void
kms_wait(struct ue_call *c, uint64_t now_ns)
{
	enum ue_wait wait = c->wait;
	int err = c->state == UE_DONE ? -ECANCELED : ue_mikey_ready(c->mikey);

	if (err == -EAGAIN)
		return;
	c->wait = UE_WAIT_NOTHING;
	if (wait == UE_WAIT_CALLED && c->state == UE_RINGING) {
		ue_call_ready(c, err);
	} else if (wait == UE_WAIT_LATE || wait == UE_WAIT_EARLY) {
		ue_call_late_go_on(c, wait, err);
	} else if (wait == UE_WAIT_REOFFER && c->reinvite) {
		ue_call_reoffer_answer(c, err);
	} else if (wait == UE_WAIT_REKEY) {
		if (!err && !c->is_reinviting && ue_call_rekey_full(c) == 0)
			ue_call_reinvite(c);
		else
			c->reinvites_failed++;
	} else if (wait == UE_WAIT_TICKET && c->state == UE_INVITING) {
		if (err) {
			ue_call_no_ticket(c);
			return;
		}
		c->invite_ns = now_ns;
		ue_call_invite_send(c, NULL, false);
	}
}

void
ue_call_tick(struct ue_call *c, uint64_t now_ns)
{
	const struct ue_options *o = c->shared->options;

	ue_sub_tick(c, now_ns);
	ue_streams_tick(c, now_ns);
	ue_refer_report(c);
	if (c->wait)
		kms_wait(c, now_ns);
	if (c->state == UE_INVITING && c->wait != UE_WAIT_LATE && now_ns > c->invite_ns &&
	    (double)(now_ns - c->invite_ns) / 1e9 > o->timeout) {
		c->outcome = UE_TIMED_OUT;
		if (c->invite) {
			nta_outgoing_cancel(c->invite);
			c->invite = NULL;
		}
		ue_call_done(c);
	}
	if (c->state != UE_UP || now_ns < c->answer_ns) /* answered in this very turn */
		return;
	if (c->refresh_ns && now_ns >= c->refresh_ns) {
		c->refresh_ns = 0;
		ue_call_reinvite(c);
	}
	if (o->actors && c->number > o->actors)
		return;
	while (c->state == UE_UP && c->action_at < o->action_count &&
	       (double)(now_ns - c->answer_ns) / 1e9 >= o->action[c->action_at].at)
		ue_call_act(c, &o->action[c->action_at++]);
}

void
ue_call_fini(struct ue_call *c)
{
	if (c->late && c->late != c->invite)
		nta_outgoing_destroy(c->late);
	ue_sub_free(c);
	ue_streams_destroy(c);
	ue_refer_fini(c);
	if (c->leg)
		nta_leg_destroy(c->leg);
	ue_mikey_destroy(c->mikey);
	if (c->unsaid)
		dp_srtp_key_destroy(c->unsaid->tx_key);
	free(c->unsaid);
	free(c->offer);
	explicit_bzero(&c->ours, sizeof(c->ours));
	explicit_bzero(&c->tx_key, sizeof(c->tx_key));
	explicit_bzero(&c->rx_key, sizeof(c->rx_key));
}
