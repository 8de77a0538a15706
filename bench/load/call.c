/* A call's signalling (RFC 3261 dialog, client side) on sofia-sip's transaction engine. */
#include "bench/load/call.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

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
#include "bench/load/digest.h"

static int invite_answered(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip);

const char *
ue_outcome_name(enum ue_outcome outcome)
{
	static const char *const names[UE_OUTCOMES] = {"pending",  "joined",	  "refused",
						       "timeout",  "unreachable", "bad-answer",
						       "no-ticket"};

	return names[outcome];
}

/* The first "%d" of text becomes number. */
static void
number_put(char *out, size_t size, const char *text, unsigned number)
{
	const char *at = strstr(text, "%d");

	if (at)
		snprintf(out, size, "%.*s%u%s", (int)(at - text), text, number, at + 2);
	else
		snprintf(out, size, "%s", text);
}

/* The INVITE has its final answer, or will not get one. */
static void
invite_over(struct ue_call *c)
{
	c->shared->inviting -= c->is_counted;
	c->is_counted = false;
}

void
ue_call_done(struct ue_call *c)
{
	if (c->state == UE_DONE)
		return;
	invite_over(c);
	if (c->outcome == UE_JOINED)
		c->shared->up--;
	c->shared->over++;
	c->state = UE_DONE;
	c->end_ns = c->end_ns ? c->end_ns : bench_now_ns();
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

static void
bye_send(struct ue_call *c)
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

static int
ack_came(struct ue_call *c, nta_incoming_t *irq, const sip_t *sip)
{
	const char *text;
	size_t len = ue_call_payload(sip, &text);

	if (sip && sip->sip_request && sip->sip_request->rq_method == sip_method_ack && len)
		(void)ue_call_answered(c, text, len);
	ue_call_acked(c);
	if (c->reinvite == irq)
		c->reinvite = NULL;
	nta_incoming_destroy(irq);
	return 0;
}

/* INVITE or UPDATE of the focus within the call: its offer is answered, or ours is made. */
static int
offer_came(struct ue_call *c, nta_incoming_t *irq, const sip_t *sip)
{
	bool is_invite = sip->sip_request->rq_method == sip_method_invite;
	char out[UE_SDP_MAX] = "", contact[160];
	const char *text;
	size_t len = ue_call_payload(sip, &text);
	int err = 0;

	if (c->is_reinviting)
		return 491;
	c->reinvites_heard++;
	if (len)
		err = ue_call_answer(c, text, len, out);
	else if (is_invite)
		err = ue_call_offer(c, out);
	if (err)
		return 488;
	snprintf(contact, sizeof(contact), "%s", c->contact);
	if (is_invite) {
		nta_incoming_bind(irq, ack_came, c);
		c->reinvite = irq;
	}
	nta_incoming_treply(
		irq, SIP_200_OK, SIPTAG_CONTACT_STR(contact),
		TAG_IF(sip->sip_session_expires, SIPTAG_SESSION_EXPIRES(sip->sip_session_expires)),
		TAG_IF(sip->sip_session_expires, SIPTAG_REQUIRE_STR("timer")),
		TAG_IF(out[0], SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(out[0], SIPTAG_PAYLOAD_STR(out)), TAG_END());
	explicit_bzero(out, sizeof(out));
	if (!is_invite) {
		ue_call_acked(c);
		nta_incoming_destroy(irq);
	}
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
	case sip_method_notify:
		return 200;
	default:
		return 501;
	}
}

int
ue_call_init(struct ue_call *c, struct ue_ear *ear)
{
	const struct ue_options *o = c->shared->options;
	const char *uri = o->uri ? o->uri : "sip:", *at = strchr(uri, '@');
	char host[160], why[512] = "";
	int err = ue_leg_create(&c->media, c->shared->media, c->number, ear);

	if (!err && c->shared->mikey)
		err = ue_mikey_create(&c->mikey, c->shared->mikey, c->number, why, sizeof(why));
	if (why[0])
		fprintf(stderr, "conclave-ue: %s\n", why);
	if (err)
		return err;
	c->ssrc = ue_leg_ssrc(c->media);
	if (o->uri)
		number_put(c->uri, sizeof(c->uri), o->uri, c->conference);
	if (o->uri && strcmp(o->transport, "tcp") == 0 && !strstr(c->uri, "transport="))
		strncat(c->uri, ";transport=tcp", sizeof(c->uri) - strlen(c->uri) - 1);
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(at ? at + 1 : uri + 4, ";?:"),
		 at ? at + 1 : uri + 4);
	if (o->from)
		number_put(c->identity, sizeof(c->identity), o->from, c->number);
	else if (c->mikey)
		snprintf(c->identity, sizeof(c->identity), "%.199s", ue_mikey_identity(c->mikey));
	else
		snprintf(c->identity, sizeof(c->identity), "sip:ue%u@%s", c->number,
			 host[0] == '[' || !host[0] ? "conclave.invalid" : host);
	if (o->start_seq >= 0)
		ue_leg_seq_set(c->media, (uint16_t)o->start_seq);
	snprintf(c->contact, sizeof(c->contact),
		 strchr(c->shared->local, ':') ? "<sip:ue%u@[%s]:%u%s>" : "<sip:ue%u@%s:%u%s>",
		 c->number, c->shared->local, c->shared->sip_port,
		 strcmp(o->transport, "tcp") == 0 ? ";transport=tcp" : "");
	return 0;
}

/* The headers that options ask for, one a line, as sofia's parser takes them. */
static void
more_headers(const struct ue_call *c, char *out, size_t size)
{
	const struct ue_options *o = c->shared->options;
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < o->header_count && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s\r\n", o->header[i]);
	if (o->pai && n < size) {
		char pai[200];

		number_put(pai, sizeof(pai), o->pai, c->number);
		n += (size_t)snprintf(out + n, size - n, "P-Asserted-Identity: <%s>\r\n", pai);
	}
	if (o->session_expires && n < size)
		snprintf(out + n, size - n, "Supported: timer\r\nSession-Expires: %u\r\n",
			 o->session_expires);
}

static void
invite_send(struct ue_call *c, const char *credentials, bool is_proxy)
{
	const struct ue_options *o = c->shared->options;
	bool has_offer = c->leg && (c->outcome == UE_JOINED || !o->is_late_offer);
	char sdp[UE_SDP_MAX] = "", headers[1024];

	if (has_offer && ue_call_offer(c, sdp) != 0) {
		c->outcome = UE_BAD_ANSWER;
		ue_call_done(c);
		return;
	}
	more_headers(c, headers, sizeof(headers));
	c->invite = nta_outgoing_tcreate(
		c->leg, invite_answered, c, NULL, SIP_METHOD_INVITE,
		URL_STRING_MAKE(c->outcome == UE_JOINED ? NULL : c->uri),
		SIPTAG_CONTACT_STR(c->contact),
		SIPTAG_ALLOW_STR("INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"),
		TAG_IF(headers[0], SIPTAG_HEADER_STR(headers)),
		TAG_IF(has_offer, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(has_offer, SIPTAG_PAYLOAD_STR(sdp)),
		TAG_IF(credentials && !is_proxy, SIPTAG_AUTHORIZATION_STR(credentials)),
		TAG_IF(credentials && is_proxy, SIPTAG_PROXY_AUTHORIZATION_STR(credentials)),
		TAG_END());
	explicit_bzero(sdp, sizeof(sdp));
	if (!c->invite && c->outcome == UE_PENDING) {
		c->outcome = UE_UNREACHABLE;
		snprintf(c->reason, sizeof(c->reason), "could not be sent");
		ue_call_done(c);
	}
}

static void
no_ticket(struct ue_call *c)
{
	struct ue_mikey_report mikey = ue_mikey_report(c->mikey);

	c->outcome = UE_NO_TICKET;
	snprintf(c->reason, sizeof(c->reason), "%.79s", mikey.fault ? mikey.fault : "no ticket");
	ue_call_done(c);
}

void
ue_call_invite(struct ue_call *c)
{
	char from[256], to[300];

	c->state = UE_INVITING;
	c->shared->inviting++;
	c->is_counted = true;
	c->invite_ns = bench_now_ns();
	snprintf(from, sizeof(from), "<%s>", c->identity);
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
	if (!c->mikey)
		invite_send(c, NULL, false);
	else if (ue_mikey_call(c->mikey, c->uri) == 0)
		c->is_waiting = true;
	else
		no_ticket(c);
}

/* A parameter of a challenge without its quotes. */
static const char *
parameter(char *out, size_t size, const sip_www_authenticate_t *au, const char *name)
{
	const char *value = msg_params_find(au->au_params, name);

	if (!value)
		return NULL;
	snprintf(out, size, "%s", value[0] == '"' ? value + 1 : value);
	if (value[0] == '"' && out[0])
		out[strcspn(out, "\"")] = '\0';
	return out;
}

/* True when the challenge is answered by a new INVITE. */
static bool
challenge_take(struct ue_call *c, const sip_t *sip)
{
	const struct ue_options *o = c->shared->options;
	bool is_proxy = sip->sip_proxy_authenticate != NULL;
	char best[1024] = "", user[128], cnonce[17];
	const char *method_uri[2] = {"INVITE", c->outcome == UE_JOINED ? NULL : c->uri};
	const char *user_password[2] = {user, o->password};
	uint8_t random[8];
	int strength = 0;

	if (!o->user || c->was_challenged || getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	number_put(user, sizeof(user), o->user, c->number);
	for (unsigned i = 0; i < 8; i++)
		snprintf(cnonce + 2 * i, 3, "%02x", random[i]);
	for (const sip_www_authenticate_t *au = is_proxy ? sip->sip_proxy_authenticate
							 : sip->sip_www_authenticate;
	     au; au = au->au_next) {
		char realm[128], nonce[256], opaque[128], algorithm[32], qop[32], text[1024];
		struct ue_challenge ch = {
			.realm = parameter(realm, sizeof(realm), au, "realm"),
			.nonce = parameter(nonce, sizeof(nonce), au, "nonce"),
			.opaque = parameter(opaque, sizeof(opaque), au, "opaque"),
			.algorithm = parameter(algorithm, sizeof(algorithm), au, "algorithm"),
			.qop = parameter(qop, sizeof(qop), au, "qop"),
		};

		if (ue_digest_strength(&ch) > strength &&
		    ue_digest_answer(text, sizeof(text), &ch, method_uri, user_password, cnonce) ==
			    0) {
			strength = ue_digest_strength(&ch);
			memcpy(best, text, sizeof(best));
		}
	}
	if (strength == 0)
		return false;
	c->was_challenged = true;
	c->ours.version = 0;
	c->ours.key_count = 0;
	invite_send(c, best, is_proxy);
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

static void
admitted(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
	const struct ue_options *o = c->shared->options;
	bool is_first = c->outcome == UE_PENDING, is_late = is_first && o->is_late_offer;
	char answer[UE_SDP_MAX] = "";
	const char *text;
	size_t len = ue_call_payload(sip, &text);
	int err = len ? 0 : -EBADMSG;

	if (is_first) {
		nta_leg_rtag(c->leg, sip->sip_to->a_tag);
		c->is_focus =
			sip->sip_contact && msg_params_find(sip->sip_contact->m_params, "isfocus");
	}
	nta_leg_client_route(c->leg, sip->sip_record_route, sip->sip_contact);
	session_timer_take(c, sip);
	if (!err)
		err = is_late ? ue_call_answer(c, text, len, answer)
			      : ue_call_answered(c, text, len);
	ack_send(c, orq, answer[0] ? answer : NULL);
	explicit_bzero(answer, sizeof(answer));
	if (!is_first) {
		*(err ? &c->reinvites_failed : &c->reinvites_ok) += 1;
		return;
	}
	c->answer_ns = bench_now_ns();
	c->outcome = err ? UE_BAD_ANSWER : UE_JOINED;
	invite_over(c);
	c->shared->up += !err;
	if (err || c->state == UE_LEAVING)
		bye_send(c);
	else
		c->state = UE_UP;
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

	if (status < 200)
		return 0;
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
	if (status < 300)
		admitted(c, orq, sip);
	else if ((status != 401 && status != 407) || !sip || !challenge_take(c, sip))
		refused(c, sip, status);
	nta_outgoing_destroy(orq);
	return 0;
}

/* A re-INVITE, when none is under way. */
static void
reinvite(struct ue_call *c)
{
	if (c->state != UE_UP || c->is_reinviting)
		return;
	c->is_reinviting = true;
	c->was_challenged = false;
	invite_send(c, NULL, false);
	if (!c->invite) {
		c->is_reinviting = false;
		c->reinvites_failed++;
	}
}

static void
hold(struct ue_call *c, const char *dir)
{
	static const char *const dirs[] = {"sendonly", "recvonly", "inactive", "sendrecv"};

	c->ours.dir = "inactive";
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(dirs[i], dir) == 0)
			c->ours.dir = dirs[i];
	reinvite(c);
}

static void
codec_change(struct ue_call *c, const char *name)
{
	enum dp_codec_id codec = ue_codec_by_name(name);

	if (codec == DP_CODEC_NONE)
		return;
	c->ours.codec_count = 1;
	c->ours.codec[0] = codec;
	c->ours.pt[0] = ue_codec_pt(codec);
	reinvite(c);
}

static void
move(struct ue_call *c)
{
	if (ue_leg_move(c->shared->media, c->media, &c->ours.port, &c->ours.rtcp_port) != 0)
		return;
	c->is_fresh_next = true;
	ue_call_rekey(c);
	reinvite(c);
}

void
ue_call_act(struct ue_call *c, const struct ue_action *action)
{
	struct ue_media *m = c->shared->media;
	unsigned number = (unsigned)strtoul(action->arg, NULL, 10);

	switch (action->kind) {
	case UE_HOLD:
		hold(c, action->arg);
		break;
	case UE_UNHOLD:
		hold(c, "sendrecv");
		break;
	case UE_REKEY:
		if (!c->is_reinviting)
			ue_call_rekey(c);
		reinvite(c);
		break;
	case UE_REINVITE:
		reinvite(c);
		break;
	case UE_MOVE:
		move(c);
		break;
	case UE_CODEC:
		codec_change(c, action->arg);
		break;
	case UE_DTMF:
		ue_leg_dtmf(m, c->media, action->arg);
		break;
	case UE_MUTE:
	case UE_UNMUTE:
		ue_leg_mute(m, c->media, action->kind == UE_MUTE);
		break;
	case UE_SSRC:
		ue_leg_ssrc_change(m, c->media);
		break;
	case UE_GARBAGE:
		ue_leg_attack(m, c->media, UE_ATTACK_GARBAGE, number);
		break;
	case UE_WRONG_KEY:
		ue_leg_attack(m, c->media, UE_ATTACK_WRONG_KEY, number);
		break;
	case UE_WRONG_SOURCE:
		ue_leg_attack(m, c->media, UE_ATTACK_WRONG_SOURCE, number);
		break;
	case UE_BYE:
		ue_call_leave(c, false);
		break;
	case UE_VANISH:
		ue_call_leave(c, true);
		break;
	}
}

void
ue_call_leave(struct ue_call *c, bool in_silence)
{
	if (c->state == UE_UP && !in_silence) {
		bye_send(c);
	} else if (c->state == UE_UP || c->state == UE_IDLE || c->state == UE_LISTENING) {
		c->is_vanished = true;
		ue_call_done(c);
	} else if (c->state == UE_RINGING) {
		ue_call_refused(c, 480, "leaving");
	} else if (c->state == UE_INVITING) {
		/* a 200 can still come: then BYE follows */
		c->state = UE_LEAVING;
		if (c->invite)
			nta_outgoing_cancel(c->invite);
		else
			ue_call_done(c);
	}
}

/* The KMS is asked: on with the call when it has answered. */
static void
kms_wait(struct ue_call *c, uint64_t now_ns)
{
	int err = c->state == UE_INVITING || c->state == UE_RINGING ? ue_mikey_ready(c->mikey)
								    : -ECANCELED;

	if (err == -EAGAIN)
		return;
	c->is_waiting = false;
	if (c->state == UE_RINGING) {
		ue_call_ready(c, err);
	} else if (err && c->state == UE_INVITING) {
		no_ticket(c);
	} else if (!err) {
		c->invite_ns = now_ns;
		invite_send(c, NULL, false);
	}
}

void
ue_call_tick(struct ue_call *c, uint64_t now_ns)
{
	const struct ue_options *o = c->shared->options;

	if (c->is_waiting)
		kms_wait(c, now_ns);
	if (c->state == UE_INVITING && now_ns > c->invite_ns &&
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
		reinvite(c);
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
